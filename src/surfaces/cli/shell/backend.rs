//! Who answers: a lake that is open here, or a server. The rest of the shell must not know which.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::engine::{Param, Rows};
use crate::error::Result;

/// Values for the `$name` placeholders of a statement.
pub type Params = BTreeMap<String, Param>;

/// What answers statements.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Where the data is, for people.
    fn place(&self) -> String;

    /// Looks for what was written since the last answer.
    async fn refresh(&self) -> Result<()> {
        Ok(())
    }

    /// Runs one statement. `params` has a value for each of its placeholders, and none beside.
    async fn query(&self, sql: &str, params: &Params) -> Result<Answer>;

    /// Runs a report with values by name, as `saleslake report run` takes them.
    async fn report(&self, id: &str, values: &[(String, String)]) -> Result<Answer> {
        let values = values.iter().map(|(name, value)| literal(&format!("{name}={value}")));
        let arguments: Vec<String> = std::iter::once(literal(id)).chain(values).collect();
        self.query(&format!("SELECT * FROM report({})", arguments.join(", ")), &Params::new()).await
    }
}

/// Rows, and what is said about them.
pub struct Answer {
    pub schema: SchemaRef,
    pub batches: BoxStream<'static, Result<RecordBatch>>,
    /// For people, before the rows.
    pub notes: Vec<String>,
    /// The columns that it is about, which a narrow table keeps.
    pub main: Vec<String>,
}

impl From<Rows> for Answer {
    fn from(rows: Rows) -> Answer {
        Answer { schema: Arc::clone(&rows.schema), batches: rows.into_stream(), notes: Vec::new(), main: Vec::new() }
    }
}

/// `text` as SQL writes it.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
