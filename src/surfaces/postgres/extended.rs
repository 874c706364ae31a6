//! The extended protocol: parse, bind, describe, execute, as many rows at a time as the client asks for. Rows are sent as
//! they come; a portal that is not read to its end keeps its query waiting.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use futures::{Sink, SinkExt};
use pgwire::api::portal::{Portal, PortalExecutionState};
use pgwire::api::query::{
    ExtendedQueryHandler, send_describe_response, send_execution_response, send_partial_query_response,
    send_ready_for_query,
};
use pgwire::api::results::{DescribePortalResponse, DescribeStatementResponse, QueryResponse, Response};
use pgwire::api::stmt::StoredStatement;
use pgwire::api::store::{Entry, PortalStore};
use pgwire::api::{ClientInfo, ClientPortalStore, DEFAULT_NAME, PgWireConnectionState};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::extendedquery::{
    Bind, BindComplete, Close, CloseComplete, Describe, Execute, Parse, ParseComplete, Sync as PgSync,
    TARGET_TYPE_BYTE_PORTAL, TARGET_TYPE_BYTE_STATEMENT,
};
use pgwire::messages::response::{EmptyQueryResponse, TransactionStatus};

use super::error::{PROTOCOL_VIOLATION, coded, wire};
use super::parameters::value;
use super::rows::fields;
use super::run::{Answer, Params, Wanted, warned};
use super::session::{Extended, Session};
use super::statement::{Parser, Prepared, Statement, with_values};

#[async_trait]
impl ExtendedQueryHandler for Extended {
    type Statement = Statement;
    type QueryParser = Parser;

    fn query_parser(&self) -> Arc<Parser> {
        Arc::new(Parser(Arc::clone(&self.0)))
    }

    /// As pgwire's, and keeps the statement's name: all of them can be let go of then.
    async fn on_parse<C>(&self, client: &mut C, message: Parse) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        match StoredStatement::parse(client, &message, self.query_parser()).await? {
            Some(statement) => client.portal_store().put_statement(Arc::new(statement)),
            None => client.portal_store().put_empty_statement(message.name.as_deref().unwrap_or(DEFAULT_NAME)),
        }
        self.0.statements().extend(message.name);
        client.feed(PgWireBackendMessage::ParseComplete(ParseComplete::new())).await?;
        Ok(())
    }

    /// As pgwire's, and lets go of a statement's name.
    async fn on_close<C>(&self, client: &mut C, message: Close) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        match message.target_type {
            TARGET_TYPE_BYTE_STATEMENT => {
                client.portal_store().rm_statement(name);
                self.0.statements().remove(name);
            }
            TARGET_TYPE_BYTE_PORTAL => client.portal_store().rm_portal(name),
            _ => {}
        }
        client.feed(PgWireBackendMessage::CloseComplete(CloseComplete::new())).await?;
        Ok(())
    }

    /// As pgwire's, which takes any number of formats and stumbles over them later.
    async fn on_bind<C>(&self, client: &mut C, message: Bind) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let name = message.statement_name.as_deref().unwrap_or(DEFAULT_NAME);
        match client.portal_store().get_statement(name) {
            Some(Entry::Value(statement)) => {
                fits(&message, &statement.statement)?;
                let bytes = message.parameters.iter().flatten().map(|value| value.len()).sum();
                let portal = Portal::try_new(&message, with_values(&statement, bytes, &self.0)?)?;
                client.portal_store().put_portal(Arc::new(portal));
            }
            Some(Entry::Empty) => {
                let portal = message.portal_name.as_deref().unwrap_or(DEFAULT_NAME);
                client.portal_store().put_empty_portal(portal);
            }
            None => return Err(PgWireError::StatementNotFound(name.into())),
        }
        client.feed(PgWireBackendMessage::BindComplete(BindComplete::new())).await?;
        Ok(())
    }

    /// As pgwire's, which would collect all rows before it sends the first.
    async fn on_execute<C>(&self, client: &mut C, message: Execute) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        self.0.caller()?;
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        let portal = match client.portal_store().get_portal(name) {
            Some(Entry::Value(portal)) => portal,
            Some(Entry::Empty) => {
                client.feed(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await?;
                return Ok(());
            }
            None => return Err(PgWireError::PortalNotFound(name.into())),
        };
        client.set_state(PgWireConnectionState::QueryInProgress);
        // Negative numbers are as good as none.
        let rows = usize::try_from(message.max_rows).unwrap_or(0);
        let executed = self.0.stoppable(self.0.execute(client, &portal, rows)).await;
        if executed.is_err() {
            // Its query ends with it.
            *portal.state().lock().await = PortalExecutionState::Finished;
        }
        client.set_state(PgWireConnectionState::ReadyForQuery);
        executed
    }

    /// A cursor may be described as a portal of its name.
    async fn on_describe<C>(&self, client: &mut C, message: Describe) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let cursor = match &message.name {
            Some(name) if message.target_type == TARGET_TYPE_BYTE_PORTAL => self.0.cursor(name).ok(),
            _ => None,
        };
        match cursor {
            Some(cursor) => {
                let told = DescribePortalResponse::new(fields(&cursor.schema, &Default::default())?);
                send_describe_response(client, &told).await
            }
            None => self._on_describe(client, message).await,
        }
    }

    async fn do_describe_statement<C>(
        &self,
        _: &mut C,
        target: &StoredStatement<Statement>,
    ) -> PgWireResult<DescribeStatementResponse>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let statement = &target.statement;
        let columns = statement.schema.as_ref().map(|schema| fields(schema, &Default::default())).transpose()?;
        Ok(DescribeStatementResponse::new(statement.parameters.clone(), columns.unwrap_or_default()))
    }

    /// Outside a transaction every portal ends here, and with it its query.
    async fn on_sync<C>(&self, client: &mut C, _: PgSync) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        if client.transaction_status() == TransactionStatus::Idle {
            client.portal_store().clear_portals();
        }
        send_ready_for_query(client, client.transaction_status()).await
    }

    /// Not used: see `on_execute`.
    async fn do_query<C>(&self, _: &mut C, _: &Portal<Statement>, _: usize) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        Ok(Response::EmptyQuery)
    }
}

impl Session {
    async fn execute<C>(&self, client: &mut C, portal: &Portal<Statement>, rows: usize) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Statement>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let state = portal.state();
        let mut state = state.lock().await;
        if matches!(*state, PortalExecutionState::Initial) {
            let prepared = &portal.statement.statement;
            let wanted = Wanted { format: &portal.result_column_format, promised: prepared.schema.as_ref() };
            let answer = self.run(&prepared.command, bound(portal)?, wanted, client.transaction_status()).await?;
            match answer {
                Answer::Rows(response) => *state = PortalExecutionState::Suspended(response),
                Answer::Copy(copy) => {
                    *state = PortalExecutionState::Finished;
                    return copy.send(client).await;
                }
                Answer::Done(tag, status) => {
                    if let Some(warning) = warned(&prepared.command, client.transaction_status()) {
                        client.feed(warning).await?;
                    }
                    *state = PortalExecutionState::Finished;
                    client.set_transaction_status(status);
                    send_execution_response(client, tag).await?;
                    self.forget(&prepared.command, client.portal_store());
                    return Ok(());
                }
            }
        }
        let mut none = QueryResponse::new(Arc::default(), futures::stream::empty());
        let response = match &mut *state {
            PortalExecutionState::Suspended(response) => response,
            _ => &mut none,
        };
        if !send_partial_query_response(client, response, rows).await? {
            *state = PortalExecutionState::Finished;
        }
        Ok(())
    }
}

/// Refuses values and formats that do not match the statement.
fn fits(bind: &Bind, statement: &Prepared) -> PgWireResult<()> {
    let (given, needed) = (bind.parameters.len(), statement.parameters.len());
    if given != needed {
        let message = format!("bind message supplies {given} parameters, but the prepared statement requires {needed}");
        return Err(coded(PROTOCOL_VIOLATION, message));
    }
    let columns = statement.schema.as_ref().map_or(0, |schema| schema.fields().len());
    for (codes, of, what) in
        [(&bind.parameter_format_codes, given, "parameters"), (&bind.result_column_format_codes, columns, "columns")]
    {
        if codes.len() > 1 && codes.len() != of {
            let message = format!("bind message has {} formats for {of} {what}", codes.len());
            return Err(coded(PROTOCOL_VIOLATION, message));
        }
    }
    Ok(())
}

/// The portal's values.
fn bound(portal: &Portal<Statement>) -> PgWireResult<Params> {
    let types = portal.statement.statement.parameters.iter();
    let values = types.zip(&portal.parameters).enumerate().map(|(at, (kind, bytes))| {
        let param = value(at + 1, kind, portal.parameter_format.is_binary(at), bytes.as_deref());
        Ok(((at + 1).to_string(), param.map_err(|e| wire(&e))?))
    });
    values.collect()
}
