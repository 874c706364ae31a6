//! saleslake: a columnar sales analytics engine.
//!
//! Data flows one way, and the modules are that way:
//!
//! ```text
//! sources → ingest → lake → engine → reports → surfaces
//!  files,    clean,   Delta  DataFusion  SQL     CLI · HTTP
//!            check,   tables  over one   files
//!            dedup            snapshot
//! ```

pub mod error;
pub mod clock;
pub mod config;
pub mod telemetry;
/// The header and SQL of a file in `queries/`.
pub mod queryfile;
/// What the data is: table contracts as plain data.
pub mod model;
/// Read → map → validate → dedup → land; quarantine; audit.
pub mod ingest;
/// Delta tables on object storage.
pub mod lake;
/// Who is asking and what they may see.
pub mod access;
/// SQL over a consistent snapshot.
pub mod engine;
/// Load, check, bind parameters, run, receipts.
pub mod reports;
/// Rows → bytes, one file per format.
pub mod encode;
/// The generator of a consistent retailer.
pub mod sample;
/// Thin translations: command line, HTTP.
pub mod surfaces;
/// The composition root.
pub mod app;
