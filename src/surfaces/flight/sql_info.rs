//! `GetSqlInfo`: all that the protocol can ask about a server. Numbers are as wide as the JDBC and ODBC drivers read them,
//! who do not look: counts and choices 64 bits, bitmasks 32.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow_flight::sql::metadata::{SqlInfoData, SqlInfoDataBuilder};
use arrow_flight::sql::{
    CommandGetSqlInfo, SqlInfo, SqlNullOrdering, SqlSupportedCaseSensitivity, SqlSupportedTransaction,
};

use crate::error::{Error, Result};

/// What is answered, made once.
pub struct Infos(SqlInfoData);

impl Infos {
    /// `ingests`: whether bulk ingest takes records.
    pub fn new(ingests: bool) -> Result<Infos> {
        let mut all = SqlInfoDataBuilder::new();
        server(&mut all, ingests);
        language(&mut all);
        limits(&mut all);
        transactions(&mut all);
        all.build().map(Infos).map_err(|e| Error::internal(format!("SqlInfo: {e}")).caused_by(e))
    }

    pub fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    /// Those that were asked for; all, when none was named.
    pub fn batch(&self, asked: &CommandGetSqlInfo) -> Result<RecordBatch> {
        let none_known = || Err(Error::invalid("so many codes of SqlInfo do not exist").hint("name none, and get all"));
        let codes: BTreeSet<u32> = asked.info.iter().copied().collect();
        if codes.len() > 10_000 {
            return none_known();
        }
        self.0.record_batch(codes).map_err(|e| Error::internal(format!("SqlInfo: {e}")).caused_by(e))
    }
}

fn server(all: &mut SqlInfoDataBuilder, ingests: bool) {
    all.append(SqlInfo::FlightSqlServerName, "saleslake");
    all.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    all.append(SqlInfo::FlightSqlServerArrowVersion, arrow::ARROW_VERSION);
    // No statement writes. Records come in by bulk ingest, which has a code of its own.
    all.append(SqlInfo::FlightSqlServerReadOnly, true);
    all.append(SqlInfo::FlightSqlServerSql, true);
    all.append(SqlInfo::FlightSqlServerSubstrait, false);
    all.append(SqlInfo::FlightSqlServerSubstraitMinVersion, "");
    all.append(SqlInfo::FlightSqlServerSubstraitMaxVersion, "");
    all.append(SqlInfo::FlightSqlServerTransaction, SqlSupportedTransaction::None as i32);
    all.append(SqlInfo::FlightSqlServerCancel, true);
    all.append(SqlInfo::FlightSqlServerBulkIngestion, ingests);
    all.append(SqlInfo::FlightSqlServerIngestTransactionsSupported, false);
    // Handles carry all they need: none runs out.
    all.append(SqlInfo::FlightSqlServerStatementTimeout, 0i32);
    all.append(SqlInfo::FlightSqlServerTransactionTimeout, 0i32);
}

fn language(all: &mut SqlInfoDataBuilder) {
    for no in [SqlInfo::SqlDdlCatalog, SqlInfo::SqlDdlSchema, SqlInfo::SqlDdlTable] {
        all.append(no, false);
    }
    all.append(SqlInfo::SqlIdentifierCase, SqlSupportedCaseSensitivity::SqlCaseSensitivityLowercase as i64);
    all.append(SqlInfo::SqlIdentifierQuoteChar, "\"");
    // They are kept as they are written, which the protocol has no word for; ODBC takes "unknown" for it.
    all.append(SqlInfo::SqlQuotedIdentifierCase, SqlSupportedCaseSensitivity::SqlCaseSensitivityUnknown as i64);
    // NULLs come last in ascending order and first in descending.
    all.append(SqlInfo::SqlNullOrdering, SqlNullOrdering::SqlNullsSortedHigh as i64);
    all.append(SqlInfo::SqlKeywords, words(KEYWORDS));
    all.append(SqlInfo::SqlNumericFunctions, words(NUMERIC));
    all.append(SqlInfo::SqlStringFunctions, words(STRING));
    all.append(SqlInfo::SqlSystemFunctions, words(SYSTEM));
    all.append(SqlInfo::SqlDatetimeFunctions, words(DATETIME));
    all.append(SqlInfo::SqlSearchStringEscape, "\\");
    all.append(SqlInfo::SqlExtraNameCharacters, "");
    for yes in [
        SqlInfo::SqlAllTablesAreSelectable,
        SqlInfo::SqlSupportsColumnAliasing,
        SqlInfo::SqlNullPlusNullIsNull,
        SqlInfo::SqlSupportsTableCorrelationNames,
        SqlInfo::SqlSupportsExpressionsInOrderBy,
        SqlInfo::SqlSupportsOrderByUnrelated,
        SqlInfo::SqlSupportsLikeEscapeClause,
        SqlInfo::SqlSupportsNonNullableColumns,
        SqlInfo::SqlCatalogAtStart,
        SqlInfo::SqlCorrelatedSubqueriesSupported,
    ] {
        all.append(yes, true);
    }
    for no in [
        SqlInfo::SqlSupportsDifferentTableCorrelationNames,
        SqlInfo::SqlSupportsIntegrityEnhancementFacility,
        SqlInfo::SqlSelectForUpdateSupported,
        SqlInfo::SqlStoredProceduresSupported,
        SqlInfo::SqlNamedParametersSupported,
        SqlInfo::SqlLocatorsUpdateCopy,
        SqlInfo::SqlStoredFunctionsUsingCallSyntaxSupported,
    ] {
        all.append(no, false);
    }
    // CAST converts; the function CONVERT, which this is about, there is not.
    all.append(SqlInfo::SqlSupportsConvert, BTreeMap::<i32, Vec<i32>>::new());
    // Bitmasks. GROUP BY anything; of the grammars what reads; LEFT, RIGHT and FULL joins (the driver takes the level for
    // a mask); subqueries compared, in EXISTS and in IN; UNION and UNION ALL.
    all.append(SqlInfo::SqlSupportedGroupBy, 0b11i32);
    all.append(SqlInfo::SqlSupportedGrammar, 0b11i32);
    all.append(SqlInfo::SqlAnsi92SupportedLevel, 0b1i32);
    all.append(SqlInfo::SqlOuterJoinsSupportLevel, 0b110i32);
    all.append(SqlInfo::SqlSupportedSubqueries, 0b111i32);
    all.append(SqlInfo::SqlSupportedUnions, 0b11i32);
    for none in [
        SqlInfo::SqlSchemasSupportedActions,
        SqlInfo::SqlCatalogsSupportedActions,
        SqlInfo::SqlSupportedPositionedCommands,
    ] {
        all.append(none, 0i32);
    }
    all.append(SqlInfo::SqlSchemaTerm, "schema");
    all.append(SqlInfo::SqlProcedureTerm, "procedure");
    all.append(SqlInfo::SqlCatalogTerm, "catalog");
}

/// Nothing here has a limit of its own: 0.
fn limits(all: &mut SqlInfoDataBuilder) {
    for unlimited in [
        SqlInfo::SqlMaxBinaryLiteralLength,
        SqlInfo::SqlMaxCharLiteralLength,
        SqlInfo::SqlMaxColumnNameLength,
        SqlInfo::SqlMaxColumnsInGroupBy,
        SqlInfo::SqlMaxColumnsInIndex,
        SqlInfo::SqlMaxColumnsInOrderBy,
        SqlInfo::SqlMaxColumnsInSelect,
        SqlInfo::SqlMaxColumnsInTable,
        SqlInfo::SqlMaxConnections,
        SqlInfo::SqlMaxCursorNameLength,
        SqlInfo::SqlMaxIndexLength,
        SqlInfo::SqlDbSchemaNameLength,
        SqlInfo::SqlMaxProcedureNameLength,
        SqlInfo::SqlMaxCatalogNameLength,
        SqlInfo::SqlMaxRowSize,
        SqlInfo::SqlMaxStatementLength,
        SqlInfo::SqlMaxStatements,
        SqlInfo::SqlMaxTableNameLength,
        SqlInfo::SqlMaxTablesInSelect,
        SqlInfo::SqlMaxUsernameLength,
    ] {
        all.append(unlimited, 0i64);
    }
    all.append(SqlInfo::SqlMaxRowSizeIncludesBlobs, true);
}

fn transactions(all: &mut SqlInfoDataBuilder) {
    // "None", as ordinal and as the only bit.
    all.append(SqlInfo::SqlDefaultTransactionIsolation, 0i64);
    all.append(SqlInfo::SqlSupportedTransactionsIsolationLevels, 0b1i32);
    for no in [
        SqlInfo::SqlTransactionsSupported,
        SqlInfo::SqlDataDefinitionCausesTransactionCommit,
        SqlInfo::SqlDataDefinitionsInTransactionsIgnored,
        SqlInfo::SqlBatchUpdatesSupported,
        SqlInfo::SqlSavepointsSupported,
    ] {
        all.append(no, false);
    }
    // Forward only, to be read only.
    all.append(SqlInfo::SqlSupportedResultSetTypes, 0b10i32);
    all.append(SqlInfo::SqlSupportedConcurrenciesForResultSetUnspecified, 0b10i32);
    all.append(SqlInfo::SqlSupportedConcurrenciesForResultSetForwardOnly, 0b10i32);
    all.append(SqlInfo::SqlSupportedConcurrenciesForResultSetScrollSensitive, 0i32);
    all.append(SqlInfo::SqlSupportedConcurrenciesForResultSetScrollInsensitive, 0i32);
}

/// In capitals, as ODBC has them.
fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_uppercase).collect()
}

/// Beyond those of SQL:2003.
const KEYWORDS: &str = "EXPLAIN ILIKE LIMIT OFFSET QUALIFY REGEXP SEMI ANTI TRY_CAST";
const NUMERIC: &str = "abs acos asin atan atan2 cbrt ceil cos cot degrees exp floor ln log log10 log2 pi power radians \
                       random round signum sin sqrt tan trunc";
const STRING: &str = "ascii btrim char_length chr concat concat_ws ends_with initcap left length lower lpad ltrim \
                      octet_length overlay position regexp_like regexp_match regexp_replace repeat replace reverse right \
                      rpad rtrim split_part starts_with strpos substr substring translate trim upper";
const SYSTEM: &str = "arrow_typeof coalesce greatest ifnull least nullif nvl nvl2 report version";
const DATETIME: &str = "current_date current_time current_timestamp date_bin date_part date_trunc extract make_date now \
                        to_char to_date to_timestamp to_unixtime";

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray, Int64Array};
    use arrow::datatypes::UInt32Type;

    use super::*;

    #[test]
    fn every_code_has_an_answer() {
        let all = Infos::new(true).unwrap().batch(&CommandGetSqlInfo::default()).unwrap();
        let answered: BTreeSet<u32> = all.column(0).as_primitive::<UInt32Type>().values().iter().copied().collect();
        let known = (0..2000).filter(|code| SqlInfo::try_from(*code).is_ok()).map(|code| code as u32);
        assert_eq!(answered, known.collect());
    }

    #[test]
    fn what_drivers_need_has_the_kind_that_they_cast_to() {
        let infos = Infos::new(false).unwrap();
        // flightsql-dbapi.
        let few = infos.batch(&CommandGetSqlInfo { info: vec![504, 0, 2, 3, 0, 9999] }).unwrap();
        assert_eq!(few.column(0).as_primitive::<UInt32Type>().values(), &[0, 2, 3, 504]);
        assert_eq!(few.schema(), infos.schema());
        // JDBC: Long.
        let level = infos.batch(&CommandGetSqlInfo { info: vec![562] }).unwrap();
        let level = level.column(1).as_union().value(0);
        assert_eq!(level.as_any().downcast_ref::<Int64Array>(), Some(&Int64Array::from(vec![0])));
    }
}
