//! Schemas as IPC messages, as Flight SQL passes them around.

use arrow::datatypes::Schema;
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::{IpcMessage, SchemaAsIpc};
use bytes::Bytes;

use crate::error::{Error, Result};

/// The message of `schema`.
pub fn message(schema: &Schema) -> Result<Vec<u8>> {
    let message: IpcMessage = SchemaAsIpc::new(schema, &IpcWriteOptions::default()).try_into()?;
    Ok(message.0.to_vec())
}

/// The schema of a message.
pub fn schema(message: &[u8]) -> Result<Schema> {
    let message = IpcMessage(Bytes::copy_from_slice(message));
    Schema::try_from(message).map_err(|e| Error::invalid(format!("no schema: {e}")).caused_by(e))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::{DataType, Field};

    use super::*;

    #[test]
    fn schemas_go_and_come_back() {
        let field = Field::new("n", DataType::Decimal128(18, 4), false);
        let sent = Schema::new(vec![field.with_metadata([("k".to_string(), "v".to_string())].into())]);
        assert_eq!(schema(&message(&sent).unwrap()).unwrap(), sent);
    }
}
