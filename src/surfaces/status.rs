//! One table: what a kind of error is called in HTTP, gRPC, PostgreSQL and exit codes. No surface has a second one.

use crate::error::ErrorKind;

/// The codes of one kind of error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codes {
    /// HTTP status.
    pub http: u16,
    /// gRPC status code number (google.rpc.Code).
    pub grpc: i32,
    /// SQLSTATE, as PostgreSQL's clients know them.
    pub sqlstate: &'static str,
    /// Exit code of the command line; 0 is success, 101 is a panic.
    pub exit: u8,
    /// A short text of the kind, the title of an HTTP problem.
    pub title: &'static str,
}

/// The codes of `kind`. Exhaustive on purpose: a new kind does not compile until it has its line here.
pub fn of(kind: ErrorKind) -> Codes {
    let (http, grpc, sqlstate, exit, title) = match kind {
        //                       HTTP  gRPC  SQL     exit
        ErrorKind::Invalid => (400, 3, "42601", 2, "Invalid request"),
        ErrorKind::NotFound => (404, 5, "42P01", 3, "Not found"),
        ErrorKind::Conflict => (409, 10, "40001", 4, "Conflict"),
        // What SQL is denied is writing.
        ErrorKind::Denied => (403, 7, "25006", 5, "Not allowed"),
        ErrorKind::Busy => (429, 8, "53300", 6, "Too many queries"),
        ErrorKind::Timeout => (504, 4, "57014", 7, "Took too long"),
        ErrorKind::Unavailable => (503, 14, "57P03", 8, "Unavailable"),
        ErrorKind::Internal => (500, 13, "XX000", 1, "Internal error"),
        // 499 is what proxies write when the client has gone; 130 is what shells show after Ctrl-C. A query that took too
        // long is cancelled, too, in PostgreSQL.
        ErrorKind::Cancelled => (499, 1, "57014", 130, "Cancelled"),
    };
    Codes { http, grpc, sqlstate, exit, title }
}

const KINDS: [ErrorKind; 9] = [
    ErrorKind::NotFound,
    ErrorKind::Invalid,
    ErrorKind::Conflict,
    ErrorKind::Denied,
    ErrorKind::Busy,
    ErrorKind::Timeout,
    ErrorKind::Cancelled,
    ErrorKind::Unavailable,
    ErrorKind::Internal,
];

/// The kind that a gRPC status code tells who asked another server.
pub fn of_grpc(code: i32) -> ErrorKind {
    /// Nobody, or somebody unknown, asks.
    const UNAUTHENTICATED: i32 = 16;
    const UNIMPLEMENTED: i32 = 12;
    match code {
        UNAUTHENTICATED => ErrorKind::Denied,
        UNIMPLEMENTED => ErrorKind::Invalid,
        code => KINDS.into_iter().find(|kind| of(*kind).grpc == code).unwrap_or(ErrorKind::Internal),
    }
}

/// The kind as one word, for problem types, metrics and logs.
pub fn name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Invalid => "invalid",
        ErrorKind::NotFound => "not-found",
        ErrorKind::Conflict => "conflict",
        ErrorKind::Denied => "denied",
        ErrorKind::Busy => "busy",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::Internal => "internal",
        ErrorKind::Cancelled => "cancelled",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_code_tells_its_kind() {
        assert!(KINDS.iter().all(|kind| of_grpc(of(*kind).grpc) == *kind));
        assert_eq!((of_grpc(16), of_grpc(2)), (ErrorKind::Denied, ErrorKind::Internal));
    }

    #[test]
    fn every_kind_has_codes_of_its_own() {
        let all: Vec<Codes> = KINDS.into_iter().map(of).collect();
        assert_eq!(all.iter().map(|c| c.http).collect::<BTreeSet<_>>().len(), KINDS.len());
        assert_eq!(all.iter().map(|c| c.grpc).collect::<BTreeSet<_>>().len(), KINDS.len());
        assert_eq!(all.iter().map(|c| c.exit).collect::<BTreeSet<_>>().len(), KINDS.len());
        assert!(all.iter().all(|c| (400..600).contains(&c.http) && (1..17).contains(&c.grpc) && c.exit != 0));
        assert!(all.iter().all(|c| c.sqlstate.len() == 5));
    }
}
