//! Arrow IPC: the stream format, or the file format where the output is a file. Types are plain (no views, no
//! dictionaries), so that older readers open it.

use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::{FileWriter, StreamWriter};

use super::{Chunk, Encoder, Shared, plain_batch, plain_schema};
use crate::error::Result;

pub(super) struct Arrow {
    schema: SchemaRef,
    writer: Writer,
    shared: Shared,
}

enum Writer {
    Stream(StreamWriter<Shared>),
    File(FileWriter<Shared>),
}

impl Arrow {
    pub fn new(schema: &SchemaRef, file: bool) -> Result<Arrow> {
        let schema = plain_schema(schema);
        let shared = Shared::default();
        let writer = if file {
            Writer::File(FileWriter::try_new(shared.clone(), &schema)?)
        } else {
            Writer::Stream(StreamWriter::try_new(shared.clone(), &schema)?)
        };
        Ok(Arrow { schema, writer, shared })
    }
}

impl Encoder for Arrow {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.shared.drain_into(out);
        Ok(())
    }

    fn rows(&mut self, chunk: &Chunk<'_>, out: &mut Vec<u8>) -> Result<()> {
        let batch = plain_batch(chunk.batch, &self.schema)?;
        match &mut self.writer {
            Writer::Stream(w) => w.write(&batch)?,
            Writer::File(w) => w.write(&batch)?,
        }
        self.shared.drain_into(out);
        Ok(())
    }

    fn end(&mut self, _rows: u64, _receipt: Option<serde_json::Value>, out: &mut Vec<u8>) -> Result<()> {
        match &mut self.writer {
            Writer::Stream(w) => w.finish()?,
            Writer::File(w) => w.finish()?,
        }
        self.shared.drain_into(out);
        Ok(())
    }
}
