//! How a connection begins: whether there is room, whether it must be encrypted, who it is, and what it is told of the
//! server. With tokens a user is a token's name and its password the token (SCRAM-SHA-256); without, anyone is let in.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use futures::Sink;
use pgwire::api::auth::sasl::SASLAuthStartupHandler;
use pgwire::api::auth::sasl::scram::{SCRAM_ITERATIONS, ScramAuth, gen_salted_password};
use pgwire::api::auth::{
    AuthSource, LoginInfo, Password, ServerParameterProvider, StartupHandler, finish_authentication,
    protocol_negotiation, save_startup_parameters_to_metadata,
};
use pgwire::api::{ClientInfo, METADATA_USER, PgWireConnectionState, PidSecretKeyGenerator};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::startup::Startup;
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use sha2::{Digest, Sha256};
use tokio::sync::OwnedSemaphorePermit;

use super::error::{INVALID_AUTHORIZATION, TOO_MANY_CONNECTIONS, ending, fatal};
use super::session::Session;
use crate::engine::POSTGRES_SETTINGS;

pub type Sasl = SASLAuthStartupHandler<Parameters>;

/// The principal of connections to a server without tokens.
const ANYONE: &str = "postgres";
const SALT: usize = 16;

/// Users with their salted passwords: the tokens themselves are not kept.
pub struct Accounts {
    users: HashMap<String, Password>,
    /// Makes salts for users that do not exist, always the same ones: nobody can tell who does.
    secret: [u8; 32],
}

impl Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Accounts({})", self.users.len())
    }
}

impl Accounts {
    pub fn new(tokens: &BTreeMap<String, String>) -> Accounts {
        let salted = |(name, token): (&String, &String)| {
            let salt: [u8; SALT] = rand::random();
            (name.clone(), Password::new(Some(salt.to_vec()), gen_salted_password(token, &salt, SCRAM_ITERATIONS)))
        };
        Accounts { users: tokens.iter().map(salted).collect(), secret: rand::random() }
    }

    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }

    fn of(&self, user: &str) -> Password {
        self.users.get(user).cloned().unwrap_or_else(|| {
            let salt = Sha256::new().chain_update(self.secret).chain_update(user).finalize();
            let never: [u8; 32] = rand::random();
            Password::new(Some(salt[..SALT].to_vec()), never.to_vec())
        })
    }
}

#[async_trait]
impl AuthSource for Accounts {
    async fn get_password(&self, login: &LoginInfo) -> PgWireResult<Password> {
        Ok(self.of(login.user().ok_or(PgWireError::UserNameRequired)?))
    }
}

/// What clients are told of the server when they have been let in.
pub struct Parameters;

const TOLD: [&str; 12] = [
    "client_encoding",
    "DateStyle",
    "default_transaction_read_only",
    "in_hot_standby",
    "integer_datetimes",
    "IntervalStyle",
    "is_superuser",
    "search_path",
    "server_encoding",
    "server_version",
    "standard_conforming_strings",
    "TimeZone",
];

impl ServerParameterProvider for Parameters {
    fn server_parameters<C: ClientInfo>(&self, client: &C) -> Option<HashMap<String, String>> {
        let told = POSTGRES_SETTINGS.iter().filter(|(name, _)| TOLD.contains(name));
        let mut told: HashMap<String, String> =
            told.map(|(name, value)| (name.to_string(), value.to_string())).collect();
        for (theirs, ours) in [("application_name", "application_name"), (METADATA_USER, "session_authorization")] {
            told.insert(ours.into(), client.metadata().get(theirs).cloned().unwrap_or_default());
        }
        Some(told)
    }
}

#[async_trait]
impl StartupHandler for Session {
    async fn on_startup<C>(&self, client: &mut C, message: PgWireFrontendMessage) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        if let PgWireFrontendMessage::Startup(startup) = &message {
            self.encrypted(client)?;
            // No query may follow: asyncpg stumbles over a server that is ready although it refused.
            self.take_settings(startup).map_err(ending)?;
        }
        let open = self.shared.accounts.is_empty();
        // Only what may end the log-in needs room, and gives it back when it does not: who never logs in takes none.
        let slot = match open || !matches!(message, PgWireFrontendMessage::Startup(_)) {
            true => Some(self.room()?),
            false => None,
        };
        match (&message, open) {
            (_, false) => self.sasl(client.is_secure()).on_startup(client, message).await?,
            (PgWireFrontendMessage::Startup(startup), true) => {
                protocol_negotiation(client, startup).await?;
                save_startup_parameters_to_metadata(client, startup);
                let (number, secret) = self.entry.generate(client);
                client.set_pid_and_secret_key(number, secret);
                finish_authentication(client, &Parameters).await?;
            }
            _ => {}
        }
        if matches!(client.state(), PgWireConnectionState::ReadyForQuery) {
            let user = client.metadata().get(METADATA_USER).map_or(ANYONE, String::as_str);
            // Without tokens the name is only what the client says.
            let principal = if open { ANYONE } else { user };
            tracing::debug!(principal, from = %client.socket_addr(), "a PostgreSQL client is connected");
            let _ = self.user.set(user.into());
            let _ = self.principal.set(principal.into());
            if let Some(slot) = slot {
                self.enter(slot);
            }
        }
        Ok(())
    }
}

impl Session {
    /// Encrypted if the server can, unless from this machine.
    fn encrypted<C: ClientInfo>(&self, client: &C) -> PgWireResult<()> {
        if self.shared.tls.is_some() && !client.is_secure() && !client.socket_addr().ip().is_loopback() {
            let hint = "connect with sslmode=require";
            return Err(fatal(INVALID_AUTHORIZATION, "this server takes encrypted connections only", hint));
        }
        Ok(())
    }

    /// One of the connections that there may be.
    fn room(&self) -> PgWireResult<OwnedSemaphorePermit> {
        Arc::clone(&self.shared.slots).try_acquire_owned().map_err(|_| {
            let hint = "close idle connections, or raise postgres.connections";
            fatal(TOO_MANY_CONNECTIONS, "too many connections", hint)
        })
    }

    /// Settings that come with the start-up: by name, or as `options = '-c name=value'`.
    fn take_settings(&self, startup: &Startup) -> PgWireResult<()> {
        let options = startup.parameters.get("options").map(String::as_str).unwrap_or_default();
        let given = options.split_whitespace().map(|word| word.trim_start_matches("--").trim_start_matches("-c"));
        let given = given.filter_map(|word| word.split_once('='));
        let named = startup.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let own = ["user", "database", "options", "replication"];
        for (name, value) in named.filter(|(n, _)| !own.contains(n) && !n.starts_with("_pq_.")).chain(given) {
            self.settings.set(name, value)?;
        }
        Ok(())
    }

    fn sasl(&self, encrypted: bool) -> &Sasl {
        self.sasl.get_or_init(|| {
            let mut scram = ScramAuth::new(Arc::clone(&self.shared.accounts) as Arc<dyn AuthSource>);
            // Passwords are bound to the certificate where it can be done; clients refuse that on plain connections.
            if let Some(tls) = self.shared.tls.as_ref().filter(|_| encrypted)
                && let Err(error) = scram.configure_certificate(&tls.certificate)
            {
                tracing::debug!(%error, "passwords are not bound to the certificate");
            }
            SASLAuthStartupHandler::new(Arc::new(Parameters))
                .with_scram(scram)
                .with_pid_secret_key_generator(Arc::clone(&self.entry) as Arc<dyn PidSecretKeyGenerator>)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_can_tell_which_users_there_are() {
        let accounts = Accounts::new(&BTreeMap::from([("bi".to_string(), "0123456789abcdef".to_string())]));
        let (known, other) = (accounts.of("bi"), accounts.of("nobody"));
        let salt = known.salt().unwrap();
        assert_eq!(known.password(), gen_salted_password("0123456789abcdef", salt, SCRAM_ITERATIONS));
        assert_eq!((salt.len(), other.salt().unwrap().len()), (SALT, SALT));
        assert_eq!(other.salt(), accounts.of("nobody").salt());
        assert_ne!(other.password(), accounts.of("nobody").password());
    }
}
