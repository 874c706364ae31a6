//! The calls of Flight, each by a known caller, and which part answers its command. `arrow-flight`'s own dispatch cannot
//! answer GetSchema, PollFlightInfo and ListActions.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::flight_descriptor::DescriptorType;
use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::{Any, Command, DoPutUpdateResult};
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightEndpoint, FlightInfo, HandshakeRequest,
    HandshakeResponse, PollInfo, PutResult, SchemaResult, Ticket,
};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use prost::Message;
use tokio::time::timeout;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Request, Response, Status, Streaming};
use tracing::Instrument;

use super::actions::{self, no_substrait, no_transaction};
use super::auth::Door;
use super::errors::{of_flight, status, unimplemented, unreadable};
use super::guard::enter;
use super::ingest::Bulk;
use super::ipc;
use super::metadata::Metadata;
use super::statements::Statements;
use crate::access::Caller;
use crate::engine::Engine;
use crate::error::{Error, ErrorKind, Result};

/// The body of a message that carries rows, bytes about: half of what the most modest clients take.
pub const CHUNK: usize = 2 << 20;

/// All that calls reach.
pub struct Service {
    pub door: Arc<Door>,
    pub engine: Engine,
    pub statements: Statements,
    pub metadata: Metadata,
    pub bulk: Bulk,
    /// How long a handshake may take.
    pub start_up: Duration,
}

type Answer<T> = Result<Response<T>, Status>;
type Many<T> = BoxStream<'static, Result<T, Status>>;

impl Service {
    /// Does the work of a call, for whom the guard has let in, in a span of its own.
    async fn call<A, T, F>(name: &'static str, request: Request<A>, work: impl FnOnce(Caller, A) -> F) -> Answer<T>
    where
        F: Future<Output = Result<T, Status>>,
    {
        let (_, mut extensions, asked) = request.into_parts();
        let nobody = || status(Error::internal(format!("{name} has no caller")));
        let caller = extensions.remove::<Caller>().ok_or_else(nobody)?;
        let span = tracing::info_span!("flight_call", call = name, principal = caller.principal);
        let begun = Instant::now();
        let work = async {
            let done = work(caller, asked).await;
            let code = done.as_ref().err().map_or(tonic::Code::Ok, Status::code);
            tracing::debug!(?code, duration_ms = begun.elapsed().as_millis() as u64, "flight call answered");
            done
        };
        work.instrument(span).await.map(Response::new)
    }

    async fn info(&self, descriptor: FlightDescriptor, caller: &Caller) -> Result<FlightInfo, Status> {
        if descriptor.r#type == DescriptorType::Path as i32 {
            return Err(unimplemented("flights have no paths here", "send a command of Flight SQL"));
        }
        let info = match command(&descriptor.cmd)? {
            Command::CommandStatementQuery(asked) => {
                no_transaction(asked.transaction_id.as_deref())?;
                self.statements.info(&asked.query, caller).await?
            }
            Command::CommandPreparedStatementQuery(asked) => {
                self.statements.prepared_info(&asked.prepared_statement_handle, caller).await?
            }
            Command::CommandStatementSubstraitPlan(_) => return Err(no_substrait()),
            other => {
                let schema = self.metadata.schema(&other).ok_or_else(|| not_here(&other, "GetFlightInfo"))?;
                flight_info(&schema, descriptor.cmd.to_vec()).map_err(status)?
            }
        };
        Ok(info.with_descriptor(descriptor))
    }

    async fn fetch(&self, ticket: Ticket, caller: &Caller) -> Result<Many<FlightData>, Status> {
        match command(&ticket.ticket)? {
            Command::TicketStatementQuery(ticket) => {
                let (schema, rows) = self.statements.fetch(&ticket.statement_handle, caller)?;
                Ok(encoded(schema, rows))
            }
            other => {
                let strange = not_here(&other, "DoGet");
                let messages = self.metadata.messages(other, &self.engine.relations()).await.ok_or(strange)??;
                Ok(stream::iter((0..messages.len()).map(move |at| Ok(messages[at].clone()))).boxed())
            }
        }
    }

    async fn put(&self, mut sent: Streaming<FlightData>, caller: &Caller) -> Result<Vec<u8>, Status> {
        let first = sent.try_next().await?.ok_or_else(|| unreadable("the call", "it has no message"))?;
        let descriptor = first.flight_descriptor.clone();
        let descriptor = descriptor.ok_or_else(|| unreadable("the first message", "it has no descriptor"))?;
        let rows = stream::iter([Ok(first)]).chain(sent).map_err(FlightError::from).boxed();
        match command(&descriptor.cmd)? {
            Command::CommandPreparedStatementQuery(asked) => {
                let bound = self.statements.bind(&asked.prepared_statement_handle, rows, caller).await?;
                Ok(bound.encode_to_vec())
            }
            Command::CommandStatementIngest(asked) => {
                let record_count = self.bulk.land(asked, rows, caller).await?;
                Ok(DoPutUpdateResult { record_count }.encode_to_vec())
            }
            Command::CommandStatementUpdate(_) | Command::CommandPreparedStatementUpdate(_) => Err(only_reads()),
            Command::CommandStatementSubstraitPlan(_) => Err(no_substrait()),
            other => Err(not_here(&other, "DoPut")),
        }
    }
}

#[tonic::async_trait]
impl FlightService for Service {
    type HandshakeStream = Many<HandshakeResponse>;
    type ListFlightsStream = Many<FlightInfo>;
    type DoGetStream = Many<FlightData>;
    type DoPutStream = Many<PutResult>;
    type DoActionStream = Many<arrow_flight::Result>;
    type ListActionsStream = Many<ActionType>;
    type DoExchangeStream = Many<FlightData>;

    async fn handshake(&self, request: Request<Streaming<HandshakeRequest>>) -> Answer<Self::HandshakeStream> {
        let (metadata, extensions, mut sent) = request.into_parts();
        // Who shows something in the header need not send a message.
        let message = match metadata.contains_key("authorization") {
            true => None,
            false => timeout(self.start_up, sent.try_next()).await.map_err(|_| silent())??,
        };
        let token = self.door.handshake(&metadata, message)?;
        enter(&extensions)?;
        let bearer: MetadataValue<Ascii> = format!("Bearer {token}").parse().map_err(|_| {
            status(Error::invalid("the token cannot be told in a header").hint("make one of visible ASCII characters"))
        })?;
        let answer = HandshakeResponse { protocol_version: 0, payload: token.into() };
        let mut response = Response::new(stream::iter([Ok(answer)]).boxed());
        response.metadata_mut().insert("authorization", bearer);
        Ok(response)
    }

    /// Flights are made by commands: there are none to list.
    async fn list_flights(&self, request: Request<Criteria>) -> Answer<Self::ListFlightsStream> {
        Self::call("ListFlights", request, async |_, _| Ok(stream::empty().boxed())).await
    }

    async fn get_flight_info(&self, request: Request<FlightDescriptor>) -> Answer<FlightInfo> {
        Self::call("GetFlightInfo", request, async |caller, asked| self.info(asked, &caller).await).await
    }

    /// Planning is all that there is to wait for.
    async fn poll_flight_info(&self, request: Request<FlightDescriptor>) -> Answer<PollInfo> {
        let poll = async |caller: Caller, asked| {
            let info = self.info(asked, &caller).await?;
            Ok(PollInfo { info: Some(info), progress: Some(1.0), ..PollInfo::default() })
        };
        Self::call("PollFlightInfo", request, poll).await
    }

    async fn get_schema(&self, request: Request<FlightDescriptor>) -> Answer<SchemaResult> {
        let schema = async |caller: Caller, asked| Ok(SchemaResult { schema: self.info(asked, &caller).await?.schema });
        Self::call("GetSchema", request, schema).await
    }

    async fn do_get(&self, request: Request<Ticket>) -> Answer<Self::DoGetStream> {
        Self::call("DoGet", request, async |caller, ticket| self.fetch(ticket, &caller).await).await
    }

    async fn do_put(&self, request: Request<Streaming<FlightData>>) -> Answer<Self::DoPutStream> {
        let put = async |caller: Caller, sent| {
            let app_metadata = self.put(sent, &caller).await?.into();
            Ok(stream::iter([Ok(PutResult { app_metadata })]).boxed())
        };
        Self::call("DoPut", request, put).await
    }

    async fn do_action(&self, request: Request<Action>) -> Answer<Self::DoActionStream> {
        let act = async |caller: Caller, action| {
            let body = actions::act(&self.statements, action, &caller).await?;
            Ok(stream::iter(body.map(|body| Ok(arrow_flight::Result { body }))).boxed())
        };
        Self::call("DoAction", request, act).await
    }

    async fn list_actions(&self, request: Request<Empty>) -> Answer<Self::ListActionsStream> {
        let all = async |_, _| Ok(stream::iter(actions::list().map(Ok)).boxed());
        Self::call("ListActions", request, all).await
    }

    async fn do_exchange(&self, request: Request<Streaming<FlightData>>) -> Answer<Self::DoExchangeStream> {
        let none = async |_, _| Err(unimplemented("DoExchange has no use here", "send a statement with GetFlightInfo"));
        Self::call("DoExchange", request, none).await
    }
}

/// One endpoint, without a place: it is fetched where it was asked for. How many rows there will be nobody has counted.
pub fn flight_info(schema: &Schema, ticket: Vec<u8>) -> Result<FlightInfo> {
    let endpoint = FlightEndpoint::new().with_ticket(Ticket { ticket: ticket.into() });
    let info = FlightInfo { schema: ipc::message(schema)?.into(), ..FlightInfo::new() };
    Ok(info.with_endpoint(endpoint).with_total_records(-1).with_total_bytes(-1).with_ordered(true))
}

fn encoded(schema: SchemaRef, rows: impl Stream<Item = Result<RecordBatch>> + Send + 'static) -> Many<FlightData> {
    let rows = rows.map_err(|error| FlightError::from(status(error)));
    let encoder = FlightDataEncoderBuilder::new().with_schema(schema).with_max_flight_data_size(CHUNK);
    encoder.build(rows).map_err(of_flight).boxed()
}

fn command(bytes: &[u8]) -> Result<Command, Status> {
    let any = Any::decode(bytes).map_err(|e| unreadable("the command", e))?;
    Command::try_from(any).map_err(|e| unreadable("the command", e))
}

fn not_here(command: &Command, call: &str) -> Status {
    let name = command.type_url().rsplit('.').next().unwrap_or_default();
    let name = if name.is_empty() { "what is no command of Flight SQL" } else { name };
    unimplemented(&format!("{call} does not answer {name}"), "see ListActions and SqlInfo for what is done here")
}

fn silent() -> Status {
    let late = Error::new(ErrorKind::Timeout, "the handshake's message did not come in time");
    status(late.hint("send user and password, or show them in the authorization header"))
}

fn only_reads() -> Status {
    let denied = Error::new(ErrorKind::Denied, "statements only read here: nothing can be changed by SQL");
    status(
        denied.hint("send queries as queries; rows come in as files, by HTTP, or by bulk ingest (ADBC: adbc_ingest)"),
    )
}
