//! A small text that is in memory, read at once: what can be mapped together with others of its kind. It must not say what
//! is wrong with one: whoever cannot have it so reads it as any file, and is told.

use arrow::record_batch::RecordBatch;
use bytes::Bytes;

use super::{Bad, Chunk, Columns, Input, Limit, Raws, open};
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
    /// Bytes, unpacked. What is packed is not unpacked further: a few KiB may hold gigabytes.
    pub(crate) text: usize,
}

impl Small {
    /// An error, the bytes that were read for nothing: it is no text, has no columns, is longer than `most`, or cannot be
    /// read.
    pub(crate) fn read(source: &Source, bytes: Bytes, most: Most) -> Result<Small, usize> {
        if !matches!(source.header.read.format, Format::Csv | Format::Ndjson | Format::Json) {
            return Err(0);
        }
        let (limit, length) = (Limit::new(most.text as u64), bytes.len());
        Small::within(source, bytes, most, &limit)
            .ok_or_else(|| usize::try_from(limit.unpacked()).map_or(length, |unpacked| unpacked.max(length)))
    }

    fn within(source: &Source, bytes: Bytes, most: Most, limit: &Limit) -> Option<Small> {
        let mut reader = open(source, Input::Bytes(bytes), "", limit).ok()?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::testing::{RATES, source};

    const HEADER: &str = "day,base,quote,rate\n";
    const MOST: Most = Most { records: 10, text: 1 << 20 };

    fn zstd(text: &str) -> Bytes {
        zstd::stream::encode_all(text.as_bytes(), 1).expect("packed").into()
    }

    #[test]
    fn a_packed_text_is_unpacked_no_further_than_a_small_one_is_long() {
        let rates = source("rates", RATES);
        let small = zstd(&format!("{HEADER}2026-02-05,EUR,USD,1.25\n"));
        assert_eq!(Small::read(&rates, small, MOST).map(|s| s.records()), Ok(1));
        // 64 MiB in a few KiB: one line, and lines without end.
        for long in ["x".repeat(64 << 20), "2026-02-05,EUR,USD,1.25\n".repeat((64 << 20) / 24)] {
            let bomb = zstd(&format!("{HEADER}{long}"));
            assert!(bomb.len() < 64 << 10, "{}", bomb.len());
            let read = Small::read(&rates, bomb, MOST).err().expect("not small");
            assert!(read <= MOST.text + 1, "{read}");
        }
        // Plain ones are as long as they are.
        assert_eq!(Small::read(&rates, "\"".into(), MOST).err(), Some(1));
    }
}
