//! The memory that queries share. DataFusion's fair pool gives each operator that can spill the same part of it, used or not: a
//! statement of eighty sorts and aggregates spills when one of them holds an eightieth, though nearly all of the memory is free.
//! Here one may have more than its part while a quarter is used, and a little while there is any left but what is kept for operators
//! that cannot spill. It must not refuse an operator that can spill what the fair pool grants.

use std::fmt::{self, Display, Formatter};
use std::sync::{Mutex, MutexGuard, PoisonError};

use datafusion::common::{Result, resources_err};
use datafusion::execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, human_readable_size,
};

/// A fair pool with room for those who come first.
#[derive(Debug)]
pub struct RoomyPool {
    bytes: usize,
    /// While no more than this is used, nobody is held to its part.
    room: usize,
    /// So much each may have, while there is as much left as `room`: a sort that gets nothing at all is an error.
    little: usize,
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    /// How many operators can spill.
    spillers: usize,
    /// Bytes of operators that can spill, and of others.
    spillable: usize,
    unspillable: usize,
}

impl RoomyPool {
    pub fn new(bytes: usize) -> RoomyPool {
        RoomyPool { bytes, room: bytes / 4, little: bytes / 64, used: Mutex::default() }
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Used {
    fn all(&self) -> usize {
        self.spillable.saturating_add(self.unspillable)
    }

    fn of(&mut self, reservation: &MemoryReservation) -> &mut usize {
        if reservation.consumer().can_spill() { &mut self.spillable } else { &mut self.unspillable }
    }
}

impl Display for RoomyPool {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name(), human_readable_size(self.bytes))
    }
}

impl MemoryPool for RoomyPool {
    fn name(&self) -> &str {
        "roomy"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.used().spillers += usize::from(consumer.can_spill());
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        let mut used = self.used();
        used.spillers = used.spillers.saturating_sub(usize::from(consumer.can_spill()));
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        *self.used().of(reservation) += additional;
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        *self.used().of(reservation) -= shrink;
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let mut used = self.used();
        let free = if reservation.consumer().can_spill() {
            let part = self.bytes.saturating_sub(used.unspillable) / used.spillers.max(1);
            let own = part.saturating_sub(reservation.size());
            let left = (self.bytes - self.room).saturating_sub(used.all());
            let little = self.little.saturating_sub(reservation.size()).min(left);
            own.max(little).max(self.room.saturating_sub(used.all()))
        } else {
            self.bytes.saturating_sub(used.all())
        };
        if additional > free {
            return resources_err!(
                "Failed to allocate additional {} for {} with {} already allocated for this reservation - {} remain available in {self}",
                human_readable_size(additional),
                reservation.consumer().name(),
                human_readable_size(reservation.size()),
                human_readable_size(free)
            );
        }
        *used.of(reservation) += additional;
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.used().all()
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn spilling(pool: &Arc<dyn MemoryPool>, n: usize) -> Vec<MemoryReservation> {
        (0..n).map(|n| MemoryConsumer::new(n.to_string()).with_can_spill(true).register(pool)).collect()
    }

    #[test]
    fn a_part_is_held_to_when_the_room_is_used() {
        let pool: Arc<dyn MemoryPool> = Arc::new(RoomyPool::new(100));
        let spillers = spilling(&pool, 5);
        // More than its part of 20, while there is room.
        spillers[0].try_grow(22).unwrap();
        spillers[1].try_grow(3).unwrap();
        assert!(spillers[0].try_grow(1).is_err(), "there is no room");
        // Everybody still gets its part.
        spillers[1].try_grow(17).unwrap();
        assert!(spillers[1].try_grow(1).is_err());
        spillers[2..].iter().for_each(|each| each.try_grow(20).unwrap());
        assert_eq!(pool.reserved(), 102);
        spillers[1..].iter().for_each(|each| assert_eq!(each.free(), 20));
        spillers[0].try_grow(3).unwrap();
    }

    #[test]
    fn a_little_is_there_for_each_of_many() {
        let pool: Arc<dyn MemoryPool> = Arc::new(RoomyPool::new(6_400));
        let join = MemoryConsumer::new("join").register(&pool);
        join.try_grow(4_000).unwrap();
        let spillers = spilling(&pool, 100);
        // A part is 24, a little 100.
        spillers[..8].iter().for_each(|each| each.try_grow(100).unwrap());
        assert!(spillers[0].try_grow(1).is_err());
        // What is kept for others is left alone; parts are not.
        assert!(spillers[8].try_grow(25).is_err());
        spillers[8].try_grow(24).unwrap();
        join.try_grow(1_500).unwrap();
    }

    #[test]
    fn what_cannot_spill_has_what_is_left() {
        let pool: Arc<dyn MemoryPool> = Arc::new(RoomyPool::new(100));
        let sort = MemoryConsumer::new("sort").with_can_spill(true).register(&pool);
        let join = MemoryConsumer::new("join").register(&pool);
        sort.try_grow(50).unwrap();
        assert!(join.try_grow(51).is_err());
        join.try_grow(50).unwrap();
        let refused = sort.try_grow(1).unwrap_err().to_string();
        assert!(refused.contains("1.0 B for sort") && refused.contains("roomy(100.0 B)"), "{refused}");
    }
}
