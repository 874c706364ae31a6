//! A server that speaks Flight SQL. It must not change what the server says.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema};
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_client::FlightServiceClient;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::{FlightInfo, Ticket};
use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use tonic::Status;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use url::Url;

use super::backend::{Answer, Backend, Params};
use crate::error::{Error, Result, did_you_mean};
use crate::surfaces::status;

/// Flight SQL's usual port.
const PORT: u16 = 8815;
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// In a message, what comes before a hint.
const HINT: &str = "\nhint: ";

/// A connection to a server; each call is a stream of its own.
pub struct Remote {
    client: FlightSqlServiceClient<Channel>,
    server: String,
}

impl Remote {
    /// Connects to `server`, such as `grpc://host:8815` or `grpc+tls://host:8815`, whose certificate one of the system's
    /// roots or of those in the file `ca` signed.
    ///
    /// # Errors
    /// `Invalid`: no such URL. `Unavailable`: nobody answers there, or not over TLS.
    pub async fn connect(server: &str, token: Option<&str>, ca: Option<&Path>) -> Result<Remote> {
        let address = Address::parse(server)?;
        let unreachable = |e: tonic::transport::Error| {
            Error::unavailable(format!("{server} cannot be reached"))
                .caused_by(e)
                .hint("`saleslake serve` tells where it listens; grpc+tls:// where the server has a certificate")
        };
        let mut endpoint = Endpoint::from_shared(address.url()).map_err(unreachable)?.connect_timeout(CONNECT_WITHIN);
        if address.tls {
            let tls = match ca {
                Some(path) => {
                    let pem = std::fs::read(path).map_err(|e| Error::from(e).context(path.display()))?;
                    ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem))
                }
                None => ClientTlsConfig::new().with_native_roots(),
            };
            endpoint = endpoint.tls_config(tls).map_err(unreachable)?;
        } else if token.is_some() && !address.is_loopback() {
            eprintln!("warning: the token goes to {server} unencrypted; grpc+tls:// encrypts");
        }
        let channel = endpoint.connect().await.map_err(unreachable)?;
        let inner = FlightServiceClient::new(channel).max_decoding_message_size(usize::MAX);
        let mut client = FlightSqlServiceClient::new_from_inner(inner);
        if let Some(token) = token {
            client.set_token(token.into());
        }
        Ok(Remote { client, server: server.into() })
    }

    /// The rows of an answer, read as they come; dropping it ends the query on the server.
    fn answer(&self, info: FlightInfo) -> Result<Answer> {
        let schema = Arc::new(info.clone().try_decode_schema()?);
        let client = self.client.clone();
        let tickets: Vec<Ticket> = info.endpoint.into_iter().filter_map(|endpoint| endpoint.ticket).collect();
        let parts = stream::iter(tickets).then(move |ticket| {
            let mut client = client.clone();
            async move { client.do_get(ticket).await }
        });
        let batches = parts.try_flatten().map_err(told).boxed();
        Ok(Answer { schema, batches, notes: Vec::new(), main: Vec::new() })
    }

    async fn with_params(&self, sql: &str, params: &Params) -> Result<FlightInfo> {
        let mut statement = self.client.clone().prepare(sql.into(), None).await.map_err(told)?;
        let values = bound(statement.parameter_schema().map_err(told)?, params)?;
        statement.set_parameters(values).map_err(told)?;
        let info = statement.execute().await.map_err(told)?;
        // What is still held there would be let go by itself.
        let _ = statement.close().await;
        Ok(info)
    }
}

#[async_trait]
impl Backend for Remote {
    fn place(&self) -> String {
        self.server.clone()
    }

    async fn query(&self, sql: &str, params: &Params) -> Result<Answer> {
        let info = match params.is_empty() {
            true => self.client.clone().execute(sql.into(), None).await.map_err(told)?,
            false => self.with_params(sql, params).await?,
        };
        self.answer(info)
    }
}

/// Where a server is.
struct Address {
    tls: bool,
    host: String,
    port: u16,
}

impl Address {
    fn parse(server: &str) -> Result<Address> {
        let wrong = || {
            Error::invalid(format!("--server {server}: not a server's address"))
                .hint("grpc://host:8815, or grpc+tls://host:8815 for TLS")
        };
        let url = Url::parse(server).map_err(|_| wrong())?;
        let tls = match url.scheme() {
            "grpc" | "grpc+tcp" => false,
            "grpc+tls" => true,
            _ => return Err(wrong()),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(wrong)?.to_string();
        Ok(Address { tls, host, port: url.port().unwrap_or(PORT) })
    }

    fn url(&self) -> String {
        format!("{}://{}:{}", if self.tls { "https" } else { "http" }, self.host, self.port)
    }

    fn is_loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        bare == "localhost" || bare.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    }
}

/// One row with the values of `params` in the order in which the server wants them.
fn bound(wanted: &Schema, params: &Params) -> Result<RecordBatch> {
    let name = |field: &Field| field.name().trim_start_matches('$').to_string();
    let names: Vec<String> = wanted.fields().iter().map(|field| name(field)).collect();
    if let Some(unused) = params.keys().find(|name| !names.contains(name)) {
        let known = if names.is_empty() {
            "it has none".into()
        } else {
            did_you_mean(unused, names.iter().map(String::as_str))
        };
        return Err(Error::invalid(format!("the statement has no parameter ${unused}")).hint(known));
    }
    let columns = wanted.fields().iter().map(|field| {
        let name = name(field);
        let value = params.get(&name).ok_or_else(|| {
            Error::invalid(format!("the parameter ${name} has no value"))
                .hint(format!("--param {name}=…, or \\set {name} …"))
        })?;
        Ok((field.name().clone(), value.to_array(&name)?, true))
    });
    Ok(RecordBatch::try_from_iter_with_nullable(columns.collect::<Result<Vec<_>>>()?)?)
}

/// What the server, or the way to it, says is wrong.
fn told(error: FlightError) -> Error {
    match error {
        FlightError::Tonic(status) => of_status(*status),
        other => Error::unavailable("the server's answer cannot be read").caused_by(other),
    }
}

fn of_status(status: Status) -> Error {
    let (message, hint) = match status.message().split_once(HINT) {
        Some((message, hint)) => (message, Some(hint.to_string())),
        None => (status.message(), None),
    };
    let message = if message.is_empty() { "the server refuses without a word" } else { message };
    // A status with a cause was made here: the connection broke.
    let error = match std::error::Error::source(&status) {
        Some(cause) => Error::unavailable(message).caused_by(cause.to_string()),
        None => Error::new(status::of_grpc(status.code().into()), message),
    };
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;
    use arrow::datatypes::DataType;

    use super::*;
    use crate::engine::Param;
    use crate::error::ErrorKind;

    #[test]
    fn addresses_are_urls_of_grpc() {
        let url = |server| Address::parse(server).map(|a| a.url());
        assert_eq!(url("grpc://db:1234").unwrap(), "http://db:1234");
        assert_eq!(url("grpc+tls://db.example").unwrap(), "https://db.example:8815");
        assert_eq!(url("grpc://[::1]:8815").unwrap(), "http://[::1]:8815");
        for bad in ["db:8815", "http://db", "grpc://", "grpc:///x", ""] {
            assert!(url(bad).unwrap_err().hint_text().unwrap().contains("grpc://"), "{bad}");
        }
        let loopback = |server| Address::parse(server).unwrap().is_loopback();
        assert!(loopback("grpc://localhost") && loopback("grpc://127.0.0.1") && loopback("grpc://[::1]"));
        assert!(!loopback("grpc://10.0.0.1") && !loopback("grpc://localhost.example"));
    }

    #[test]
    fn what_the_server_says_is_told_with_its_hint() {
        let error = of_status(Status::not_found("there is no table x\nhint: did you mean y?"));
        assert_eq!((error.kind(), error.message()), (ErrorKind::NotFound, "there is no table x"));
        assert_eq!(error.hint_text(), Some("did you mean y?"));
        assert_eq!(of_status(Status::unauthenticated("who?")).kind(), ErrorKind::Denied);
        assert_eq!(of_status(Status::internal("internal error, id 7")).hint_text(), None);
    }

    #[test]
    fn parameters_come_in_the_order_of_the_server() {
        let wanted = Schema::new(["$b", "a"].map(|name| Field::new(name, DataType::Utf8, true)).to_vec());
        let params = Params::from([("a".into(), Param::Int(1)), ("b".into(), Param::Decimal("-1.50".into()))]);
        let row = bound(&wanted, &params).unwrap();
        assert_eq!(row.schema().field(0).name(), "$b");
        assert_eq!(row.column(0).data_type(), &DataType::Decimal128(3, 2));
        assert_eq!(row.column(1).as_ref(), &Int64Array::from(vec![1]) as &dyn arrow::array::Array);

        let missing = bound(&wanted, &Params::from([("a".into(), Param::Int(1))])).unwrap_err();
        assert_eq!(missing.message(), "the parameter $b has no value");
        let unused = bound(&Schema::empty(), &params).unwrap_err();
        assert_eq!((unused.message(), unused.hint_text()), ("the statement has no parameter $a", Some("it has none")));
    }
}
