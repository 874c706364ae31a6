//! Metadata commands: their schema for GetFlightInfo and GetSchema, their rows for DoGet. The command is its own ticket;
//! the tables are those of the newest state. None touches the object store.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::sql::Command;
use arrow_flight::sql::metadata::XdbcTypeInfoDataBuilder;
use futures::{TryStreamExt, stream};
use tonic::Status;

use super::answers::{Answers, Messages};
use super::catalog::{self, Catalog};
use super::errors::{of_flight, status};
use super::keys::{self, By, Named};
use super::service::CHUNK;
use super::sql_info::Infos;
use super::types;
use crate::engine::Relation;
use crate::error::Result;

/// Answers metadata commands.
pub struct Metadata {
    infos: Infos,
    catalog: Catalog,
    answers: Answers,
}

impl Metadata {
    pub fn new(ingests: bool) -> Result<Metadata> {
        Ok(Metadata { infos: Infos::new(ingests)?, catalog: Catalog::default(), answers: Answers::default() })
    }

    /// The schema of what a command answers; `None`: it is no metadata command.
    pub fn schema(&self, command: &Command) -> Option<SchemaRef> {
        Some(match command {
            Command::CommandGetCatalogs(asked) => asked.into_builder().schema(),
            Command::CommandGetDbSchemas(asked) => asked.clone().into_builder().schema(),
            Command::CommandGetTables(asked) => asked.clone().into_builder().schema(),
            Command::CommandGetTableTypes(asked) => asked.into_builder().schema(),
            Command::CommandGetSqlInfo(_) => self.infos.schema(),
            Command::CommandGetXdbcTypeInfo(_) => XdbcTypeInfoDataBuilder::new().schema(),
            Command::CommandGetPrimaryKeys(_) => keys::primary_schema(),
            Command::CommandGetExportedKeys(_)
            | Command::CommandGetImportedKeys(_)
            | Command::CommandGetCrossReference(_) => keys::foreign_schema(),
            _ => return None,
        })
    }

    /// What a command answers, as messages; `None`: it is no metadata command.
    pub async fn messages(&self, command: Command, relations: &Arc<Vec<Relation>>) -> Option<Result<Messages, Status>> {
        let tables = match &command {
            Command::CommandGetTables(asked) => Some(asked.clone()),
            _ => None,
        };
        if let Some(kept) = tables.as_ref().and_then(|asked| self.answers.get(relations, asked)) {
            return Some(Ok(kept));
        }
        let messages = match self.rows(command, relations)? {
            Ok(rows) => encoded(rows).await,
            Err(error) => Err(status(error)),
        };
        if let (Some(asked), Ok(messages)) = (tables, &messages) {
            self.answers.keep(relations, asked, messages);
        }
        Some(messages)
    }

    /// What a command answers.
    fn rows(&self, command: Command, relations: &Arc<Vec<Relation>>) -> Option<Result<RecordBatch>> {
        let any = Named::default();
        Some(match command {
            Command::CommandGetCatalogs(asked) => catalog::catalogs(asked),
            Command::CommandGetDbSchemas(asked) => catalog::schemas(relations, asked),
            Command::CommandGetTables(asked) => self.catalog.tables(Arc::clone(relations), asked),
            Command::CommandGetTableTypes(asked) => catalog::table_types(asked),
            Command::CommandGetSqlInfo(asked) => self.infos.batch(&asked),
            Command::CommandGetXdbcTypeInfo(asked) => types::batch(asked),
            Command::CommandGetPrimaryKeys(asked) => keys::primary(relations, asked),
            Command::CommandGetExportedKeys(asked) => {
                let table = Named { catalog: asked.catalog, schema: asked.db_schema, table: asked.table };
                keys::foreign(relations, &table, &any, By::Foreign)
            }
            Command::CommandGetImportedKeys(asked) => {
                let table = Named { catalog: asked.catalog, schema: asked.db_schema, table: asked.table };
                keys::foreign(relations, &any, &table, By::Primary)
            }
            Command::CommandGetCrossReference(asked) => {
                let primary = Named { catalog: asked.pk_catalog, schema: asked.pk_db_schema, table: asked.pk_table };
                let foreign = Named { catalog: asked.fk_catalog, schema: asked.fk_db_schema, table: asked.fk_table };
                keys::foreign(relations, &primary, &foreign, By::Primary)
            }
            _ => return None,
        })
    }
}

async fn encoded(rows: RecordBatch) -> Result<Messages, Status> {
    let encoder = FlightDataEncoderBuilder::new().with_schema(rows.schema()).with_max_flight_data_size(CHUNK);
    let messages: Vec<_> = encoder.build(stream::iter([Ok(rows)])).try_collect().await.map_err(of_flight)?;
    Ok(messages.into())
}

#[cfg(test)]
mod tests {
    use arrow_flight::decode::FlightRecordBatchStream;
    use arrow_flight::sql::{
        CommandGetCatalogs, CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys,
        CommandGetImportedKeys, CommandGetPrimaryKeys, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables,
        CommandGetXdbcTypeInfo, CommandStatementQuery,
    };

    use super::*;

    #[tokio::test]
    async fn tables_are_encoded_once_for_each_state() {
        let metadata = Metadata::new(true).unwrap();
        let asked = Command::CommandGetTables(CommandGetTables { include_schema: true, ..CommandGetTables::default() });
        let (first, second) = (Arc::new(Vec::new()), Arc::new(Vec::new()));
        let told = async |relations| metadata.messages(asked.clone(), relations).await.unwrap().unwrap();
        let messages = told(&first).await;
        assert!(Arc::ptr_eq(&messages, &told(&first).await), "made anew");
        assert!(!Arc::ptr_eq(&messages, &told(&second).await), "an answer of another state");
        let sent: Vec<_> = messages.iter().cloned().map(Ok).collect();
        let mut read = FlightRecordBatchStream::new_from_flight_data(stream::iter(sent));
        assert!(read.try_next().await.unwrap().is_none_or(|rows| rows.num_rows() == 0));
        assert_eq!(read.schema(), metadata.schema(&asked).as_ref());
    }

    #[test]
    fn what_is_told_is_what_comes() {
        let metadata = Metadata::new(true).unwrap();
        let relations = Arc::new(Vec::new());
        for command in [
            Command::CommandGetCatalogs(CommandGetCatalogs {}),
            Command::CommandGetDbSchemas(CommandGetDbSchemas::default()),
            Command::CommandGetTables(CommandGetTables::default()),
            Command::CommandGetTables(CommandGetTables { include_schema: true, ..CommandGetTables::default() }),
            Command::CommandGetTableTypes(CommandGetTableTypes {}),
            Command::CommandGetSqlInfo(CommandGetSqlInfo::default()),
            Command::CommandGetXdbcTypeInfo(CommandGetXdbcTypeInfo::default()),
            Command::CommandGetPrimaryKeys(CommandGetPrimaryKeys::default()),
            Command::CommandGetExportedKeys(CommandGetExportedKeys::default()),
            Command::CommandGetImportedKeys(CommandGetImportedKeys::default()),
            Command::CommandGetCrossReference(CommandGetCrossReference::default()),
        ] {
            let told = metadata.schema(&command).unwrap();
            assert_eq!(metadata.rows(command, &relations).unwrap().unwrap().schema(), told);
        }
        let query = Command::CommandStatementQuery(CommandStatementQuery::default());
        assert!(metadata.schema(&query).is_none() && metadata.rows(query, &relations).is_none());
    }
}
