//! What a report cannot do without: tables that something has landed in, columns that some row has. What is missing is told
//! beside the answer, with how to feed it. It must not keep a report from being run.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::access::Caller;
use crate::engine::{Engine, QueryOptions};
use crate::error::{Error, Result, did_you_mean};
use crate::model::{Column, TABLES, Table, table};

/// `order_line`, or `order_line.cost_amount`.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    table: &'static Table,
    column: Option<&'static Column>,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.table.name)?;
        self.column.map_or(Ok(()), |column| write!(f, ".{}", column.name))
    }
}

impl Need {
    /// # Errors
    /// `Invalid`: no table, or no stored column of it, with near names.
    pub fn read(text: &str) -> Result<Need> {
        let (name, column) = text.split_once('.').map_or((text, None), |(name, column)| (name, Some(column)));
        let wrong = |what: String, hint: String| Error::invalid(format!("needs: {what}")).hint(hint);
        let table = table(name).ok_or_else(|| {
            wrong(format!("there is no table {name}"), did_you_mean(name, TABLES.iter().map(|t| t.name)))
        })?;
        let found = column.map(|column| {
            table.stored_columns().find(|c| c.name == column).ok_or_else(|| {
                let near = did_you_mean(column, table.stored_columns().map(|c| c.name));
                wrong(format!("{name} has no column {column}"), near)
            })
        });
        Ok(Need { table, column: found.transpose()? })
    }

    /// Whether any row of the table, of any version, has it.
    async fn is_met(&self, engine: &Engine, label: &str, caller: &Caller) -> Result<bool> {
        let Some(column) = self.column else { return Ok(engine.rows_landed(self.table) > 0) };
        let sql = format!("SELECT 1 FROM base.{} WHERE {} IS NOT NULL LIMIT 1", self.table.name, column.name);
        let options = QueryOptions { label: label.into(), ..QueryOptions::default() };
        let found = engine.query(&sql, options, caller).await?.collect().await?;
        Ok(found.iter().any(|batch| batch.num_rows() > 0))
    }

    /// What is missing and how it comes.
    fn told(&self) -> String {
        let name = self.table.name;
        match self.column {
            None => format!(
                "nothing has landed in {name}, which this report is about: a source fills it by a SELECT marked `-- into = \"{name}\"`"
            ),
            Some(column) => format!(
                "no row of {name} has {} ({}), which this report is about: give it in the SELECT of the source that fills {name}",
                column.name, column.about
            ),
        }
    }
}

/// What was found of columns that were asked for, at the state of their table.
#[derive(Debug, Default)]
pub struct Needs {
    found: Mutex<HashMap<String, (i64, bool)>>,
}

impl Needs {
    /// Those of `needs` that the lake does not meet, told. Of one table the first.
    pub async fn missing(&self, needs: &[Need], label: &str, engine: &Engine, caller: &Caller) -> Result<Vec<String>> {
        let mut missing: Vec<&Need> = Vec::new();
        for need in needs {
            let told = missing.iter().any(|m| m.table.name == need.table.name);
            if !told && !self.is_met(need, label, engine, caller).await? {
                missing.push(need);
            }
        }
        Ok(missing.into_iter().map(Need::told).collect())
    }

    async fn is_met(&self, need: &Need, label: &str, engine: &Engine, caller: &Caller) -> Result<bool> {
        let (name, version) = (need.to_string(), engine.version_of(need.table));
        let known = self.found.lock().unwrap_or_else(PoisonError::into_inner).get(&name).copied();
        if let Some((_, met)) = known.filter(|(at, _)| *at == version) {
            return Ok(met);
        }
        let met = need.is_met(engine, label, caller).await?;
        self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(name, (version, met));
        Ok(met)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_need_names_what_there_is() {
        assert_eq!(Need::read("order_line.cost_amount").unwrap().to_string(), "order_line.cost_amount");
        assert!(Need::read("inventory_snapshot").unwrap().told().contains("-- into = \"inventory_snapshot\""));
        let error = Need::read("order_lines").unwrap_err();
        assert!(
            error.message().contains("order_lines") && error.hint_text().unwrap().contains("order_line"),
            "{error}"
        );
        let error = Need::read("order_line.cost").unwrap_err();
        assert!(error.message().contains("no column cost"), "{error}");
    }
}
