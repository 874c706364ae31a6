//! Maps the records of one file to rows of the lake's tables: skips, SELECTs, completion, rules. A record lands whole or
//! not at all. It must not know what the lake holds.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::compute::{filter_record_batch, is_null};
use arrow::datatypes::{Fields, Int64Type, Schema};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};
use chrono_tz::Tz;
use datafusion::execution::context::SessionContext;
use tokio::sync::mpsc;

use super::complete::Extra;
use super::frame::Findings;
use super::fx::FxRates;
use super::joined::{self, Files};
use super::mapped::Mapped;
use super::ordinal::{self, Ordinals, Remembered};
use super::plan::{self, Program, Statement, Trouble};
use super::read::{self, Bad, Chunk, Decoder, Input, Limit, Raws};
use super::rows::{blank_is_null, normalised, run_gently, unconvertible, unreadable_where};
use super::source::Source;
use super::verdict::{Decided, Part, Verdicts};
use super::{hash, session};
use crate::error::{Error, Result, did_you_mean};

/// Chunks of a file that are in memory at once where shares are added up within it.
const MOST_CHUNKS: usize = 16;

/// What a row depends on besides itself, its source and the rates.
#[derive(Debug, Clone)]
pub struct MapContext {
    /// Its `source_file_id`.
    pub file_id: String,
    /// The file as it is shown, and as source SQL sees it (`_file`).
    pub file: String,
    /// When the file was written or the push arrived, µs since 1970: no event is much later (V09).
    pub file_time_micros: i64,
    /// The lake's reporting currency.
    pub currency: String,
    /// The lake's zone.
    pub zone: Tz,
}

/// A quarantined record that is mapped again.
#[derive(Debug, Clone)]
pub struct ReplayRecord {
    pub line: i64,
    /// As in [`super::mapped::Rejected::record`].
    pub json: String,
}

/// Maps one file of one source.
pub struct Mapper {
    pub(super) source: Arc<Source>,
    rates: Arc<FxRates>,
    pub(super) context: MapContext,
    session: SessionContext,
    pub(super) ordinals: Ordinals,
    /// The last plan, with the columns that it was made for: pushes come by the thousand, all with the same.
    planned: Option<(Fields, Arc<Program>)>,
}

/// A file whose records are being mapped.
pub struct Records<'m> {
    mapper: &'m mut Mapper,
    columns: read::Columns,
    program: Arc<Program>,
    chunks: mpsc::Receiver<Result<Chunk>>,
}

impl Mapper {
    pub fn new(source: Arc<Source>, rates: Arc<FxRates>, context: MapContext) -> Mapper {
        let (session, ordinals) = (session::new(), Ordinals::default());
        Mapper { source, rates, context, session, ordinals, planned: None }
    }

    /// Turns to another file of the same source; what was planned stays.
    pub(crate) fn turn_to(&mut self, rates: Arc<FxRates>, file_id: String, file: &str, file_time_micros: i64) {
        (self.rates, self.ordinals) = (rates, Ordinals::default());
        self.context = self.context_of(file_id, file, file_time_micros);
    }

    /// What rows of another file of the same source depend on.
    pub(crate) fn context_of(&self, file_id: String, file: &str, file_time_micros: i64) -> MapContext {
        MapContext { file_id, file: file.into(), file_time_micros, ..self.context.clone() }
    }

    /// The source, planned for a file with these columns.
    pub(super) async fn program(&mut self, fields: Fields) -> Result<Arc<Program>> {
        if let Some((_, program)) = self.planned.as_ref().filter(|(known, _)| *known == fields) {
            return Ok(program.clone());
        }
        let program = plan::compile(&self.session, &self.source, &fields).await.map_err(|t| self.unplanned(t))?;
        let program = Arc::new(program);
        self.planned = Some((fields, program.clone()));
        Ok(program)
    }

    /// Opens a file and plans the source for its columns. Fails, before anything is mapped, where the file lacks a
    /// column that the source looks at.
    pub async fn open(&mut self, input: Input) -> Result<Records<'_>> {
        self.open_within(input, &Limit::none()).await
    }

    /// As [`Mapper::open`]; reading fails once the packed input has unpacked to more than `limit`.
    pub(crate) async fn open_within(&mut self, input: Input, limit: &Limit) -> Result<Records<'_>> {
        let (source, file) = (Arc::clone(&self.source), self.context.file.clone());
        let limit = limit.clone();
        let mut reader = blocking(move || read::open(&source, input, &file, &limit)).await?;
        let (schema, columns) = (reader.schema(), reader.columns());
        // An empty file has no columns: there is nothing to map, and nothing to complain about.
        let fields = if schema.fields().is_empty() {
            read::texts(self.source.columns.iter().map(String::as_str)).fields().clone()
        } else {
            schema.fields().clone()
        };
        let program = self.program(fields).await?;
        reader.want(&program.wanted);
        let (file, name) = (self.context.file.clone(), self.source.name.clone());
        let (send, chunks) = mpsc::channel(1);
        tokio::task::spawn_blocking(move || {
            loop {
                let chunk = reader.next().map_err(|e| e.context(format!("file {file}, source {name}")));
                let over = !matches!(chunk, Ok(Some(_)));
                let Some(chunk) = chunk.transpose() else { break };
                if send.blocking_send(chunk).is_err() || over {
                    break;
                }
            }
        });
        Ok(Records { mapper: self, columns, program, chunks })
    }

    /// Maps a whole file, chunk by chunk.
    pub async fn map_file(&mut self, input: Input, mut sink: impl AsyncFnMut(Mapped) -> Result<()>) -> Result<()> {
        let mut records = self.open(input).await?;
        while let Some(mapped) = records.next().await? {
            sink(mapped).await?;
        }
        Ok(())
    }

    /// Maps records of this file that were quarantined before, with the ordinals that they had.
    pub async fn map_records(&mut self, records: Vec<ReplayRecord>) -> Result<Mapped> {
        let schema = Arc::new(Schema::new(self.source.ndjson_fields()?));
        let program =
            plan::compile(&self.session, &self.source, schema.fields()).await.map_err(|t| self.unplanned(t))?;
        let decoder = Decoder::new(schema);
        let texts: Vec<&[u8]> = records.iter().map(|r| r.json.as_bytes()).collect();
        let (data, misfits) = decoder.decode(&texts)?;
        let mut bad = Vec::new();
        let (mut lines, mut raws) = (Vec::new(), Vec::new());
        let mut misfits = misfits.into_iter().peekable();
        for (row, record) in records.into_iter().enumerate() {
            match misfits.next_if(|(r, _)| *r == row) {
                Some((_, message)) => bad.push(Bad { line: record.line, message, raw: record.json }),
                None => {
                    lines.push(record.line);
                    raws.push(record.json);
                }
            }
        }
        let remembered = raws.iter().map(|json| Remembered::read(json)).collect();
        self.map_chunk(&program, Chunk { data, lines, raws: Raws::Json(raws), bad }, Some(remembered)).await
    }

    /// Why the source does not fit this file.
    fn unplanned(&self, trouble: Trouble) -> Error {
        let (file, source) = (&self.context.file, &self.source.name);
        match trouble {
            Trouble::Other(e) => e.context(format!("file {file}, source {source}")),
            Trouble::Missing { column, known } => {
                let hint = if known.is_empty() {
                    "the file has no columns".into()
                } else {
                    did_you_mean(&column, known.iter().map(String::as_str))
                };
                let mut all: Vec<&String> = self.source.columns.iter().filter(|c| !known.contains(c)).collect();
                if !all.contains(&&column) {
                    all.insert(0, &column);
                }
                let word = if all.len() == 1 { "column" } else { "columns" };
                let all: Vec<String> = all.iter().map(|c| format!("{c:?}")).collect();
                Error::invalid(format!(
                    "file {file}: source {source} needs {word} {}, which the file does not have",
                    all.join(", ")
                ))
                .hint(format!("{hint}; a column that files may lack goes into [read] optional"))
            }
        }
    }

    async fn map_chunk(
        &mut self,
        program: &Program,
        chunk: Chunk,
        remembered: Option<Vec<Remembered>>,
    ) -> Result<Mapped> {
        let context = self.context.clone();
        let decided = self.decide(program, &chunk, Files::one(&context), remembered).await?;
        let mut all = joined::split(decided, 1, &[], &self.source.header.skip)?;
        Ok(all.pop().unwrap_or_default().0)
    }

    /// What becomes of the records of a chunk, which are of `files`.
    pub(super) async fn decide(
        &mut self,
        program: &Program,
        chunk: &Chunk,
        files: Files<'_>,
        mut remembered: Option<Vec<Remembered>>,
    ) -> Result<Decided> {
        let raw = raw_batch(program, chunk, files)?;
        let mut verdicts = Verdicts::new(chunk.lines.len());
        let raw = self.skip(program, raw, &mut verdicts).await?;
        let mut parts = Vec::with_capacity(program.statements.len());
        for statement in &program.statements {
            let out = run_gently(program, &statement.plan, raw.clone(), &mut verdicts).await?;
            parts.push(self.complete(statement, out, files, &mut verdicts, remembered.as_deref_mut())?);
        }
        verdicts.finish(program, chunk, files, parts)
    }

    /// Leaves out what a declared predicate takes.
    async fn skip(&self, program: &Program, raw: RecordBatch, verdicts: &mut Verdicts) -> Result<RecordBatch> {
        let Some(plan) = &program.skip else { return Ok(raw) };
        if raw.num_rows() == 0 {
            return Ok(raw);
        }
        let skip = program.run(plan, raw.clone()).await;
        let skip =
            skip.map_err(|e| Error::invalid(format!("[[skip]] where: {}", e.find_root())).context(&self.source.path))?;
        let skip = skip.column(0);
        if skip.null_count() == skip.len() {
            return Ok(raw);
        }
        let numbers = arrow::compute::cast(skip, &arrow::datatypes::DataType::Int64)?;
        for (row, number) in numbers.as_primitive::<Int64Type>().iter().enumerate() {
            if let Some(number) = number.and_then(|n| usize::try_from(n).ok()) {
                verdicts.skip(row, number);
            }
        }
        Ok(filter_record_batch(&raw, &is_null(skip)?)?)
    }

    /// One SELECT's rows, completed.
    fn complete(
        &mut self,
        statement: &Statement,
        out: RecordBatch,
        files: Files<'_>,
        verdicts: &mut Verdicts,
        remembered: Option<&mut [Remembered]>,
    ) -> Result<Part> {
        let select = &self.source.selects[statement.select];
        let decides = !select.reference || self.source.selects.iter().all(|s| s.reference);
        let out = unreadable_where(statement, out, select.reference, verdicts)?;
        let rows: Vec<usize> =
            out.column(statement.row).as_primitive::<Int64Type>().values().iter().map(|r| *r as usize).collect();
        if decides {
            rows.iter().for_each(|row| verdicts.take(*row));
        }
        let of = files.numbers(&rows);
        let files = files.with(&of);
        let mut findings = Findings::new(rows.len());
        let mut given = Vec::with_capacity(statement.given.len());
        for (i, g) in statement.given.iter().enumerate() {
            if let Some(error) = g.error {
                unconvertible(out.column(error), g.column.name, g.column.kind, &mut findings);
            }
            given.push(normalised(out.column(i), g.column.kind)?);
        }
        let named: Vec<(&str, ArrayRef)> = statement
            .given
            .iter()
            .map(|g| g.column.name)
            .zip(given.iter().cloned())
            .filter(|(n, _)| *n != "source_seq")
            .collect();
        let content = hash::content_hashes(&named, rows.len())?;
        let counts = match (&statement.ordinal, remembered) {
            (None, _) => None,
            (Some(_), Some(remembered)) => Some(ordinal::recall(remembered, &rows, select.table.name)),
            (Some(_), None) => {
                let within = &out.columns()[statement.within.clone()];
                let groups = hash::group_keys(within, &content)?;
                Some(self.ordinals.count(statement.select, &groups, |row| files.number(row)))
            }
        };
        let keys = match (statement.ordinal, &counts) {
            (Some(key), Some(counts)) => ordinal::ids(key, &content, counts),
            _ => Vec::new(),
        };
        for (g, array) in statement.given.iter().zip(&mut given) {
            if g.column.nullable && g.column.kind.is_text() {
                *array = blank_is_null(array);
            }
        }
        let extra = Extra { files, content, keys };
        let frame = statement.completer.complete(given, &extra, &self.context, &self.rates, &mut findings)?;
        Ok(Part { reference: select.reference, frame, rows, findings, counts })
    }
}

impl Records<'_> {
    /// The file's own columns, as far as they are known before reading.
    pub(crate) fn columns(&self) -> &read::Columns {
        &self.columns
    }

    /// The rows of the next records; `None` at the end of the file.
    pub async fn next(&mut self) -> Result<Option<Mapped>> {
        let chunk = match self.mapper.source.selects.iter().any(|s| s.table.sum().is_some()) {
            true => self.rest().await?,
            false => self.chunks.recv().await.transpose()?,
        };
        match chunk {
            Some(chunk) => Ok(Some(self.mapper.map_chunk(&self.program, chunk, None).await?)),
            None => Ok(None),
        }
    }

    /// All records that are left, in one chunk: shares are added up within a file.
    async fn rest(&mut self) -> Result<Option<Chunk>> {
        let mut chunks = Vec::new();
        while let Some(chunk) = self.chunks.recv().await.transpose()? {
            if chunks.len() == MOST_CHUNKS {
                let (file, source) = (&self.mapper.context.file, &self.mapper.source.name);
                let records: usize = chunks.iter().map(|c: &Chunk| c.lines.len() + c.bad.len()).sum();
                return Err(Error::invalid(format!(
                    "file {file}, source {source}: shares are added up within a file, and it has more than {records} records"
                ))
                .hint("deliver it in parts, each with all rows of what its rows are shares of"));
            }
            chunks.push(chunk);
        }
        Chunk::joined(chunks)
    }
}

/// The chunk as `raw` shows it.
fn raw_batch(program: &Program, chunk: &Chunk, files: Files<'_>) -> Result<RecordBatch> {
    let rows = chunk.lines.len();
    let mut columns: Vec<ArrayRef> = chunk.data.columns().to_vec();
    // The empty file's columns are known to the plan only.
    columns.extend((columns.len()..program.wanted.len()).map(|_| Arc::new(StringArray::new_null(rows)) as ArrayRef));
    columns.push(Arc::new(if program.wants_file {
        files.texts(rows, |file| &file.file)
    } else {
        StringArray::new_null(rows)
    }));
    columns.push(Arc::new(Int64Array::from(chunk.lines.clone())));
    columns.push(Arc::new(if program.wants_raw {
        StringArray::from_iter_values((0..rows).map(|row| chunk.raws.raw(row)))
    } else {
        StringArray::new_null(rows)
    }));
    columns.push(Arc::new(Int64Array::from_iter_values(0..rows as i64)));
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(program.raw_schema()), columns, &options)?)
}

/// Reads on a thread that may wait for a disk.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::internal(format!("reading stopped: {e}")))?
}
