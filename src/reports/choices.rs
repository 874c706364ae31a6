//! The values that a parameter's query gives: read once per snapshot and scope, for checking requests and for pickers.
//! It must not decide what a report may read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::util::display::array_value_to_string;

use crate::access::Caller;
use crate::engine::{Engine, QueryOptions};
use crate::error::Result;

/// Values already read, by their query. One snapshot each: the newest that somebody asked for.
#[derive(Debug, Default)]
pub struct Choices {
    read: Mutex<HashMap<String, (String, Arc<Vec<String>>)>>,
}

impl Choices {
    /// The texts in the first column of `sql`, in its order, as `caller` may see them.
    pub async fn of(&self, sql: &str, label: &str, engine: &Engine, caller: &Caller) -> Result<Arc<Vec<String>>> {
        let state = format!("{} {}", engine.snapshot().id, caller.scope.fingerprint());
        if let Some((_, values)) = self.lock().get(sql).filter(|(of, _)| *of == state) {
            return Ok(Arc::clone(values));
        }
        let options = QueryOptions { label: label.into(), ..QueryOptions::default() };
        let batches = engine.query(sql, options, caller).await?.collect().await?;
        let mut values = Vec::new();
        for batch in &batches {
            let column = batch.column(0);
            for row in (0..batch.num_rows()).filter(|row| column.is_valid(*row)) {
                values.push(array_value_to_string(column, row)?);
            }
        }
        let values = Arc::new(values);
        self.lock().insert(sql.into(), (state, Arc::clone(&values)));
        Ok(values)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (String, Arc<Vec<String>>)>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
