//! The values that a parameter's query gives: read once per snapshot and scope, for checking requests and for pickers.
//! It must not decide what a report may read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::util::display::array_value_to_string;

use crate::access::Caller;
use crate::engine::{Engine, QueryOptions};
use crate::error::Result;

/// Values already read, by their query.
#[derive(Debug, Default)]
pub struct Choices {
    read: Mutex<Read>,
}

type Read = HashMap<String, Values>;

#[derive(Debug)]
struct Values {
    /// The snapshot and the scope that they were read under: the newest that somebody asked for.
    state: String,
    texts: Arc<Vec<String>>,
}

impl Choices {
    /// The texts in the first column of `sql`, in its order, as `caller` may see them.
    pub async fn of(&self, sql: &str, label: &str, engine: &Engine, caller: &Caller) -> Result<Arc<Vec<String>>> {
        let state = format!("{} {}", engine.snapshot().id, caller.scope.fingerprint());
        if let Some(read) = self.lock().get(sql).filter(|read| read.state == state) {
            return Ok(Arc::clone(&read.texts));
        }
        let options = QueryOptions { label: label.into(), ..QueryOptions::default() };
        let batches = engine.query(sql, options, caller).await?.collect().await?;
        let mut texts = Vec::new();
        for batch in &batches {
            let column = batch.column(0);
            for row in (0..batch.num_rows()).filter(|row| column.is_valid(*row)) {
                texts.push(array_value_to_string(column, row)?);
            }
        }
        let texts = Arc::new(texts);
        self.lock().insert(sql.into(), Values { state, texts: Arc::clone(&texts) });
        Ok(texts)
    }

    fn lock(&self) -> MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
