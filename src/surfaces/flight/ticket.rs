//! What tickets and prepared handles carry: the statement with its bound values, signed. Nothing is kept for them, so any
//! replica with the same `access.tokens` answers, and there is nothing to evict. They travel in the clear and are no
//! secret: whoever shows one must be who it was made for.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use hmac::{Hmac, KeyInit, Mac};
use prost::Message;
use sha2::Sha256;
use uuid::Uuid;

use crate::access::Caller;
use crate::engine::Pin;
use crate::error::{Error, ErrorKind, Result};

type HmacSha256 = Hmac<Sha256>;

/// Bytes of a signature.
const SIGNATURE: usize = 32;
/// Of the making of a key: a tenth of a second, about, once per server.
const ROUNDS: NonZeroU32 = NonZeroU32::new(600_000).unwrap();
/// Part of every key: other layouts of [`Statement`] have others.
const LAYOUT: &[u8] = b"saleslake flight sql 1";

/// A statement on its way.
#[derive(Clone, PartialEq, Message)]
pub struct Statement {
    /// Random; what is cancelled is named by it.
    #[prost(bytes = "vec", tag = "1")]
    pub id: Vec<u8>,
    /// For whom it was made.
    #[prost(string, tag = "2")]
    pub principal: String,
    #[prost(string, tag = "3")]
    pub sql: String,
    /// The bound values: an Arrow IPC stream of one batch, a column per parameter, a row per run. Empty: none were bound.
    #[prost(bytes = "vec", tag = "4")]
    pub parameters: Vec<u8>,
    /// Of a ticket: the state to answer from, as JSON. A prepared statement has none: each execution is of the newest.
    #[prost(string, tag = "5")]
    pub pin: String,
    /// Of a ticket: the schema of the result that its flight told, as an IPC message.
    #[prost(bytes = "vec", tag = "6")]
    pub schema: Vec<u8>,
}

impl Statement {
    pub fn new(sql: impl Into<String>, caller: &Caller) -> Statement {
        let (id, principal) = (Uuid::new_v4().into_bytes().into(), caller.principal.clone());
        Statement { id, principal, sql: sql.into(), ..Statement::default() }
    }

    /// The statement as a ticket: to be answered from `pin` with `schema`.
    pub fn pinned(self, pin: &Pin, schema: Vec<u8>) -> Result<Statement> {
        let pin = serde_json::to_string(pin).map_err(|e| Error::internal(format!("a pin: {e}")))?;
        Ok(Statement { id: Uuid::new_v4().into_bytes().into(), pin, schema, ..self })
    }

    /// The state to answer a ticket from.
    pub fn pin(&self) -> Result<Pin> {
        if self.pin.is_empty() {
            return Err(
                Error::invalid("this is a prepared statement, and no ticket").hint("GetFlightInfo gives a ticket")
            );
        }
        serde_json::from_str(&self.pin).map_err(|e| Error::internal(format!("a pin: {e}")))
    }
}

/// Signs statements and knows its own signature again.
pub struct Signer(HmacSha256);

impl Signer {
    /// The key is made from the tokens, names and all, slowly: who knows one token and a ticket should not find the others
    /// by trying. Without tokens it is random: then only loopback is bound, and one process answers.
    pub fn new(tokens: &BTreeMap<String, String>) -> Result<Signer> {
        let mut secret = Vec::new();
        for text in tokens.iter().flat_map(|(name, token)| [name, token]) {
            secret.extend((text.len() as u64).to_le_bytes());
            secret.extend(text.as_bytes());
        }
        let mut key: [u8; 32] = rand::random();
        if !tokens.is_empty() {
            pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, LAYOUT, &secret, &mut key);
        }
        HmacSha256::new_from_slice(&key).map(Signer).map_err(|e| Error::internal(format!("the key of tickets: {e}")))
    }

    pub fn seal(&self, statement: &Statement) -> Vec<u8> {
        let message = statement.encode_to_vec();
        let mut sealed = self.0.clone().chain_update(&message).finalize().into_bytes().to_vec();
        sealed.extend(message);
        sealed
    }

    /// The statement that `caller` shows, `what` it is shown as: "ticket", "prepared statement".
    ///
    /// # Errors
    /// `Invalid`: not signed here. `Denied`: made for somebody else.
    pub fn open(&self, sealed: &[u8], what: &str, caller: &Caller) -> Result<Statement> {
        let strange = || {
            Error::invalid(format!("the {what} was not made by this server, or has been changed")).hint(format!(
                "ask this server for the {what} again; replicas know each other's as long as their access.tokens are equal"
            ))
        };
        let (signature, message) = sealed.split_at_checked(SIGNATURE).ok_or_else(strange)?;
        self.0.clone().chain_update(message).verify_slice(signature).map_err(|_| strange())?;
        let statement = Statement::decode(message).map_err(|_| strange())?;
        if statement.principal != caller.principal {
            let other = format!("the {what} was made for another caller than {}", caller.principal);
            return Err(Error::new(ErrorKind::Denied, other).hint(format!("ask for a {what} of your own")));
        }
        Ok(statement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(tokens: &[(&str, &str)]) -> Signer {
        Signer::new(&tokens.iter().map(|(n, t)| (n.to_string(), t.to_string())).collect()).unwrap()
    }

    #[test]
    fn replicas_with_the_same_tokens_know_each_others_tickets() {
        let tokens = [("bi", "0123456789abcdef"), ("job", "fedcba9876543210")];
        let bi = Caller::bi("bi");
        let pin = Pin { snapshot: "s1".into(), versions: [("order_line".to_string(), 7)].into() };
        let ticket = Statement::new("SELECT 1", &bi).pinned(&pin, vec![1, 2]).unwrap();
        let sealed = signer(&tokens).seal(&ticket);
        let opened = signer(&tokens).open(&sealed, "ticket", &bi).unwrap();
        assert_eq!((opened.pin().unwrap(), &opened), (pin, &ticket));
        assert!(Statement::new("SELECT 1", &bi).pin().is_err(), "no ticket");
        let others = [("bi", "0123456789abcdef"), ("job", "fedcba987654321x")];
        assert_eq!(signer(&others).open(&sealed, "ticket", &bi).unwrap_err().kind(), ErrorKind::Invalid);
    }

    #[test]
    fn no_byte_of_a_ticket_may_change() {
        let (signer, bi) = (signer(&[]), Caller::bi("bi"));
        let sealed = signer.seal(&Statement::new("SELECT 1", &bi));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(signer.open(&changed, "ticket", &bi).unwrap_err().kind(), ErrorKind::Invalid, "byte {at}");
        }
        assert!(signer.open(b"", "ticket", &bi).is_err() && signer.open(&sealed[..40], "ticket", &bi).is_err());
    }

    #[test]
    fn a_ticket_is_for_whom_it_was_made() {
        let signer = signer(&[]);
        let sealed = signer.seal(&Statement::new("SELECT 1", &Caller::bi("bi")));
        assert_eq!(signer.open(&sealed, "ticket", &Caller::bi("job")).unwrap_err().kind(), ErrorKind::Denied);
    }

    #[test]
    fn without_tokens_every_process_has_its_own_key() {
        let bi = Caller::bi("bi");
        let sealed = signer(&[]).seal(&Statement::new("SELECT 1", &bi));
        assert!(signer(&[]).open(&sealed, "ticket", &bi).is_err());
    }
}
