//! A set of numbers that grows, and its bytes. It must not panic on bytes that are damaged.

use datafusion::common::{Result, exec_datafusion_err, exec_err};
use roaring::{MultiOps, RoaringBitmap};

use super::distinct::Distinct;
use super::groups::Gathered;

/// Numbers. Most groups have one or a few: only what is larger is a bitmap.
#[derive(Debug, Default)]
pub(super) enum Set {
    #[default]
    Empty,
    One(u32),
    Few(Distinct<u32>),
    Many(Box<Many>),
}

/// So many numbers are kept before it is looked whether they are many.
const FEW: usize = 256;

impl Set {
    /// Adds a number.
    pub(super) fn insert(&mut self, number: u32) {
        match self {
            Set::Empty => *self = Set::One(number),
            Set::One(one) if *one == number => {}
            Set::One(one) => *self = Set::Few(Distinct::of([*one, number])),
            Set::Few(few) => {
                few.insert(number);
                if few.kept() > FEW && few.sorted().len() > FEW / 2 {
                    *self = Set::many(few.sorted().iter().collect());
                }
            }
            Set::Many(many) => many.insert(number),
        }
    }

    fn many(numbers: RoaringBitmap) -> Set {
        Set::Many(Box::new(Many { heap: heap(&numbers), grown: 0, numbers, waiting: Vec::new(), aside: 0 }))
    }

    /// Adds the numbers of a bitmap.
    fn unite(&mut self, mut numbers: RoaringBitmap) {
        match self {
            Set::Many(many) => return many.unite(numbers),
            Set::Few(few) => numbers.extend(few.sorted()),
            Set::One(one) => _ = numbers.insert(*one),
            Set::Empty => {}
        }
        if !numbers.is_empty() {
            *self = Set::many(numbers);
        }
    }
}

impl Gathered for Set {
    fn add_value(&mut self, bytes: &[u8]) -> Result<()> {
        if let Ok(number) = <[u8; 4]>::try_from(bytes) {
            self.insert(u32::from_le_bytes(number));
            return Ok(());
        }
        if bytes.len() <= SHORT && each_of_short(bytes, |number| self.insert(number)) {
            return Ok(());
        }
        let mut rest = bytes;
        match RoaringBitmap::deserialize_from(&mut rest) {
            Ok(_) if !rest.is_empty() => exec_err!("a set of numbers has {} bytes behind its end", rest.len()),
            Ok(numbers) => {
                self.unite(numbers);
                Ok(())
            }
            Err(error) => exec_err!("a set of numbers is damaged: {error}"),
        }
    }

    fn add_state(&mut self, state: &[u8]) -> Result<()> {
        self.add_value(state)
    }

    fn state_of<'a>(value: &'a [u8], _room: &'a mut [u8; 8]) -> &'a [u8] {
        value
    }

    fn write(&mut self, into: &mut Vec<u8>) -> Result<bool> {
        let made: RoaringBitmap;
        let numbers = match self {
            Set::Empty => return Ok(false),
            Set::One(one) => {
                into.extend_from_slice(&one.to_le_bytes());
                return Ok(true);
            }
            Set::Few(few) => {
                made = few.sorted().iter().collect();
                &made
            }
            Set::Many(many) => many.whole(),
        };
        match (numbers.min(), numbers.max()) {
            // A bitmap of one, from elsewhere: here, one number has one form.
            (Some(one), Some(last)) if one == last => into.extend_from_slice(&one.to_le_bytes()),
            _ => numbers
                .serialize_into(into)
                .map_err(|error| exec_datafusion_err!("a set of numbers was not written: {error}"))?,
        }
        Ok(true)
    }

    fn count(&mut self) -> u64 {
        match self {
            Set::Empty => 0,
            Set::One(_) => 1,
            Set::Few(few) => few.sorted().len() as u64,
            Set::Many(many) => many.whole().len(),
        }
    }

    fn heap(&self) -> usize {
        match self {
            Set::Empty | Set::One(_) => 0,
            Set::Few(few) => few.heap(),
            Set::Many(many) => size_of::<Many>() + many.heap + many.grown + many.aside,
        }
    }
}

/// So many bitmaps wait at most.
const WAITING: usize = 48;
/// From so many new numbers for each container on, it is cheaper to make bits of it for a while.
const DENSE: u64 = 256;

/// A bitmap, and about how much memory it takes: that is counted anew when it may have doubled.
#[derive(Debug)]
pub(super) struct Many {
    numbers: RoaringBitmap,
    heap: usize,
    grown: usize,
    /// What `numbers` does not have yet. One by one, each would be merged into arrays of thousands; together they are not.
    waiting: Vec<RoaringBitmap>,
    /// Bytes of those that wait, about: no more than what they wait for, and one.
    aside: usize,
}

impl Many {
    fn insert(&mut self, number: u32) {
        if self.numbers.insert(number) {
            // An array of 2-byte values that has just grown is half empty.
            self.grown += 4;
            if self.grown > self.heap {
                self.weigh();
            }
        }
    }

    fn unite(&mut self, numbers: RoaringBitmap) {
        if numbers.is_empty() {
            return;
        }
        self.aside += size_of::<RoaringBitmap>() + heap(&numbers);
        self.waiting.push(numbers);
        if self.waiting.len() >= WAITING || self.aside > self.heap {
            self.settle();
        }
    }

    /// All numbers, none waiting.
    fn whole(&mut self) -> &RoaringBitmap {
        if !self.waiting.is_empty() {
            self.settle();
        }
        &self.numbers
    }

    fn settle(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        let added: u64 = waiting.iter().map(RoaringBitmap::len).sum();
        let containers = waiting.iter().chain([&self.numbers]).map(|of| of.statistics().n_containers).max();
        if added >= u64::from(containers.unwrap_or(0)) * DENSE {
            waiting.push(std::mem::take(&mut self.numbers));
            self.numbers = waiting.union();
        } else {
            waiting.into_iter().for_each(|numbers| self.numbers |= numbers);
        }
        self.aside = 0;
        self.weigh();
    }

    fn weigh(&mut self) {
        (self.heap, self.grown) = (heap(&self.numbers), 0);
    }
}

/// Bytes of a bitmap, about: 40 for each container, and what it holds (`statistics` counts 4 bytes for each of 2 in arrays,
/// and bits where there are bitmaps).
fn heap(numbers: &RoaringBitmap) -> usize {
    let all = numbers.statistics();
    let held =
        all.n_bytes_array_containers / 2 + u64::from(all.n_bitset_containers) * 8192 + all.n_bytes_run_containers;
    all.n_containers as usize * 40 + held as usize
}

/// Up to this many bytes, the numbers of a bitmap are read one by one: no bitmap is made of them first.
const SHORT: usize = 512;
/// The first 4 bytes of a bitmap without runs.
const NO_RUNS: u16 = 12346;

/// Gives each number of a bitmap without runs of which all containers are arrays. False if it is of another form or damaged:
/// some numbers may have been given then. The form (16-bit words, little endian): 12346, 0, the number of containers (2
/// words), for each its upper half and its count - 1, for each its offset (2 words), and then the lower halves.
fn each_of_short(bytes: &[u8], mut each: impl FnMut(u32)) -> bool {
    let (words, odd) = bytes.as_chunks::<2>();
    let word = |at: usize| words.get(at).map_or(0, |word| u16::from_le_bytes(*word));
    let containers = usize::from(word(2));
    let mut at = 4 + containers * 4;
    if !odd.is_empty() || word(0) != NO_RUNS || word(1) != 0 || word(3) != 0 || words.len() < at {
        return false;
    }
    let mut last: Option<u32> = None;
    for container in 0..containers {
        let (upper, count) = (word(4 + container * 2), usize::from(word(5 + container * 2)) + 1);
        if words.len() - at < count {
            return false;
        }
        for lower in at..at + count {
            let number = (u32::from(upper) << 16) | u32::from(word(lower));
            if last.is_some_and(|last| number <= last) {
                return false;
            }
            last = Some(number);
            each(number);
        }
        at += count;
    }
    at == words.len()
}
