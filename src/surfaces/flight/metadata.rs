//! Metadata commands: their schema for GetFlightInfo and GetSchema, their rows for DoGet. The command is its own ticket;
//! the tables are those of the newest state. None touches the object store.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow_flight::sql::Command;
use arrow_flight::sql::metadata::XdbcTypeInfoDataBuilder;

use super::catalog::{self, Catalog};
use super::keys::{self, By, Named};
use super::sql_info::Infos;
use super::types;
use crate::engine::Relation;
use crate::error::Result;

/// Answers metadata commands.
pub struct Metadata {
    infos: Infos,
    catalog: Catalog,
}

impl Metadata {
    pub fn new(ingests: bool) -> Result<Metadata> {
        Ok(Metadata { infos: Infos::new(ingests)?, catalog: Catalog::default() })
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

    /// What a command answers.
    pub fn rows(&self, command: Command, relations: &Arc<Vec<Relation>>) -> Option<Result<RecordBatch>> {
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

#[cfg(test)]
mod tests {
    use arrow_flight::sql::{
        CommandGetCatalogs, CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys,
        CommandGetImportedKeys, CommandGetPrimaryKeys, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables,
        CommandGetXdbcTypeInfo, CommandStatementQuery,
    };

    use super::*;

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
