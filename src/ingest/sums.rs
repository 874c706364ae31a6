//! Rows of a file that make up a whole (V17): which of them do not land because their shares do not add up to 1. Only what
//! would land is added up: a component that another rule stops takes the others with it, and comes back with them. It must not
//! look at other files, nor at what the lake holds.

use std::collections::HashMap;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::Int64Type;

use super::frame::{Finding, Frame};
use super::hash;
use super::joined::Files;
use super::verdict::Part;
use crate::error::Result;
use crate::model::{Severity, Sum};

/// A share of all, as [`crate::model::Kind::Share`] stores it.
const ALL: i128 = 1_000_000;

/// What rows are of one whole: their table, their file, and the hash of what they have in common.
type Whole = (&'static str, u32, [u8; 16]);

/// A row of a part.
#[derive(Clone, Copy)]
struct At {
    part: usize,
    row: usize,
    /// Source version and content hash: of one key the greatest is what lands.
    rank: (i64, i64),
}

/// The rows whose shares do not add up, as (part, finding). `broken` tells which records do not land anyway.
pub(crate) fn broken(
    parts: &[Part],
    files: Files<'_>,
    broken: impl Fn(usize) -> bool,
) -> Result<Vec<(usize, Finding)>> {
    let mut wholes: HashMap<Whole, Vec<At>> = HashMap::new();
    for (part, of) in parts.iter().enumerate().filter(|(_, p)| !p.reference) {
        let Some(sum) = of.frame.table.sum() else { continue };
        let common: Vec<ArrayRef> = sum.of.iter().map(|c| of.frame.get(c).cloned()).collect::<Result<_>>()?;
        let common = hash::row_keys(&common, of.frame.rows())?;
        let ranks = Ranks::of(&of.frame)?;
        for row in (0..of.frame.rows()).filter(|row| !broken(of.rows[*row])) {
            if let Ok(common) = <[u8; 16]>::try_from(common.value(row)) {
                let whole = (sum.table, files.number(of.rows[row]), common);
                wholes.entry(whole).or_default().push(At { part, row, rank: ranks.at(row) });
            }
        }
    }
    let mut found = Vec::new();
    for rows in wholes.into_values() {
        let shares = newest(parts, &rows)?;
        let all: i128 = shares.iter().sum();
        // As many shares as there are may each be rounded by half of their last place.
        let off = 2 * (all - ALL).unsigned_abs();
        if shares.is_empty() || off <= shares.len() as u128 {
            continue;
        }
        for at in rows {
            let frame = &parts[at.part].frame;
            if let Some(sum) = frame.table.sum() {
                found.push((at.part, finding(sum, frame, at.row, all)));
            }
        }
    }
    found.sort_by_key(|(part, finding)| (*part, finding.row));
    Ok(found)
}

/// The shares of what would land of `rows`: of each key its newest version, unless that is a tombstone.
fn newest(parts: &[Part], rows: &[At]) -> Result<Vec<i128>> {
    let mut last: HashMap<&[u8], At> = HashMap::new();
    for at in rows {
        let key = parts[at.part].frame.get("row_key")?.as_binary::<i32>().value(at.row);
        let known = last.entry(key).or_insert(*at);
        if at.rank > known.rank {
            *known = *at;
        }
    }
    let mut shares = Vec::with_capacity(last.len());
    for at in last.into_values() {
        let frame = &parts[at.part].frame;
        let Some(sum) = frame.table.sum() else { continue };
        let deleted = frame.get("is_deleted")?.as_boolean();
        if !deleted.value(at.row) {
            shares.extend(frame.decimal(sum.share)?.get(at.row));
        }
    }
    Ok(shares)
}

fn finding(sum: &Sum, frame: &Frame, row: usize, all: i128) -> Finding {
    let (whole, part) = (all / ALL, (all % ALL).abs());
    let shown = format!("{whole}.{part:06}");
    let shown = shown.trim_end_matches('0').trim_end_matches('.');
    Finding {
        row,
        field: Some(sum.share.into()),
        value: frame.show(sum.share, row),
        rule: sum.rule,
        severity: Severity::Reject,
        message: format!("{}; here they add up to {shown}", sum.says),
    }
}

/// Versions and content hashes of a part's rows.
struct Ranks<'a> {
    versions: &'a arrow::array::Int64Array,
    hashes: &'a arrow::array::Int64Array,
}

impl<'a> Ranks<'a> {
    fn of(frame: &'a Frame) -> Result<Ranks<'a>> {
        let longs = |name| frame.get(name).map(|c| c.as_primitive::<Int64Type>());
        Ok(Ranks { versions: longs("source_version")?, hashes: longs("content_hash")? })
    }
    fn at(&self, row: usize) -> (i64, i64) {
        (self.versions.value(row), self.hashes.value(row))
    }
}
