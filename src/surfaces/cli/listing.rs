//! A command's list as rows, so that every list has every format. It must not know what the items are.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use chrono::{DateTime, Utc};

use super::output::OutputArgs;
use crate::error::Result;

/// Items, and columns made from them.
pub struct Listing<'a, T> {
    items: &'a [T],
    columns: Vec<(&'static str, ArrayRef)>,
}

impl<'a, T> Listing<'a, T> {
    pub fn of(items: &'a [T]) -> Listing<'a, T> {
        Listing { items, columns: Vec::new() }
    }

    pub fn text<V: Into<Option<String>>>(self, name: &'static str, value: impl Fn(&T) -> V) -> Self {
        let values: StringArray = self.items.iter().map(|item| -> Option<String> { value(item).into() }).collect();
        self.column(name, Arc::new(values))
    }

    pub fn number(self, name: &'static str, value: impl Fn(&T) -> Option<i64>) -> Self {
        let values: Int64Array = self.items.iter().map(value).collect();
        self.column(name, Arc::new(values))
    }

    /// A number of something, which is never below 0.
    pub fn count(self, name: &'static str, value: impl Fn(&T) -> Option<u64>) -> Self {
        self.number(name, |item| value(item).map(|n| i64::try_from(n).unwrap_or(i64::MAX)))
    }

    pub fn instant(self, name: &'static str, value: impl Fn(&T) -> Option<DateTime<Utc>>) -> Self {
        let micros = self.items.iter().map(|item| value(item).map(|at| at.timestamp_micros()));
        let values = micros.collect::<TimestampMicrosecondArray>().with_timezone("UTC");
        self.column(name, Arc::new(values))
    }

    fn column(mut self, name: &'static str, values: ArrayRef) -> Self {
        self.columns.push((name, values));
        self
    }

    /// Writes the list; `none` is what people are told when it is empty.
    pub async fn write(self, output: &OutputArgs, none: &str) -> Result<()> {
        let columns = self.columns.into_iter().map(|(name, values)| (name, values, true));
        output.list(RecordBatch::try_from_iter_with_nullable(columns)?, none).await
    }
}
