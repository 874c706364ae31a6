//! Reports as a running server has them: changed files of `queries_dir` are taken once they pass their check.
//! It must not decide what a report is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::Reports;
use crate::engine::Engine;
use crate::error::Result;
use crate::queryfile::load_folder;

/// How often the folder is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// The newest reports. Clones share them.
#[derive(Debug, Clone)]
pub struct LiveReports(Arc<Shelf>);

/// Where the newest reports stand.
#[derive(Debug)]
pub(super) struct Shelf(ArcSwap<Reports>);

impl Shelf {
    pub fn now(&self) -> Arc<Reports> {
        self.0.load_full()
    }
}

impl LiveReports {
    /// From now on `engine` takes the reports that its SQL names from here.
    pub fn new(reports: Arc<Reports>, engine: &Engine) -> LiveReports {
        let shelf = Arc::new(Shelf(ArcSwap::new(reports)));
        let source: Weak<Shelf> = Arc::downgrade(&shelf);
        engine.set_reports(source);
        LiveReports(shelf)
    }

    /// The reports as of now; a request keeps to the ones it began with.
    pub fn now(&self) -> Arc<Reports> {
        self.0.now()
    }

    /// Looks at `dir` again and again until `cancel`. What is wrong there is logged, and the last that worked is served.
    pub fn watch(&self, engine: Engine, dir: PathBuf, cancel: CancellationToken) -> JoinHandle<()> {
        let live = self.clone();
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(LOOK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut seen = texts(&dir).unwrap_or_default();
            let work = async {
                loop {
                    ticks.tick().await;
                    if let Err(error) = live.look(&engine, &dir, &mut seen).await {
                        tracing::warn!(%error, dir = %dir.display(), "changed query files are not taken");
                    }
                }
            };
            tokio::select! {
                () = cancel.cancelled() => {}
                () = work => {}
            }
        })
    }

    /// Takes what changed since `seen`; true when something did. A file that cannot be used keeps no other from being taken.
    pub(super) async fn look(&self, engine: &Engine, dir: &Path, seen: &mut Texts) -> Result<bool> {
        let found = texts(dir)?;
        if found == *seen {
            return Ok(false);
        }
        for broken in engine.set_views(&load_folder("views", Some(dir))?).await? {
            tracing::warn!(view = broken.name, path = broken.path, reason = broken.reason, "a view is broken");
        }
        let next = self.now().reloaded(Some(dir)).await?;
        for broken in next.broken() {
            tracing::warn!(report = broken.id, path = broken.path, reason = broken.reason, "a report is broken");
        }
        tracing::info!(dir = %dir.display(), "changed query files are taken");
        self.0.0.store(Arc::new(next));
        *seen = found;
        Ok(true)
    }
}

/// The texts of views and reports, by folder and name.
pub(super) type Texts = BTreeMap<(&'static str, String), String>;

fn texts(dir: &Path) -> Result<Texts> {
    let mut texts = Texts::new();
    for folder in ["views", "reports"] {
        texts.extend(load_folder(folder, Some(dir))?.into_iter().map(|(name, file)| ((folder, name), file.text)));
    }
    Ok(texts)
}
