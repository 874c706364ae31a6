//! Statements: planned when a flight is asked for, run when its ticket is fetched, from the state on which they were
//! planned. A prepared statement is its own handle; each execution of it is of the newest state.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow_flight::FlightInfo;
use arrow_flight::sql::{
    ActionCreatePreparedStatementResult, DoPutPreparedStatementResult, ProstMessageExt, TicketStatementQuery,
};
use futures::{StreamExt, TryStreamExt, stream};
use prost::Message;
use tonic::Status;

use super::errors::status;
use super::running::{Batches, Run, Running};
use super::sent::Sent;
use super::ticket::{Signer, Statement};
use super::{fields, flight_info, ipc, parameters};
use crate::access::Caller;
use crate::engine::{Described, Engine, Param, Pin, QueryOptions};
use crate::error::{Error, Result};

const TICKET: &str = "ticket";
const PREPARED: &str = "prepared statement";

/// Plans and runs statements.
pub struct Statements {
    engine: Engine,
    signer: Signer,
    running: Running,
}

impl Statements {
    pub fn new(engine: Engine, signer: Signer, running: Running) -> Statements {
        Statements { engine, signer, running }
    }

    /// The flight of a statement without parameters.
    pub async fn info(&self, sql: &str, caller: &Caller) -> Result<FlightInfo, Status> {
        self.flight(Statement::new(sql, caller), caller).await.map_err(status)
    }

    /// The flight of a prepared statement.
    pub async fn prepared_info(&self, handle: &[u8], caller: &Caller) -> Result<FlightInfo, Status> {
        let statement = self.signer.open(handle, PREPARED, caller).map_err(status)?;
        self.flight(statement, caller).await.map_err(status)
    }

    /// Plans the statement; its ticket pins the state.
    async fn flight(&self, statement: Statement, caller: &Caller) -> Result<FlightInfo> {
        let described = self.described(&statement, caller).await?;
        let schema = fields::of_result(&described.schema, !described.parameters.is_empty());
        let ticket = statement.pinned(&described.pin, ipc::message(&schema)?)?;
        let ticket = TicketStatementQuery { statement_handle: self.signer.seal(&ticket).into() };
        flight_info(&schema, ticket.as_any().encode_to_vec())
    }

    /// The statement, described with the first row of its values.
    async fn described(&self, statement: &Statement, caller: &Caller) -> Result<Described> {
        let first = parameters::unpacked(&statement.parameters)?.into_iter().next().unwrap_or_default();
        let described = self.engine.describe(&statement.sql, &options(first, None), caller).await?;
        if statement.parameters.is_empty() && !described.parameters.is_empty() {
            let names: Vec<String> = described.parameters.iter().map(|p| format!("${}", p.name)).collect();
            return Err(Error::invalid(format!("no values were bound to {}", names.join(", "))).hint(
                "prepare the statement and bind values to it; clients of Arrow before version 17 bind them, but do not \
                 take the handle that has them: use a newer one, or write the values into the SQL",
            ));
        }
        Ok(described)
    }

    /// Prepares a statement: its handle, its columns and its parameters.
    pub async fn prepare(&self, sql: &str, caller: &Caller) -> Result<ActionCreatePreparedStatementResult, Status> {
        let prepared = async {
            let described = self.engine.describe(sql, &options(BTreeMap::new(), None), caller).await?;
            // Without columns JDBC would take it for an UPDATE.
            let columns = ipc::message(&fields::of_result(&described.schema, !described.parameters.is_empty()))?;
            let wanted = ipc::message(&parameters::schema(&described.parameters))?;
            Ok(ActionCreatePreparedStatementResult {
                prepared_statement_handle: self.signer.seal(&Statement::new(sql, caller)).into(),
                dataset_schema: columns.into(),
                parameter_schema: wanted.into(),
            })
        };
        prepared.await.map_err(status)
    }

    /// Binds values: the handle that has them. A row each is a run of the statement.
    pub async fn bind(
        &self,
        handle: &[u8],
        rows: Sent,
        caller: &Caller,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        let mut statement = self.signer.open(handle, PREPARED, caller).map_err(status)?;
        let bound = parameters::receive(rows).await?;
        let bind = async {
            let described = self.engine.describe(&statement.sql, &options(BTreeMap::new(), None), caller).await?;
            let none = || RecordBatch::new_empty(Arc::new(Schema::empty()));
            let named = parameters::named(&bound.unwrap_or_else(none), &described.parameters)?;
            statement.parameters = match described.parameters.is_empty() {
                true => Vec::new(),
                false => parameters::packed(&named)?,
            };
            Ok(self.signer.seal(&statement))
        };
        let handle = bind.await.map_err(status)?;
        Ok(DoPutPreparedStatementResult { prepared_statement_handle: Some(handle.into()) })
    }

    /// Nothing is kept for a prepared statement; but a handle must be one.
    pub fn close(&self, handle: &[u8], caller: &Caller) -> Result<(), Status> {
        self.signer.open(handle, PREPARED, caller).map(drop).map_err(status)
    }

    /// The rows of a ticket.
    pub fn fetch(&self, ticket: &[u8], caller: &Caller) -> Result<(SchemaRef, Run), Status> {
        let fetch = || {
            let statement = self.signer.open(ticket, TICKET, caller)?;
            let pin = statement.pin()?;
            let schema = Arc::new(ipc::schema(&statement.schema)?);
            let runs = parameters::unpacked(&statement.parameters)?;
            let batches = self.batches(statement.sql.clone(), runs, pin, Arc::clone(&schema), caller);
            Ok((schema, self.running.run(&statement.id, batches)?))
        };
        fetch().map_err(status)
    }

    /// One run after the other, as the reader comes to them.
    fn batches(
        &self,
        sql: String,
        runs: Vec<BTreeMap<String, Param>>,
        pin: Pin,
        schema: SchemaRef,
        caller: &Caller,
    ) -> Batches {
        let (engine, caller) = (self.engine.clone(), caller.clone());
        let run = move |params| {
            let (engine, sql, pin) = (engine.clone(), sql.clone(), pin.clone());
            let (schema, caller) = (Arc::clone(&schema), caller.clone());
            async move {
                let rows = engine.query(&sql, options(params, Some(pin)), &caller).await?;
                as_told(&rows.schema, &schema)?;
                Ok::<Batches, Error>(rows.into_stream())
            }
        };
        stream::iter(runs).then(run).try_flatten().boxed()
    }

    /// Stops what runs of a ticket, now or in the next minutes.
    pub fn cancel(&self, ticket: &TicketStatementQuery, caller: &Caller) -> Result<(), Status> {
        let statement = self.signer.open(&ticket.statement_handle, TICKET, caller).map_err(status)?;
        self.running.cancel(&statement.id);
        Ok(())
    }

    /// That a ticket is good.
    pub fn check(&self, ticket: &TicketStatementQuery, caller: &Caller) -> Result<(), Status> {
        self.signer.open(&ticket.statement_handle, TICKET, caller).map(drop).map_err(status)
    }
}

fn options(params: BTreeMap<String, Param>, at: Option<Pin>) -> QueryOptions {
    QueryOptions { params, at, ..QueryOptions::default() }
}

/// Clients have made room for the columns that the flight told.
fn as_told(rows: &Schema, told: &Schema) -> Result<()> {
    let alike = rows.fields().len() == told.fields().len()
        && rows.fields().iter().zip(told.fields()).all(|(a, b)| a.data_type() == b.data_type());
    if alike {
        return Ok(());
    }
    Err(Error::unavailable("the statement has other columns now than when it was planned").hint("send it again"))
}
