//! A small text that is in memory, read at once: what can be mapped together with others of its kind. It must not say what
//! is wrong with one: whoever cannot have it so reads it as any file, and is told.

use arrow::record_batch::RecordBatch;
use bytes::Bytes;

use super::{Bad, Chunk, Columns, Input, Raws, open};
use crate::ingest::source::{Format, Source};

/// All records of a small text.
pub(crate) struct Small {
    /// The text's own columns.
    pub(crate) columns: Columns,
    pub(crate) data: RecordBatch,
    pub(crate) lines: Vec<i64>,
    pub(crate) text: Vec<u8>,
    pub(crate) spans: Vec<(usize, usize)>,
    pub(crate) json: bool,
    pub(crate) bad: Vec<Bad>,
}

/// How long a text may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Most {
    pub(crate) records: usize,
    /// Bytes, unpacked.
    pub(crate) text: usize,
}

impl Small {
    /// `None`: it is no text, has no columns, is longer than `most`, or cannot be read.
    pub(crate) fn read(source: &Source, bytes: Bytes, most: Most) -> Option<Small> {
        if !matches!(source.header.read.format, Format::Csv | Format::Ndjson | Format::Json) {
            return None;
        }
        let mut reader = open(source, Input::Bytes(bytes), "").ok()?;
        let columns = reader.columns();
        let Chunk { data, lines, raws, bad } = reader.next().ok()??;
        let Raws::Text { text, spans, json } = raws else { return None };
        let small = text.len() <= most.text && lines.len() + bad.len() <= most.records;
        let whole = small && !data.schema_ref().fields().is_empty() && matches!(reader.next(), Ok(None));
        whole.then_some(Small { columns, data, lines, text, spans, json, bad })
    }

    pub(crate) fn records(&self) -> usize {
        self.lines.len() + self.bad.len()
    }
}
