//! COPY … TO STDOUT: rows as text, CSV or PostgreSQL's binary format.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::{Sink, SinkExt, StreamExt};
use pgwire::api::portal::Format;
use pgwire::api::results::{CopyEncoder, CopyTextOptions, DataRowEncoder, FieldInfo, Tag};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::copy::{CopyData, CopyDone, CopyOutResponse};
use pgwire::messages::response::CommandComplete;

use super::copy_options::{CopyFormat, CopyKind};
use super::csv::{Csv, cells};
use super::error::wire;
use super::rows::{Batches, fields, travel, write_row};

/// What a binary copy begins with: its signature, no flags, no more header.
const BINARY_HEADER: &[u8] = b"PGCOPY\n\xFF\r\n\0\0\0\0\0\0\0\0\0";

/// Rows on their way out.
pub struct Copy {
    batches: Batches,
    schema: SchemaRef,
    format: CopyFormat,
}

impl Copy {
    pub fn new(batches: Batches, schema: SchemaRef, format: CopyFormat) -> Copy {
        Copy { batches, schema, format }
    }

    /// Sends all rows and how many there were.
    pub async fn send<C>(mut self, client: &mut C) -> PgWireResult<()>
    where
        C: Sink<PgWireBackendMessage> + Unpin,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let binary = self.format.kind == CopyKind::Binary;
        let width = self.schema.fields().len();
        let code = i8::from(binary);
        let columns = i16::try_from(width).unwrap_or(i16::MAX);
        let begin = CopyOutResponse::new(code, columns, vec![i16::from(code); width]);
        client.feed(PgWireBackendMessage::CopyOutResponse(begin)).await?;
        let wanted = if binary { Format::UnifiedBinary } else { Format::UnifiedText };
        let fields = Arc::new(fields(&self.schema, &wanted)?);
        if let Some(header) = self.header() {
            client.feed(PgWireBackendMessage::CopyData(header)).await?;
        }
        let (mut writer, mut rows) = (self.writer(&fields), 0);
        while let Some(batch) = self.batches.next().await {
            let batch = batch.and_then(|batch| travel(&batch, &self.schema)).map_err(|e| wire(&e))?;
            for row in 0..batch.num_rows() {
                let data = writer.row(&batch, row, &fields)?;
                client.feed(PgWireBackendMessage::CopyData(data)).await?;
            }
            rows += batch.num_rows();
        }
        if binary {
            if rows == 0 {
                client.feed(PgWireBackendMessage::CopyData(CopyData::new(BINARY_HEADER.into()))).await?;
            }
            client.feed(PgWireBackendMessage::CopyData(CopyEncoder::finish_copy_binary())).await?;
        }
        client.feed(PgWireBackendMessage::CopyDone(CopyDone::new())).await?;
        let done = CommandComplete::from(Tag::new("COPY").with_rows(rows));
        client.feed(PgWireBackendMessage::CommandComplete(done)).await?;
        Ok(())
    }

    /// The line of names, where one is asked for.
    fn header(&self) -> Option<CopyData> {
        if !self.format.header {
            return None;
        }
        let names = self.schema.fields().iter().map(|f| f.name().as_str());
        let line = match self.format.kind {
            CopyKind::Binary => return None,
            CopyKind::Csv => self.csv().line(names.map(|name| Some(name.as_bytes()))),
            CopyKind::Text => {
                let delimiter = char::from(self.delimiter()).to_string();
                format!("{}\n", names.collect::<Vec<_>>().join(&delimiter)).into_bytes()
            }
        };
        Some(CopyData::new(line.into()))
    }

    fn delimiter(&self) -> u8 {
        self.format.delimiter.unwrap_or(if self.format.kind == CopyKind::Csv { b',' } else { b'\t' })
    }

    fn csv(&self) -> Csv {
        let null = self.format.null.clone().unwrap_or_default();
        Csv { delimiter: self.delimiter(), null, single: self.schema.fields().len() == 1 }
    }

    fn writer(&self, fields: &Arc<Vec<FieldInfo>>) -> Writer {
        match self.format.kind {
            CopyKind::Binary => Writer::Stock(CopyEncoder::new_binary(Arc::clone(fields))),
            CopyKind::Text => {
                let null = self.format.null.as_deref().map(Into::into);
                let delimiter = char::from(self.delimiter()).to_string().into();
                let null_string = null.unwrap_or(CopyTextOptions::default().null_string);
                Writer::Stock(CopyEncoder::new_text(Arc::clone(fields), CopyTextOptions { delimiter, null_string }))
            }
            CopyKind::Csv => Writer::Csv(DataRowEncoder::new(Arc::clone(fields)), self.csv()),
        }
    }
}

/// Writes rows; pgwire's own CSV does not tell an empty text from NULL.
enum Writer {
    Stock(CopyEncoder),
    Csv(DataRowEncoder, Csv),
}

impl Writer {
    fn row(&mut self, batch: &RecordBatch, row: usize, fields: &[FieldInfo]) -> PgWireResult<CopyData> {
        match self {
            Writer::Stock(encoder) => {
                write_row(encoder, batch, row, fields)?;
                Ok(encoder.take_copy())
            }
            Writer::Csv(encoder, csv) => {
                write_row(encoder, batch, row, fields)?;
                Ok(CopyData::new(csv.line(cells(&encoder.take_row().data)).into()))
            }
        }
    }
}
