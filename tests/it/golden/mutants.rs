//! Halving a measure of `sales_event` must break every golden answer that depends on it, or the golden answers prove nothing.

use std::collections::BTreeMap;
use std::fs;

use saleslake::app::App;

use super::{Case, cases, differences};
use crate::common::{clock, config, repo, shared_sample};

const HALF: &str = "CAST({} * 0.5 AS DECIMAL(18,4))";
const EVERY_OTHER: &str = "CASE WHEN local_minute % 2 = 0 THEN {} END";

/// A measure of the view, what becomes of it, and the reports' columns that are nothing but that measure (added up or counted).
const MUTANTS: &[(&str, &str, &[&str])] = &[
    ("gross_sales", HALF, &["gross_sales", "sales_before_returns"]),
    ("discounts", HALF, &["discounts", "sales_before_returns"]),
    ("returns", HALF, &["returns", "returns_by_sale_date"]),
    ("net_rc", HALF, &["net_sales", "net_sales_all"]),
    ("tax_rc", HALF, &["tax"]),
    ("cost_rc", HALF, &["cogs"]),
    ("units_sold", "CAST({} * 0.5 AS DECIMAL(18,3))", &["units_sold"]),
    ("units_returned", "CAST({} * 0.5 AS DECIMAL(18,3))", &["units_returned"]),
    ("sale_order_id", EVERY_OTHER, &["orders"]),
    ("buyer_key", EVERY_OTHER, &["customers"]),
];

/// The shared lake under a view in which one measure is halved.
async fn mutant(measure: &str, becomes: &str) -> App {
    let text = fs::read_to_string(repo("queries/views/sales_event.sql")).expect("the view");
    let end = text.match_indices("-- ---").nth(1).map(|(at, mark)| at + mark.len()).expect("a header");
    let (header, sql) = text.split_at(end);
    let sql = sql.trim().trim_end_matches(';');
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(dir.path().join("views")).expect("a folder");
    let wrapped = format!(
        "{header}\nSELECT * REPLACE ({} AS {measure}) FROM (\n{sql}\n) original",
        becomes.replace("{}", measure)
    );
    fs::write(dir.path().join("views/sales_event.sql"), wrapped).expect("written");
    let mut config = config();
    config.queries_dir = Some(dir.path().into());
    App::over(shared_sample().app.lake.clone(), config, clock()).await.unwrap_or_else(|e| panic!("{measure}: {e}"))
}

/// Whether the case has the column with something else than zeros in it.
fn shows(case: &Case, columns: &[&str]) -> bool {
    case.expected
        .columns
        .iter()
        .enumerate()
        .filter(|(_, c)| columns.contains(&c.as_str()))
        .any(|(at, _)| case.expected.rows.iter().any(|row| row[at].parse::<f64>().is_ok_and(|n| n.abs() > 1.0)))
}

/// One case of each report that shows the measure: the dearest would be to run them all for every mutant.
fn dependents<'a>(cases: &'a [Case], columns: &[&str]) -> BTreeMap<&'a str, &'a Case> {
    let mut found = BTreeMap::new();
    for case in cases.iter().filter(|c| shows(c, columns)) {
        found.entry(case.report.as_str()).or_insert(case);
    }
    found
}

#[test]
fn halving_a_measure_breaks_what_depends_on_it() {
    let sample = shared_sample();
    let cases = cases();
    for (measure, becomes, columns) in MUTANTS {
        let app = sample.run(mutant(measure, becomes));
        assert!(app.reports.broken().is_empty(), "{measure}: {:?}", app.reports.broken());
        let dependents = dependents(&cases, columns);
        assert!(!dependents.is_empty(), "no golden case shows {measure}");
        for (report, case) in dependents {
            assert!(
                !sample.run(differences(&app, case)).is_empty(),
                "{report}/{} holds with half of {measure}",
                case.name
            );
        }
    }
}
