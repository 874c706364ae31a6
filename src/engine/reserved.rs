//! Parts of the memory pool that surfaces take for what they hold for their clients.

use std::sync::Arc;

use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};

use super::classify::classify;
use crate::error::Result;

/// A part of the pool, given back when it is dropped.
pub struct Reserved {
    _reservation: MemoryReservation,
}

impl Reserved {
    /// # Errors
    /// `Busy`: `pool` has not that much left.
    pub(super) fn new(pool: &Arc<dyn MemoryPool>, bytes: usize, what: &str) -> Result<Reserved> {
        let reservation = MemoryConsumer::new(what).register(pool);
        reservation.try_grow(bytes).map_err(classify)?;
        Ok(Reserved { _reservation: reservation })
    }
}
