//! Object ids that depend on names only, so that a client may keep them: across snapshots, restarts and replicas.

use std::collections::{HashMap, HashSet};

use xxhash_rust::xxh3::xxh3_64;

use super::{PG_CATALOG, PG_CATALOG_OID};
use crate::engine::information::INFORMATION_SCHEMA;
use crate::engine::session::{CATALOG, MAIN};

/// PostgreSQL gives no smaller id to what its users make.
const FIRST: i32 = 16_384;
/// The system tables that clients name by `'…'::regclass`, or know by number.
const KNOWN: [(&str, i32); 8] = [
    ("pg_type", 1247),
    ("pg_attribute", 1249),
    ("pg_proc", 1255),
    ("pg_class", 1259),
    ("pg_database", 1262),
    ("pg_constraint", 2606),
    ("pg_namespace", 2615),
    ("pg_description", 2609),
];

/// Ids by kind and name.
#[derive(Debug, Default)]
pub struct Oids {
    given: HashMap<(Kind, String), i32>,
    taken: HashSet<i32>,
}

/// What has an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Database,
    Schema,
    Relation,
    /// The index that a primary key has.
    Index,
    Constraint,
}

impl Oids {
    /// The id of `name`; call it in the same order for the same lake, because two names may want the same id.
    pub fn give(&mut self, kind: Kind, name: &str) -> i32 {
        if let Some(oid) = self.get(kind, name) {
            return oid;
        }
        let mut oid = well_known(kind, name).unwrap_or_else(|| hashed(kind, name));
        while !self.taken.insert(oid) {
            oid = oid.checked_add(1).unwrap_or(FIRST);
        }
        self.given.insert((kind, name.into()), oid);
        oid
    }

    /// The id that `name` was given.
    pub fn get(&self, kind: Kind, name: &str) -> Option<i32> {
        self.given.get(&(kind, name.to_string())).copied()
    }
}

fn well_known(kind: Kind, name: &str) -> Option<i32> {
    match (kind, name) {
        (Kind::Schema, PG_CATALOG) => Some(PG_CATALOG_OID),
        // Where PostgreSQL has `public` and its own catalogue.
        (Kind::Schema, MAIN) => Some(2200),
        (Kind::Schema, INFORMATION_SCHEMA) => Some(13_000),
        (Kind::Database, CATALOG) => Some(5),
        (Kind::Relation, name) => {
            let table = name.strip_prefix("pg_catalog.")?;
            KNOWN.iter().find(|(known, _)| *known == table).map(|(_, oid)| *oid)
        }
        _ => None,
    }
}

/// Below [`FIRST`] for the system's own, as PostgreSQL does and clients rely on.
fn hashed(kind: Kind, name: &str) -> i32 {
    let hash = xxh3_64(format!("{kind:?}.{name}").as_bytes());
    let system = kind == Kind::Relation && name.starts_with(&format!("{PG_CATALOG}."));
    let (first, last) = if system { (13_001, FIRST - 1) } else { (FIRST, i32::MAX) };
    // The remainder is smaller than the span, which fits.
    first + i32::try_from(hash % u64::from((last - first).unsigned_abs())).unwrap_or_default()
}
