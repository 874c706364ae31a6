//! Tables on terminals of fixed widths, and plans.

use std::sync::Arc;

use ::arrow::array::{ArrayRef, Date32Array, Decimal128Array, RecordBatch, StringArray};
use futures::stream;

use crate::encode::{Format, Options, Written, write_stream};

fn shown(batch: &RecordBatch, options: &Options) -> (String, Written) {
    let mut out = Vec::new();
    let batches = stream::iter([Ok(batch.clone())]);
    let writing = write_stream(batch.schema(), batches, Format::Table, &mut out, options);
    let written = futures::executor::block_on(writing).unwrap();
    (String::from_utf8(out).unwrap(), written)
}

fn on_terminal(batch: &RecordBatch, width: usize) -> (String, Vec<String>) {
    let (text, written) =
        shown(batch, &Options { width: Some(width), max_rows: 3, notes_apart: true, ..Options::default() });
    assert!(text.lines().filter(|l| !l.starts_with("the same")).all(|l| l.chars().count() <= width), "{text}");
    (text, written.notes)
}

fn money(units: &[i128]) -> ArrayRef {
    let values = Decimal128Array::from_iter_values(units.iter().copied());
    Arc::new(values.with_precision_and_scale(18, 4).unwrap())
}

/// Three days and their total.
fn days() -> RecordBatch {
    let texts = |values: [Option<&str>; 4]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let day =
        |from: i32| Arc::new(Date32Array::from(vec![Some(from), Some(from + 1), Some(from + 2), None])) as ArrayRef;
    RecordBatch::try_from_iter_with_nullable([
        ("period_start", day(20_454), true),
        ("period_end", day(20_455), true),
        ("location_id", texts([None, None, None, None]), true),
        ("net_sales", money(&[10_000, 20_500, 12_345_678, 12_376_178]), true),
        ("tax", money(&[1_000, 2_000, 3_000, 6_000]), true),
        ("share_of", money(&[5_000, 5_000, 5_000, 15_000]), true),
        ("currency", texts([Some("GBP"), Some("GBP"), Some("GBP"), None]), true),
        ("row_kind", texts([Some("row"), Some("row"), Some("row"), Some("total")]), true),
    ])
    .unwrap()
}

#[test]
fn one_value_in_all_rows_is_told_below() {
    let (text, notes) = on_terminal(&days(), 75);
    let expected = " period_start   period_end    net_sales    tax   share_of
───────────────────────────────────────────────────────────
 2026-01-01     2026-01-02       1.0000   0.10       0.50
 2026-01-02     2026-01-03       2.0500   0.20       0.50
 2026-01-03     2026-01-04   1,234.5678   0.30       0.50
───────────────────────────────────────────────────────────
 Total          –            1,237.6178   0.60       1.50
the same in all rows: location_id = –, currency = GBP
";
    assert_eq!(text, expected, "\n{text}");
    assert_eq!(notes, Vec::<String>::new(), "a total that differs keeps its column");
}

#[test]
fn columns_that_do_not_fit_are_named() {
    let (text, notes) = on_terminal(&days(), 36);
    let expected = " period_start    net_sales    tax
───────────────────────────────────
 2026-01-01         1.0000   0.10
 2026-01-02         2.0500   0.20
 2026-01-03     1,234.5678   0.30
───────────────────────────────────
 Total          1,237.6178   0.60
the same in all rows: location_id = –, currency = GBP
";
    assert_eq!(text, expected, "\n{text}");
    assert_eq!(notes, ["… 2 more columns: period_end, share_of"]);
}

#[test]
fn without_a_terminal_a_table_has_every_column() {
    let (text, written) = shown(&days(), &Options::default());
    assert!(text.lines().next().is_some_and(|header| header.ends_with("share_of   currency")), "{text}");
    assert!(!text.contains("the same"), "{text}");
    assert!(written.notes.is_empty());
}

#[test]
fn rows_left_out_are_told_in_the_place_asked_for() {
    let options = Options { max_rows: 2, ..Options::default() };
    let (text, written) = shown(&days(), &options);
    assert!(text.ends_with("… 1 more (of 4 rows)\n") && written.notes.is_empty(), "{text}");
    let (text, written) = shown(&days(), &Options { notes_apart: true, ..options });
    assert!(!text.contains('…'), "{text}");
    assert_eq!(written.notes, ["… 1 more (of 4 rows)"]);
    let (text, written) = shown(&days().slice(0, 0), &Options { notes_apart: true, ..Options::default() });
    assert_eq!(text.lines().count(), 2, "the header alone:\n{text}");
    assert_eq!((written.rows, written.notes.len()), (0, 0));
}

#[test]
fn plans_keep_their_lines() {
    let plan = "Sort: a\n  TableScan: t\u{1b}\n";
    let long = format!("Filter: {}", "x".repeat(500));
    let batch = RecordBatch::try_from_iter([
        ("plan_type", Arc::new(StringArray::from(vec!["logical_plan", "physical_plan"])) as ArrayRef),
        ("plan", Arc::new(StringArray::from(vec![plan, long.as_str()]))),
    ])
    .unwrap();
    let (text, _) = shown(&batch, &Options { width: Some(20), ..Options::default() });
    assert_eq!(text, format!("logical_plan\n  Sort: a\n    TableScan: t\\u{{1b}}\n\nphysical_plan\n  {long}\n"));
}
