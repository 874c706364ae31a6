//! Sentence 1 in rows: what an account says of a table, against a model that knows nothing but keys and versions. Here a
//! version has one content, so nothing conflicts (`arrival` has conflicts).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use saleslake::ingest::TableAccount;

use super::arrival::ORDERS;
use super::world::{Layouts, World, cases, run};

static LAYOUTS: LazyLock<Layouts> = LazyLock::new(|| Layouts::new(&[ORDERS]));

/// What becomes of a line by its own content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Good,
    /// Its quantity is no number: quarantined.
    Bad,
    /// A draft: skipped, whatever its quantity.
    Draft,
}

#[derive(Debug, Clone)]
struct Line {
    order: u8,
    line: u8,
    version: u8,
    kind: Kind,
}

impl Line {
    /// `file` stands where nobody reads it twice, so that no two files have the same bytes.
    fn text(&self, file: usize) -> String {
        let Line { order, line, version, kind } = self;
        let (qty, gone) = match kind {
            Kind::Good => ("1", "n"),
            Kind::Bad => ("x", "n"),
            Kind::Draft => ("x", "d"),
        };
        let price = format!("{version}.50");
        let place = if *kind == Kind::Good { String::new() } else { format!("F{file}") };
        format!("O{order},{line},{version},2026-01-30,{},{qty},{price},GBP,{gone},{place}", self.sku())
    }
    fn sku(&self) -> String {
        format!("SKU{}", (self.order + self.version) % 3)
    }
    fn key(&self) -> String {
        format!("O{}/{}", self.order, self.line)
    }
}

/// Calls of one to three files each.
fn calls() -> impl Strategy<Value = Vec<Vec<Vec<Line>>>> {
    let kind =
        prop::sample::select(vec![Kind::Good, Kind::Good, Kind::Good, Kind::Good, Kind::Good, Kind::Bad, Kind::Draft]);
    let line =
        (0..3u8, 1..3u8, 0..4u8, kind).prop_map(|(order, line, version, kind)| Line { order, line, version, kind });
    let file = prop::collection::vec(line, 1..8);
    prop::collection::vec(prop::collection::vec(file, 1..4), 1..5)
}

/// The version that a table holds of each key.
#[derive(Default)]
struct Model {
    held: BTreeMap<String, u8>,
    /// Of all landings.
    total: TableAccount,
}

impl Model {
    /// What one commit of these rows comes to: of a key's rows the greatest version lands, once, if it is greater than what is
    /// there; rows of the version that is there afterwards are duplicates, all others late.
    fn land(&mut self, rows: impl Iterator<Item = (String, u8)>) -> TableAccount {
        let mut by_key: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        rows.for_each(|(key, version)| by_key.entry(key).or_default().push(version));
        let mut account = TableAccount::default();
        for (key, versions) in by_key {
            let before = self.held.get(&key).copied();
            let after = versions.iter().copied().chain(before).max().expect("a row");
            let equal = versions.iter().filter(|v| **v == after).count() as u64;
            let lands = u64::from(before != Some(after));
            if before.is_none() {
                account.new += lands;
            } else {
                account.replaced += lands;
            }
            account.duplicate += equal - lands;
            account.late_ignored += versions.len() as u64 - equal;
            self.held.insert(key, after);
        }
        self.total.add(&account);
        account
    }
    fn rows(&self) -> Vec<Vec<String>> {
        self.held.iter().map(|(key, version)| vec![key.clone(), version.to_string()]).collect()
    }
}

fn good<'a>(lines: impl Iterator<Item = &'a Line>) -> impl Iterator<Item = &'a Line> {
    lines.filter(|l| l.kind == Kind::Good)
}

fn count(lines: &[Line], kind: Kind) -> u64 {
    lines.iter().filter(|l| l.kind == kind).count() as u64
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn accounts_say_what_keys_and_versions_say(calls in calls(), a_commit_per_file in any::<bool>()) {
        run(async {
            let mut world = World::open(&LAYOUTS).await;
            if a_commit_per_file {
                world = world.a_commit_per_file();
            }
            let (mut orders, mut products) = (Model::default(), Model::default());
            let mut file = 0;
            for call in &calls {
                let mut texts = Vec::new();
                for lines in call {
                    file += 1;
                    // A line of its own makes the bytes new; it is a draft and counts as nothing else.
                    let own = Line { order: 0, line: 1, version: 0, kind: Kind::Draft };
                    texts.push(lines.iter().chain([&own]).map(|l| l.text(file)).collect::<Vec<_>>());
                }
                let account = world.land("orders", &texts).await.expect("files");
                let (mut order_line, mut product) = (TableAccount::default(), TableAccount::default());
                let commits: Vec<Vec<&Line>> = match a_commit_per_file {
                    true => call.iter().map(|lines| lines.iter().collect()).collect(),
                    false => vec![call.iter().flatten().collect()],
                };
                for commit in commits {
                    let rows = |row: fn(&Line) -> String| {
                        good(commit.iter().copied()).map(move |l| (row(l), l.version)).collect::<Vec<_>>()
                    };
                    order_line.add(&orders.land(rows(Line::key).into_iter()));
                    product.add(&products.land(rows(Line::sku).into_iter()));
                }
                // All of it is of January, and lands in July.
                order_line.beyond_sla = order_line.new + order_line.replaced;
                let told = |table: &str| account.tables.get(table).copied().unwrap_or_default();
                assert_eq!(told("order_line"), order_line, "order_line: {account}");
                assert_eq!(told("product"), product, "product: {account}");
                for (lines, f) in call.iter().zip(&account.files) {
                    assert_eq!(f.skipped, count(lines, Kind::Draft) + 1, "{account}");
                    assert_eq!(f.quarantined, count(lines, Kind::Bad), "{account}");
                    assert_eq!(f.landed + f.duplicate + f.late_ignored, count(lines, Kind::Good), "{account}");
                }
            }
            the_audit_agrees(&world, &[("order_line", &orders), ("product", &products)]).await;
            world.rows_are_accounted_for(&["order_line", "product"]).await;
            let held = "SELECT order_id || '/' || order_line_id, source_version FROM base.order_line ORDER BY 1";
            assert_eq!(world.sql(held).await.rows, orders.rows());
            let held = "SELECT product_id, source_version FROM base.product ORDER BY 1";
            assert_eq!(world.sql(held).await.rows, products.rows());
        });
    }
}

/// The audit's rows per file and table, added up, are the accounts of all calls.
async fn the_audit_agrees(world: &World, models: &[(&str, &Model)]) {
    let sql = "SELECT table_name, sum(\"new\"), sum(replaced), sum(duplicate), sum(late_ignored) FROM base.ingest_table \
        GROUP BY 1 ORDER BY 1";
    let told = |(name, model): &(&str, &Model)| {
        let TableAccount { new, replaced, duplicate, late_ignored, .. } = model.total;
        let counts = [new, replaced, duplicate, late_ignored].map(|n| n.to_string());
        std::iter::once(name.to_string()).chain(counts).collect::<Vec<_>>()
    };
    // A table of which no file had a row is not in the audit.
    let expected: Vec<_> = models.iter().filter(|(_, model)| !model.held.is_empty()).map(told).collect();
    assert_eq!(world.sql(sql).await.rows, expected);
    let wrong =
        "SELECT * FROM base.ingest_file WHERE \"read\" <> landed + duplicate + late_ignored + skipped + quarantined";
    assert!(world.sql(wrong).await.rows.is_empty(), "a file's account in the audit does not add up");
}
