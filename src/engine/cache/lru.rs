//! Values under keys, bounded by the bytes that they take: the least recently used go first. It must not know what it holds.

use std::collections::{BTreeMap, HashMap};

use super::key::Key;

/// What a value costs beside itself, about: two entries of maps.
const BESIDE: usize = 192;

pub struct Lru<V> {
    most: usize,
    bytes: usize,
    /// Counts uses.
    clock: u64,
    by_key: HashMap<Key, Held<V>>,
    /// The key of each use that is the last of its value, oldest first.
    by_use: BTreeMap<u64, Key>,
}

struct Held<V> {
    value: V,
    bytes: usize,
    used: u64,
}

impl<V> Lru<V> {
    /// One that holds at most `most` bytes.
    pub fn new(most: usize) -> Lru<V> {
        Lru { most, bytes: 0, clock: 0, by_key: HashMap::new(), by_use: BTreeMap::new() }
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The value of `key`, which is used by that.
    pub fn get(&mut self, key: &Key) -> Option<&V> {
        let held = self.by_key.get_mut(key)?;
        self.by_use.remove(&held.used);
        self.clock += 1;
        held.used = self.clock;
        self.by_use.insert(held.used, *key);
        Some(&held.value)
    }

    /// Puts `value`, which takes `bytes`, in the place of what `key` had; others make room. What does not fit at all is not kept.
    pub fn insert(&mut self, key: Key, value: V, bytes: usize) {
        self.remove(&key);
        let bytes = bytes.saturating_add(BESIDE);
        if bytes > self.most {
            return;
        }
        while self.bytes > self.most - bytes {
            let Some((_, oldest)) = self.by_use.pop_first() else { break };
            self.remove(&oldest);
        }
        self.clock += 1;
        self.bytes += bytes;
        self.by_use.insert(self.clock, key);
        self.by_key.insert(key, Held { value, bytes, used: self.clock });
    }

    fn remove(&mut self, key: &Key) {
        if let Some(held) = self.by_key.remove(key) {
            self.by_use.remove(&held.used);
            self.bytes -= held.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut lru = Lru::new(3 * (BESIDE + 100));
        let keys: Vec<Key> = (0..5).map(|n| [n; 16]).collect();
        for (n, key) in keys[..3].iter().enumerate() {
            lru.insert(*key, n, 100);
        }
        assert_eq!(lru.get(&keys[0]), Some(&0));
        lru.insert(keys[3], 3, 100);
        assert_eq!(lru.get(&keys[1]), None);
        assert_eq!(lru.get(&keys[0]).copied(), Some(0));
        assert_eq!(lru.bytes(), 3 * (BESIDE + 100));
        // One that needs the room of two.
        lru.insert(keys[4], 4, 200);
        assert_eq!([0, 2, 3, 4].map(|n| lru.get(&keys[n]).is_some()), [true, false, false, true]);
        assert_eq!(lru.bytes(), 2 * BESIDE + 300);
        // The same key again takes its bytes once; what does not fit leaves nothing behind.
        lru.insert(keys[4], 5, 100);
        assert_eq!(lru.get(&keys[4]).copied(), Some(5));
        assert_eq!(lru.bytes(), 2 * (BESIDE + 100));
        lru.insert(keys[4], 6, 10_000);
        assert_eq!(lru.get(&keys[4]).copied(), None);
        assert_eq!(lru.bytes(), BESIDE + 100);
        assert_eq!(lru.by_use.len(), 1);
    }
}
