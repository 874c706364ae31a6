//! COPY … TO STDOUT: rows as text, CSV or PostgreSQL's binary format.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow_pg::encoder::encode_value;
use futures::{Sink, SinkExt, StreamExt};
use pgwire::api::portal::Format;
use pgwire::api::results::{CopyCsvOptions, CopyEncoder, CopyTextOptions, FieldInfo, Tag};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::copy::{CopyData, CopyDone, CopyOutResponse};
use pgwire::messages::response::CommandComplete;

use super::command::{CopyFormat, CopyKind};
use super::error::wire;
use super::rows::{Batches, fields, travel};

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
            client.feed(PgWireBackendMessage::CopyData(CopyData::new(header.into()))).await?;
        }
        let (mut encoder, mut rows) = (self.encoder(&fields), 0);
        while let Some(batch) = self.batches.next().await {
            let batch = batch.and_then(|batch| travel(&batch, &self.schema)).map_err(|e| wire(&e))?;
            for row in 0..batch.num_rows() {
                let data = encoded(&mut encoder, &batch, row, &fields)?;
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
    fn header(&self) -> Option<String> {
        let delimiter = self.delimiter();
        let named = self.format.header && self.format.kind != CopyKind::Binary;
        let csv = self.format.kind == CopyKind::Csv;
        let name = |name: &String| {
            if csv && name.contains([delimiter, '"', '\n']) {
                format!("\"{}\"", name.replace('"', "\"\""))
            } else {
                name.clone()
            }
        };
        let names: Vec<String> = self.schema.fields().iter().map(|f| name(f.name())).collect();
        named.then(|| format!("{}\n", names.join(&delimiter.to_string())))
    }

    fn delimiter(&self) -> char {
        self.format.delimiter.unwrap_or(if self.format.kind == CopyKind::Csv { ',' } else { '\t' })
    }

    fn encoder(&self, fields: &Arc<Vec<FieldInfo>>) -> CopyEncoder {
        let delimiter = self.delimiter().to_string().into();
        let null = self.format.null.as_deref().map(Into::into);
        match self.format.kind {
            CopyKind::Binary => CopyEncoder::new_binary(Arc::clone(fields)),
            CopyKind::Text => {
                let stock = CopyTextOptions::default();
                let null_string = null.unwrap_or(stock.null_string);
                CopyEncoder::new_text(Arc::clone(fields), CopyTextOptions { delimiter, null_string })
            }
            CopyKind::Csv => {
                let stock = CopyCsvOptions::default();
                let null_string = null.unwrap_or(stock.null_string);
                CopyEncoder::new_csv(
                    Arc::clone(fields),
                    CopyCsvOptions { delimiter, null_string, ..CopyCsvOptions::default() },
                )
            }
        }
    }
}

fn encoded(encoder: &mut CopyEncoder, batch: &RecordBatch, row: usize, fields: &[FieldInfo]) -> PgWireResult<CopyData> {
    for ((column, field), info) in batch.columns().iter().zip(batch.schema_ref().fields()).zip(fields) {
        encode_value(encoder, column, row, field, info)?;
    }
    Ok(encoder.take_copy())
}
