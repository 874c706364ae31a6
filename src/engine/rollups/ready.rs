//! A rollup on one snapshot: which of its months are current, and their rows.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use datafusion::common::TableReference;
use xxhash_rust::xxh3::Xxh3;

use super::attach::Parts;
use super::contract::BUILT_FROM;
use super::definition::Rollup;
use super::dictionary::Dictionary;
use super::month::Month;
use super::numbers::Numbers;
use super::rows::RollupRows;
use crate::engine::scan::SnapshotTable;
use crate::error::Result;
use crate::lake::{DataFile, Stat, TableState};

/// What marks a month of which a value that is counted once lies in several rows.
const SPLIT: &str = " split";

/// The schema in which rollups show in plans.
const PLACE: &str = "rollup";

/// How a rollup is kept, for people.
#[derive(Debug, Clone)]
pub struct Kept {
    pub name: String,
    pub path: String,
    pub about: String,
    pub view: String,
    pub rows: u64,
    pub bytes: u64,
    /// Months that the rollup answers.
    pub current: Vec<Month>,
    /// Months of which the tables tell.
    pub stale: Vec<Month>,
}

/// A rollup's state on a snapshot.
pub struct Ready {
    rollup: Arc<Rollup>,
    rows: Arc<RollupRows>,
    /// What each month of the sources has to be built from.
    wanted: BTreeMap<Month, String>,
    /// The months that are; whether values lie in several rows there.
    current: BTreeMap<Month, bool>,
    dictionary: Arc<Dictionary>,
    bytes: u64,
    count: u64,
    /// Held for as long as queries may read its files: a vacuum leaves them.
    state: Arc<TableState>,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ready({} at version {})", self.rollup.name(), self.state.version)
    }
}

impl Ready {
    /// The rollup whose table is in `state`, over the states of the snapshot's tables. The dictionary is no older than the rows.
    ///
    /// # Errors
    /// Files that cannot be described.
    pub fn new(
        rollup: Arc<Rollup>,
        state: Arc<TableState>,
        tables: &[Arc<TableState>],
        dictionary: Arc<Dictionary>,
        parts: &Parts<'_>,
    ) -> Result<Ready> {
        let empty = parts.known.empty();
        let wanted = wanted(&rollup, tables, &dictionary.identity);
        let mut by_month: BTreeMap<Month, Vec<&Arc<DataFile>>> = BTreeMap::new();
        for file in &state.files {
            if let Some(month) = file.month.as_deref().and_then(|m| m.parse().ok()) {
                by_month.entry(month).or_default().push(file);
            }
        }
        let known_empty = wanted.iter().filter(|(_, wanted)| empty.contains(*wanted)).map(|(month, _)| (*month, false));
        let (mut current, mut files): (BTreeMap<Month, bool>, _) = (known_empty.collect(), Vec::new());
        for (month, own) in by_month {
            let Some(wanted) = wanted.get(&month) else { continue };
            let built = own.iter().map(|file| built_from(file)).collect::<BTreeSet<_>>();
            // One value, or the files are not of one making.
            let (Some(Some(built)), 1) = (built.first(), built.len()) else { continue };
            let (built, split) = built.strip_suffix(SPLIT).map_or((*built, false), |built| (built, true));
            if built == wanted {
                current.insert(month, split);
                files.extend(own.into_iter().cloned());
            }
        }
        let (bytes, count) = (files.iter().map(|f| f.size).sum(), files.iter().map(|f| f.rows).sum());
        let only = state.only(files);
        let scan = SnapshotTable::new(&only, parts.sessions.store())?;
        let rows = Arc::new(RollupRows::new(parts.lake, &parts.known.held, only, scan));
        Ok(Ready { rollup, rows, wanted, current, dictionary, bytes, count, state })
    }

    pub fn rollup(&self) -> &Arc<Rollup> {
        &self.rollup
    }
    /// The version of its table that was looked at.
    pub fn version(&self) -> i64 {
        self.state.version
    }
    /// The rows of the months that are current.
    pub fn rows(&self) -> &Arc<RollupRows> {
        &self.rows
    }
    /// How many rows that are.
    pub fn count(&self) -> u64 {
        self.count
    }
    pub fn numbers(&self) -> &Numbers {
        &self.dictionary.numbers
    }
    pub fn dictionary(&self) -> &Arc<Dictionary> {
        &self.dictionary
    }
    /// Its name in plans.
    pub fn place(&self) -> TableReference {
        TableReference::partial(PLACE, self.rollup.name())
    }

    /// The months among `days` (since 1970) of which there are rows.
    pub fn months(&self, days: &RangeInclusive<i32>) -> BTreeSet<Month> {
        self.wanted.keys().filter(|month| meets(**month, days)).copied().collect()
    }

    pub fn is_current(&self, month: Month) -> bool {
        self.current.contains_key(&month)
    }

    /// Whether a value that is counted once lies in several rows of the month.
    pub fn is_split(&self, month: Month) -> bool {
        self.current.get(&month).is_some_and(|split| *split)
    }

    /// The months among `days` (since 1970) that have rows and are not current, in order.
    pub fn stale(&self, days: &RangeInclusive<i32>) -> Vec<Month> {
        let stale = self.wanted.keys().filter(|month| !self.current.contains_key(month));
        stale.filter(|month| meets(**month, days)).copied().collect()
    }

    /// Every month that is not current, the newest first.
    pub fn all_stale(&self) -> Vec<Month> {
        let mut stale = self.stale(&(i32::MIN..=i32::MAX));
        stale.reverse();
        stale
    }

    /// What `month` has to be built from; `None`: no source has anything of it.
    pub fn wanted(&self, month: Month) -> Option<&str> {
        self.wanted.get(&month).map(String::as_str)
    }

    pub fn kept(&self) -> Kept {
        let definition = self.rollup.definition();
        Kept {
            name: definition.name.clone(),
            path: definition.path.clone(),
            about: definition.about.clone(),
            view: self.rollup.view().into(),
            rows: self.count,
            bytes: self.bytes,
            current: self.current.keys().copied().collect(),
            stale: self.stale(&(i32::MIN..=i32::MAX)),
        }
    }
}

/// What a file says of itself that was built from `wanted`.
pub fn says(wanted: &str, split: bool) -> String {
    if split { format!("{wanted}{SPLIT}") } else { wanted.into() }
}

fn meets(month: Month, days: &RangeInclusive<i32>) -> bool {
    month.first_day() <= *days.end() && month.next().first_day() > *days.start()
}

fn built_from(file: &DataFile) -> Option<&str> {
    let stats = file.stats.get(BUILT_FROM)?;
    match (&stats.min, &stats.max) {
        (Some(Stat::Text(min)), Some(Stat::Text(max))) if min == max => Some(min),
        _ => None,
    }
}

/// Per month of the sources: the files that it is made from, and what the rollup means, in one hash. The files' names are
/// unique for ever, and their rows never change.
fn wanted(rollup: &Rollup, tables: &[Arc<TableState>], dictionary: &str) -> BTreeMap<Month, String> {
    let mut common = Xxh3::new();
    common.update(&rollup.texts().to_le_bytes());
    if rollup.has_sets() {
        common.update(format!("{dictionary}\n").as_bytes());
    }
    let mut months: BTreeMap<Month, Xxh3> = BTreeMap::new();
    let state = |name: &str| tables.iter().find(|state| state.table.name == name);
    for source in rollup.sources().iter().filter(|source| !source.by_month) {
        common.update(format!("{}\n", source.table).as_bytes());
        for file in state(&source.table).iter().flat_map(|state| &state.files) {
            common.update(format!("{}\n", file.path).as_bytes());
        }
    }
    for source in rollup.sources().iter().filter(|source| source.by_month) {
        let mut seen = BTreeSet::new();
        // In the order of their months, then of their names.
        for file in state(&source.table).iter().flat_map(|state| &state.files).filter(|file| file.rows > 0) {
            let Some(month) = file.month.as_deref().and_then(|m| m.parse::<Month>().ok()) else { continue };
            let hash = months.entry(month).or_insert_with(|| common.clone());
            if seen.insert(month) {
                hash.update(format!("{}\n", source.table).as_bytes());
            }
            hash.update(format!("{}\n", file.path).as_bytes());
        }
    }
    months.into_iter().map(|(month, hash)| (month, format!("{:032x}", hash.digest128()))).collect()
}
