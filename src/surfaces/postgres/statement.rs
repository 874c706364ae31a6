//! Prepared statements: parsed and described once, with the types of their parameters and the columns of their rows.

use std::collections::{BTreeMap, BTreeSet};
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
use super::error::{INVALID_STATEMENT, coded, hinted, wire};
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
    /// Its text and its parameters' types, in the memory pool.
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
            _ => return Err(coded(INVALID_STATEMENT, "cannot insert multiple commands into a prepared statement")),
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
        let text = self.reserve(sql.len() + parameters.len() * size_of::<Type>() + BESIDE)?;
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
        Ok((parameter_types(sql, &described.parameters, types)?, travelling(&described.schema)))
    }
}

/// What the client says, else what the statement needs, else text.
fn parameter_types(sql: &str, needed: &[Parameter], said: &[Option<Type>]) -> PgWireResult<Vec<Type>> {
    let (needed, ids) = (numbered(needed)?, arrays_of_ids(sql));
    let count = needed.last_key_value().map_or(0, |(highest, _)| *highest).max(said.len());
    let kind = |number: usize| {
        if let Some(kind) = known(said.get(number - 1).and_then(Option::as_ref)) {
            return kind.clone();
        }
        // A plan takes ids for numbers; asyncpg, who asks so, knows no arrays of numbers before it has the answer.
        if ids.contains(&number) {
            return Type::OID_ARRAY;
        }
        let needed = needed.get(&number).and_then(|p| p.arrow.as_ref());
        let kind = needed.and_then(|kind| into_pg_type(kind).ok());
        // A type whose values cannot be taken would be a trap.
        kind.filter(|kind| is_text(kind) || arrow_type(kind) != arrow_type(&Type::TEXT)).unwrap_or(Type::TEXT)
    };
    Ok((1..=count).map(kind).collect())
}

/// The parameters by their numbers, which messages write in 16 bits: a client is told of all up to the highest. Those with
/// names are left out.
fn numbered(needed: &[Parameter]) -> PgWireResult<BTreeMap<usize, &Parameter>> {
    let numbers = needed.iter().filter(|p| p.name.bytes().all(|letter| letter.is_ascii_digit()));
    let numbers = numbers.map(|parameter| match parameter.name.parse::<u16>() {
        Ok(number @ 1..) => Ok((usize::from(number), parameter)),
        _ => {
            let message = format!("there is no parameter ${}", parameter.name);
            Err(hinted(INVALID_STATEMENT, message, "number them from $1 on; the last may be $65535"))
        }
    });
    numbers.collect()
}

/// The parameters that are written `$1::oid[]`.
fn arrays_of_ids(sql: &str) -> BTreeSet<usize> {
    let casts = sql.match_indices("::oid[]").filter_map(|(at, _)| {
        let before = sql[..at].trim_end_matches(|letter: char| letter.is_ascii_digit());
        before.ends_with('$').then(|| sql[before.len()..at].parse().ok()).flatten()
    });
    casts.collect()
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
        let of = |sql: &str, needed: &[Parameter], said: &[Option<Type>]| parameter_types(sql, needed, said).unwrap();
        assert_eq!(of("", &needed, &said), [Type::DATE, Type::TEXT, Type::NUMERIC, Type::INT8]);
        assert_eq!(of("", &needed[..1], &[Some(Type::VARCHAR)]), [Type::VARCHAR]);
        assert_eq!(of("x = any($1::oid[])", &needed[..1], &[]), [Type::OID_ARRAY]);
        assert_eq!(of("'::oid[]', 1::oid[], $2::oid[]", &needed[..2], &[]), [Type::DATE, Type::OID_ARRAY]);
    }

    #[test]
    fn numbers_that_no_message_can_bind_are_refused() {
        let types = |name: &str| parameter_types("", &[Parameter { name: name.into(), kind: None, arrow: None }], &[]);
        for (name, count) in [("1", 1), ("65535", 65_535), ("name", 0)] {
            assert_eq!(types(name).unwrap().len(), count, "{name}");
        }
        for name in ["0", "65536", "4000000000", "99999999999999999999999"] {
            let error = types(name).unwrap_err().to_string();
            assert!(error.contains(&format!("there is no parameter ${name}")), "{error}");
        }
    }
}
