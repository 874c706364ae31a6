//! Errors as gRPC statuses: the kind's code, the message and "hint: …" on a line of its own. What is behind an internal
//! error stays in the log, and the client gets an id to ask for it.

use arrow_flight::error::FlightError;
use tonic::{Code, Status};
use uuid::Uuid;

use crate::error::{Error, ErrorKind};
use crate::surfaces::status;

/// Statuses travel in a header, of which common clients take 8 KiB in all.
const LONGEST: usize = 4 << 10;

pub fn status(error: Error) -> Status {
    let code = Code::from_i32(status::of(error.kind()).grpc);
    if error.kind() == ErrorKind::Internal {
        return Status::new(code, logged(&error));
    }
    if error.kind() == ErrorKind::Unavailable {
        tracing::error!(error = %error.with_causes(), "a Flight SQL call failed");
    }
    let text = match error.hint_text() {
        Some(hint) => format!("{}\nhint: {hint}", error.message()),
        None => error.message().to_string(),
    };
    Status::new(code, short(text))
}

/// An error of Arrow's while messages are made or read.
pub fn of_flight(error: FlightError) -> Status {
    match error {
        FlightError::Tonic(status) => *status,
        other => status(Error::internal(other.to_string()).caused_by(other)),
    }
}

/// Whoever sent what cannot be read.
pub fn unreadable(what: &str, error: impl std::fmt::Display) -> Status {
    status(Error::invalid(format!("{what} cannot be read: {error}")).hint("send it as the Flight SQL protocol has it"))
}

/// What the protocol has and this server does not do.
pub fn unimplemented(what: &str, hint: &str) -> Status {
    Status::unimplemented(format!("{what}\nhint: {hint}"))
}

/// Logs the error; what the client is told.
fn logged(error: &Error) -> String {
    let id = Uuid::now_v7();
    tracing::error!(request_id = %id, error = %error.with_causes(), "a Flight SQL call failed");
    format!("internal error, id {id}\nhint: the server's log has it under this id")
}

/// The text as far as its header may be long: there, all but visible ASCII takes three bytes each.
fn short(text: String) -> String {
    let mut length = 0;
    let end = text.char_indices().find(|(_, c)| {
        length += if c.is_ascii_graphic() { 1 } else { 3 * c.len_utf8() };
        length > LONGEST
    });
    match end {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn internal_errors_tell_an_id_and_nothing_else() {
        let told = status(Error::internal("secret path /srv/x").hint("secret hint"));
        assert_eq!(told.code(), Code::Internal);
        assert!(!told.message().contains("secret") && told.message().contains("id "), "{}", told.message());
    }

    #[test]
    fn other_errors_tell_what_and_what_would_work() {
        let told = status(Error::not_found("no table 'x'").hint("did you mean y?"));
        assert_eq!((told.code(), told.message()), (Code::NotFound, "no table 'x'\nhint: did you mean y?"));
        assert_eq!(status(Error::new(ErrorKind::Busy, "full")).code(), Code::ResourceExhausted);
        assert_eq!(status(Error::new(ErrorKind::Denied, "no")).code(), Code::PermissionDenied);
    }

    #[test]
    fn a_status_fits_a_header() {
        assert_eq!(short("x".repeat(LONGEST)).len(), LONGEST);
        assert!(short("é".repeat(LONGEST)).len() < LONGEST / 2);
    }
}
