//! Every report against answers that DuckDB computed from the landing files (tests/golden/sample.py), and what holds of all of them.
//!
//! A case is a CSV: the request as `# name=value` lines, then the columns that are compared and the rows. `# unordered=true`: the
//! order of rows is not compared; `# sum_by=a,b`: the report's rows are added up by these columns first.

mod laws;
mod mutants;
mod refusals;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use arrow::datatypes::DataType;
use saleslake::access::Caller;
use saleslake::app::App;
use saleslake::error::Result;
use saleslake::reports::Request;

use crate::common::{self, Answer, golden, shared_sample};

/// A golden case.
pub struct Case {
    pub report: String,
    pub name: String,
    pub request: Vec<(String, String)>,
    unordered: bool,
    sum_by: Vec<String>,
    pub expected: Answer,
}

/// All cases of all reports, in order of their names.
pub fn cases() -> Vec<Case> {
    let mut found = Vec::new();
    for report in names(&common::repo("tests/golden/sample")) {
        for file in names(&common::repo("tests/golden/sample").join(&report)) {
            found.push(read(&report, file.trim_end_matches(".csv")));
        }
    }
    found
}

fn names(dir: &std::path::Path) -> BTreeSet<String> {
    let entries = fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    entries.map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

pub fn read(report: &str, name: &str) -> Case {
    let below = format!("sample/{report}/{name}.csv");
    let text = fs::read_to_string(common::repo("tests/golden").join(&below)).unwrap_or_else(|e| panic!("{below}: {e}"));
    let lines = text.lines().map_while(|l| l.strip_prefix("# "));
    let (marks, request): (Vec<_>, Vec<_>) = lines
        .map(|l| l.split_once('=').unwrap_or_else(|| panic!("{below}: {l}")))
        .map(|(k, v)| (k.to_string(), v.to_string()))
        .partition(|(k, _)| k == "unordered" || k == "sum_by");
    let sum_by = marks.iter().filter(|(k, _)| k == "sum_by").flat_map(|(_, v)| v.split(',').map(String::from)).collect();
    let unordered = marks.iter().any(|(k, v)| k == "unordered" && v == "true");
    Case { report: report.into(), name: name.into(), request, unordered, sum_by, expected: golden(&below) }
}

/// A report's answer in canonical text: decimals without zeros at the end, ratios (DOUBLE) with six decimals.
pub async fn canonical(app: &App, report: &str, request: &[(String, String)]) -> Result<Answer> {
    let run = app.reports.run(report, Request { values: request.to_vec() }, &Caller::local()).await?;
    let fields: Vec<_> = run.rows.schema.fields().iter().map(|f| (f.name().clone(), f.data_type().clone())).collect();
    let columns = fields.iter().map(|(name, _)| name.clone()).collect();
    let mut answer = Answer::of(&run.rows.collect().await?, columns);
    for row in &mut answer.rows {
        for (value, (_, kind)) in row.iter_mut().zip(&fields) {
            *value = plain(value, kind);
        }
    }
    Ok(answer)
}

fn plain(value: &str, kind: &DataType) -> String {
    let number = match kind {
        DataType::Float64 => value.parse::<f64>().map(|n| format!("{n:.6}")).unwrap_or_else(|_| value.into()),
        DataType::Decimal128(..) | DataType::Decimal256(..) => value.into(),
        _ => return value.into(),
    };
    if !number.contains('.') {
        return number;
    }
    match number.trim_end_matches('0').trim_end_matches('.') {
        "-0" => "0".into(),
        trimmed => trimmed.into(),
    }
}

/// What differs from the expected answer, one line each; empty = the case holds.
pub async fn differences(app: &App, case: &Case) -> Vec<String> {
    let got = match canonical(app, &case.report, &case.request).await {
        Ok(got) => got,
        Err(e) => return vec![format!("{e} ({})", e.hint_text().unwrap_or_default())],
    };
    if let Some(absent) = case.expected.columns.iter().find(|c| !got.columns.contains(c)) {
        return vec![format!("no column {absent} in {:?}", got.columns)];
    }
    let names: Vec<&str> = case.expected.columns.iter().map(String::as_str).collect();
    let got = summed(got, case).select(&names);
    let info = app.reports.get(&case.report).expect("it ran").info();
    let key = |name: &String| info.key.contains(name) || name == "row_kind" || case.sum_by.contains(name);
    let key: Vec<usize> = (0..names.len()).filter(|i| key(&case.expected.columns[*i])).collect();
    compare(&case.expected, &got, &key, case.unordered)
}

/// The answer added up by the case's `sum_by`; the other expected columns are whole numbers.
fn summed(got: Answer, case: &Case) -> Answer {
    if case.sum_by.is_empty() {
        return got;
    }
    let columns: Vec<&str> = case.expected.columns.iter().map(String::as_str).collect();
    let by = case.sum_by.len();
    assert_eq!(columns[..by], case.sum_by.iter().map(String::as_str).collect::<Vec<_>>()[..], "sum_by are the first columns");
    let mut sums: BTreeMap<Vec<String>, Vec<i64>> = BTreeMap::new();
    for row in got.select(&columns).rows {
        let of_group = sums.entry(row[..by].to_vec()).or_insert_with(|| vec![0; row.len() - by]);
        for (sum, value) in of_group.iter_mut().zip(&row[by..]) {
            *sum += value.parse::<i64>().unwrap_or_else(|_| panic!("{value} is no whole number"));
        }
    }
    let rows = sums.into_iter().map(|(key, sums)| key.into_iter().chain(sums.iter().map(i64::to_string)).collect()).collect();
    Answer { columns: case.expected.columns.clone(), rows }
}

fn compare(expected: &Answer, got: &Answer, key: &[usize], unordered: bool) -> Vec<String> {
    let key_of = |row: &Vec<String>| key.iter().map(|i| row[*i].clone()).collect::<Vec<_>>();
    let by_key = |answer: &Answer| answer.rows.iter().map(|r| (key_of(r), r.clone())).collect::<BTreeMap<_, _>>();
    let (want, have) = (by_key(expected), by_key(got));
    let mut found = Vec::new();
    if have.len() != got.rows.len() {
        found.push(format!("{} rows have {} keys", got.rows.len(), have.len()));
    }
    for (key, row) in &want {
        match have.get(key) {
            None => found.push(format!("{key:?}: the row is missing")),
            Some(other) => found.extend((0..row.len()).filter(|i| row[*i] != other[*i]).map(|i| {
                format!("{key:?} {}: expected {}, got {}", expected.columns[i], row[i], other[i])
            })),
        }
    }
    found.extend(have.keys().filter(|k| !want.contains_key(*k)).map(|k| format!("{k:?}: a row too many")));
    if found.is_empty() && !unordered {
        let order = |answer: &Answer| answer.rows.iter().map(key_of).collect::<Vec<_>>();
        let place = order(expected).into_iter().zip(order(got)).position(|(a, b)| a != b);
        found.extend(place.map(|i| format!("row {i} should be {:?}, not {:?}", key_of(&expected.rows[i]), key_of(&got.rows[i]))));
    }
    found
}

#[test]
fn every_report_has_golden_cases_and_every_case_a_report() {
    let sample = shared_sample();
    assert!(sample.app.reports.broken().is_empty(), "{:?}", sample.app.reports.broken());
    let reports: BTreeSet<String> = sample.app.reports.list().iter().map(|r| r.id.clone()).collect();
    let folders = names(&common::repo("tests/golden/sample"));
    assert_eq!(reports, folders, "reports that are loaded, and folders below tests/golden/sample");
    for report in reports {
        let of_report: Vec<Case> = cases().into_iter().filter(|c| c.report == report).collect();
        assert!(of_report.iter().any(|c| c.expected.rows.len() > 1), "{report} has no case with several rows");
        // An empty window is a case of every report (D27).
        assert!(of_report.iter().any(|c| c.name == "never"), "{report} has no case of a window without data");
    }
}

/// `GOLDEN=report/case` in the environment runs only those whose name begins so.
#[test]
fn reports_agree_with_duckdb() {
    let only = std::env::var("GOLDEN").unwrap_or_default();
    let mut wrong = Vec::new();
    let mut right = 0;
    for case in cases() {
        let name = format!("{}/{}", case.report, case.name);
        if !name.starts_with(&only) {
            continue;
        }
        let found = shared_sample().run(differences(&shared_sample().app, &case));
        if found.is_empty() {
            right += 1;
            continue;
        }
        let more = found.len().saturating_sub(12);
        wrong.push(format!("{name} {:?}\n    {}{}", case.request, found[..found.len() - more].join("\n    "),
            if more > 0 { format!("\n    … and {more} more") } else { String::new() }));
    }
    println!("{right} cases hold");
    assert!(wrong.is_empty(), "{} of {} cases differ\n{}", wrong.len(), wrong.len() + right, wrong.join("\n"));
    assert!(right > 0, "no case is called {only}");
}
