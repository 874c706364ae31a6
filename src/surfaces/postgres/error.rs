//! Errors as PostgreSQL's clients read them: SQLSTATE, message, hint. Internal ones show a request id only.

use pgwire::error::{ErrorInfo, PgWireError};
use pgwire::messages::response::NoticeResponse;

use crate::error::{Error, ErrorKind};
use crate::surfaces::status;

/// SQLSTATEs that no kind of error stands for.
pub const TOO_MANY_CONNECTIONS: &str = "53300";
pub const INVALID_AUTHORIZATION: &str = "28000";
pub const PROTOCOL_VIOLATION: &str = "08P01";
pub const NOT_SUPPORTED: &str = "0A000";
pub const FAILED_TRANSACTION: &str = "25P02";
pub const NO_TRANSACTION: &str = "25P01";
pub const UNKNOWN_CURSOR: &str = "34000";
pub const UNKNOWN_SETTING: &str = "42704";
pub const INVALID_VALUE: &str = "22023";
pub const UNKNOWN_SAVEPOINT: &str = "3B001";
pub const TOO_MUCH: &str = "54000";
pub const INVALID_STATEMENT: &str = "42601";

/// `error` for the wire.
pub fn wire(error: &Error) -> PgWireError {
    let code = state(error);
    if error.kind() == ErrorKind::Internal {
        let id = uuid::Uuid::now_v7();
        tracing::error!(request_id = %id, error = %error.with_causes(), "a PostgreSQL client's statement failed");
        return coded(code, format!("internal error, id {id}"));
    }
    if error.kind() == ErrorKind::Unavailable {
        tracing::error!(error = %error.with_causes(), "a PostgreSQL client's statement failed");
    }
    match error.hint_text() {
        Some(hint) => hinted(code, error.message(), hint),
        None => coded(code, error.message()),
    }
}

/// The SQLSTATE: what is invalid has many, by which drivers tell a missing column from a wrong number.
fn state(error: &Error) -> &'static str {
    const INVALID: [(&str, &str); 6] = [
        ("No field named", "42703"),
        ("Invalid function", "42883"),
        ("no table function", "42883"),
        ("Cannot cast", "22P02"),
        ("division by zero", "22012"),
        ("parameter $", "22P02"),
    ];
    let of_kind = status::of(error.kind()).sqlstate;
    if !matches!(error.kind(), ErrorKind::Invalid | ErrorKind::NotFound) {
        return of_kind;
    }
    INVALID.iter().find(|(words, _)| error.message().contains(words)).map_or(of_kind, |(_, state)| state)
}

/// An error that only this protocol has.
pub fn coded(code: &str, message: impl Into<String>) -> PgWireError {
    PgWireError::UserError(Box::new(info("ERROR", code, message.into())))
}

pub fn hinted(code: &str, message: impl Into<String>, hint: &str) -> PgWireError {
    let mut info = info("ERROR", code, message.into());
    info.hint = Some(hint.into());
    PgWireError::UserError(Box::new(info))
}

/// A word beside the answer.
pub fn warning(code: &str, message: &str) -> NoticeResponse {
    info("WARNING", code, message.into()).into()
}

/// An error that ends the connection.
pub fn fatal(code: &str, message: &str, hint: &str) -> PgWireError {
    let mut info = info("FATAL", code, message.into());
    info.hint = Some(hint.into());
    PgWireError::UserError(Box::new(info))
}

/// `error`, which ends the connection.
pub fn ending(error: PgWireError) -> PgWireError {
    let mut info: ErrorInfo = error.into();
    info.severity = "FATAL".into();
    info.severity_nonlocalized = Some("FATAL".into());
    PgWireError::UserError(Box::new(info))
}

/// What a cancelled query answers.
pub fn cancelled() -> PgWireError {
    coded(status::of(ErrorKind::Cancelled).sqlstate, "canceling statement due to user request")
}

fn info(severity: &str, code: &str, message: String) -> ErrorInfo {
    let mut info = ErrorInfo::new(severity.into(), code.into(), message);
    info.severity_nonlocalized = Some(severity.into());
    info
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(error: &Error) -> ErrorInfo {
        wire(error).into()
    }

    #[test]
    fn kinds_have_states_and_hints() {
        let missing = fields(&Error::not_found("no table x").hint("did you mean y?"));
        assert_eq!((missing.code.as_str(), missing.hint.as_deref()), ("42P01", Some("did you mean y?")));
        assert_eq!(fields(&Error::new(ErrorKind::Timeout, "slow")).code, "57014");
        assert_eq!(fields(&Error::invalid("Schema error: No field named x.")).code, "42703");
        assert_eq!(fields(&Error::invalid("SQL: Expected a statement")).code, "42601");
    }

    #[test]
    fn an_internal_error_shows_nothing_but_an_id() {
        let info = fields(&Error::internal("secret /srv/x").hint("secret"));
        assert_eq!(info.code, "XX000");
        assert!(!info.message.contains("secret") && info.hint.is_none(), "{info}");
    }
}
