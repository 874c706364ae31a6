//! The memory that queries share. DataFusion's fair pool gives each operator that can spill the same part of it, used or not: a
//! statement of eighty sorts and aggregates spills when one of them holds an eightieth, though nearly all of the memory is free.
//! Here one may have more than its part as long as half of the memory is free. It must not refuse what the fair pool grants.

use std::fmt::{self, Display, Formatter};

use datafusion::common::Result;
use datafusion::execution::memory_pool::{FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

/// A fair pool with room for those who come first.
#[derive(Debug)]
pub struct RoomyPool {
    fair: FairSpillPool,
    /// Up to so many bytes in use, nobody is held to its part.
    room: usize,
}

impl RoomyPool {
    pub fn new(bytes: usize) -> RoomyPool {
        RoomyPool { fair: FairSpillPool::new(bytes), room: bytes / 2 }
    }
}

impl Display for RoomyPool {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.fair.fmt(f)
    }
}

impl MemoryPool for RoomyPool {
    fn name(&self) -> &str {
        self.fair.name()
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.fair.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.fair.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.fair.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.fair.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.fair.try_grow(reservation, additional).or_else(|refused| {
            // Two threads may see the same room: then it is a little more than half.
            let used = self.fair.reserved().saturating_add(additional);
            if !reservation.consumer().can_spill() || used > self.room {
                return Err(refused);
            }
            self.fair.grow(reservation, additional);
            Ok(())
        })
    }

    fn reserved(&self) -> usize {
        self.fair.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.fair.memory_limit()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_part_is_held_to_when_half_is_used() {
        let pool: Arc<dyn MemoryPool> = Arc::new(RoomyPool::new(100));
        let spills = |name: &str| MemoryConsumer::new(name).with_can_spill(true).register(&pool);
        let [one, two, three, four] = ["one", "two", "three", "four"].map(spills);
        // More than its quarter, while half is free.
        one.try_grow(40).unwrap();
        two.try_grow(10).unwrap();
        assert!(one.try_grow(1).is_err(), "half is used");
        // Everybody still gets the part that the fair pool grants.
        two.try_grow(15).unwrap();
        assert!(two.try_grow(1).is_err());
        three.try_grow(25).unwrap();
        assert_eq!((pool.reserved(), four.size()), (90, 0));
        one.free();
        assert!(three.try_grow(1).is_err());
        two.free();
        three.try_grow(25).unwrap();
    }

    #[test]
    fn what_cannot_spill_has_what_is_left() {
        let pool: Arc<dyn MemoryPool> = Arc::new(RoomyPool::new(100));
        let sort = MemoryConsumer::new("sort").with_can_spill(true).register(&pool);
        let join = MemoryConsumer::new("join").register(&pool);
        sort.try_grow(50).unwrap();
        assert!(join.try_grow(51).is_err());
        join.try_grow(50).unwrap();
        assert!(sort.try_grow(1).is_err());
    }
}
