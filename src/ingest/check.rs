//! The landing rules: V01 (required, legal values), V02, V09, V20, and each contract's own. It must not change a row;
//! V00, casts (V01), V10 and V18 are found where the values are made.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use datafusion::common::DFSchema;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::expr::{Cast, TryCast};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::Expr;

use super::frame::{Findings, Frame, Last};
use super::joined::Files;
use super::plan::Given;
use super::{pii, plan, time};
use crate::error::{Error, Result};
use crate::model::{Check, Column, EventTime, Kind, Role, Severity, Table, currency};

/// 2000-01-01T00:00:00Z, µs: nothing sold before is believed (V09).
const EARLIEST: i64 = 946_684_800_000_000;
/// How far an event may lie after its file (V09), µs.
const CLOCK_SKEW: i64 = 10 * time::MICROS_PER_MINUTE;

/// The rules of one table, ready to run.
pub(crate) struct Checks {
    own: Vec<(&'static Check, Arc<dyn PhysicalExpr>)>,
    /// Columns with currency codes.
    currencies: Vec<&'static str>,
    /// Given columns in which personal data is looked for, and whether they are identifiers.
    texts: Vec<(&'static str, bool)>,
}

/// The order in which a record's rules count: by number, but personal data (V20) before what a retry could cure (V18).
pub(crate) fn rank(rule: &str) -> u32 {
    match rule {
        "V20" => 100,
        "V18" => 101,
        other => other.get(1..).and_then(|n| n.parse().ok()).unwrap_or(u32::MAX),
    }
}

impl Checks {
    pub(crate) fn new(
        state: &SessionState,
        schema: &DFSchema,
        table: &'static Table,
        given: &[Given],
    ) -> Result<Checks> {
        let compile = |c: &'static Check| Ok((c, physical(state, schema, c.holds)?));
        let identifier =
            |name: &str| table.key.contains(&name) || ["_id", "_key", "_hash"].iter().any(|end| name.ends_with(end));
        // Codes are made of numbers, too.
        let identifier = |c: &Column| c.kind == Kind::Code || identifier(c.name);
        let open = |c: &Column| c.kind == Kind::Text || c.kind == Kind::Code && c.values.is_empty();
        let texts = given.iter().map(|g| g.column).filter(|c| open(c) && c.name != "tz" && !c.personal);
        Ok(Checks {
            own: table.checks.iter().map(compile).collect::<Result<_>>()?,
            currencies: table
                .columns()
                .map(|c| c.name)
                .filter(|n| *n == "currency" || n.ends_with("_currency"))
                .collect(),
            texts: texts.map(|c| (c.name, identifier(c))).collect(),
        })
    }

    /// Runs every rule over completed rows.
    pub(crate) fn run(&self, frame: &Frame, files: Files<'_>, findings: &mut Findings) -> Result<()> {
        required(frame, findings, Role::Engine, false);
        blank(frame, findings);
        legal(frame, findings);
        for name in &self.currencies {
            let codes = frame.text(name)?;
            let mut last = Last::new();
            for (row, code) in codes.iter().enumerate() {
                let Some(code) = code else { continue };
                if !last.get(code, |code| currency::is_currency(code)) {
                    findings.reject(
                        row,
                        "V02",
                        name,
                        Some(code.into()),
                        "a currency is a code of ISO 4217, such as EUR",
                    );
                }
            }
        }
        let batch = frame.batch()?;
        for (check, holds) in &self.own {
            let result = holds.evaluate(&batch).and_then(|v| v.into_array(frame.rows()));
            let result =
                result.map_err(|e| Error::internal(format!("{}: rule {}: {e}", frame.table.name, check.rule)))?;
            let result = result.as_boolean();
            if result.true_count() + result.null_count() == result.len() {
                continue;
            }
            for row in (0..result.len()).filter(|r| result.is_valid(*r) && !result.value(*r)) {
                // What is personal is not shown, however it looks.
                let hidden = check.severity == Severity::Warn || check.rule == "V20";
                let value = if hidden { None } else { frame.show(check.column, row) };
                findings.add(row, check.rule, check.severity, check.column, value, check.says.into());
            }
        }
        believable(frame, files, findings)?;
        for (name, identifier) in &self.texts {
            personal(frame.text(name)?, name, *identifier, findings);
        }
        // What ingest itself could not complete, and nothing else explains.
        required(frame, findings, Role::Engine, true);
        Ok(())
    }
}

/// V01: columns that may not be NULL, either those of `role` or the others.
fn required(frame: &Frame, findings: &mut Findings, role: Role, of_role: bool) {
    let columns = frame.table.columns().enumerate().filter(|(_, c)| !c.nullable && (c.role == role) == of_role);
    let mut explained: Option<Vec<bool>> = None;
    for (index, column) in columns {
        let array = frame.at(index);
        if array.null_count() == 0 {
            continue;
        }
        let explained = explained.get_or_insert_with(|| {
            let mut rows = vec![false; frame.rows()];
            findings.broken.iter().for_each(|f| rows[f.row] = true);
            rows
        });
        for row in (0..frame.rows()).filter(|r| array.is_null(*r)) {
            if !of_role || !explained[row] {
                findings.reject(
                    row,
                    "V01",
                    column.name,
                    None,
                    format!("{} is required: {}", column.name, column.about),
                );
            }
        }
    }
}

/// V01: a key, or a code that is required, is not blank. Columns with a rule of their own are that rule's.
fn blank(frame: &Frame, findings: &mut Findings) {
    let strict = |c: &Column| {
        let wanted = !c.nullable && c.default.is_none() && c.role == Role::Given && c.values.is_empty();
        let own = frame.table.checks.iter().any(|k| k.column == c.name);
        c.kind.is_text() && wanted && !own && (c.kind != Kind::Text || frame.table.key.contains(&c.name))
    };
    for (index, column) in frame.table.columns().enumerate().filter(|(_, c)| strict(c)) {
        for (row, _) in frame.at(index).as_string::<i32>().iter().enumerate().filter(|(_, v)| *v == Some("")) {
            findings.reject(
                row,
                "V01",
                column.name,
                Some(String::new()),
                format!("{} is required: {}", column.name, column.about),
            );
        }
    }
}

/// V01: closed lists of values.
fn legal(frame: &Frame, findings: &mut Findings) {
    for (index, column) in frame.table.columns().enumerate().filter(|(_, c)| !c.values.is_empty()) {
        let mut last = Last::new();
        for (row, value) in frame.at(index).as_string::<i32>().iter().enumerate() {
            let Some(value) = value else { continue };
            if !last.get(value, |value| column.values.contains(value)) {
                findings.reject(
                    row,
                    "V01",
                    column.name,
                    Some(value.into()),
                    format!("{} is one of {}", column.name, column.values.join(", ")),
                );
            }
        }
    }
}

/// V09: events lie between 2000 and the time of their file.
fn believable(frame: &Frame, files: Files<'_>, findings: &mut Findings) -> Result<()> {
    // Stock at the close of a day may be counted, and delivered, before that day has closed.
    let early = match frame.table.event {
        EventTime::None => return Ok(()),
        EventTime::At(_) => 0,
        EventTime::EndOf(_) => time::MICROS_PER_DAY,
    };
    for (row, at) in frame.instant("event_time")?.iter().enumerate() {
        let file_time = files.at(row).file_time_micros;
        let latest = file_time + CLOCK_SKEW + early;
        if let Some(at) = at.filter(|at| !(EARLIEST..=latest).contains(at)) {
            let says =
                format!("an event lies between 2000-01-01 and ten minutes after its file ({})", time::show(file_time));
            findings.reject(row, "V09", "event_time", Some(time::show(at)), says);
        }
    }
    Ok(())
}

/// V20: personal data in a column that is not for it.
fn personal(texts: &arrow::array::StringArray, name: &str, identifier: bool, findings: &mut Findings) {
    for (row, text) in texts.iter().enumerate() {
        if let Some((kind, _)) = text.and_then(|t| pii::find(t, identifier)) {
            findings.add(row, "V20", Severity::Quarantine, name, text.map(pii::mask), kind.says().into());
        }
    }
}

/// Compiles SQL of the contract over its own columns. A conversion that does not fit gives NULL: one odd row must not
/// stop a file.
pub(crate) fn physical(state: &SessionState, schema: &DFSchema, sql: &str) -> Result<Arc<dyn PhysicalExpr>> {
    let gentle = |e: Expr| {
        Ok(match e {
            Expr::Cast(Cast { expr, field }) => Transformed::yes(Expr::TryCast(TryCast { expr, field })),
            e => Transformed::no(e),
        })
    };
    let context = SimplifyContext::builder().with_schema(Arc::new(schema.clone()));
    let simplifier = ExprSimplifier::new(context.with_config_options(Arc::clone(state.config_options())).build());
    let expr = state
        .create_logical_expr(sql, schema)
        .and_then(|e| simplifier.coerce(e, schema))
        .and_then(|e| simplifier.simplify(e.transform_up(gentle)?.data))
        .and_then(|e| state.create_physical_expr(e, schema));
    expr.map_err(|e| match plan::trouble(e) {
        plan::Trouble::Missing { column, .. } => {
            Error::internal(format!("`{sql}` names {column}, which the contract does not have"))
        }
        plan::Trouble::Other(e) => e.context(format!("`{sql}`")),
    })
}
