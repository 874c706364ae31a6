//! Distinct values in a vector, sorted now and then: for groups of which most hold little. It must not grow with values
//! that it has.

/// Distinct values. Adding one costs about as much as sorting does per value.
#[derive(Debug, Default)]
pub(super) struct Distinct<T>(Vec<T>);

impl<T: Copy + Ord> Distinct<T> {
    /// Those of `values`.
    pub(super) fn of(values: impl Into<Vec<T>>) -> Self {
        Distinct(values.into())
    }

    /// Adds a value.
    pub(super) fn insert(&mut self, value: T) {
        // Rows of one value often follow each other.
        if self.0.last() == Some(&value) {
            return;
        }
        if self.0.len() == self.0.capacity() {
            self.sort();
            // Afterwards at least half is free, so that the next sorting is as far away as this one was long.
            self.0.reserve(self.0.len().max(1));
        }
        self.0.push(value);
    }

    /// The values, ascending.
    pub(super) fn sorted(&mut self) -> &[T] {
        self.sort();
        &self.0
    }

    /// How many values are kept, some perhaps more than once.
    pub(super) fn kept(&self) -> usize {
        self.0.len()
    }

    /// Bytes beside the value itself.
    pub(super) fn heap(&self) -> usize {
        self.0.capacity() * size_of::<T>()
    }

    fn sort(&mut self) {
        self.0.sort_unstable();
        self.0.dedup();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_of_few_take_little() {
        let mut distinct = Distinct::default();
        for i in 0..100_000_u64 {
            distinct.insert(i * 7 % 10);
        }
        assert_eq!(distinct.sorted(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(distinct.heap() <= 32 * 8, "{}", distinct.heap());
    }

    #[test]
    fn all_of_many_are_kept() {
        let mut distinct: Distinct<u32> = Distinct::of([5, 3]);
        (0..10_000).rev().for_each(|i| distinct.insert(i));
        assert!(distinct.sorted().iter().copied().eq(0..10_000));
    }
}
