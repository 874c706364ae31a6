//! Types: from Arrow's to PostgreSQL's, and the type names that its clients write in casts.

use std::sync::Arc;

use arrow::datatypes::{DataType, FieldRef};
use arrow_pg::datatypes::into_pg_type;
use datafusion::common::Result as DfResult;
use datafusion::execution::SessionState;
use datafusion::logical_expr::planner::TypePlanner;
use datafusion::sql::sqlparser::ast::{DataType as SqlType, Ident, ObjectName};
use datafusion_pg_catalog::pg_catalog::oid_type_planner::PgOidTypePlanner;

use super::PG_CATALOG;

/// What PostgreSQL calls a column's type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PgType {
    pub oid: i32,
    /// `int4`, `numeric`, `_text`.
    pub name: String,
    /// Bytes; −1 = it varies.
    pub len: i16,
    /// Precision and scale of a numeric; −1 = none.
    pub modifier: i32,
    /// Digits and scale, for the standard's catalogue.
    pub numeric: Option<(i32, i32)>,
}

impl PgType {
    /// The type in which a column of `kind` reaches a client. What has no counterpart travels as text.
    pub fn of(kind: &DataType) -> PgType {
        let (oid, name) = match kind {
            DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal256(..) => (1700, "numeric".into()),
            DataType::Null => (25, "text".into()),
            kind => into_pg_type(kind)
                .map_or((25, "text".into()), |t| (i32::try_from(t.oid()).unwrap_or(25), t.name().to_string())),
        };
        let numeric = match kind {
            DataType::Decimal32(p, s)
            | DataType::Decimal64(p, s)
            | DataType::Decimal128(p, s)
            | DataType::Decimal256(p, s) => Some((i32::from(*p), i32::from(*s))),
            _ => None,
        };
        let len = match name.as_str() {
            "bool" | "char" => 1,
            "int2" => 2,
            "int4" | "float4" | "date" | "oid" => 4,
            "int8" | "float8" | "time" | "timestamp" | "timestamptz" => 8,
            "interval" => 16,
            _ => -1,
        };
        PgType { oid, name, len, modifier: numeric.map_or(-1, |(p, s)| ((p << 16) | s) + 4), numeric }
    }

    /// The name that the SQL standard has for it.
    pub fn standard_name(&self) -> &str {
        match self.name.as_str() {
            "bool" => "boolean",
            "int2" => "smallint",
            "int4" => "integer",
            "int8" => "bigint",
            "float4" => "real",
            "float8" => "double precision",
            "varchar" => "character varying",
            "time" => "time without time zone",
            "timestamp" => "timestamp without time zone",
            "timestamptz" => "timestamp with time zone",
            name if name.starts_with('_') => "ARRAY",
            name => name,
        }
    }
}

/// What a session for PostgreSQL's clients carries, so that the planner knows their type names.
pub struct PgTypes(Arc<dyn TypePlanner>);

impl PgTypes {
    pub fn new() -> PgTypes {
        PgTypes(Arc::new(PgNames(PgOidTypePlanner)))
    }
}

/// The type names that `state` adds to SQL's own, if any.
pub fn type_planner(state: &SessionState) -> Option<Arc<dyn TypePlanner>> {
    state.config().get_extension::<PgTypes>().map(|types| Arc::clone(&types.0))
}

/// The stock planner knows `pg_catalog.name`; clients write `name`, too.
#[derive(Debug)]
struct PgNames(PgOidTypePlanner);

/// Type names that are PostgreSQL's own and need no schema.
const BARE: [&str; 9] = ["name", "char", "bpchar", "text", "int2", "int4", "int8", "float4", "float8"];

impl TypePlanner for PgNames {
    fn plan_type_field(&self, kind: &SqlType) -> DfResult<Option<FieldRef>> {
        if let Some(field) = self.0.plan_type_field(kind)? {
            return Ok(Some(field));
        }
        match bare(kind) {
            Some(name) => {
                let qualified = ObjectName::from(vec![Ident::new(PG_CATALOG), Ident::new(name)]);
                self.0.plan_type_field(&SqlType::Custom(qualified, Vec::new()))
            }
            None => Ok(None),
        }
    }
}

fn bare(kind: &SqlType) -> Option<&'static str> {
    let SqlType::Custom(name, arguments) = kind else { return None };
    let [part] = name.0.as_slice() else { return None };
    let word = &part.as_ident()?.value;
    BARE.iter().find(|known| arguments.is_empty() && word.eq_ignore_ascii_case(known)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_a_numeric_with_its_digits() {
        let money = PgType::of(&DataType::Decimal128(18, 4));
        assert_eq!((money.oid, money.name.as_str(), money.modifier), (1700, "numeric", ((18 << 16) | 4) + 4));
        assert_eq!(PgType::of(&DataType::Utf8View).standard_name(), "text");
        assert_eq!(PgType::of(&DataType::Date32).len, 4);
    }
}
