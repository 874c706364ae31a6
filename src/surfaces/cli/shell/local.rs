//! The lake that is open in this process. It must not decide what an answer is: engine and reports do.

use std::sync::Arc;

use async_trait::async_trait;

use super::backend::{Answer, Backend, Params};
use crate::access::Caller;
use crate::engine::{Engine, QueryOptions};
use crate::error::Result;
use crate::reports::{Reports, Request};

/// An engine and its reports.
pub struct Local {
    engine: Engine,
    reports: Arc<Reports>,
    place: String,
}

impl Local {
    /// `place` is the lake's URL, for people.
    pub fn new(engine: Engine, reports: Arc<Reports>, place: impl Into<String>) -> Local {
        Local { engine, reports, place: place.into() }
    }
}

#[async_trait]
impl Backend for Local {
    fn place(&self) -> String {
        self.place.clone()
    }

    async fn refresh(&self) -> Result<()> {
        self.engine.refresh().await.map(|_| ())
    }

    async fn query(&self, sql: &str, params: &Params) -> Result<Answer> {
        let options = QueryOptions { params: params.clone(), label: "sql".into(), ..QueryOptions::default() };
        Ok(self.engine.query(sql, options, &Caller::local()).await?.into())
    }

    /// Reports tell more than their rows: which days the data covers, which columns matter.
    async fn report(&self, id: &str, values: &[(String, String)]) -> Result<Answer> {
        let run = self.reports.run(id, Request { values: values.to_vec() }, &Caller::local()).await?;
        let main = self.reports.get(id)?.info().main().to_vec();
        Ok(Answer { notes: run.receipt.notes, main, ..run.rows.into() })
    }
}
