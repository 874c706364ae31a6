//! Tests beside reports: cases in a report's own file that say what must hold of its answers, such as "regions add up to the
//! total". They are run over the lake at hand, through `report()` as anybody would ask. They must not hold expected rows: those
//! are the golden answers', for one known lake.

use std::collections::BTreeSet;

use arrow::array::{Array, RecordBatch};
use arrow::util::display::array_value_to_string;
use chrono::NaiveDate;
use futures::FutureExt;

use super::header::{Header, InOrder, SameSums, TestHeader, text_of};
use super::info::ReportInfo;
use super::request::understand;
use super::{Report, Reports, Request, lint};
use crate::access::Caller;
use crate::engine::QueryOptions;
use crate::error::{Error, Result};

/// Rows that are shown of those that break a condition.
const SHOWN: usize = 3;

/// What became of one test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub test: String,
    /// Rows of the answer; `None`: there was none.
    pub rows: Option<u64>,
    /// What does not hold and what is there instead, a line each; empty = passed.
    pub wrong: Vec<String>,
}

impl Outcome {
    pub fn passed(&self) -> bool {
        self.wrong.is_empty()
    }
    /// There was nothing to hold the test to: it passed, and shows nothing.
    pub fn is_empty(&self) -> bool {
        self.rows == Some(0)
    }
}

/// Holds a file's tests to what can be known before they run.
///
/// # Errors
/// `Invalid`, naming the test: two of one name, one without conditions, a request that the report refuses.
pub fn check(header: &Header, info: &ReportInfo, today: NaiveDate) -> Result<()> {
    let mut names = BTreeSet::new();
    for test in &header.tests {
        let in_test = |e: Error| e.context(format!("test {:?}", test.name));
        if test.name.trim().is_empty() || !names.insert(test.name.as_str()) {
            return Err(Error::invalid(format!("[[tests]] has the name {:?} twice, or a test without one", test.name)));
        }
        if test.each.is_empty() && test.all.is_empty() && test.same_sums.is_none() {
            return Err(Error::invalid(format!("test {:?} asks for nothing", test.name))
                .hint("each = [\"a condition over every row\"], all = [\"a condition over all rows\"]"));
        }
        if let Some(same) = &test.same_sums {
            check_sums(same, test, header, info, today).map_err(in_test)?;
        }
        test.each.iter().chain(&test.all).try_for_each(|condition| lint::check(condition)).map_err(in_test)?;
        understand(&request(&test.params), info, header, today).map_err(in_test)?;
    }
    Ok(())
}

/// Sums that can differ, of columns that there are.
fn check_sums(same: &SameSums, test: &TestHeader, header: &Header, info: &ReportInfo, today: NaiveDate) -> Result<()> {
    if let Some(name) = same.columns.iter().find(|name| header.columns.get(name).is_none()) {
        return Err(Error::invalid(format!("same_sums names {name}, which the report does not have")));
    }
    if same.columns.is_empty() {
        return Err(Error::invalid("same_sums names no columns"));
    }
    if same.report.as_deref().is_some_and(|report| report != info.id) {
        return Ok(());
    }
    if from(&info.id, &same.params) == from(&info.id, &test.params) {
        return Err(Error::invalid("same_sums compares the answer with itself")
            .hint("give same_sums other params than the test, or a report"));
    }
    understand(&request(&same.params), info, header, today).map(|_| ())
}

fn request(params: &InOrder<toml::Value>) -> Request {
    params.0.iter().fold(Request::new(), |request, (name, value)| request.with(name, text_of(value)))
}

impl Reports {
    /// Runs the tests that stand beside report `id`, in their order, over the lake as `caller` may see it. A test that cannot
    /// be run has failed.
    ///
    /// # Errors
    /// `NotFound`: the report; `Unavailable`: its file is broken.
    pub async fn test(&self, id: &str, caller: &Caller) -> Result<Vec<Outcome>> {
        let report = self.get(id)?;
        let mut outcomes = Vec::new();
        for test in &report.header.tests {
            let ran = self.outcome(report, test, caller).boxed().await;
            outcomes.push(ran.unwrap_or_else(|error| {
                let hint = error.hint_text().map(|h| format!(" ({h})")).unwrap_or_default();
                Outcome { test: test.name.clone(), rows: None, wrong: vec![format!("{error}{hint}")] }
            }));
        }
        Ok(outcomes)
    }

    /// One statement asks for the number of rows and keys and for every condition; what does not hold is looked at again.
    async fn outcome(&self, report: &Report, test: &TestHeader, caller: &Caller) -> Result<Outcome> {
        let asked = Asked { from: from(&report.info.id, &test.params), key: key(&report.info, test) };
        let each = test.each.iter().map(|c| format!("coalesce(sum(CASE WHEN NOT ({c}) THEN 1 ELSE 0 END), 0)"));
        let all = test.all.iter().map(|c| format!("({c})"));
        let summed = test.same_sums.iter().flat_map(sums);
        let columns: Vec<String> =
            each.chain(all).chain(summed).enumerate().map(|(at, sql)| format!("{sql} AS c{at}")).collect();
        let sql = format!(
            "SELECT count(*) AS n, count(DISTINCT {}) AS k, {} FROM {}",
            asked.key_text(),
            columns.join(", "),
            asked.from
        );
        let answer = self.ask(&sql, caller).await?;
        let found: Vec<String> = texts(&answer).into_iter().next().unwrap_or_default();
        let [rows, keys, found @ ..] = found.as_slice() else {
            return Err(Error::internal("a test has no answer"));
        };
        let mut wrong = Vec::new();
        if rows != keys {
            wrong.push(format!("{rows} rows have {keys} keys ({})", asked.key.join(", ")));
        }
        let each: Vec<_> = test.each.iter().zip(found).filter(|(_, broken)| broken.as_str() != "0").collect();
        for (condition, broken) in each {
            let shown = self.broken_rows(&asked, condition, caller).await?;
            wrong.push(format!("each {condition}: not so in {broken} of {rows} rows, {shown}"));
        }
        let all = test.all.iter().zip(found.iter().skip(test.each.len()));
        let all: Vec<_> = all.filter(|(_, holds)| !matches!(holds.as_str(), "true" | "NULL")).collect();
        for (condition, _) in all {
            let shown = self.two_sides(&asked, condition, caller).await?;
            wrong.push(format!("all {condition}: not so{shown}"));
        }
        if let Some(same) = &test.same_sums {
            let found = &found[(test.each.len() + test.all.len()).min(found.len())..];
            wrong.extend(self.other_sums(&report.info.id, same, found, caller).await?);
        }
        Ok(Outcome { test: test.name.clone(), rows: rows.parse().ok(), wrong })
    }

    /// The sums that are `found` here and others there; where there is nothing to add up, as in an empty lake, they are the same.
    async fn other_sums(&self, id: &str, same: &SameSums, found: &[String], caller: &Caller) -> Result<Vec<String>> {
        let there = from(same.report.as_deref().unwrap_or(id), &same.params);
        let columns: Vec<String> = sums(same).collect();
        let answer = self.ask(&format!("SELECT {} FROM {there}", columns.join(", ")), caller).await?;
        let told = texts(&answer).into_iter().next().unwrap_or_default();
        let pairs = same.columns.iter().zip(found.iter().zip(&told));
        let nothing = |sum: &str| sum == "NULL" || sum.parse() == Ok(0.0);
        let others = pairs.filter(|(_, (here, there))| here != there && !(nothing(here) && nothing(there)));
        Ok(others.map(|(name, (here, other))| format!("sum({name}): {here} against {other} of {there}")).collect())
    }

    /// The first rows that break a condition: their keys, and the columns that it names.
    async fn broken_rows(&self, asked: &Asked, condition: &str, caller: &Caller) -> Result<String> {
        let sql = format!("SELECT * FROM {} WHERE NOT ({condition}) LIMIT {SHOWN}", asked.from);
        let answer = self.ask(&sql, caller).await?;
        let named = names(condition);
        let is_shown = |name: &str| asked.key.iter().any(|k| k == name) || named.contains(name);
        let rows = answer.iter().flat_map(|batch| (0..batch.num_rows()).map(move |row| (batch, row)));
        let lines = rows.map(|(batch, row)| {
            let schema = batch.schema();
            let cells = schema.fields().iter().zip(batch.columns()).filter(|(field, _)| is_shown(field.name()));
            let cells: Vec<String> = cells.map(|(f, column)| format!("{}={}", f.name(), text(column, row))).collect();
            cells.join(" ")
        });
        Ok(lines.collect::<Vec<_>>().join("; "))
    }

    /// Both sides of a comparison of aggregates, where it is one.
    async fn two_sides(&self, asked: &Asked, condition: &str, caller: &Caller) -> Result<String> {
        let Some((left, right)) = sides(condition) else { return Ok(String::new()) };
        let sql = format!("SELECT ({left}) AS l, ({right}) AS r FROM {}", asked.from);
        let answer = self.ask(&sql, caller).await?;
        Ok(texts(&answer).into_iter().next().map(|row| format!(", {}", row.join(" against "))).unwrap_or_default())
    }

    async fn ask(&self, sql: &str, caller: &Caller) -> Result<Vec<RecordBatch>> {
        let options = QueryOptions { label: "check".into(), ..QueryOptions::default() };
        self.engine.query(sql, options, caller).await?.collect().await
    }
}

/// What a test's statements read.
struct Asked {
    /// `report('sales-by-region', 'totals=true') AS r`.
    from: String,
    key: Vec<String>,
}

impl Asked {
    /// A row's key as one text, NULL told from ''.
    fn key_text(&self) -> String {
        let parts = self.key.iter().map(|name| {
            let quoted = format!("\"{}\"", name.replace('"', "\"\""));
            format!("CASE WHEN {quoted} IS NULL THEN '' ELSE concat('=', CAST({quoted} AS VARCHAR)) END, ';'")
        });
        format!("concat({})", parts.collect::<Vec<_>>().join(", "))
    }
}

fn from(id: &str, params: &InOrder<toml::Value>) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let values = request(params).values.into_iter().map(|(name, value)| quoted(&format!("{name}={value}")));
    let arguments: Vec<String> = std::iter::once(quoted(id)).chain(values).collect();
    format!("report({}) AS r", arguments.join(", "))
}

fn sums(same: &SameSums) -> impl Iterator<Item = String> {
    same.columns.iter().map(|name| format!("sum(\"{}\")", name.replace('"', "\"\"")))
}

/// The columns that identify a row of the answer.
fn key(info: &ReportInfo, test: &TestHeader) -> Vec<String> {
    let totals = test.params.get("totals").is_some_and(|value| text_of(value) == "true");
    info.key.iter().cloned().chain(totals.then(|| "row_kind".to_string())).collect()
}

/// The words of a condition that may be columns.
fn names(condition: &str) -> BTreeSet<&str> {
    condition.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).collect()
}

/// The sides of a condition that is one comparison; `None`: it is something else.
fn sides(condition: &str) -> Option<(&str, &str)> {
    let (mut depth, mut in_text, mut found) = (0_i32, false, None);
    for (at, letter) in condition.char_indices() {
        match letter {
            '\'' => in_text = !in_text,
            _ if in_text => {}
            '(' => depth += 1,
            ')' => depth -= 1,
            '=' | '<' | '>' if depth == 0 && found.is_none() => {
                let rest = &condition[at + 1..];
                let more = usize::from(rest.starts_with(['=', '>']));
                found = Some((condition[..at].trim(), rest[more..].trim()));
            }
            _ => {}
        }
    }
    let joined =
        |side: &str| side.split_whitespace().any(|w| w.eq_ignore_ascii_case("and") || w.eq_ignore_ascii_case("or"));
    found.filter(|(left, right)| !joined(left) && !joined(right))
}

fn texts(batches: &[RecordBatch]) -> Vec<Vec<String>> {
    let row = |batch: &RecordBatch, row: usize| batch.columns().iter().map(|column| text(column, row)).collect();
    batches.iter().flat_map(|batch| (0..batch.num_rows()).map(|at| row(batch, at)).collect::<Vec<_>>()).collect()
}

fn text(column: &dyn Array, row: usize) -> String {
    match column.is_null(row) {
        true => "NULL".into(),
        false => array_value_to_string(column, row).unwrap_or_else(|e| e.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_has_two_sides() {
        assert_eq!(sides("sum(a) = max(b)"), Some(("sum(a)", "max(b)")));
        assert_eq!(sides("count(*) <= 3"), Some(("count(*)", "3")));
        assert_eq!(sides("a <> '='"), Some(("a", "'='")));
        assert_eq!(
            sides("sum(CASE WHEN k = 'row' THEN a END) = 4"),
            Some(("sum(CASE WHEN k = 'row' THEN a END)", "4"))
        );
        assert_eq!(sides("a = 1 AND b = 2"), None);
        assert_eq!(sides("bool_and(a)"), None);
    }

    #[test]
    fn requests_are_quoted() {
        let test: TestHeader =
            toml::from_str("name = \"n\"\nparams = { \"where.brand\" = \"Kid's\", n = 3, totals = true }").unwrap();
        assert_eq!(from("a", &test.params), "report('a', 'where.brand=Kid''s', 'n=3', 'totals=true') AS r");
    }
}
