//! The sample's files: plain or gzipped text, and Parquet, the same bytes for the same records; and the ledger of what
//! was written and which records are dirty. It must not know what a record means.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression as ParquetCompression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::error::{Error, Result};

/// Records of a file before the next part begins.
const FILE_RECORDS: u64 = 500_000;
/// Bytes gathered before they go to the compressor.
const BUFFER: usize = 1 << 16;

/// A record that must not land, or lands with a warning or an unknown key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dirt {
    pub rule: &'static str,
    /// reject, quarantine or warn.
    pub severity: &'static str,
    /// The column of the contract that the rule names; '' for a record that cannot be read.
    pub field: &'static str,
    pub why: &'static str,
    /// Not empty: exactly one of the records with this name is held back.
    pub pair: &'static str,
}

impl Dirt {
    pub const fn new(rule: &'static str, severity: &'static str, field: &'static str, why: &'static str) -> Dirt {
        Dirt { rule, severity, field, why, pair: "" }
    }
    pub const fn of(mut self, pair: &'static str) -> Dirt {
        self.pair = pair;
        self
    }
    /// The record lands all the same.
    pub fn lands(&self) -> bool {
        self.severity == "warn"
    }
}

/// Why a record is in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Told for the first time.
    First,
    /// Told again, word for word.
    Repeat,
    /// A newer (or, seldom, an older) version of a record told elsewhere.
    Revision,
    Dirty(&'static Dirt),
}

/// A finished file: records by why they are there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Below the landing folder.
    pub file: String,
    pub records: u64,
    pub first: u64,
    pub repeats: u64,
    pub revisions: u64,
    /// Dirty records that land with a warning.
    pub warned: u64,
    /// Dirty records that must not land, one of each pair among them.
    pub held: u64,
    pub bytes: u64,
}

/// A dirty record's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirtAt {
    pub file: String,
    /// Line of a text file, row of a Parquet file, from 1.
    pub line: u64,
    pub dirt: &'static Dirt,
}

/// What one part of the sample wrote.
#[derive(Debug, Default)]
pub struct Ledger {
    pub files: Vec<Written>,
    pub dirt: Vec<DirtAt>,
    pub counts: super::Counts,
}

impl Ledger {
    fn note(written: &mut Written, dirt: &mut Vec<DirtAt>, header: u64, why: Why) {
        written.records += 1;
        match why {
            Why::First => written.first += 1,
            Why::Repeat => written.repeats += 1,
            Why::Revision => written.revisions += 1,
            Why::Dirty(d) => {
                if d.lands() || (!d.pair.is_empty() && dirt.iter().all(|at| at.dirt.pair != d.pair)) {
                    written.warned += u64::from(d.lands());
                    written.first += u64::from(!d.lands());
                } else {
                    written.held += 1;
                }
                dirt.push(DirtAt { file: written.file.clone(), line: written.records + header, dirt: d });
            }
        }
    }
}

enum Sink {
    Plain(BufWriter<File>),
    Gz(Box<GzEncoder<BufWriter<File>>>),
}

/// Text files of one layout, written one after the other.
pub struct Sheet {
    dir: PathBuf,
    ending: &'static str,
    header: String,
    level: u32,
    sink: Option<Sink>,
    stem: String,
    plain: bool,
    part: u32,
    buffer: Vec<u8>,
    written: Written,
}

impl Sheet {
    /// Files below `landing`, ending in `.{ending}`, with that first line unless it is empty.
    pub fn new(landing: &Path, ending: &'static str, header: &str, level: u32) -> Sheet {
        Sheet {
            dir: landing.into(),
            ending,
            header: header.into(),
            level,
            sink: None,
            stem: String::new(),
            plain: false,
            part: 1,
            buffer: Vec::with_capacity(2 * BUFFER),
            written: Written::default(),
        }
    }

    /// Begins the file `stem` (a folder and a name) unless it is open already.
    pub fn open(&mut self, ledger: &mut Ledger, stem: &str, plain: bool) -> Result<()> {
        if self.sink.is_some() && self.stem == stem {
            return Ok(());
        }
        self.close(ledger)?;
        self.stem = stem.into();
        self.plain = plain;
        self.part = 1;
        self.begin()
    }

    fn begin(&mut self) -> Result<()> {
        let part = if self.part > 1 { format!("_part{}", self.part) } else { String::new() };
        let gz = if self.plain { "" } else { ".gz" };
        let name = format!("{}{part}.{}{gz}", self.stem, self.ending);
        let file = BufWriter::with_capacity(BUFFER, create(&self.dir.join(&name))?);
        self.sink = Some(if self.plain {
            Sink::Plain(file)
        } else {
            // No name and no time in the gzip header: the bytes depend on the records only.
            Sink::Gz(Box::new(GzBuilder::new().mtime(0).write(file, Compression::new(self.level))))
        });
        self.written = Written { file: name, ..Written::default() };
        self.buffer.clear();
        if !self.header.is_empty() {
            self.buffer.extend_from_slice(self.header.as_bytes());
            self.buffer.push(b'\n');
        }
        Ok(())
    }

    /// Adds a record, newline included, to the open file.
    pub fn put(&mut self, ledger: &mut Ledger, record: &[u8], why: Why) -> Result<()> {
        if self.written.records >= FILE_RECORDS {
            self.close(ledger)?;
            self.part += 1;
            self.begin()?;
        }
        self.buffer.extend_from_slice(record);
        Ledger::note(&mut self.written, &mut ledger.dirt, u64::from(!self.header.is_empty()), why);
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        let done = match &mut self.sink {
            Some(Sink::Plain(file)) => file.write_all(&self.buffer),
            Some(Sink::Gz(file)) => file.write_all(&self.buffer),
            None => Ok(()),
        };
        self.buffer.clear();
        done.map_err(|e| Error::from(e).context(&self.written.file))
    }

    /// Finishes the open file, if any.
    pub fn close(&mut self, ledger: &mut Ledger) -> Result<()> {
        self.flush()?;
        let file = match self.sink.take() {
            None => return Ok(()),
            Some(Sink::Plain(file)) => file,
            Some(Sink::Gz(file)) => file.finish().map_err(|e| Error::from(e).context(&self.written.file))?,
        };
        let file = file.into_inner().map_err(|e| Error::from(e.into_error()).context(&self.written.file))?;
        self.written.bytes = file.metadata()?.len();
        ledger.files.push(std::mem::take(&mut self.written));
        Ok(())
    }
}

/// Parquet files of one layout, written one after the other.
pub struct Pages {
    dir: PathBuf,
    schema: SchemaRef,
    writer: Option<ArrowWriter<File>>,
    stem: String,
    part: u32,
    written: Written,
}

impl Pages {
    pub fn new(landing: &Path, schema: SchemaRef) -> Pages {
        Pages { dir: landing.into(), schema, writer: None, stem: String::new(), part: 1, written: Written::default() }
    }

    /// Begins the file `stem` (a folder and a name) unless it is open already.
    pub fn open(&mut self, ledger: &mut Ledger, stem: &str) -> Result<()> {
        if self.writer.is_some() && self.stem == stem {
            return Ok(());
        }
        self.close(ledger)?;
        self.stem = stem.into();
        self.part = 1;
        self.begin()
    }

    fn begin(&mut self) -> Result<()> {
        let part = if self.part > 1 { format!("_part{}", self.part) } else { String::new() };
        let name = format!("{}{part}.parquet", self.stem);
        let properties = WriterProperties::builder()
            .set_created_by("saleslake sample".to_string())
            .set_compression(ParquetCompression::ZSTD(ZstdLevel::try_new(9)?))
            .set_max_row_group_row_count(Some(100_000))
            .build();
        let file = create(&self.dir.join(&name))?;
        self.writer = Some(ArrowWriter::try_new(file, self.schema.clone(), Some(properties))?);
        self.written = Written { file: name, ..Written::default() };
        Ok(())
    }

    /// Adds rows to the open file; `why` has one entry per row.
    pub fn put(&mut self, ledger: &mut Ledger, rows: &RecordBatch, why: &[Why]) -> Result<()> {
        if self.written.records >= FILE_RECORDS {
            self.close(ledger)?;
            self.part += 1;
            self.begin()?;
        }
        if let Some(writer) = &mut self.writer {
            writer.write(rows)?;
        }
        for why in why {
            Ledger::note(&mut self.written, &mut ledger.dirt, 0, *why);
        }
        Ok(())
    }

    /// Finishes the open file, if any.
    pub fn close(&mut self, ledger: &mut Ledger) -> Result<()> {
        let Some(writer) = self.writer.take() else { return Ok(()) };
        let file = writer.into_inner()?;
        self.written.bytes = file.metadata()?.len();
        ledger.files.push(std::mem::take(&mut self.written));
        Ok(())
    }
}

/// Makes the file and the folders above it.
pub fn create(path: &Path) -> Result<File> {
    if let Some(above) = path.parent() {
        std::fs::create_dir_all(above).map_err(|e| Error::from(e).context(above.display()))?;
    }
    File::create(path).map_err(|e| Error::from(e).context(path.display()))
}
