//! saleslake: a columnar sales analytics engine.
//!
//! Data flows one way, and the modules are that way:
//!
//! ```text
//! sources → ingest → lake → engine → reports → surfaces
//!  files,    clean,   Delta  DataFusion  SQL     CLI · HTTP
//!            check,   tables  over one   files   Flight SQL
//!            dedup            snapshot           PostgreSQL
//! ```

/// Who is asking and what they may see.
pub mod access;
/// The composition root.
pub mod app;
pub mod clock;
pub mod config;
/// Rows → bytes, one file per format.
pub mod encode;
/// SQL over a consistent snapshot.
pub mod engine;
pub mod error;
/// Read → map → validate → dedup → land; quarantine; audit.
pub mod ingest;
/// Delta tables on object storage.
pub mod lake;
/// What the data is: table contracts as plain data.
pub mod model;
/// The header and SQL of a file in `queries/`.
pub mod queryfile;
/// Load, check, bind parameters, run, receipts.
pub mod reports;
/// The generator of a consistent retailer.
pub mod sample;
/// Thin translations: command line, HTTP, Flight SQL, PostgreSQL.
pub mod surfaces;
pub mod telemetry;
