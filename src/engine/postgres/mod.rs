//! What the engine adds for PostgreSQL's clients: their dialect, and the schemas `pg_catalog` and `information_schema` as
//! they ask for them. Only queries under `Dialect::Postgres` see any of it. It must not know the wire protocol.
//!
//! Names, types and most system tables come from `datafusion-pg-catalog`. What depends on the lake (relations, columns,
//! keys, descriptions) is built here from [`super::relations`], so that object ids are the same in every snapshot and
//! descriptions and keys are shown.

mod absent;
mod catalogue;
mod functions;
mod listing;
mod names;
mod oids;
mod parse;
mod questions;
mod quirks;
mod schema;
mod session;
mod settings;
mod standard;
mod table;
mod types;

pub use parse::parse;
pub use settings::{FIXED, SETTINGS};
pub use types::type_planner;

/// The owner's id: PostgreSQL's first superuser.
const OWNER_OID: i32 = 10;
/// The schema of the system tables, and its well-known id.
pub const PG_CATALOG: &str = "pg_catalog";
const PG_CATALOG_OID: i32 = 11;
