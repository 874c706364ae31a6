//! Arrow IPC: the stream format, or the file format where the output is a file. It must not change types: `Rows` has
//! only those that every reader knows.

use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::{FileWriter, StreamWriter};

use super::{Chunk, Encoder, Shared};
use crate::error::Result;

pub(super) struct Arrow {
    writer: Writer,
    shared: Shared,
}

enum Writer {
    Stream(StreamWriter<Shared>),
    File(FileWriter<Shared>),
}

impl Arrow {
    pub fn new(schema: &SchemaRef, file: bool) -> Result<Arrow> {
        let shared = Shared::default();
        let writer = if file {
            Writer::File(FileWriter::try_new(shared.clone(), schema)?)
        } else {
            Writer::Stream(StreamWriter::try_new(shared.clone(), schema)?)
        };
        Ok(Arrow { writer, shared })
    }
}

impl Encoder for Arrow {
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<()> {
        self.shared.drain_into(out);
        Ok(())
    }

    fn rows(&mut self, chunk: &Chunk<'_>, out: &mut Vec<u8>) -> Result<()> {
        match &mut self.writer {
            Writer::Stream(w) => w.write(chunk.batch)?,
            Writer::File(w) => w.write(chunk.batch)?,
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
