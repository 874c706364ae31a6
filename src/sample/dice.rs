//! Chance from a seed: integers only, so that every machine draws the same. It must not know what is drawn for.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A stream of random numbers, one per part of the sample, so that parts do not disturb each other.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream called `stream` of `seed`.
    pub fn new(seed: u64, stream: &str) -> Dice {
        let mut key = [0u8; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        for (i, byte) in stream.bytes().enumerate() {
            let at = 8 + i % 24;
            key[at] = key[at].rotate_left(3) ^ byte;
        }
        Dice(ChaCha8Rng::from_seed(key))
    }

    /// 0 ≤ result < n; n is at least 1 and below 2³².
    pub fn below(&mut self, n: u64) -> u64 {
        ((self.0.next_u64() >> 32) * n) >> 32
    }

    /// As [`Dice::below`], as an index.
    pub fn index(&mut self, n: usize) -> usize {
        self.below(n as u64) as usize
    }

    /// low ≤ result ≤ high.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1) as u64) as i64
    }

    /// True `per` times of 10,000.
    pub fn chance(&mut self, per: u64) -> bool {
        self.below(10_000) < per
    }

    /// 0 ≤ result < n, small ones more often: the square of an even number between 0 and 1.
    pub fn skewed(&mut self, n: usize) -> usize {
        let u = self.0.next_u64() >> 32;
        ((((u * u) >> 32) * n as u64) >> 32) as usize
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.index(from.len())]
    }

    /// The index of one of `weights`, as often as its weight says. Their sum is above 0.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let total: u64 = weights.iter().map(|w| u64::from(*w)).sum();
        let mut at = self.below(total);
        for (i, weight) in weights.iter().enumerate() {
            if at < u64::from(*weight) {
                return i;
            }
            at -= u64::from(*weight);
        }
        weights.len() - 1
    }
}

/// A number that looks random and depends on `parts` only, for facts that are not drawn in order (splitmix64's finaliser).
pub fn hash(parts: &[u64]) -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for part in parts {
        state = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 31;
    }
    state
}

/// The greatest whole number whose square is at most `n`.
pub fn root(n: u64) -> u64 {
    let mut low = 0;
    let mut high = 1 << 32;
    while low + 1 < high {
        let middle = (low + high) / 2;
        if middle * middle <= n {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_and_streams_differ() {
        let draw = |seed, stream| {
            let mut dice = Dice::new(seed, stream);
            (0..8).map(|_| dice.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(draw(1, "pos"), draw(1, "pos"));
        assert_ne!(draw(1, "pos"), draw(2, "pos"));
        assert_ne!(draw(1, "pos"), draw(1, "web"));
    }

    #[test]
    fn draws_stay_in_range() {
        let mut dice = Dice::new(7, "range");
        for _ in 0..1000 {
            assert!(dice.below(3) < 3);
            assert!((-2..=2).contains(&dice.between(-2, 2)));
            assert!(dice.skewed(10) < 10);
            assert_ne!(dice.weighted(&[1, 0, 2]), 1);
        }
        assert_eq!([root(0), root(24), root(25), root(1_000_000)], [0, 4, 5, 1000]);
    }
}
