//! The records of a push that did not land, as its sender is told. It must not decide which those are.

use std::collections::{HashMap, HashSet};

use arrow::array::Array;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::Result;
use crate::ingest::columns::{longs, text_at, texts};
use crate::ingest::mapped::{Mapped, Rejected};
use crate::ingest::quarantine::{self, Filter};
use crate::lake::Lake;

/// How many are told.
const MOST: usize = 100;

/// A record that did not land: it is in the quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Stopped {
    /// Line of a text, row of a Parquet file, from 1.
    pub line: i64,
    pub rule: String,
    /// The table whose contract it broke; empty when it reached none.
    pub table: String,
    pub field: Option<String>,
    pub value: Option<String>,
    /// What the rule asks for.
    pub message: String,
}

impl From<&Rejected> for Stopped {
    fn from(r: &Rejected) -> Stopped {
        Stopped {
            line: r.line,
            rule: r.rule.into(),
            table: r.table.clone(),
            field: r.field.clone(),
            value: r.value.clone(),
            message: r.message.clone(),
        }
    }
}

/// The first records that a rule stopped while they were mapped.
pub(super) fn first(mapped: &[Mapped]) -> Vec<Stopped> {
    mapped.iter().flat_map(|m| &m.rejected).take(MOST).map(Stopped::from).collect()
}

/// The same from the quarantine, by the push's `source_file_id`. There too: rows that lost a conflict (V19).
pub(super) async fn of(lake: &Lake, source: &str, ids: &HashSet<&str>) -> Result<HashMap<String, Vec<Stopped>>> {
    let filter = Filter { source: Some(source.into()), ..Filter::default() };
    let rows = quarantine::list(lake, &filter).await?;
    let [files, rules, tables, messages] = ["source_file_id", "rule", "table_name", "message"].map(|c| texts(&rows, c));
    let (files, rules, tables, messages) = (files?, rules?, tables?, messages?);
    let (lines, fields, values) = (longs(&rows, "line")?, texts(&rows, "field")?, texts(&rows, "value")?);
    let mut found: HashMap<String, Vec<Stopped>> = HashMap::new();
    // Line 0: the row was displaced by another push later, and had landed with this one.
    for row in (0..files.len()).filter(|row| ids.contains(files.value(*row)) && lines.value(*row) > 0) {
        found.entry(files.value(row).into()).or_default().push(Stopped {
            line: lines.value(row),
            rule: rules.value(row).into(),
            table: tables.value(row).into(),
            field: text_at(fields, row).map(Into::into),
            value: text_at(values, row).map(Into::into),
            message: messages.value(row).into(),
        });
    }
    for stopped in found.values_mut() {
        stopped.sort_by_key(|s| s.line);
        stopped.truncate(MOST);
    }
    Ok(found)
}
