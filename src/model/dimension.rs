//! What all dimensions share: SCD type 2 with the key (id, valid_from), unpartitioned.

use super::contract::{Check, Column, EventTime, Table, TableKind};

pub const fn dimension(
    name: &'static str,
    about: &'static str,
    key: &'static [&'static str],
    stats: &'static [&'static str],
    parts: &'static [&'static [Column]],
    checks: &'static [Check],
) -> Table {
    Table {
        name,
        about,
        kind: TableKind::Dimension,
        key,
        parts,
        event: EventTime::None,
        month_of: None,
        sort: key,
        stats,
        checks,
    }
}
