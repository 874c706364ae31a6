//! Parts of the memory pool that are taken for as long as something is held.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};

/// A part of the pool, given back when it is dropped.
pub struct Reserved {
    _reservation: MemoryReservation,
}

impl Reserved {
    /// # Errors
    /// `pool` has not that much left.
    pub(super) fn new(pool: &Arc<dyn MemoryPool>, bytes: usize, what: &str) -> DfResult<Reserved> {
        let reservation = MemoryConsumer::new(what).register(pool);
        reservation.try_grow(bytes)?;
        Ok(Reserved { _reservation: reservation })
    }
}
