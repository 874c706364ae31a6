//! Prepared statements: parsed and described once, with the types of their parameters and the columns of their rows.

use std::ops::Deref;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow_pg::datatypes::into_pg_type;
use async_trait::async_trait;
use pgwire::api::portal::Format;
use pgwire::api::results::FieldInfo;
use pgwire::api::stmt::{QueryParser, StoredStatement};
use pgwire::api::{ClientInfo, Type};
use pgwire::error::PgWireResult;

use super::command::{Command, command};
use super::error::{coded, wire};
use super::lexer::statements;
use super::parameters::{arrow_type, is_text, known, null};
use super::rows::{fields, text_schema, travelling};
use super::session::Session;
use crate::access::Caller;
use crate::engine::{Parameter, Reserved};

/// What a statement or a portal takes beside what was sent, bytes, about.
const BESIDE: usize = 1 << 10;

/// A statement that was described, or a portal's. Cheap to clone.
#[derive(Clone)]
pub struct Statement {
    prepared: Arc<Prepared>,
    /// A portal's values, in the memory pool.
    _values: Option<Arc<Reserved>>,
}

pub struct Prepared {
    pub command: Command,
    pub parameters: Vec<Type>,
    /// The columns as they travel; `None` = it gives no rows.
    pub schema: Option<SchemaRef>,
    /// Its text, in the memory pool.
    _text: Reserved,
}

impl Deref for Statement {
    type Target = Prepared;

    fn deref(&self) -> &Prepared {
        &self.prepared
    }
}

/// `statement` for a portal with values of `bytes`.
pub fn with_values(
    statement: &StoredStatement<Statement>,
    bytes: usize,
    session: &Session,
) -> PgWireResult<Arc<StoredStatement<Statement>>> {
    let values = Some(Arc::new(session.reserve(bytes + BESIDE)?));
    let of_portal = Statement { prepared: Arc::clone(&statement.statement.prepared), _values: values };
    Ok(Arc::new(StoredStatement::new(statement.id.clone(), of_portal, statement.parameter_types.clone())))
}

/// Parses the statements of one connection.
pub struct Parser(pub Arc<Session>);

#[async_trait]
impl QueryParser for Parser {
    type Statement = Statement;

    async fn parse_sql<C>(&self, _: &C, sql: &str, types: &[Option<Type>]) -> PgWireResult<Option<Statement>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        self.0.stoppable(self.0.prepare(sql, types)).await
    }

    fn get_parameter_types(&self, statement: &Statement) -> PgWireResult<Vec<Type>> {
        Ok(statement.parameters.clone())
    }

    fn get_result_schema(&self, statement: &Statement, format: Option<&Format>) -> PgWireResult<Vec<FieldInfo>> {
        match &statement.schema {
            Some(schema) => fields(schema, format.unwrap_or(&Format::UnifiedText)),
            None => Ok(Vec::new()),
        }
    }
}

impl Session {
    async fn prepare(&self, sql: &str, types: &[Option<Type>]) -> PgWireResult<Option<Statement>> {
        let caller = self.caller()?;
        let sql = match statements(sql).as_slice() {
            [] => return Ok(None),
            [one] => *one,
            _ => return Err(coded("42601", "cannot insert multiple commands into a prepared statement")),
        };
        let command = command(sql).map_err(|e| wire(&e))?;
        let (parameters, schema) = match &command {
            Command::Query(sql) => {
                let (parameters, schema) = self.describe(sql, types, &caller).await?;
                (parameters, Some(schema))
            }
            // Rows come later, or by another way.
            Command::Declare { query, .. } | Command::Copy { query, .. } => {
                (self.describe(query, types, &caller).await?.0, None)
            }
            Command::Show(name) => (Vec::new(), Some(Arc::new(text_schema(&self.shown(name.as_deref())?.0)))),
            Command::Fetch { cursor, give: true, .. } => (Vec::new(), Some(self.cursor(cursor)?.schema)),
            _ => (Vec::new(), None),
        };
        let text = self.reserve(sql.len() + BESIDE)?;
        let prepared = Arc::new(Prepared { command, parameters, schema, _text: text });
        Ok(Some(Statement { prepared, _values: None }))
    }

    /// The types of a query's parameters, and its columns as they travel.
    async fn describe(
        &self,
        sql: &str,
        types: &[Option<Type>],
        caller: &Caller,
    ) -> PgWireResult<(Vec<Type>, SchemaRef)> {
        let mut options = self.options();
        // What the client says of its parameters helps to tell the result's types; texts may become anything.
        let said = types.iter().enumerate().filter_map(|(at, kind)| Some((at, known(kind.as_ref())?)));
        let said = said.filter(|(_, kind)| !is_text(kind));
        options.params = said.map(|(at, kind)| ((at + 1).to_string(), null(kind))).collect();
        let described = self.shared.engine.describe(sql, &options, caller).await.map_err(|e| wire(&e))?;
        Ok((parameter_types(sql, &described.parameters, types), travelling(&described.schema)))
    }
}

/// What the client says, else what the statement needs, else text.
fn parameter_types(sql: &str, needed: &[Parameter], said: &[Option<Type>]) -> Vec<Type> {
    let numbered = |p: &Parameter| p.name.parse::<usize>().ok();
    let count = needed.iter().filter_map(numbered).max().unwrap_or(0).max(said.len());
    let kind = |at: usize| {
        if let Some(kind) = known(said.get(at).and_then(Option::as_ref)) {
            return kind.clone();
        }
        // A plan takes ids for numbers; asyncpg, who asks so, knows no arrays of numbers before it has the answer.
        if sql.contains(&format!("${}::oid[]", at + 1)) {
            return Type::OID_ARRAY;
        }
        let needed = needed.iter().find(|p| numbered(p) == Some(at + 1)).and_then(|p| p.arrow.as_ref());
        let kind = needed.and_then(|kind| into_pg_type(kind).ok());
        // A type whose values cannot be taken would be a trap.
        kind.filter(|kind| is_text(kind) || arrow_type(kind) != arrow_type(&Type::TEXT)).unwrap_or(Type::TEXT)
    };
    (0..count).map(kind).collect()
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::DataType;

    use super::*;

    #[test]
    fn the_client_decides_then_the_statement() {
        let needed = |name: &str, arrow| Parameter { name: name.into(), kind: None, arrow };
        let needed = [needed("1", Some(DataType::Date32)), needed("2", None), needed("4", Some(DataType::Int64))];
        let said = [None, Some(Type::UNKNOWN), Some(Type::NUMERIC)];
        assert_eq!(parameter_types("", &needed, &said), [Type::DATE, Type::TEXT, Type::NUMERIC, Type::INT8]);
        assert_eq!(parameter_types("", &needed[..1], &[Some(Type::VARCHAR)]), [Type::VARCHAR]);
        assert_eq!(parameter_types("x = any($1::oid[])", &needed[..1], &[]), [Type::OID_ARRAY]);
    }
}
