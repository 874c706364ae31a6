//! Two lakes of one generated sample: one as quickstart lands it, and one into which the same records come in random order, in
//! other files, in other commits, three times, with orders that are tests in the end, and which fewer threads ask.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use saleslake::app::App;
use saleslake::config::Config;
use saleslake::ingest::{Account, Ingest, InputFile, Silent, find};
use saleslake::sample::{self, Options};

use super::marked;
use super::questions::{COUNT_TESTS, Question, questions};
use super::records::Records;
use crate::common::{self, Answer, Shared, clock, landed_app};

/// Not the committed sample's, which laws and reports were written beside.
const SEED: u64 = 20_260_130;
const LINES: u64 = 3_000;
/// Files that the records of a source come in.
const PARTS: usize = 3;

pub struct Lakes {
    pub plain: Shared,
    pub rearranged: Shared,
    /// What reports that count tests, too, said of the second lake before it had those of `marked`.
    pub before_tests: Vec<(Question, Answer)>,
}

/// The lakes; the first test that asks for them lands them.
pub fn lakes() -> &'static Lakes {
    static LAKES: OnceLock<Lakes> = OnceLock::new();
    LAKES.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a folder");
        sample::generate(&Options { seed: SEED, lines: LINES, dir: dir.path().into() }).expect("generated");
        let landing = dir.path().join("landing");
        std::thread::scope(|scope| {
            let plain = scope.spawn(|| Shared::open(landed_app(config(&landing, 4))));
            let (rearranged, before_tests) = rearranged(&landing, dir.path());
            Lakes { plain: plain.join().expect("the files land"), rearranged, before_tests }
        })
    })
}

fn config(landing: &Path, threads: usize) -> Config {
    let mut config = common::config();
    config.landing.path = landing.into();
    config.engine.threads = threads;
    config
}

/// A lake that got the records below `landing` otherwise; `dir` is for its files.
fn rearranged(landing: &Path, dir: &Path) -> (Shared, Vec<(Question, Answer)>) {
    let mut config = config(landing, 1);
    // Each file is a commit of its own.
    config.landing.batch_records = 1;
    let lake = Shared::open(async { App::open(config, clock()).await.expect("an empty lake opens") });
    let ingest = lake.app.ingest().expect("sources load");
    let (mixed, tests) = deliveries(&ingest, landing, dir);
    lake.run(async {
        for delivery in &mixed {
            delivery.land(&ingest).await;
        }
        land_again(&ingest, mixed, landing).await;
        lake.app.engine.refresh().await.expect("refresh");
    });
    let counting = lake.app.reports.list().into_iter().filter(|report| COUNT_TESTS.contains(&report.id.as_str()));
    let before_tests = counting.flat_map(questions).map(|asked| (asked.clone(), asked.ask(&lake))).collect();
    lake.run(async {
        for delivery in &tests {
            assert!(delivery.land(&ingest).await.total().landed > 0, "{}: no tests", delivery.source);
        }
        lake.app.engine.refresh().await.expect("refresh");
    });
    (lake, before_tests)
}

/// A file of a source.
struct Delivery {
    source: String,
    path: PathBuf,
}

impl Delivery {
    fn new(source: &str, path: PathBuf, records: &Records) -> Delivery {
        records.write(&path);
        Delivery { source: source.into(), path }
    }

    async fn land(&self, ingest: &Ingest) -> Account {
        let file = InputFile::open(&self.path, self.path.to_string_lossy()).expect("the file opens");
        let account = ingest.run(&self.source, &[file], &Silent).await;
        account.unwrap_or_else(|e| panic!("{}: {e}", self.source))
    }
}

/// Sources whose files tell all of a set, or nothing of it (V17).
const WHOLE: [&str; 2] = ["product_bundles", "rep_assignments"];

/// Every record in other files, which come in random order: facts before dimensions, returns before sales. And the tests.
fn deliveries(ingest: &Ingest, landing: &Path, dir: &Path) -> (Vec<Delivery>, Vec<Delivery>) {
    let mut dice = ChaCha8Rng::seed_from_u64(SEED);
    let (mut mixed, mut tests) = (Vec::new(), Vec::new());
    for source in ingest.sources().in_order() {
        let found = find(landing, &source.header.read.path).expect("the landing folder");
        let files: Vec<PathBuf> = found.into_iter().map(|file| file.path).collect();
        if files.is_empty() {
            continue;
        }
        let records = Records::read(&files);
        let parts = if WHOLE.contains(&source.name.as_str()) { 1 } else { PARTS };
        for (n, part) in records.mixed(parts, &mut dice).iter().enumerate() {
            mixed.push(Delivery::new(&source.name, dir.join(format!("{}-{n}", source.name)), part));
        }
        let copies = marked::copies(&source.name, &records);
        tests.extend(copies.map(|c| Delivery::new(&source.name, dir.join(format!("{}-tests", source.name)), &c)));
    }
    mixed.shuffle(&mut dice);
    // Rates come first: an amount keeps the rate that was known when it landed (D33).
    mixed.sort_by_key(|delivery| delivery.source != "fx_rates");
    (mixed, tests)
}

/// The same bytes under other names, and the same records in the files in which they were generated: nothing lands (D20).
async fn land_again(ingest: &Ingest, deliveries: Vec<Delivery>, landing: &Path) {
    for Delivery { source, path } in deliveries {
        let renamed = path.with_extension("again");
        fs::rename(path, &renamed).expect("renamed");
        let account = Delivery { source, path: renamed }.land(ingest).await;
        assert!(account.files.iter().all(|file| file.already), "{account}");
    }
    let whole = ingest.clone().batch_records(usize::MAX);
    for account in whole.run_all(landing, &Silent).await.expect("the files land") {
        assert!(account.failed.is_empty() && account.total().landed == 0, "{account}");
    }
}
