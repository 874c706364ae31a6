//! Landing's decision: what becomes of each incoming row, given what the table holds under its key.
//! A pure function over keys and ranks: it must not read tables, nor look at anything but the rows' ranks.
//!
//! The state of a natural key is the row of greatest [`Rank`] over everything that ever arrived: a total order, so
//! arrival cannot matter. Rows of equal version and other content conflict (V19): the greater hash stays, the other
//! row goes to quarantine, whichever came first. This is decided **row by row**, unlike the other rules, which stop a
//! whole record: which row of a conflict loses depends on rows that may arrive later, so if a loser took the other
//! rows of its record with it, arrival order would decide what lands.
//!
//! Gleaned rows (`reference = true`) never conflict. To know one in the table without a column for it, landing marks
//! its `content_hash` with the sign bit ([`mark`]): so, at equal version, a declared dimension row is always above a
//! gleaned one, and the order stays (source_version, content_hash).

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// The order that decides which row of a key stays: version first, then content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Rank {
    pub version: i64,
    pub hash: i64,
}

impl Rank {
    /// Same version, other content, and neither is gleaned: V19.
    fn conflicts(self, other: Rank) -> bool {
        self.version == other.version && self.hash != other.hash && self.hash >= 0 && other.hash >= 0
    }
}

/// A content hash as landing stores it: 63 bits of hash, the sign bit set when the row was gleaned from facts.
pub(crate) fn mark(hash: i64, reference: bool) -> i64 {
    if reference { hash | i64::MIN } else { hash & i64::MAX }
}

/// What becomes of an incoming row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The key is new.
    New,
    /// It takes the place of the row that the table holds.
    Replacing,
    /// The table, or an earlier row of the batch, has exactly this.
    Duplicate,
    /// A greater version is there, or a better gleaned row.
    Late,
    /// V19: same version, other content, and the other one stays.
    Conflict,
}

impl Outcome {
    pub fn lands(self) -> bool {
        matches!(self, Outcome::New | Outcome::Replacing)
    }
}

/// Keys are hashes already: hashing them again would only cost time.
#[derive(Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = self.0.rotate_left(5) ^ u64::from_le_bytes(word);
        }
    }
    fn write_u128(&mut self, key: u128) {
        // The low and high halves are both uniform; one of them is enough.
        self.0 = key as u64;
    }
}

/// A map by row key.
pub(crate) type KeyMap<V> = HashMap<u128, V, BuildHasherDefault<KeyHasher>>;

/// The incoming rows of one table, in arrival order, and the best of each key.
#[derive(Debug, Default)]
pub(crate) struct Incoming {
    rows: Vec<(u128, Rank)>,
    best: KeyMap<(Rank, usize)>,
}

impl Incoming {
    pub fn push(&mut self, key: u128, rank: Rank) {
        let row = self.rows.len();
        self.rows.push((key, rank));
        let best = self.best.entry(key).or_insert((rank, row));
        if rank > best.0 {
            *best = (rank, row);
        }
    }
    pub fn has(&self, key: u128) -> bool {
        self.best.contains_key(&key)
    }
    pub fn keys(&self) -> impl Iterator<Item = u128> + '_ {
        self.best.keys().copied()
    }
    /// How many different keys.
    pub fn len(&self) -> usize {
        self.best.len()
    }
    pub fn row(&self, row: usize) -> (u128, Rank) {
        self.rows[row]
    }

    /// The rank that `key` has once these rows have landed on a table that holds `stored` under it.
    pub fn final_rank(&self, key: u128, stored: Option<Rank>) -> Option<Rank> {
        self.best.get(&key).map(|b| b.0).max(stored)
    }

    /// The outcome of each row, in arrival order; `stored` tells what the table holds under a key.
    pub fn decide(&self, stored: impl Fn(u128) -> Option<Rank>) -> Vec<Outcome> {
        let outcome = |(row, (key, rank)): (usize, &(u128, Rank))| {
            let held = stored(*key);
            let (best, first) = self.best[key];
            let stays = held.map_or(best, |h| h.max(best));
            if *rank == stays {
                match held {
                    Some(held) if held == stays => Outcome::Duplicate,
                    _ if row != first => Outcome::Duplicate,
                    Some(_) => Outcome::Replacing,
                    None => Outcome::New,
                }
            } else if rank.conflicts(stays) {
                Outcome::Conflict
            } else {
                Outcome::Late
            }
        };
        self.rows.iter().enumerate().map(outcome).collect()
    }

    /// Whether landing these rows displaces `held`, the table's row under `key`, in a conflict: then it goes to quarantine.
    pub fn displaces(&self, key: u128, held: Rank) -> bool {
        self.best.get(&key).is_some_and(|(best, _)| *best > held && best.conflicts(held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::*;

    fn rank(version: i64, hash: i64) -> Rank {
        Rank { version, hash }
    }
    fn decided(rows: &[(u128, Rank)], stored: &[(u128, Rank)]) -> Vec<Outcome> {
        let mut incoming = Incoming::default();
        rows.iter().for_each(|(k, r)| incoming.push(*k, *r));
        incoming.decide(|key| stored.iter().find(|(k, _)| *k == key).map(|(_, r)| *r))
    }

    #[test]
    fn the_greatest_version_then_hash_stays() {
        assert_eq!(decided(&[(1, rank(0, 5)), (1, rank(0, 5)), (2, rank(0, 5))], &[]), [New, Duplicate, New]);
        assert_eq!(decided(&[(1, rank(1, 9)), (1, rank(2, 1))], &[]), [Late, New]);
        assert_eq!(decided(&[(1, rank(1, 9))], &[(1, rank(1, 9))]), [Duplicate]);
        assert_eq!(decided(&[(1, rank(1, 9))], &[(1, rank(2, 1))]), [Late]);
        assert_eq!(decided(&[(1, rank(3, 1))], &[(1, rank(2, 9))]), [Replacing]);
    }

    #[test]
    fn equal_versions_conflict_whichever_came_first() {
        assert_eq!(decided(&[(1, rank(1, 5)), (1, rank(1, 9))], &[]), [Conflict, New]);
        assert_eq!(decided(&[(1, rank(1, 9)), (1, rank(1, 5))], &[]), [New, Conflict]);
        assert_eq!(decided(&[(1, rank(1, 5))], &[(1, rank(1, 9))]), [Conflict]);
        assert_eq!(decided(&[(1, rank(1, 9))], &[(1, rank(1, 5))]), [Replacing]);
        // A conflict below a greater version is moot.
        assert_eq!(decided(&[(1, rank(1, 5)), (1, rank(1, 9))], &[(1, rank(2, 0))]), [Late, Late]);
        let mut incoming = Incoming::default();
        incoming.push(1, rank(1, 9));
        assert!(incoming.displaces(1, rank(1, 5)));
        assert!(!incoming.displaces(1, rank(0, 5)));
        assert!(!incoming.displaces(1, rank(1, 9)));
    }

    #[test]
    fn gleaned_rows_never_conflict_and_stand_below_declared_ones() {
        let (low, high) = (mark(7, true), mark(9, true));
        assert!(low < high && high < mark(0, false));
        assert_eq!(decided(&[(1, rank(0, low)), (1, rank(0, high))], &[]), [Late, New]);
        assert_eq!(decided(&[(1, rank(0, low))], &[(1, rank(0, mark(1, false)))]), [Late]);
        assert_eq!(decided(&[(1, rank(0, mark(1, false)))], &[(1, rank(0, high))]), [Replacing]);
        assert_eq!(mark(mark(-3, true), true), mark(-3, true));
    }

    /// Every order of arrival, in every split into batches, ends in the same row and the same open conflicts.
    #[test]
    fn arrival_order_cannot_matter() {
        let rows = [rank(1, 3), rank(1, 8), rank(2, 4), rank(2, 4), rank(2, 6), rank(2, 1)];
        let mut order: Vec<usize> = (0..rows.len()).collect();
        let mut seen = 0;
        permute(&mut order, 0, &mut |order| {
            for split in 0..=order.len() {
                let (mut held, mut conflicts) = (None, std::collections::BTreeSet::new());
                for batch in [&order[..split], &order[split..]] {
                    let mut incoming = Incoming::default();
                    batch.iter().for_each(|i| incoming.push(1, rows[*i]));
                    for (i, outcome) in batch.iter().zip(incoming.decide(|_| held)) {
                        if outcome == Conflict {
                            conflicts.insert(rows[*i]);
                        }
                    }
                    conflicts.extend(held.filter(|h| incoming.displaces(1, *h)));
                    held = incoming.final_rank(1, held);
                    conflicts.retain(|c| held.is_some_and(|h| h.version == c.version));
                }
                assert_eq!(held, Some(rank(2, 6)));
                assert_eq!(conflicts.into_iter().collect::<Vec<_>>(), [rank(2, 1), rank(2, 4)]);
                seen += 1;
            }
        });
        assert_eq!(seen, 720 * 7);
    }

    fn permute(order: &mut Vec<usize>, from: usize, visit: &mut impl FnMut(&[usize])) {
        if from == order.len() {
            return visit(order);
        }
        for i in from..order.len() {
            order.swap(from, i);
            permute(order, from + 1, visit);
            order.swap(from, i);
        }
    }
}
