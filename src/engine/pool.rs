//! The memory that queries share. DataFusion's fair pool gives each operator that can spill the same part of it, used or not: a
//! statement of eighty sorts and aggregates spills when one of them holds an eightieth, though nearly all of the memory is free.
//! Here a quarter is for whoever comes first, and the rest is parted.

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
        RoomyPool { bytes, room: bytes / 4, used: Mutex::default() }
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
            let parted = (self.bytes - self.room).saturating_sub(used.unspillable);
            let own = (parted / used.spillers.max(1)).saturating_sub(reservation.size());
            own.max(self.room.saturating_sub(used.all()))
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

    #[test]
    fn a_part_is_held_to_when_the_room_is_used() {
        let pool: Arc<dyn MemoryPool> = Arc::new(RoomyPool::new(100));
        let spills = |name: &str| MemoryConsumer::new(name).with_can_spill(true).register(&pool);
        let spillers = ["one", "two", "three", "four", "five"].map(spills);
        let [one, two, rest @ ..] = &spillers;
        // More than its part of 15, while there is room.
        one.try_grow(20).unwrap();
        two.try_grow(5).unwrap();
        assert!(one.try_grow(1).is_err(), "there is no room");
        // Everybody still gets its part, and together they stay within the pool.
        two.try_grow(10).unwrap();
        assert!(two.try_grow(1).is_err());
        rest.iter().for_each(|each| each.try_grow(15).unwrap());
        assert_eq!(pool.reserved(), 80);
        one.free();
        assert!(two.try_grow(1).is_err());
        rest.iter().for_each(|each| assert_eq!(each.free(), 15));
        two.try_grow(10).unwrap();
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
