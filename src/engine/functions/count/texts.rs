//! The distinct texts of many groups in one hash table. DataFusion 55 keeps a set for each group, of some kilobytes however few
//! texts are in it: the orders of 100,000 customers took 3 GB. Here a text of a group takes 40 bytes and itself.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BinaryViewArray, BooleanArray, Int64Array, ListArray, make_view,
};
use datafusion::arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use datafusion::arrow::compute::{cast, filter};
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::hash_utils::{RandomState, create_hashes};
use datafusion::common::{Result, resources_datafusion_err};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use hashbrown::HashTable;

use crate::engine::functions::sets::takes;

/// Of its own: groups are hashed and spread over threads by other seeds.
const SEED: u64 = 0x005a_1e51_a4e0_u64;
/// Texts up to this length are in their views.
const INLINE: usize = 12;
/// Bytes of the first block of texts, and of the largest.
const BLOCKS: (usize, usize) = (8 << 10, 4 << 20);

/// A text of a group.
#[derive(Debug, Clone, Copy)]
struct Found {
    /// As arrow writes it; a long text is in [`DistinctTexts::blocks`].
    view: u128,
    hash: u64,
    group: usize,
}

/// Counts the distinct texts of each group. Its state is a list of them, as the stock function's.
#[derive(Debug)]
pub(super) struct DistinctTexts {
    /// The type of the texts.
    of: DataType,
    /// Places in `found`.
    table: HashTable<u32>,
    found: Vec<Found>,
    blocks: Vec<Vec<u8>>,
    /// Bytes of all blocks.
    held: usize,
    counts: Vec<i64>,
    hashes: Vec<u64>,
}

impl DistinctTexts {
    pub(super) fn new(of: DataType) -> DistinctTexts {
        DistinctTexts {
            of,
            table: HashTable::new(),
            found: vec![],
            blocks: vec![],
            held: 0,
            counts: vec![],
            hashes: vec![],
        }
    }

    /// The hashes of `texts`.
    fn hashed(&mut self, texts: &BinaryViewArray) -> Result<()> {
        self.hashes.clear();
        self.hashes.resize(texts.len(), 0);
        create_hashes([texts as &dyn Array], &RandomState::with_seed(SEED), &mut self.hashes)?;
        Ok(())
    }

    fn insert(&mut self, group: usize, hash: u64, text: &[u8]) -> Result<()> {
        let hash = hash ^ spread(group);
        let DistinctTexts { table, found, blocks, .. } = self;
        let known = |at: &u32| {
            let other = &found[*at as usize];
            other.hash == hash && other.group == group && is(other.view, blocks, text)
        };
        if table.find(hash, known).is_some() {
            return Ok(());
        }
        let at = u32::try_from(found.len()).map_err(|_| too_many())?;
        table.insert_unique(hash, at, |at| found[*at as usize].hash);
        let view = self.view(text)?;
        self.found.push(Found { view, hash, group });
        self.counts[group] += 1;
        Ok(())
    }

    /// `text` as a view, kept if it is long.
    fn view(&mut self, text: &[u8]) -> Result<u128> {
        if text.len() <= INLINE {
            return Ok(make_view(text, 0, 0));
        }
        if self.blocks.last().is_none_or(|block| block.capacity() - block.len() < text.len()) {
            let room = self.held.clamp(BLOCKS.0, BLOCKS.1).max(text.len());
            self.blocks.push(Vec::with_capacity(room));
            self.held += room;
        }
        let number = self.blocks.len() - 1;
        let block = &mut self.blocks[number];
        let (number, offset) = (u32::try_from(number), u32::try_from(block.len()));
        let (Ok(number), Ok(offset)) = (number, offset) else { return Err(too_many()) };
        block.extend_from_slice(text);
        Ok(make_view(text, number, offset))
    }

    /// What there is of the groups that are given out, the only ones left in it; the others become the first.
    fn take(&mut self, emit_to: EmitTo) -> Result<DistinctTexts> {
        let all = std::mem::replace(self, DistinctTexts::new(self.of.clone()));
        let EmitTo::First(first) = emit_to else { return Ok(all) };
        let mut taken = DistinctTexts::new(self.of.clone());
        taken.counts.resize(first, 0);
        self.counts.resize(all.counts.len() - first, 0);
        for found in &all.found {
            let mut room = [0; 16];
            let text = text(&found.view, &all.blocks, &mut room);
            let hash = found.hash ^ spread(found.group);
            match found.group.checked_sub(first) {
                None => taken.insert(found.group, hash, text)?,
                Some(group) => self.insert(group, hash, text)?,
            }
        }
        Ok(taken)
    }

    /// The list of each group's texts.
    fn lists(self) -> Result<ArrayRef> {
        let mut places: Vec<usize> = Vec::with_capacity(self.counts.len());
        let mut offsets = vec![0_i32];
        for count in &self.counts {
            let from = offsets[offsets.len() - 1];
            places.push(from as usize);
            let to = i32::try_from(*count).ok().and_then(|count| from.checked_add(count));
            offsets.push(to.ok_or_else(too_many)?);
        }
        let mut views = vec![0_u128; self.found.len()];
        for found in &self.found {
            views[places[found.group]] = found.view;
            places[found.group] += 1;
        }
        let blocks: Vec<Buffer> = self.blocks.into_iter().map(Buffer::from_vec).collect();
        let texts = BinaryViewArray::try_new(ScalarBuffer::from(views), blocks, None)?.to_string_view()?;
        listed(&self.of, offsets, Arc::new(texts))
    }
}

impl GroupsAccumulator for DistinctTexts {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        let texts = views(&values[0])?;
        self.counts.resize(total_num_groups, 0);
        self.hashed(&texts)?;
        for (row, group) in group_indices.iter().enumerate() {
            if texts.is_valid(row) && takes(opt_filter, row) {
                self.insert(*group, self.hashes[row], texts.value(row))?;
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.counts.resize(total_num_groups, 0);
        let lists = values[0].as_list::<i32>();
        let offsets = lists.value_offsets();
        let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { return Ok(()) };
        let first = *first as usize;
        let texts = views(&lists.values().slice(first, *last as usize - first))?;
        self.hashed(&texts)?;
        for (list, group) in group_indices.iter().enumerate().filter(|(list, _)| lists.is_valid(*list)) {
            for at in offsets[list] as usize - first..offsets[list + 1] as usize - first {
                if texts.is_valid(at) {
                    self.insert(*group, self.hashes[at], texts.value(at))?;
                }
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        Ok(Arc::new(Int64Array::from(self.take(emit_to)?.counts)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.take(emit_to)?.lists()?])
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let values = &values[0];
        let counts: BooleanArray =
            (0..values.len()).map(|row| Some(values.is_valid(row) && takes(opt_filter, row))).collect();
        let mut offsets = vec![0_i32];
        offsets.extend(counts.values().iter().scan(0, |sum, counts| {
            *sum += i32::from(counts);
            Some(*sum)
        }));
        Ok(vec![listed(&self.of, offsets, filter(values, &counts)?)?])
    }

    fn size(&self) -> usize {
        let table = self.table.allocation_size() + self.found.capacity() * size_of::<Found>();
        size_of::<Self>() + table + self.held + self.counts.capacity() * size_of::<i64>() + self.hashes.capacity() * 8
    }
}

/// A group's number spread over all bits of a hash: twice with the same is nothing.
fn spread(group: usize) -> u64 {
    (group as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Lists of texts, of type `of`.
fn listed(of: &DataType, offsets: Vec<i32>, texts: ArrayRef) -> Result<ArrayRef> {
    let texts = if texts.data_type() == of { texts } else { cast(&texts, of)? };
    let field = Arc::new(Field::new_list_field(of.clone(), true));
    Ok(Arc::new(ListArray::try_new(field, OffsetBuffer::new(offsets.into()), texts, None)?))
}

/// Texts as bytes; nothing is copied but views.
fn views(texts: &ArrayRef) -> Result<BinaryViewArray> {
    let texts = match texts.data_type() {
        DataType::Utf8View => Arc::clone(texts),
        _ => cast(texts, &DataType::Utf8View)?,
    };
    Ok(texts.as_string_view().clone().to_binary_view())
}

/// Whether `view` is of `text`.
fn is(view: u128, blocks: &[Vec<u8>], text: &[u8]) -> bool {
    if view as u32 as usize != text.len() {
        return false;
    }
    let mut room = [0; 16];
    self::text(&view, blocks, &mut room) == text
}

/// The bytes of a view.
fn text<'a>(view: &u128, blocks: &'a [Vec<u8>], room: &'a mut [u8; 16]) -> &'a [u8] {
    let length = *view as u32 as usize;
    if length <= INLINE {
        *room = view.to_le_bytes();
        return &room[4..4 + length];
    }
    let (block, offset) = ((*view >> 64) as u32 as usize, (*view >> 96) as u32 as usize);
    &blocks[block][offset..offset + length]
}

fn too_many() -> datafusion::error::DataFusionError {
    resources_datafusion_err!("more distinct texts than count(DISTINCT …) can hold")
}
