//! Bytes in and out of arrays: any array of bytes or text is read, and a Binary one written. It must not panic on bytes
//! that are too many for one array.

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, BinaryViewArray, LargeBinaryArray, LargeStringArray,
    StringArray, StringViewArray,
};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err, resources_err};

/// An array of bytes, or of texts as their bytes.
pub(super) enum Column<'a> {
    Binary(&'a BinaryArray),
    LargeBinary(&'a LargeBinaryArray),
    BinaryView(&'a BinaryViewArray),
    Text(&'a StringArray),
    LargeText(&'a LargeStringArray),
    TextView(&'a StringViewArray),
}

impl<'a> Column<'a> {
    /// The one array among the arguments of a function.
    pub(super) fn only(arguments: &'a [ArrayRef]) -> Result<Self> {
        let [array] = arguments else {
            return exec_err!("one column was expected, {} were given", arguments.len());
        };
        Ok(match array.data_type() {
            DataType::Binary => Column::Binary(array.as_binary()),
            DataType::LargeBinary => Column::LargeBinary(array.as_binary()),
            DataType::BinaryView => Column::BinaryView(array.as_binary_view()),
            DataType::Utf8 => Column::Text(array.as_string()),
            DataType::LargeUtf8 => Column::LargeText(array.as_string()),
            DataType::Utf8View => Column::TextView(array.as_string_view()),
            other => return exec_err!("bytes were expected, a column of type {other} was given"),
        })
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        match self {
            Column::Binary(array) => array.len(),
            Column::LargeBinary(array) => array.len(),
            Column::BinaryView(array) => array.len(),
            Column::Text(array) => array.len(),
            Column::LargeText(array) => array.len(),
            Column::TextView(array) => array.len(),
        }
    }

    /// The bytes of a row; None if it is NULL.
    pub(super) fn at(&self, row: usize) -> Option<&'a [u8]> {
        match self {
            Column::Binary(array) => array.is_valid(row).then(|| array.value(row)),
            Column::LargeBinary(array) => array.is_valid(row).then(|| array.value(row)),
            Column::BinaryView(array) => array.is_valid(row).then(|| array.value(row)),
            Column::Text(array) => array.is_valid(row).then(|| array.value(row).as_bytes()),
            Column::LargeText(array) => array.is_valid(row).then(|| array.value(row).as_bytes()),
            Column::TextView(array) => array.is_valid(row).then(|| array.value(row).as_bytes()),
        }
    }
}

/// A Binary array that is being written.
pub(super) struct Writing {
    builder: BinaryBuilder,
}

impl Writing {
    pub(super) fn rows(rows: usize) -> Self {
        Writing { builder: BinaryBuilder::with_capacity(rows, 0) }
    }

    /// Appends a row.
    ///
    /// # Errors
    /// The array would have more than 2 GiB.
    pub(super) fn push(&mut self, bytes: Option<&[u8]>) -> Result<()> {
        let (held, more) = (self.builder.values_slice().len(), bytes.map_or(0, <[u8]>::len));
        if held.saturating_add(more) > MOST {
            return resources_err!("sets of more than 2 GiB in one batch");
        }
        self.builder.append_option(bytes);
        Ok(())
    }

    pub(super) fn finish(mut self) -> BinaryArray {
        self.builder.finish()
    }
}

/// Offsets of a Binary array have 31 bits.
const MOST: usize = i32::MAX as usize;
