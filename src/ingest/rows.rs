//! What a SELECT's plan gave, row by row, before it is completed: run so that one odd record cannot stop the others,
//! values that could not be converted, texts as their columns keep them. It must not know a table's rules.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::{concat_batches, filter_record_batch, is_null};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use datafusion::physical_plan::ExecutionPlan;

use super::frame::Findings;
use super::functions::texts;
use super::plan::{Program, Statement};
use super::text;
use super::verdict::Verdicts;
use crate::error::{Error, Result};
use crate::model::Kind;

/// Runs a plan; where it fails (an overflow, a division by zero), halves the records until those that fail stand alone.
pub(crate) async fn run_gently(
    program: &Program,
    plan: &Arc<dyn ExecutionPlan>,
    raw: RecordBatch,
    verdicts: &mut Verdicts,
) -> Result<RecordBatch> {
    let mut queue = VecDeque::from([raw]);
    let mut done = Vec::new();
    while let Some(raw) = queue.pop_front() {
        let rows = raw.num_rows();
        match program.run(plan, raw.clone()).await {
            Ok(out) => done.push(out),
            Err(e) if rows <= 1 => {
                let row = raw.columns().last().map(|c| c.as_primitive::<Int64Type>().value(0) as usize);
                verdicts.unmappable(row.unwrap_or(0), e.find_root().strip_backtrace());
            }
            Err(_) => {
                queue.push_front(raw.slice(rows / 2, rows - rows / 2));
                queue.push_front(raw.slice(0, rows / 2));
            }
        }
    }
    if done.len() == 1 { Ok(done.swap_remove(0)) } else { Ok(concat_batches(&plan.schema(), &done)?) }
}

/// Takes out the rows whose WHERE could not be read; they reject their records.
pub(crate) fn unreadable_where(
    statement: &Statement,
    out: RecordBatch,
    reference: bool,
    verdicts: &mut Verdicts,
) -> Result<RecordBatch> {
    let Some(column) = statement.where_error else { return Ok(out) };
    let errors = out.column(column);
    if errors.null_count() == errors.len() {
        return Ok(out);
    }
    let rows = out.column(statement.row).as_primitive::<Int64Type>();
    for (i, value) in errors.as_string::<i32>().iter().enumerate().filter(|(_, v)| v.is_some() && !reference) {
        verdicts.unreadable(rows.value(i) as usize, value.unwrap_or_default());
    }
    Ok(filter_record_batch(&out, &is_null(errors)?)?)
}

/// V01: values that cannot be converted exactly.
pub(crate) fn unconvertible(errors: &ArrayRef, name: &str, kind: Kind, findings: &mut Findings) {
    if errors.null_count() == errors.len() {
        return;
    }
    for (row, value) in errors.as_string::<i32>().iter().enumerate() {
        if let Some(value) = value {
            findings.reject(row, "V01", name, Some(value.into()), format!("{name} is {}", words(kind)));
        }
    }
}

/// What a kind of column holds, for messages.
fn words(kind: Kind) -> &'static str {
    use crate::model::Kind::{Bool, Date, Float, Instant, Int, Long, Money, Quantity, Rate, Share};
    match kind {
        Int | Long => "a whole number",
        Bool => "yes or no",
        Date => "a date",
        Instant => "a date and time",
        Money => "an amount of at most 14 digits and 4 decimals",
        Quantity => "a quantity of at most 15 digits and 3 decimals",
        Rate => "a number of at most 10 digits and 8 decimals",
        Share => "a share of at most 3 digits and 6 decimals",
        Float => "a number",
        _ => "a text that its expression can read",
    }
}

/// Codes and texts as their columns keep them.
pub(crate) fn normalised(array: &ArrayRef, kind: Kind) -> Result<ArrayRef> {
    if !kind.is_text() {
        return Ok(Arc::clone(array));
    }
    let array = texts(array).map_err(|e| Error::internal(e.to_string()))?;
    let texts = array.as_string::<i32>();
    let as_is = |t: &str| matches!(text::normalise(t, kind), Cow::Borrowed(n) if n.len() == t.len());
    if texts.iter().flatten().all(as_is) {
        return Ok(array);
    }
    Ok(Arc::new(texts.iter().map(|t| t.map(|t| text::normalise(t, kind))).collect::<StringArray>()))
}

/// In a column that need not be given, a blank is nothing given.
pub(crate) fn blank_is_null(array: &ArrayRef) -> ArrayRef {
    let texts = array.as_string::<i32>();
    if texts.iter().flatten().all(|t| !t.is_empty()) {
        return Arc::clone(array);
    }
    Arc::new(texts.iter().map(|t| t.filter(|t| !t.is_empty())).collect::<StringArray>())
}
