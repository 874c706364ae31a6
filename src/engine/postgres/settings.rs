//! The server's settings as PostgreSQL's clients know them: shown by SHOW, `current_setting()`, `pg_settings` and at start-up.

/// Name and value. Names are compared without case.
pub const SETTINGS: &[(&str, &str)] = &[
    ("application_name", ""),
    ("bytea_output", "hex"),
    ("client_encoding", "UTF8"),
    ("client_min_messages", "notice"),
    ("DateStyle", "ISO, YMD"),
    ("default_transaction_isolation", "repeatable read"),
    ("default_transaction_read_only", "on"),
    ("extra_float_digits", "1"),
    ("in_hot_standby", "off"),
    ("integer_datetimes", "on"),
    ("IntervalStyle", "postgres"),
    ("is_superuser", "off"),
    ("jit", "off"),
    ("lc_collate", "C"),
    ("lc_ctype", "C"),
    ("lc_messages", "C"),
    ("lc_monetary", "C"),
    ("lc_numeric", "C"),
    ("lc_time", "C"),
    ("lock_timeout", "0"),
    ("max_identifier_length", "63"),
    ("max_index_keys", "32"),
    ("search_path", "main"),
    ("server_encoding", "UTF8"),
    ("server_version", concat!("16.6 (saleslake ", env!("CARGO_PKG_VERSION"), ")")),
    ("server_version_num", "160006"),
    ("standard_conforming_strings", "on"),
    ("statement_timeout", "0"),
    ("TimeZone", "UTC"),
    ("transaction_deferrable", "off"),
    ("transaction_isolation", "repeatable read"),
    ("transaction_read_only", "on"),
];

/// Those that are always so, in lower case: how results are written, for clients are told at the start what they get, and
/// what the server is. asyncpg turns `jit` off before it asks for types.
pub const FIXED: &[&str] =
    &["bytea_output", "client_encoding", "datestyle", "intervalstyle", "jit", "server_version", "timezone"];

/// What `version()` answers.
pub const VERSION: &str = concat!("PostgreSQL 16.6 (saleslake ", env!("CARGO_PKG_VERSION"), ")");

/// The setting called `name`.
pub fn setting(name: &str) -> Option<&'static str> {
    SETTINGS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
}
