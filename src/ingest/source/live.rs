//! Sources as a running server has them: changed files of `queries_dir` are taken once they pass their check. It must not
//! decide what a source is, nor know what is read by it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::{Source, Sources};
use crate::error::Result;
use crate::queryfile::load_folder;

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// The newest sources. Clones share them.
#[derive(Debug, Clone)]
pub struct LiveSources(Arc<ArcSwap<Sources>>);

/// The texts of a folder's sources, by name.
pub(crate) type Texts = BTreeMap<String, String>;

impl LiveSources {
    pub fn new(sources: Sources) -> LiveSources {
        LiveSources(Arc::new(ArcSwap::from_pointee(sources)))
    }

    /// The sources as of now; whoever reads a file keeps to the one that it began with.
    pub fn now(&self) -> Arc<Sources> {
        self.0.load_full()
    }

    /// As [`Sources::get`], as of now.
    pub fn get(&self, name: &str) -> Result<Arc<Source>> {
        self.now().get(name)
    }

    /// As [`Sources::in_order`], as of now.
    pub fn in_order(&self) -> Vec<Arc<Source>> {
        self.now().in_order()
    }

    /// Looks at `dir` again and again until `cancel`. What is wrong there is logged, and the last that worked is used.
    pub fn watch(&self, dir: PathBuf, cancel: CancellationToken) -> JoinHandle<()> {
        let live = self.clone();
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(LOOK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            // Nothing is seen yet: what changed since the start is found by the first look.
            let mut seen = Texts::new();
            let work = async {
                loop {
                    ticks.tick().await;
                    if let Err(error) = live.look(&dir, &mut seen) {
                        tracing::warn!(%error, dir = %dir.display(), "changed sources are not taken");
                    }
                }
            };
            tokio::select! {
                () = cancel.cancelled() => {}
                () = work => {}
            }
        })
    }

    /// Takes what changed since `seen`; true when something that can be used did.
    pub(crate) fn look(&self, dir: &Path, seen: &mut Texts) -> Result<bool> {
        let files = load_folder("sources", Some(dir))?;
        let found: Texts = files.into_iter().map(|(name, file)| (name, file.text)).collect();
        if found == *seen {
            return Ok(false);
        }
        // Noted first: a mistake is told once, not every time.
        *seen = found;
        let before = self.now();
        let next = before.reloaded(dir)?;
        for error in next.broken() {
            tracing::warn!(%error, hint = error.hint_text(), "a source is broken; if it worked before, it is used as it was");
        }
        let same = |(name, source): (&String, &Arc<Source>)| {
            before.by_name.get(name).is_some_and(|known| Arc::ptr_eq(known, source))
        };
        let changed = before.len() != next.len() || !next.by_name.iter().all(same);
        if changed {
            tracing::info!(dir = %dir.display(), "changed sources are taken");
        }
        self.0.store(Arc::new(next));
        Ok(changed)
    }
}

impl Sources {
    /// Everything anew, but what is broken now stays as it was here, and what has not changed is the very same.
    fn reloaded(&self, queries_dir: &Path) -> Result<Sources> {
        let mut next = Sources::load(Some(queries_dir))?;
        for (name, source) in &self.by_name {
            let unchanged = next.by_name.get(name).is_some_and(|new| new.text == source.text);
            if unchanged || next.broken.contains_key(name) {
                next.by_name.insert(name.clone(), source.clone());
            }
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::testing::RATES;

    #[test]
    fn changed_files_are_taken_and_broken_ones_are_not() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().join("sources");
        std::fs::create_dir(&folder).expect("made");
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("written");
        write("rates.sql", RATES);
        let live = LiveSources::new(Sources::load(Some(dir.path())).expect("loads"));
        let mut seen = Texts::new();
        let mut look = || live.look(dir.path(), &mut seen).expect("looked");
        let order = |name: &str| live.get(name).map(|s| s.header.order).ok();
        let first = live.get("rates").expect("there");
        assert!(!look(), "nothing changed since it was loaded");
        assert!(Arc::ptr_eq(&first, &live.get("rates").expect("there")), "so plans over it stay");

        write("rates.sql", &RATES.replace("order = 5", "order = 6"));
        write("more.sql", RATES);
        assert!(look() && !look());
        assert_eq!((order("rates"), order("more"), first.header.order), (Some(6), Some(5), 5));

        for broken in [RATES.replace("fx_rate", "fx_rat"), "half of a fi".into()] {
            write("rates.sql", &broken);
            look();
            assert_eq!(order("rates"), Some(6), "as it was before {broken}");
            assert!(live.now().broken().iter().any(|e| e.to_string().contains("rates.sql")), "it is told all the same");
            write("new.sql", &broken);
            look();
            assert!(live.get("new").is_err_and(|e| e.to_string().contains("new.sql")), "it never worked");
        }
        std::fs::remove_file(folder.join("more.sql")).expect("removed");
        write("rates.sql", RATES);
        assert!(look());
        assert_eq!((order("rates"), order("more")), (Some(5), None));
    }
}
