//! The records that wait, as many at a time as memory allows, in the order of their files and lines. It must not decide what
//! becomes of them.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::Array;

use crate::error::Result;
use crate::ingest::columns::{instants, longs, texts};
use crate::ingest::quarantine::{self, Filter};
use crate::lake::Lake;

/// What else is noted of a record, beside its fields, in bytes.
const NOTED: u64 = 200;

/// The records of one file that wait, or a part of them.
#[derive(Debug, Default)]
pub(super) struct WaitingFile {
    pub uri: String,
    /// By line: the fields, and the rules that stopped the record.
    pub records: BTreeMap<i64, (String, BTreeSet<String>)>,
    /// When they were read, µs since 1970: it stands for the time of the file, which is not kept.
    pub read: i64,
}

/// By the id of the file.
pub(super) type Waiting = BTreeMap<String, WaitingFile>;

/// The id of a file, and a line of it.
type Place = (String, i64);

struct Record {
    uri: String,
    json: String,
    rules: BTreeSet<String>,
    read: i64,
}

impl Record {
    fn bytes(&self) -> u64 {
        self.json.len() as u64 + NOTED
    }
}

/// The sources that have records that match and wait, and whose fields are kept.
pub(super) async fn sources(lake: &Lake, filter: &Filter) -> Result<BTreeSet<String>> {
    let filter = Filter { resolved: Some(false), limit: None, ..filter.clone() };
    let mut found = BTreeSet::new();
    quarantine::each(lake, &filter, |rows| {
        let (sources, records) = (texts(&rows, "source")?, texts(&rows, "record")?);
        for source in (0..rows.num_rows()).filter(|row| records.is_valid(*row)).map(|row| sources.value(row)) {
            if !found.contains(source) {
                found.insert(source.to_string());
            }
        }
        Ok(())
    })
    .await?;
    Ok(found)
}

/// Those of one source, part by part.
pub(super) struct Parts<'a> {
    lake: &'a Lake,
    filter: Filter,
    /// Bytes of a part, about; at least one record.
    most: u64,
    /// The last record of the part before.
    after: Option<Place>,
    /// There are no more.
    done: bool,
}

impl<'a> Parts<'a> {
    pub fn of(lake: &'a Lake, filter: &Filter, source: &str, most: u64) -> Parts<'a> {
        let filter = Filter { source: Some(source.into()), resolved: Some(false), limit: None, ..filter.clone() };
        Parts { lake, filter, most, after: None, done: false }
    }

    /// The next part. Records that others resolve meanwhile are left out.
    pub async fn next(&mut self) -> Result<Option<Waiting>> {
        if self.done {
            return Ok(None);
        }
        let (mut found, mut bytes): (BTreeMap<Place, Record>, u64) = (BTreeMap::new(), 0);
        // The first record for which there was no room.
        let mut end: Option<Place> = None;
        quarantine::each(self.lake, &self.filter, |rows| {
            let (ids, uris, rules) = (texts(&rows, "source_file_id")?, texts(&rows, "file")?, texts(&rows, "rule")?);
            let (lines, records) = (longs(&rows, "line")?, texts(&rows, "record")?);
            let seen = instants(&rows, "detected_at")?;
            for row in (0..rows.num_rows()).filter(|row| records.is_valid(*row)) {
                let place = (ids.value(row).to_string(), lines.value(row));
                if self.after.as_ref().is_some_and(|after| place <= *after)
                    || end.as_ref().is_some_and(|end| place >= *end)
                {
                    continue;
                }
                let record = found.entry(place).or_insert_with(|| {
                    let record = Record {
                        uri: uris.value(row).into(),
                        json: records.value(row).into(),
                        rules: BTreeSet::new(),
                        read: seen.value(row),
                    };
                    bytes += record.bytes();
                    record
                });
                record.read = record.read.max(seen.value(row));
                record.rules.insert(rules.value(row).into());
                while bytes > self.most && found.len() > 1 {
                    let Some((place, record)) = found.pop_last() else { break };
                    bytes -= record.bytes();
                    end = Some(place);
                }
            }
            Ok(())
        })
        .await?;
        (self.after, self.done) = (found.last_key_value().map(|(last, _)| last.clone()), end.is_none());
        let mut files = Waiting::new();
        for ((id, line), Record { uri, json, rules, read }) in found {
            let file = files.entry(id).or_default();
            (file.uri, file.read) = (uri, file.read.max(read));
            file.records.insert(line, (json, rules));
        }
        Ok(Some(files))
    }
}
