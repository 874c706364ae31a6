//! Gathering over rows: for each group, or for all rows. It must not know what is gathered.

use std::fmt::Debug;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, Int64Array};
use datafusion::common::Result;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};
use datafusion::scalar::ScalarValue;

use super::column::{Column, Writing};

/// What one group gathers. Its state is bytes, which merge.
pub(super) trait Gathered: Debug + Default + Send + Sync + 'static {
    /// Adds a value of the argument; a text is its bytes.
    fn add_value(&mut self, value: &[u8]) -> Result<()>;
    /// Adds what a state holds.
    fn add_state(&mut self, state: &[u8]) -> Result<()>;
    /// The state of one value; `room` is there to put it.
    fn state_of<'a>(value: &'a [u8], room: &'a mut [u8; 8]) -> &'a [u8];
    /// Appends the state to `into`; false if nothing was gathered, whose state is NULL.
    fn write(&mut self, into: &mut Vec<u8>) -> Result<bool>;
    /// How many distinct values were gathered.
    fn count(&mut self) -> u64;
    /// Bytes of memory beside the value itself, about; asked for at each row, so it must be cheap.
    fn heap(&self) -> usize;
}

/// What all groups gather.
#[derive(Debug)]
pub(super) struct Groups<T> {
    groups: Vec<T>,
    /// Sum of what they take beside themselves.
    heap: usize,
    /// The result is how many there are, not which.
    counts: bool,
}

impl<T: Gathered> Groups<T> {
    /// The result is the state.
    pub(super) fn gathering() -> Self {
        Groups { groups: vec![], heap: 0, counts: false }
    }

    /// The result is the number of distinct values, Int64.
    pub(super) fn counting() -> Self {
        Groups { counts: true, ..Self::gathering() }
    }

    fn add(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        groups: usize,
        add: impl Fn(&mut T, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let column = Column::only(values)?;
        self.groups.resize_with(groups, T::default);
        for (row, &group) in group_indices.iter().enumerate() {
            if !takes(filter, row) {
                continue;
            }
            if let Some(bytes) = column.at(row) {
                let gathered = &mut self.groups[group];
                let before = gathered.heap();
                add(gathered, bytes)?;
                self.heap = self.heap + gathered.heap() - before;
            }
        }
        Ok(())
    }

    fn take(&mut self, emit_to: EmitTo) -> Vec<T> {
        let taken = emit_to.take_needed(&mut self.groups);
        self.heap -= taken.iter().map(T::heap).sum::<usize>();
        taken
    }

    fn states(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let taken = self.take(emit_to);
        let (mut states, mut bytes) = (Writing::rows(taken.len()), vec![]);
        for mut gathered in taken {
            bytes.clear();
            let some = gathered.write(&mut bytes)?;
            states.push(some.then_some(bytes.as_slice()))?;
        }
        Ok(Arc::new(states.finish()))
    }
}

impl<T: Gathered> GroupsAccumulator for Groups<T> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.add(values, group_indices, opt_filter, total_num_groups, T::add_value)
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.add(values, group_indices, None, total_num_groups, T::add_state)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        if !self.counts {
            return self.states(emit_to);
        }
        let counts = self.take(emit_to).into_iter().map(|mut gathered| long(gathered.count()));
        Ok(Arc::new(Int64Array::from_iter_values(counts)))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.states(emit_to)?])
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let column = Column::only(values)?;
        let mut states = Writing::rows(column.rows());
        for row in 0..column.rows() {
            let mut room = [0; 8];
            let state = match column.at(row) {
                Some(value) if takes(opt_filter, row) => Some(T::state_of(value, &mut room)),
                _ => None,
            };
            states.push(state)?;
        }
        let states: ArrayRef = Arc::new(states.finish());
        Ok(vec![states])
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.groups.capacity() * size_of::<T>() + self.heap
    }
}

/// What all rows gather.
#[derive(Debug)]
pub(super) struct Single<T> {
    gathered: T,
    counts: bool,
}

impl<T: Gathered> Single<T> {
    /// The result is the state.
    pub(super) fn gathering() -> Self {
        Single { gathered: T::default(), counts: false }
    }

    /// The result is the number of distinct values, Int64.
    pub(super) fn counting() -> Self {
        Single { gathered: T::default(), counts: true }
    }

    fn add(&mut self, values: &[ArrayRef], add: impl Fn(&mut T, &[u8]) -> Result<()>) -> Result<()> {
        let column = Column::only(values)?;
        (0..column.rows()).filter_map(|row| column.at(row)).try_for_each(|bytes| add(&mut self.gathered, bytes))
    }

    fn bytes(&mut self) -> Result<ScalarValue> {
        let mut bytes = vec![];
        let some = self.gathered.write(&mut bytes)?;
        Ok(ScalarValue::Binary(some.then_some(bytes)))
    }
}

impl<T: Gathered> Accumulator for Single<T> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.add(values, T::add_value)
    }
    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.add(states, T::add_state)
    }
    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.counts { Ok(ScalarValue::Int64(Some(long(self.gathered.count())))) } else { self.bytes() }
    }
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.bytes()?])
    }
    fn size(&self) -> usize {
        size_of::<Self>() + self.gathered.heap()
    }
}

/// Whether a filter takes the row; NULL is no.
pub fn takes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

fn long(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
