//! Arrays that take from the memory pool for as long as anything holds them. It must not copy what they hold.

use std::sync::Arc;

use arrow::array::{Array, ArrayData, ArrayRef, make_array};
use arrow::buffer::Buffer;
use arrow::error::ArrowError;
use bytes::Bytes;
use datafusion::common::Result as DfResult;
use datafusion::execution::memory_pool::MemoryPool;

use crate::engine::reserved::Reserved;

/// `array`, of `bytes`, as it is; the pool has `bytes` less until the last of its buffers is dropped.
///
/// # Errors
/// The pool has not that much left.
pub fn held(array: &ArrayRef, name: &str, bytes: u64, pool: &Arc<dyn MemoryPool>) -> DfResult<ArrayRef> {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    let reserved = Reserved::new(pool, bytes, &format!("results of {name}"))?;
    Ok(make_array(with_owner(array.to_data(), &Arc::new(reserved))?))
}

/// A buffer and what it takes from the pool.
struct Held {
    buffer: Buffer,
    _reserved: Arc<Reserved>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        self.buffer.as_slice()
    }
}

fn with_owner(data: ArrayData, reserved: &Arc<Reserved>) -> Result<ArrayData, ArrowError> {
    let own = |buffer: &Buffer| match buffer.is_empty() {
        true => buffer.clone(),
        false => {
            let held = Held { buffer: buffer.clone(), _reserved: Arc::clone(reserved) };
            Buffer::from(Bytes::from_owner(held))
        }
    };
    let buffers = data.buffers().iter().map(own).collect();
    let children: Result<Vec<ArrayData>, ArrowError> =
        data.child_data().iter().map(|child| with_owner(child.clone(), reserved)).collect();
    data.into_builder().buffers(buffers).child_data(children?).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{AsArray, ListArray, StringArray, StringViewArray};
    use arrow::datatypes::Int64Type;
    use datafusion::execution::memory_pool::GreedyMemoryPool;

    #[test]
    fn the_pool_has_less_until_the_last_slice_is_gone() {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(100));
        let long = "x".repeat(40);
        let arrays: [ArrayRef; 3] = [
            Arc::new(StringArray::from(vec![Some("a"), None, Some(long.as_str())])),
            Arc::new(StringViewArray::from(vec![Some("a"), None, Some(long.as_str())])),
            Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), None]), None])),
        ];
        for array in arrays {
            let kept = held(&array, "repeat", 60, &pool).unwrap();
            assert_eq!(&kept, &array);
            assert_eq!(pool.reserved(), 60);
            assert!(held(&array, "repeat", 60, &pool).is_err(), "40 are left");
            let slice = kept.slice(0, 1);
            drop(kept);
            assert_eq!(pool.reserved(), 60, "a slice holds all");
            drop(slice);
            assert_eq!(pool.reserved(), 0);
        }
        let kept = held(&(Arc::new(StringArray::from(vec!["b"])) as ArrayRef), "repeat", 60, &pool).unwrap();
        assert_eq!(kept.as_string::<i32>().value(0), "b");
    }
}
