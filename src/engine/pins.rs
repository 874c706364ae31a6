//! States that are not the newest any more: the last few are kept, others are put together again from the lake's log.
//! It must not plan statements.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;

use super::Inner;
use super::options::Pin;
use super::snapshot::Snapshot;
use crate::error::{Error, Result};

/// States kept: a client fetches a moment after it was told what there is to fetch.
const KEPT: usize = 4;

/// The last states, newest last. Their files are safe from this process's vacuum.
#[derive(Default)]
pub struct Recent {
    kept: Mutex<VecDeque<Arc<Snapshot>>>,
    /// Held while an old state is put together: whoever else wants it waits and finds it.
    building: tokio::sync::Mutex<()>,
}

impl Recent {
    pub fn keep(&self, snapshot: Arc<Snapshot>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back(snapshot);
        while kept.len() > KEPT {
            kept.pop_front();
        }
    }

    fn get(&self, id: &str) -> Option<Arc<Snapshot>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().find(|s| s.id == id).cloned()
    }
}

/// The state that `pin` names; the newest without one.
///
/// # Errors
/// `Unavailable`: the lake or the views have gone on, and the state cannot be had any more.
pub(super) async fn snapshot(inner: &Inner, pin: Option<&Pin>) -> Result<Arc<Snapshot>> {
    let newest = inner.current.load_full();
    let Some(pin) = pin.filter(|pin| pin.snapshot != newest.id) else { return Ok(newest) };
    if let Some(kept) = inner.recent.get(&pin.snapshot) {
        return Ok(kept);
    }
    let _turn = inner.recent.building.lock().await;
    if let Some(kept) = inner.recent.get(&pin.snapshot) {
        return Ok(kept);
    }
    let states = inner.lake.states_at(&pin.versions).await.map_err(|e| gone().caused_by(e))?;
    let again = inner.snapshots.build(&inner.views.load_full(), states, Some(&newest)).boxed().await?;
    if again.id != pin.snapshot {
        return Err(gone());
    }
    let again = Arc::new(again);
    inner.recent.keep(Arc::clone(&again));
    Ok(again)
}

/// The same, if it is there already.
pub(super) fn at_hand(inner: &Inner, pin: Option<&Pin>) -> Option<Arc<Snapshot>> {
    let newest = inner.current.load_full();
    match pin.filter(|pin| pin.snapshot != newest.id) {
        None => Some(newest),
        Some(pin) => inner.recent.get(&pin.snapshot),
    }
}

fn gone() -> Error {
    Error::unavailable("the state of the lake that was asked for cannot be had any more")
        .hint("its files or the definitions of its views have changed since: send the statement again")
}
