//! How much memory landing takes, measured by the kernel in a process of its own: this very test, started once more.
#![cfg(target_os = "linux")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use saleslake::config::LakeConfig;
use saleslake::ingest::{Ingest, InputFile, Silent, Source, Sources};
use saleslake::lake::Lake;
use saleslake::queryfile::QueryFile;

use crate::common;

const SOURCE: &str = r#"-- ---
-- [read]
-- path = "*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "shop"
-- currency = "GBP"
-- tz = "Europe/London"
-- ---
-- into = "order_line"
SELECT order_no AS order_id, '1' AS order_line_id, local_time(sold, '%Y-%m-%d') AS created_at, sku,
       CAST(qty AS DECIMAL(18,3)) AS quantity, CAST('5.00' AS DECIMAL(18,4)) AS unit_price
FROM   raw
"#;

const LINES: u64 = 500_000;
/// `landing.memory_mb`: the waiting rows of a chunk of the file are more than an eighth of it.
const MEMORY_MB: u64 = 64;
/// What the process may take with it, MiB: itself, the chunk that is read, and what lands of it.
const BOUND_MB: u64 = 512;
/// Tells the process that it is the one that is measured: the folder, and how much memory landing may take.
const CHILD: &str = "SALESLAKE_TEST_LANDS_IN";
const CHILD_MB: &str = "SALESLAKE_TEST_LANDS_WITH_MB";

/// Without bounds, which is where all lines are one batch, it takes half as much again at least: so this fails when batches
/// grow with the file.
#[test]
fn landing_a_large_file_takes_little_memory() {
    if let (Ok(folder), Ok(mb)) = (std::env::var(CHILD), std::env::var(CHILD_MB)) {
        land(Path::new(&folder), mb.parse().expect("a number"));
        println!("\npeak {}", peak_mb());
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let mut text = String::from("order_no,sold,sku,qty\n");
    for n in 0..LINES {
        let _ = writeln!(text, "order-{n:08},2026-05-{:02},article-{:05},{}", 1 + n % 28, n % 20_000, 1 + n % 7);
    }
    std::fs::write(dir.path().join("large.csv"), text).expect("written");
    let bounded = measured(dir.path(), MEMORY_MB);
    let unbounded = measured(dir.path(), 1 << 20);
    let told = format!("{bounded} MiB with landing.memory_mb = {MEMORY_MB}, {unbounded} MiB without bounds");
    println!("{told}");
    assert!(bounded < BOUND_MB, "{told}");
    assert!(bounded * 3 < unbounded * 2, "{told}");
}

/// The peak of a process that lands the file in a new lake, MiB.
fn measured(folder: &Path, memory_mb: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().expect("this program"));
    child.args(["memory::landing_a_large_file_takes_little_memory", "--exact", "--nocapture"]);
    let out = child.env(CHILD, folder).env(CHILD_MB, memory_mb.to_string()).output().expect("started");
    let (said, told) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{said}\n{told}");
    let peak = said.lines().find_map(|line| line.strip_prefix("peak "));
    peak.and_then(|mb| mb.parse().ok()).unwrap_or_else(|| panic!("no peak in: {said}\n{told}"))
}

fn land(folder: &Path, memory_mb: u64) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let url = folder.join(format!("lake-{memory_mb}")).to_string_lossy().into_owned();
        let config = LakeConfig { url, ..common::config().lake };
        let lake = Lake::open(&config).await.expect("a lake");
        let source = QueryFile::parse("sources/large.sql", SOURCE).and_then(|file| Source::parse(&file));
        let sources = Sources::from_list([source.unwrap_or_else(|e| panic!("{e}"))]);
        let ingest = Ingest::new(&lake, sources, common::clock()).batch_records(usize::MAX).memory(memory_mb);
        let file = InputFile::open(&folder.join("large.csv"), "large.csv").expect("opened");
        let account = ingest.run("large", &[file], &Silent).await.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(account.total().landed, LINES, "{account}");
    });
}

/// The most memory that this process has had, MiB.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
}
