//! Every report of the catalogue, asked in several ways: the same rows in the same order, to the last digit, from an app whose
//! rollups are current and from one without rollups.

use std::collections::BTreeMap;

use saleslake::access::Caller;
use saleslake::app::App;
use saleslake::lake::Lake;
use saleslake::reports::{ReportInfo, Request};

use super::lake::{landed, refresh};
use crate::common::{self, Answer, clock, sql};

/// Reports of which a rollup answers something when they are asked for nothing special.
const ANSWERED: &[&str] = &[
    "channel-mix-over-time",
    "like-for-like-sales",
    "moving-annual-total",
    "moving-average-trend",
    "sales-by-channel",
    "sales-by-product",
    "sales-by-region",
    "sales-over-time",
    "sales-summary",
    "sales-to-date",
    "store-ranking",
];

type Values = Vec<(String, String)>;

#[tokio::test(flavor = "multi_thread")]
async fn reports_answer_the_same_with_and_without_rollups() {
    let lake = landed().in_memory().await;
    let (on, off) = (app(&lake, true).await, app(&lake, false).await);
    refresh(&on.engine, &[], usize::MAX).await;
    let first = async |column: &str| {
        let select =
            format!("SELECT {column} FROM sales_event WHERE {column} <> 'UNK' GROUP BY 1 ORDER BY count(*) DESC, 1");
        sql(&off, &select).await.rows[0][0].clone()
    };
    let members = [
        ("channel", "web,pos".to_string()),
        ("region", first("region_id").await),
        ("location", first("location_id").await),
    ];
    let (mut runs, mut answered, mut refused, mut wrong) = (0, 0, 0, Vec::new());
    let mut usual: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for info in on.reports.list() {
        for (n, values) in variations(info, &members).into_iter().enumerate() {
            let (with, without) = tokio::join!(run(&on, &info.id, &values), run(&off, &info.id, &values));
            runs += 1;
            let (with, without) = match (with, without) {
                (Ok((with, by)), Ok((without, nothing))) => {
                    assert!(nothing.is_empty(), "{}: {nothing:?}", info.id);
                    answered += usize::from(by.iter().any(|by| by.starts_with("by ")));
                    if n == 0 {
                        usual.insert(info.id.clone(), by);
                    }
                    (with, without)
                }
                (with, without) => {
                    let (with, without) = (with.err(), without.err());
                    refused += 1;
                    assert_eq!(with, without, "{} {values:?}", info.id);
                    continue;
                }
            };
            if with != without {
                wrong.push(format!("{} {values:?}\n    {}", info.id, difference(&with, &without)));
            }
        }
    }
    println!("{answered} of {runs} runs had something from a rollup, {refused} were refused by both");
    assert!(wrong.is_empty(), "{} of {runs} differ\n{}", wrong.len(), wrong.join("\n"));
    assert!(refused * 10 < runs, "{refused} of {runs} were refused: they show nothing");
    let missing: Vec<String> = ANSWERED
        .iter()
        .filter(|id| usual.get(**id).is_none_or(|by| !by.iter().any(|by| by.starts_with("by "))))
        .map(|id| format!("{id}: {:?}", usual.get(*id)))
        .collect();
    assert!(missing.is_empty(), "not answered by rollups:\n{}", missing.join("\n"));
}

/// An app over the lake that keeps no answers.
async fn app(lake: &Lake, rollups: bool) -> App {
    let mut config = common::config();
    config.engine.rollups = rollups;
    config.engine.result_cache_mb = 0;
    let app = App::over(lake.clone(), config, clock()).await.expect("an app");
    assert!(app.reports.broken().is_empty(), "{:?}", app.reports.broken());
    app
}

/// The rows, and what the receipt says of rollups; or why there are none.
async fn run(app: &App, id: &str, values: &Values) -> Result<(Answer, Vec<String>), String> {
    let request = Request { values: values.clone() };
    let run = app.reports.run(id, request, &Caller::local()).await.map_err(|e| e.to_string())?;
    let columns = run.rows.schema.fields().iter().map(|field| field.name().clone()).collect();
    let by = run.receipt.rollups;
    let batches = run.rows.collect().await.map_err(|e| e.to_string())?;
    Ok((Answer::of(&batches, columns), by))
}

/// As it is; over all time by another grain, with totals, in a channel; beside the year before, in one region or place; under
/// other policies.
fn variations(info: &ReportInfo, members: &[(&str, String)]) -> Vec<Values> {
    let (mut all, mut whole) = (vec![Values::new()], Values::new());
    let has = |name: &str| info.params.iter().any(|param| param.name == name);
    if has("from") && has("to") {
        let days = [("from", "2024-01-01"), ("to", "2027-01-01")];
        whole.extend(days.map(|(name, day)| (name.to_string(), day.to_string())));
    }
    let sliced = |names: &[&str]| -> Option<(String, String)> {
        let applies = |(name, _): &&(&str, String)| names.contains(name) && info.slicers.iter().any(|s| s == name);
        members.iter().find(applies).map(|(name, value)| (format!("where.{name}"), value.clone()))
    };

    let mut other = whole.clone();
    if let Some(grain) = info.params.iter().find(|param| param.name == "grain") {
        let grains = grain.values.iter().flatten().filter(|value| Some(*value) != grain.default.as_ref());
        other.extend(grains.max().map(|value| ("grain".to_string(), value.clone())));
    }
    if info.totals {
        other.push(("totals".into(), "true".into()));
    }
    other.extend(sliced(&["channel"]));
    all.push(other);

    let mut beside = Values::new();
    if !info.compares.is_empty() {
        beside.push(("compare".into(), "previous_year".into()));
    }
    beside.extend(sliced(&["region", "location"]));
    if !beside.is_empty() {
        all.push(beside);
    }

    let mut policies = whole;
    for policy in &info.policies {
        let value = policy.values.iter().rev().find(|value| **value != policy.default);
        policies.extend(value.map(|value| (policy.name.clone(), value.clone())));
    }
    if !info.policies.is_empty() {
        all.push(policies);
    }
    all
}

fn difference(with: &Answer, without: &Answer) -> String {
    if with.columns != without.columns || with.rows.len() != without.rows.len() {
        let shape = |answer: &Answer| format!("{} rows of {:?}", answer.rows.len(), answer.columns);
        return format!("with rollups {}, without {}", shape(with), shape(without));
    }
    let mut rows = with.rows.iter().zip(&without.rows).enumerate();
    rows.find(|(_, (one, other))| one != other)
        .map_or_else(String::new, |(n, (one, other))| format!("row {n}: with rollups {one:?}\n      without {other:?}"))
}
