//! Halving any measure of a view must break every golden case that depends on it, or the golden answers prove nothing.
//!
//! A case depends on a measure if a column that is nothing but this measure has anything but zeros in its expected rows
//! (`measures`). One run of every case for each of its measures takes half an hour, so unless `SALESLAKE_ALL_MUTANTS` is set
//! only some cases of each report are taken: together they depend on every measure that any case of the report depends on. Of these
//!
//! 1. each measure is halved alone in the first case of each report that depends on it: that breaks the case, and changes no
//!    column that is another measure's. So such a column tells about its own measure only, whatever else is halved;
//! 2. all measures are halved together in every case: a column that differs shows that halving its measure breaks the case;
//! 3. where that shows nothing (a measure without a column of its own, the other half of some ids) it is halved alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use arrow::datatypes::DataType;
use saleslake::access::Caller;
use saleslake::app::App;
use saleslake::engine::QueryOptions;

use super::measures::{MEASURES, MOVED, Measure, NEVER, UNSHOWN, is_known, measure_of, shows};
use super::{Case, Difference, cases, differences};
use crate::common::{Answer, Shared, clock, config, query, repo, shared_sample};

/// The policy of the mutated views that says what is halved, and its values beside the measures' ways.
const POLICY: &str = "halve";
const NOTHING: &str = "nothing";
const ALL: &str = "all";

/// The policy's value for the `way`th half of a measure.
fn half(measure: &Measure, way: usize) -> String {
    format!("{}-{way}", measure.name)
}

fn halves(measure: &'static Measure) -> impl Iterator<Item = String> {
    (0..measure.halves.len()).map(move |way| half(measure, way))
}

/// The shared lake under views that halve what one more policy says: one app for all mutants, and plans are kept.
async fn mutated() -> App {
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(dir.path().join("views")).expect("a folder");
    for view in MEASURES.iter().map(|m| m.view).collect::<BTreeSet<_>>() {
        let text = fs::read_to_string(repo("queries/views").join(format!("{view}.sql"))).expect("the view");
        fs::write(dir.path().join("views").join(format!("{view}.sql")), mutate(view, &text)).expect("written");
    }
    let mut config = config();
    config.queries_dir = Some(dir.path().into());
    App::over(shared_sample().app.lake.clone(), config, clock()).await.expect("the mutated views")
}

/// The view's text with the policy in its header, around the view's own statement.
fn mutate(view: &str, text: &str) -> String {
    let end = text.match_indices("-- ---").nth(1).map(|(at, _)| at).expect("a header");
    let (header, sql) = text.split_at(end);
    let sql = sql.trim_start_matches("-- ---").trim().trim_end_matches(';');
    let values = MEASURES.iter().flat_map(halves).chain([NOTHING.to_string(), ALL.to_string()]);
    let values: Vec<String> = values.map(|v| format!("\"{v}\"")).collect();
    let replaced: Vec<String> = MEASURES.iter().filter(|m| m.view == view).map(replacement).collect();
    format!(
        "{header}-- [params.{POLICY}]\n-- values = [{}]\n-- default = \"{NOTHING}\"\n-- ---\nSELECT * REPLACE (\n{}\n) FROM (\n{sql}\n) original\n",
        values.join(", "),
        replaced.join(",\n")
    )
}

fn replacement(measure: &Measure) -> String {
    let name = measure.name;
    let when = |(way, sql): (usize, &&str)| {
        let all = if way == 0 { format!(" OR ${POLICY} = '{ALL}'") } else { String::new() };
        format!("WHEN ${POLICY} = '{}'{all} THEN {}", half(measure, way), sql.replace("{}", name))
    };
    let when: Vec<String> = measure.halves.iter().enumerate().map(when).collect();
    format!("CASE {} ELSE {name} END AS {name}", when.join(" "))
}

struct Alone {
    breaks: bool,
    /// The columns of other measures that change: none should.
    changes: BTreeSet<String>,
}

/// The mutated views and the cases of the reports that read them.
struct Mutants {
    sample: &'static Shared,
    app: App,
    cases: Vec<Case>,
}

impl Mutants {
    fn open() -> Mutants {
        let sample = shared_sample();
        let app = sample.run(mutated());
        assert!(app.reports.broken().is_empty(), "{:?}", app.reports.broken());
        let reads = |report: &str| {
            let info = app.reports.get(report).unwrap_or_else(|e| panic!("{report}: {e}")).info();
            MEASURES.iter().any(|m| info.reads.iter().any(|read| read == m.view))
        };
        let cases = cases().into_iter().filter(|c| reads(&c.report)).collect();
        Mutants { sample, app, cases }
    }

    /// How the case's answer differs from the expected one when so much is halved. A case that fails is no broken one.
    fn differences(&self, case: &Case, halved: &str) -> Vec<Difference> {
        let mut request = case.request.clone();
        request.push((POLICY.into(), halved.into()));
        let found = self.sample.run(differences(&self.app, case, &request));
        found.unwrap_or_else(|e| panic!("{}/{} with half of {halved}: {e}", case.report, case.name))
    }

    /// What halving the measure alone does to the case.
    fn halved_alone(&self, case: &Case, measure: &'static Measure) -> Alone {
        let differences: Vec<Difference> = halves(measure).flat_map(|half| self.differences(case, &half)).collect();
        let another = |column: &&String| measure_of(column).is_some_and(|m| m.name != measure.name);
        let changed = differences.iter().filter_map(|d| d.column.as_ref()).filter(another).cloned();
        Alone { breaks: !differences.is_empty(), changes: changed.collect() }
    }

    /// For each measure the cases that depend on it (true) or show only zeros of it (false), by their places.
    fn dependent(&self) -> Vec<(&'static Measure, BTreeMap<usize, bool>)> {
        let of = |measure: &'static Measure| {
            let matters = |(at, case): (usize, &Case)| Some((at, measure.matters(case, &self.cases)?));
            (measure, self.cases.iter().enumerate().filter_map(matters).collect())
        };
        MEASURES.iter().map(of).collect()
    }

    /// The measures whose own columns differ when all are halved.
    fn broken_together(&self, case: &Case) -> BTreeSet<&'static str> {
        let columns = self.differences(case, ALL).into_iter().filter_map(|d| d.column);
        columns.filter_map(|column| measure_of(&column)).map(|m| m.name).collect()
    }

    fn ask(&self, sql: &str, halved: &str) -> Answer {
        let policies = BTreeMap::from([(POLICY.to_string(), halved.to_string())]);
        let options = QueryOptions { policies, ..QueryOptions::default() };
        self.sample.run(query(&self.app.engine, sql, options)).unwrap_or_else(|e| panic!("{sql}: {e}"))
    }
}

/// Nothing escapes the mutants unseen: no column of a golden case, no measure of a view, no half that is none.
#[test]
fn every_measure_can_be_halved_and_every_column_is_known() {
    let mutants = Mutants::open();
    for case in &mutants.cases {
        let key = &mutants.app.reports.get(&case.report).expect("it is there").info().key;
        let unknown = case.expected.columns.iter().find(|c| !is_known(c, key));
        assert!(
            unknown.is_none(),
            "{}/{}: say in measures.rs of which measures {unknown:?} is made",
            case.report,
            case.name
        );
        for name in UNSHOWN.iter().flat_map(|(_, names)| *names) {
            assert_ne!(shows(case, &[*name]), Some(true), "{}/{} shows {name}: halve it", case.report, case.name);
        }
    }
    for view in MEASURES.iter().map(|m| m.view).collect::<BTreeSet<_>>() {
        let sql = format!("SELECT * FROM {view} LIMIT 0");
        let engine = &mutants.app.engine;
        let rows = mutants.sample.run(engine.query(&sql, QueryOptions::default(), &Caller::local())).expect("the view");
        for field in rows.schema.fields() {
            let name = field.name().as_str();
            let is_measure = matches!(field.data_type(), DataType::Decimal128(..) | DataType::Int64);
            let is_known = MEASURES.iter().any(|m| m.view == view && m.name == name)
                || UNSHOWN.iter().any(|(v, names)| *v == view && names.contains(&name));
            assert!(is_known || !is_measure, "{view}.{name} is halved nowhere: add it to measures.rs");
        }
    }
    for measure in MEASURES {
        let sql = format!("SELECT CAST({} AS DOUBLE) FROM {}", measure.total.replace("{}", measure.name), measure.view);
        let total = |halved: &str| mutants.ask(&sql, halved).rows[0][0].parse::<f64>().unwrap_or(0.0);
        let whole = total(NOTHING);
        for half in halves(measure) {
            let share = total(&half) / whole;
            assert!((0.4..0.6).contains(&share), "{half} leaves {share} of {whole} {}", measure.name);
        }
    }
}

/// The places of a few cases of each report that depend on all measures on which its cases depend.
fn few(cases: &[Case], dependent: &[(&'static Measure, BTreeMap<usize, bool>)]) -> BTreeSet<usize> {
    let mut met = BTreeSet::new();
    let mut adds = |at: &usize| {
        let on = dependent.iter().filter(|(_, cases)| cases.get(at) == Some(&true));
        on.filter(|(measure, _)| met.insert((&cases[*at].report, measure.view, measure.name))).count() > 0
    };
    (0..cases.len()).filter(|at| adds(at)).collect()
}

/// By default some cases of each report (see the file's head). `SALESLAKE_ALL_MUTANTS=1` in the environment halves each measure
/// alone in every case that depends on it, thousands of runs: too long for every day, and it must find the same.
#[test]
fn halving_a_measure_breaks_every_case_that_depends_on_it() {
    let each_alone = std::env::var("SALESLAKE_ALL_MUTANTS").is_ok_and(|v| !v.is_empty() && v != "0");
    let mutants = Mutants::open();
    let mut wrong = Vec::new();
    let reports: BTreeMap<&str, &Case> = mutants.cases.iter().rev().map(|c| (c.report.as_str(), c)).collect();
    for case in reports.values() {
        let found = mutants.differences(case, NOTHING);
        assert!(found.is_empty(), "{}/{} is broken with nothing halved: {}", case.report, case.name, found[0]);
    }
    let dependent = mutants.dependent();
    let together: BTreeMap<usize, BTreeSet<&str>> = match each_alone {
        true => (0..mutants.cases.len()).map(|at| (at, BTreeSet::new())).collect(),
        false => {
            let taken = few(&mutants.cases, &dependent).into_iter();
            taken.map(|at| (at, mutants.broken_together(&mutants.cases[at]))).collect()
        }
    };
    let (mut all_pairs, mut all_alone) = (0, 0);
    for &(measure, ref cases) in &dependent {
        let (mut pairs, mut alone) = (0, 0);
        let mut met = BTreeSet::new();
        for (at, matters) in cases {
            let (case, Some(together)) = (&mutants.cases[*at], together.get(at)) else { continue };
            if !matters {
                continue;
            }
            pairs += 1;
            let is_first = met.insert(case.report.as_str());
            // Where halving one measure may change the columns of another, a column does not tell which it was.
            let tells = !MOVED.contains(&case.report.as_str());
            if !is_first && tells && together.contains(measure.name) {
                continue;
            }
            alone += 1;
            let Alone { breaks, changes } = mutants.halved_alone(case, measure);
            if !breaks {
                wrong.push(format!("{}/{} holds with half of {}", case.report, case.name, measure.name));
            }
            if is_first && tells && !changes.is_empty() {
                wrong.push(format!("{}/{}: half of {} changes {changes:?}", case.report, case.name, measure.name));
            }
        }
        println!("{:>16}: {pairs} cases of {} reports, {alone} of them alone", measure.name, met.len());
        assert!(pairs > 0, "no golden case depends on {}", measure.name);
        let shown: BTreeSet<&str> = cases.keys().map(|at| mutants.cases[*at].report.as_str()).collect();
        let zeros: Vec<&str> =
            shown.difference(&met).copied().filter(|report| !NEVER.contains(&(*report, measure.name))).collect();
        if !zeros.is_empty() {
            wrong.push(format!("{zeros:?} show {}, and no case of theirs depends on it", measure.name));
        }
        (all_pairs, all_alone) = (all_pairs + pairs, all_alone + alone);
    }
    println!(
        "{} of {} cases, {all_pairs} pairs of case and measure, {all_alone} halved alone",
        together.len(),
        mutants.cases.len()
    );
    assert!(wrong.is_empty(), "{} of {all_pairs} pairs:\n{}", wrong.len(), wrong.join("\n"));
}
