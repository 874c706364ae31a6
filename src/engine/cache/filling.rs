//! A result on its way to its reader, collected for the cache: whole, or not at all. It must not delay the reader: it clones
//! what goes by, and gives up at the first batch that is too much.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;

use super::key::Key;
use super::{Answer, Cache, Flight, Kept, Lead, PART};

/// Bytes that a batch may hold beyond twice of what it needs.
const SLACK: usize = 4096;
/// What a batch and each of its columns cost beside their buffers, about, in bytes.
const PER_BATCH: usize = 128;

/// The collected part of an answer. Dropped before its end it leaves nothing behind.
pub struct Filling {
    cache: Arc<Cache>,
    key: Key,
    versions: BTreeMap<String, i64>,
    batches: Vec<RecordBatch>,
    bytes: usize,
    most: usize,
    too_large: bool,
    flight: Option<Flight>,
}

impl Filling {
    pub(super) fn new(lead: Lead, key: Key, versions: BTreeMap<String, i64>) -> Filling {
        let Lead { cache, flight, .. } = lead;
        let most = cache.most / PART;
        Filling { cache, key, versions, batches: Vec::new(), bytes: 0, most, too_large: false, flight }
    }

    /// `batch` goes to the reader.
    pub fn add(&mut self, batch: &RecordBatch) {
        if self.too_large {
            return;
        }
        match compact(batch, self.most.saturating_sub(self.bytes)) {
            Some((batch, bytes)) => {
                self.batches.push(batch);
                self.bytes += bytes;
            }
            None => {
                self.too_large = true;
                self.batches = Vec::new();
                self.cache.keep(self.key, Kept::TooLarge, 0);
                // All who wait run it themselves: there is nothing that they could share.
                self.flight = None;
            }
        }
    }

    /// The reader takes nothing: nobody else waits for it. What is collected may still become whole.
    pub fn reader_is_slow(&mut self) {
        self.flight = None;
    }

    /// The reader has been given everything. Who waited finds it.
    pub fn done(self, schema: &SchemaRef) {
        let Filling { cache, key, versions, batches, bytes, too_large, flight, .. } = self;
        if !too_large {
            let answer = Answer { schema: Arc::clone(schema), batches, versions };
            cache.keep(key, Kept::Answer(Arc::new(answer)), bytes);
        }
        drop(flight);
    }
}

/// `batch` and the bytes that it holds, if they are at most `room`. One that is a slice of something larger is copied: it would
/// keep all of that.
fn compact(batch: &RecordBatch, room: usize) -> Option<(RecordBatch, usize)> {
    let beside = PER_BATCH * (1 + batch.num_columns());
    let held = batch.get_array_memory_size();
    let of_column = |column: &arrow::array::ArrayRef| column.to_data().get_slice_memory_size();
    let needed: usize = batch.columns().iter().map(of_column).sum::<Result<_, _>>().unwrap_or(held);
    if needed.saturating_add(beside) > room {
        return None;
    }
    let (batch, held) = match held > needed.saturating_mul(2).saturating_add(SLACK) {
        false => (batch.clone(), held),
        true => {
            let every_row = UInt32Array::from_iter_values(0..u32::try_from(batch.num_rows()).ok()?);
            let copy = take_record_batch(batch, &every_row).ok()?;
            let held = copy.get_array_memory_size();
            (copy, held)
        }
    };
    let bytes = held.saturating_add(beside);
    (bytes <= room).then_some((batch, bytes))
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;
    use crate::engine::cache::key;

    fn numbers(count: i64) -> RecordBatch {
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..count).map(|n| n.to_string())));
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..count));
        RecordBatch::try_from_iter([("number", numbers), ("text", texts)]).unwrap()
    }

    fn filling(cache: &Arc<Cache>, asked: Key) -> Filling {
        Filling::new(Lead { cache: Arc::clone(cache), asked, flight: None }, asked, BTreeMap::new())
    }

    fn kept(cache: &Cache, key: Key) -> Option<Kept> {
        cache.state().kept.get(&key).cloned()
    }

    #[test]
    fn a_slice_does_not_keep_what_it_was_cut_from() {
        let large = numbers(100_000);
        let few = large.slice(50_000, 10);
        assert!(few.get_array_memory_size() > 1 << 20);
        let (copy, bytes) = compact(&few, 1 << 14).unwrap();
        assert_eq!(copy, few);
        assert!(bytes < 1 << 12, "{bytes}");
        // What is whole is not copied.
        let (same, bytes) = compact(&large, usize::MAX).unwrap();
        assert_eq!(same.column(0).to_data().buffers()[0].as_ptr(), large.column(0).to_data().buffers()[0].as_ptr());
        assert!(bytes >= large.get_array_memory_size());
        assert!(compact(&large, 1 << 20).is_none());
    }

    #[test]
    fn whole_or_not_at_all() {
        let cache = Arc::new(Cache::of(1 << 20));
        let batch = numbers(100);
        let keys = ["dropped", "whole", "large"].map(|name| key::under(&Key::default(), name));
        let mut dropped = filling(&cache, keys[0]);
        dropped.add(&batch);
        drop(dropped);
        assert!(kept(&cache, keys[0]).is_none());
        let mut whole = filling(&cache, keys[1]);
        whole.add(&batch);
        whole.add(&batch);
        whole.done(&batch.schema());
        assert!(matches!(kept(&cache, keys[1]), Some(Kept::Answer(a)) if a.batches == [batch.clone(), batch.clone()]));
        let mut large = filling(&cache, keys[2]);
        large.add(&batch);
        large.add(&numbers(20_000));
        large.add(&batch);
        large.done(&batch.schema());
        assert!(matches!(kept(&cache, keys[2]), Some(Kept::TooLarge)));
        assert!(cache.figures().bytes < 1 << 16, "{:?}", cache.figures());
    }
}
