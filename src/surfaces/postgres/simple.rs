//! The simple protocol: a text with any number of statements, run one after the other.

use std::fmt::Debug;

use async_trait::async_trait;
use futures::{Sink, SinkExt};
use pgwire::api::portal::Format;
use pgwire::api::query::{SimpleQueryHandler, send_execution_response, send_query_response, send_ready_for_query};
use pgwire::api::results::Response;
use pgwire::api::store::PortalStore;
use pgwire::api::{ClientInfo, ClientPortalStore, PgWireConnectionState};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireBackendMessage;
use pgwire::messages::response::EmptyQueryResponse;
use pgwire::messages::simplequery::Query;

use super::command::command;
use super::error::wire;
use super::lexer::statements;
use super::run::{Answer, Params, Wanted, leave_out, moves_in, warned};
use super::session::Session;

#[async_trait]
impl SimpleQueryHandler for Session {
    /// pgwire's own would start every statement before it sends the first one's rows, and collect no cancellation
    /// while they are sent.
    async fn on_query<C>(&self, client: &mut C, query: Query) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        self.caller()?;
        client.set_state(PgWireConnectionState::QueryInProgress);
        self.stoppable(self.run_all(client, &query.query)).await?;
        client.set_state(PgWireConnectionState::ReadyForQuery);
        send_ready_for_query(client, client.transaction_status()).await
    }

    /// Not used: see `on_query`.
    async fn do_query<C>(&self, _: &mut C, _: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        Ok(Vec::new())
    }
}

impl Session {
    async fn run_all<C>(&self, client: &mut C, sql: &str) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let all = statements(sql);
        if all.is_empty() {
            client.feed(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await?;
        }
        for sql in all {
            let command = command(sql).map_err(|e| wire(&e))?;
            if let Some((reading, rows)) = moves_in(&command, client.portal_store()) {
                send_execution_response(client, leave_out(reading, rows).await?).await?;
                continue;
            }
            let wanted = Wanted { format: &Format::UnifiedText, promised: None };
            match self.run(&command, Params::new(), wanted, client.transaction_status()).await? {
                Answer::Rows(rows) => send_query_response(client, rows, true).await?,
                Answer::Copy(copy) => copy.send(client).await?,
                Answer::Done(tag, status) => {
                    if let Some(warning) = warned(&command, client.transaction_status()) {
                        client.feed(warning).await?;
                    }
                    client.set_transaction_status(status);
                    send_execution_response(client, tag).await?;
                }
            }
            self.forget(&command, client.portal_store());
        }
        Ok(())
    }
}
