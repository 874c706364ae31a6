//! Changed view files, taken by a running engine: a file that cannot be used leaves its view as it was, so that what worked
//! goes on working. It must not read files.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Engine;
use super::snapshot::{BrokenView, Views};
use crate::error::Result;
use crate::queryfile::QueryFile;

impl Engine {
    /// Takes changed files of `queries/views/` for the queries from now on, and gives those that cannot be used. Their views
    /// stay as they were; where there was none that worked, what reads it is told why. If that does not fit the other files
    /// (one now reads a column that the view never had), nothing changes.
    ///
    /// # Errors
    /// A lake that cannot be read.
    pub async fn set_views(&self, files: &BTreeMap<String, QueryFile>) -> Result<Vec<BrokenView>> {
        let inner = &self.inner;
        let _turn = inner.refreshing.lock().await;
        let (last, states) = (inner.current.load_full(), inner.lake.states().await?);
        let (mut views, mut unused) =
            (Arc::new(Views::read(files).with_rollups_of(&inner.views.load())), Vec::<BrokenView>::new());
        loop {
            let next = self.build(Arc::clone(&views), states.clone(), Arc::clone(&last)).await?;
            let (lost, never): (Vec<BrokenView>, Vec<BrokenView>) =
                next.broken().values().cloned().partition(|view| last.views().contains_key(&view.name));
            if lost.is_empty() {
                inner.views.store(views);
                inner.recent.keep(inner.current.swap(Arc::new(next)));
                unused.extend(never);
                return Ok(unused);
            }
            let is_kept = |view: &BrokenView| unused.iter().any(|kept| kept.name == view.name);
            if lost.iter().any(is_kept) {
                let new: Vec<BrokenView> = lost.into_iter().filter(|view| !is_kept(view)).chain(never).collect();
                unused.extend(new);
                return Ok(unused);
            }
            for worked in lost.iter().filter_map(|view| last.views().get(&view.name)) {
                Arc::make_mut(&mut views).keep(Arc::clone(worked.definition()));
            }
            unused.extend(lost);
        }
    }
}
