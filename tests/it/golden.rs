//! Every report against answers that DuckDB computed from the landing files (tests/golden/sample.py), and what holds of all of them.
//!
//! A case is a CSV: the request as `# name=value` lines, then the columns that are compared and the rows. `# unordered=true`: the
//! order of rows is not compared. Numbers are compared exactly, ratios (DOUBLE) to a millionth.

pub mod laws;
mod measures;
mod mutants;
mod refusals;
pub mod surfaces;

use std::collections::{BTreeMap, BTreeSet};
use std::{fmt, fs};

use arrow::datatypes::DataType;
use saleslake::access::Caller;
use saleslake::app::App;
use saleslake::error::Result;
use saleslake::reports::{ReportInfo, Request};

use crate::common::{self, Answer, golden, shared_sample};

/// A golden case.
pub struct Case {
    pub report: String,
    pub name: String,
    pub request: Vec<(String, String)>,
    unordered: bool,
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
    let mut request: Vec<(String, String)> = lines
        .map(|l| l.split_once('=').unwrap_or_else(|| panic!("{below}: {l}")))
        .map(|(k, v)| (k.to_string(), v.to_string()))
        .collect();
    let all = request.len();
    request.retain(|(k, _)| k != "unordered");
    Case { report: report.into(), name: name.into(), unordered: request.len() < all, request, expected: golden(&below) }
}

/// A report's answer in canonical text: decimals without zeros at the end, ratios (DOUBLE) with all of six decimals.
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
    match kind {
        DataType::Float64 => value.parse::<f64>().map(|n| format!("{n:.6}")).unwrap_or_else(|_| value.into()),
        DataType::Decimal128(..) | DataType::Decimal256(..) if value.contains('.') => {
            value.trim_end_matches('0').trim_end_matches('.').into()
        }
        _ => value.into(),
    }
}

/// One way in which an answer is not the expected one.
pub struct Difference {
    /// The column of a value that differs; `None`: a row is missing, too many or in the wrong place.
    pub column: Option<String>,
    told: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told)
    }
}

/// What differs between the case's expected answer and the one to `request` (the case's own, or one that should break it);
/// nothing = the case holds.
///
/// # Errors
/// No answer that could be compared: the report refuses the request, fails, or lacks a column.
pub async fn differences(app: &App, case: &Case, request: &[(String, String)]) -> Result<Vec<Difference>, String> {
    let got = canonical(app, &case.report, request).await;
    let got = got.map_err(|e| format!("{e} ({})", e.hint_text().unwrap_or_default()))?;
    if let Some(absent) = case.expected.columns.iter().find(|c| !got.columns.contains(c)) {
        return Err(format!("no column {absent} in {:?}", got.columns));
    }
    let names: Vec<&str> = case.expected.columns.iter().map(String::as_str).collect();
    let got = got.select(&names);
    Ok(between(app.reports.get(&case.report).expect("it ran").info(), &case.expected, &got, case.unordered))
}

/// What differs between two answers of a report in the same columns: rows meet by its key. `unordered`: their order may differ.
pub fn between(info: &ReportInfo, expected: &Answer, got: &Answer, unordered: bool) -> Vec<Difference> {
    let key = |name: &String| info.key.contains(name) || name == "row_kind";
    let key: Vec<usize> = (0..expected.columns.len()).filter(|i| key(&expected.columns[*i])).collect();
    compare(expected, got, &key, unordered)
}

/// Equal; a ratio (all six decimals shown) may differ by the last one: a tie falls either way in a DOUBLE.
fn same(expected: &str, got: &str) -> bool {
    let is_ratio = got.split_once('.').is_some_and(|(_, part)| part.len() == 6);
    expected == got
        || is_ratio
            && matches!((expected.parse::<f64>(), got.parse::<f64>()),
                (Ok(a), Ok(b)) if (a - b).abs() < 1.000_001e-6_f64.max(1e-11 * a.abs()))
}

fn compare(expected: &Answer, got: &Answer, key: &[usize], unordered: bool) -> Vec<Difference> {
    let key_of = |row: &Vec<String>| key.iter().map(|i| row[*i].clone()).collect::<Vec<_>>();
    let by_key = |answer: &Answer| answer.rows.iter().map(|r| (key_of(r), r.clone())).collect::<BTreeMap<_, _>>();
    let (want, have) = (by_key(expected), by_key(got));
    let mut found = Vec::new();
    let row = |told: String| Difference { column: None, told };
    if have.len() != got.rows.len() {
        found.push(row(format!("{} rows have {} keys", got.rows.len(), have.len())));
    }
    for (key, values) in &want {
        let Some(other) = have.get(key) else {
            found.push(row(format!("{key:?}: the row is missing")));
            continue;
        };
        for i in (0..values.len()).filter(|i| !same(&values[*i], &other[*i])) {
            let column = &expected.columns[i];
            let told = format!("{key:?} {column}: expected {}, got {}", values[i], other[i]);
            found.push(Difference { column: Some(column.clone()), told });
        }
    }
    found.extend(have.keys().filter(|k| !want.contains_key(*k)).map(|k| row(format!("{k:?}: a row too many"))));
    if found.is_empty() && !unordered {
        let order = |answer: &Answer| answer.rows.iter().map(key_of).collect::<Vec<_>>();
        let place = order(expected).into_iter().zip(order(got)).position(|(a, b)| a != b);
        found.extend(place.map(|i| {
            row(format!("row {i} should be {:?}, not {:?}", key_of(&expected.rows[i]), key_of(&got.rows[i])))
        }));
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
        let found = shared_sample().run(differences(&shared_sample().app, &case, &case.request));
        let found: Vec<String> = match found {
            Ok(found) if found.is_empty() => {
                right += 1;
                continue;
            }
            Ok(found) => found.iter().map(Difference::to_string).collect(),
            Err(e) => vec![e],
        };
        let more = found.len().saturating_sub(12);
        wrong.push(format!(
            "{name} {:?}\n    {}{}",
            case.request,
            found[..found.len() - more].join("\n    "),
            if more > 0 { format!("\n    … and {more} more") } else { String::new() }
        ));
    }
    println!("{right} cases hold");
    assert!(wrong.is_empty(), "{} of {} cases differ\n{}", wrong.len(), wrong.len() + right, wrong.join("\n"));
    assert!(right > 0, "no case is called {only}");
}
