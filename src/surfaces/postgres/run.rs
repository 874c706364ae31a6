//! Running one statement: a query through the engine, everything else by the connection itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use futures::StreamExt;
use pgwire::api::portal::{Format, PortalExecutionState};
use pgwire::api::results::{QueryResponse, Tag};
use pgwire::api::store::PortalStore;
use pgwire::error::PgWireResult;
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::response::TransactionStatus;
use tokio::sync::Mutex;

use super::command::Command;
use super::copy::Copy;
use super::cursor::Cursor;
use super::error::{FAILED_TRANSACTION, NO_TRANSACTION, UNKNOWN_CURSOR, coded, hinted, warning, wire};
use super::rows::{Batches, kept, response, texts, travelling};
use super::session::Session;
use crate::engine::{Param, QueryOptions};

/// Values of `$1`, `$2` …
pub type Params = BTreeMap<String, Param>;

/// What a statement gives.
pub enum Answer {
    Rows(QueryResponse),
    Copy(Copy),
    /// It is done; the transaction's status from now on.
    Done(Tag, TransactionStatus),
}

/// How rows are wanted.
pub struct Wanted<'a> {
    pub format: &'a Format,
    /// The columns that the client was told of.
    pub promised: Option<&'a SchemaRef>,
}

impl Session {
    /// Starts `command`. Rows come as they are asked for.
    pub async fn run(
        &self,
        command: &Command,
        params: Params,
        wanted: Wanted<'_>,
        status: TransactionStatus,
    ) -> PgWireResult<Answer> {
        may_run(command, status)?;
        let done = |tag: &str, status| Ok(Answer::Done(Tag::new(tag), status));
        match command {
            Command::Query(sql) => {
                let (batches, schema) = self.query(sql, params).await?;
                if let Some(promised) = wanted.promised {
                    kept(promised, &schema)?;
                }
                Ok(Answer::Rows(response(batches, &schema, wanted.format)?))
            }
            Command::Begin(tag) => {
                self.settings.begin();
                done(tag, TransactionStatus::Transaction)
            }
            Command::Commit if status != TransactionStatus::Error => {
                self.settings.commit();
                done("COMMIT", TransactionStatus::Idle)
            }
            Command::Commit | Command::Rollback => {
                self.settings.roll_back();
                done("ROLLBACK", TransactionStatus::Idle)
            }
            Command::Savepoint(name) => {
                self.settings.savepoint(name)?;
                done("SAVEPOINT", status)
            }
            Command::Release(name) => {
                self.settings.release(name)?;
                done("RELEASE", status)
            }
            Command::RollbackTo(name) => {
                self.settings.roll_back_to(name)?;
                done("ROLLBACK", TransactionStatus::Transaction)
            }
            Command::Set { name, value, local } => {
                match local {
                    true => self.settings.set_local(name, value)?,
                    false => self.settings.set(name, value)?,
                }
                done("SET", status)
            }
            Command::Reset(name) => {
                self.settings.reset(name.as_deref());
                done("RESET", status)
            }
            Command::Show(name) => {
                let (names, cells) = self.shown(name.as_deref())?;
                let mut rows = texts(&names, cells)?;
                rows.set_command_tag("SHOW");
                Ok(Answer::Rows(rows))
            }
            Command::DiscardAll => {
                self.settings.reset(None);
                self.cursors().clear();
                done("DISCARD ALL", status)
            }
            Command::Discard(tag) => done(tag, status),
            Command::Deallocate(_) => done("DEALLOCATE", status),
            Command::Unlisten => done("UNLISTEN", status),
            Command::Declare { cursor, query, hold } => {
                self.declare(cursor, query, params, *hold, status).await?;
                done("DECLARE CURSOR", status)
            }
            Command::Fetch { cursor, rows, give } => self.fetch(cursor, *rows, *give, wanted.format, status).await,
            Command::Close(cursor) => {
                self.close(cursor.as_deref())?;
                done("CLOSE CURSOR", status)
            }
            Command::Copy { query, format } => {
                let (batches, schema) = self.query(query, params).await?;
                Ok(Answer::Copy(Copy::new(batches, schema, format.clone())))
            }
        }
    }

    /// The rows of a query, and the columns in the types in which they travel.
    async fn query(&self, sql: &str, params: Params) -> PgWireResult<(Batches, SchemaRef)> {
        let options = QueryOptions { params, ..self.options() };
        let rows = self.shared.engine.query(sql, options, &self.caller()?).await.map_err(|e| wire(&e))?;
        let schema = travelling(&rows.schema);
        Ok((rows.into_stream(), schema))
    }

    /// The names and cells that SHOW answers.
    pub fn shown(&self, name: Option<&str>) -> PgWireResult<(Vec<&'static str>, Vec<Vec<String>>)> {
        let Some(name) = name else {
            let rows = self.settings.all().into_iter().map(|(name, value)| vec![name, value, String::new()]);
            return Ok((vec!["name", "setting", "description"], rows.collect()));
        };
        let (name, value) = self.settings.show(name)?;
        let known = crate::engine::POSTGRES_SETTINGS.iter().find(|(known, _)| *known == name);
        Ok((vec![known.map_or("setting", |(known, _)| *known)], vec![vec![value]]))
    }

    pub fn cursor(&self, name: &str) -> PgWireResult<Cursor> {
        let cursor = self.cursors().get(name).cloned();
        cursor.ok_or_else(|| coded(UNKNOWN_CURSOR, format!("cursor \"{name}\" does not exist")))
    }

    async fn declare(
        &self,
        name: &str,
        sql: &str,
        params: Params,
        hold: bool,
        status: TransactionStatus,
    ) -> PgWireResult<()> {
        if !hold && status == TransactionStatus::Idle {
            let message = "DECLARE CURSOR can only be used in transaction blocks";
            return Err(hinted(NO_TRANSACTION, message, "BEGIN first, or declare it WITH HOLD"));
        }
        let (batches, schema) = self.query(sql, params).await?;
        self.cursors().insert(name.into(), Cursor::new(batches, schema, hold));
        Ok(())
    }

    async fn fetch(
        &self,
        name: &str,
        rows: Option<usize>,
        give: bool,
        format: &Format,
        status: TransactionStatus,
    ) -> PgWireResult<Answer> {
        let cursor = self.cursor(name)?;
        let batches = cursor.fetch(rows);
        if give {
            let mut rows = response(batches, &cursor.schema, format)?;
            rows.set_command_tag("FETCH");
            return Ok(Answer::Rows(rows));
        }
        let count = |sum: usize, batch: arrow::array::RecordBatch| async move { Ok(sum + batch.num_rows()) };
        let moved = futures::TryStreamExt::try_fold(batches, 0, count).await.map_err(|e| wire(&e))?;
        Ok(Answer::Done(Tag::new("MOVE").with_rows(moved), status))
    }

    fn close(&self, name: Option<&str>) -> PgWireResult<()> {
        match name {
            None => self.cursors().clear(),
            Some(name) => {
                self.cursor(name)?;
                self.cursors().remove(name);
            }
        }
        Ok(())
    }

    /// Lets go of what ends with `command`: portals and cursors with their transaction, statements by name.
    pub fn forget(&self, command: &Command, store: &impl PortalStore) {
        match command {
            Command::Commit | Command::Rollback => {
                store.clear_portals();
                self.cursors().retain(|_, cursor| cursor.hold);
            }
            Command::DiscardAll => {
                store.clear_portals();
                self.forget_statements(store);
            }
            Command::Deallocate(None) => self.forget_statements(store),
            Command::Deallocate(Some(name)) => {
                store.rm_statement(name);
                self.statements().remove(name);
            }
            _ => {}
        }
    }

    fn forget_statements(&self, store: &impl PortalStore) {
        let names = std::mem::take(&mut *self.statements());
        names.iter().for_each(|name| store.rm_statement(name));
    }
}

/// A portal's rows that are being read.
pub type Reading = Arc<Mutex<PortalExecutionState>>;

/// The portal that `command` moves in, where that is no cursor: asyncpg does so.
pub fn moves_in(command: &Command, store: &impl PortalStore) -> Option<(Reading, Option<usize>)> {
    let Command::Fetch { cursor, rows, give: false } = command else { return None };
    let portal = store.get_portal(cursor)?;
    Some((Arc::clone(&portal.value()?.state), *rows))
}

/// Leaves out the next `rows`, `None` = all.
pub async fn leave_out(reading: Reading, rows: Option<usize>) -> PgWireResult<Tag> {
    let mut count = 0;
    if let PortalExecutionState::Suspended(response) = &mut *reading.lock().await {
        while rows.is_none_or(|rows| count < rows) {
            match response.data_rows().next().await {
                Some(row) => row?,
                None => break,
            };
            count += 1;
        }
    }
    Ok(Tag::new("MOVE").with_rows(count))
}

/// What the client is told before `command`, which is done all the same.
pub fn warned(command: &Command, status: TransactionStatus) -> Option<PgWireBackendMessage> {
    let in_vain = matches!(command, Command::Set { local: true, .. }) && status == TransactionStatus::Idle;
    let told = in_vain.then(|| warning(NO_TRANSACTION, "SET LOCAL can only be used in transaction blocks"))?;
    Some(PgWireBackendMessage::NoticeResponse(told))
}

/// Savepoints are in a transaction; after an error, it takes nothing but its end.
pub fn may_run(command: &Command, status: TransactionStatus) -> PgWireResult<()> {
    let of_savepoints = match command {
        Command::Savepoint(_) => Some("SAVEPOINT"),
        Command::Release(_) => Some("RELEASE SAVEPOINT"),
        Command::RollbackTo(_) => Some("ROLLBACK TO SAVEPOINT"),
        _ => None,
    };
    if let Some(words) = of_savepoints.filter(|_| status == TransactionStatus::Idle) {
        return Err(hinted(NO_TRANSACTION, format!("{words} can only be used in transaction blocks"), "BEGIN first"));
    }
    let ends = matches!(command, Command::Commit | Command::Rollback | Command::RollbackTo(_));
    if status == TransactionStatus::Error && !ends {
        let message = "current transaction is aborted, commands ignored until end of transaction block";
        return Err(coded(FAILED_TRANSACTION, message));
    }
    Ok(())
}
