//! What is in the lake when nobody is at work, beside what must be there. It must not change rows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::TimeDelta;
use saleslake::clock::Clock;
use saleslake::config::Config;
use saleslake::engine::{Engine, QueryOptions};
use saleslake::lake::{Examination, Lake, Status};
use saleslake::model::TABLES;

use super::world::World;
use crate::common;

const ORDERS: &str = "SELECT order_id, source_version, business_date, quantity, location_id, product_id, net_amount_rc, \
    is_deleted FROM base.order_line ORDER BY order_id";
const RETURNS: &str = "SELECT return_id, source_version, business_date, quantity, sale_location_id, order_business_date, \
    is_sale_known FROM base.return_line ORDER BY return_id";
const PRODUCTS: &str = "SELECT product_id, source_version FROM base.product ORDER BY product_id";
const RATES: &str = "SELECT rate_date FROM base.fx_rate ORDER BY rate_date";
const WAITING: &str = "SELECT rule, raw FROM base.quarantine WHERE resolved_at IS NULL ORDER BY rule, raw";
const AUDITED: &str = "SELECT file_uri FROM base.ingest_file WHERE status = 'landed' ORDER BY file_uri";
/// Stopped twice, or an account that does not add up.
const WRONG: &str = "SELECT source_file_id, line, rule FROM base.quarantine GROUP BY 1, 2, 3 HAVING count(*) > 1 UNION ALL \
    SELECT source_file_id, \"read\", status FROM base.ingest_file \
    WHERE \"read\" <> landed + duplicate + late_ignored + skipped + quarantined";

fn config(dir: &Path) -> Config {
    let mut config = common::config();
    config.lake.url = dir.join("lake").to_string_lossy().into_owned();
    config
}

/// Every table is what the model says, as readers see it; nothing that landed is hidden; every file of every table can be
/// read; the doctor finds nothing broken.
pub async fn agrees(dir: &Path, world: &World, when: &str) {
    let config = config(dir);
    let lake = Lake::open(&config.lake).await.expect("the lake opens");
    let engine = Engine::open(&lake, &config.engine, &BTreeMap::new(), common::clock()).await.expect("an engine");
    let expected = [
        (ORDERS, world.orders()),
        (RETURNS, world.returns()),
        (PRODUCTS, world.products()),
        (RATES, world.rates()),
        (WAITING, world.waiting()),
        (AUDITED, world.audited()),
        (WRONG, Vec::new()),
    ];
    for (sql, expected) in expected {
        let found = common::query(&engine, sql, QueryOptions::default()).await;
        let mut found = found.unwrap_or_else(|e| panic!("{when}: {sql}\n{e}")).rows;
        found.iter_mut().flatten().for_each(|value| value.truncate(value.trim_end().len()));
        let (lost, more) = (without(&expected, &found), without(&found, &expected));
        assert!(found == expected, "{when}: {sql}\nlost, or not as here: {lost:#?}\nnot expected, or twice: {more:#?}");
    }
    for shown in lake.states().await.expect("states") {
        let newest = lake.state(shown.table).await.expect("every table opens");
        assert_eq!(shown.version, newest.version, "{when}: of {} something is hidden", shown.table.name);
        for file in &newest.files {
            let read = lake.read(&newest, file, None).await;
            let rows: usize = read.unwrap_or_else(|e| panic!("{when}: {e}")).iter().map(|b| b.num_rows()).sum();
            assert_eq!(rows as u64, file.rows, "{when}: {}", file.location);
        }
    }
    let now = lake.now().await.expect("the store's clock");
    let how = Examination { mend: false, deep: true, file_bytes: 1 << 27, before: now - TimeDelta::hours(1), now };
    let checkup = lake.examine(&how).await.expect("examined");
    let broken: Vec<_> = checkup.findings.iter().filter(|f| f.status == Status::Broken).collect();
    assert!(broken.is_empty(), "{when}: {broken:#?}");
}

/// The rows of `all` that `others` do not have as often.
fn without<'a>(all: &'a [Vec<String>], others: &[Vec<String>]) -> Vec<&'a Vec<String>> {
    let count = |rows: &[Vec<String>], row: &Vec<String>| rows.iter().filter(|r| *r == row).count();
    all.iter().filter(|row| count(all, row) > count(others, row)).collect()
}

/// As if more than a day had passed since everything was written: vacuum finds files to delete.
pub fn a_day_passes(dir: &Path) {
    let day = TimeDelta::days(1);
    let lately = SystemTime::from(Clock::system().now() - day / 2);
    let then = (day + day / 12).to_std().expect("positive");
    for path in files(&dir.join("lake")) {
        let file = fs::File::options().write(true).open(&path).expect("opened");
        let modified = file.metadata().and_then(|m| m.modified()).expect("a time");
        // Each once, so that times go on in the order of the commits.
        if modified > lately {
            file.set_modified(modified - then).expect("set");
        }
    }
}

/// Cleans the logs of commits older than a day. For no process but ours: another would have had that day to look.
pub async fn logs_are_cleaned(dir: &Path) {
    let lake = Lake::open(&config(dir).lake).await.expect("the lake opens");
    let before = lake.now().await.expect("the store's clock") - TimeDelta::days(1);
    for table in TABLES {
        lake.keep_log(table, before).await.unwrap_or_else(|e| panic!("the log of {}: {e}", table.name));
    }
}

/// What is left of killed processes: everything below the lake but its properties, heads, logs and checkpoints, and the files
/// that a table names; and everything in the folder for temporary files.
pub async fn left_over(dir: &Path) -> Vec<PathBuf> {
    let lake = Lake::open(&config(dir).lake).await.expect("the lake opens");
    let mut named = BTreeSet::new();
    for table in TABLES {
        let state = lake.state(table).await.expect("every table opens");
        named.extend(state.files.iter().map(|file| Path::new("/").join(file.location.as_ref())));
    }
    let root = dir.join("lake").canonicalize().expect("there");
    let mut left = files(&root);
    // What servers derived is theirs, and can be made anew.
    let derived = |path: &PathBuf| path.strip_prefix(&root).is_ok_and(|p| p.to_string_lossy().starts_with("rollup_"));
    left.retain(|path| !named.contains(path) && !is_of_a_log(&root, path) && !derived(path));
    left.extend(files(&dir.join("temp")));
    left
}

fn is_of_a_log(root: &Path, path: &Path) -> bool {
    let below = path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
    let numbered = |name: &str, end: &str| {
        name.strip_suffix(end).is_some_and(|n| n.len() == 20 && n.bytes().all(|b| b.is_ascii_digit()))
    };
    match below.split('/').collect::<Vec<_>>().as_slice() {
        ["_saleslake.json"] | [_, "_delta_log", "_last_checkpoint"] => true,
        // Notes of what landed without an account: they stay until they are no news, and vacuum knows them.
        ["_heads", "unfinished", _] => true,
        ["_heads", name] => numbered(name, ".json"),
        [_, "_delta_log", name] => numbered(name, ".json") || numbered(name, ".checkpoint.parquet"),
        _ => false,
    }
}

/// Every file below `folder`.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
