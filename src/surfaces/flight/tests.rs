//! The surface over a real socket, with `arrow-flight`'s own client and an empty lake.

mod nonsense;
mod room;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Int64Type};
use arrow::ipc::CompressionType;
use arrow::ipc::writer::IpcWriteOptions;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::sql::client::FlightSqlServiceClient;
use arrow_flight::sql::{
    ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult, Any, CommandGetDbSchemas,
    CommandGetTables, CommandGetXdbcTypeInfo, CommandPreparedStatementQuery, CommandStatementIngest,
    CommandStatementQuery, ProstMessageExt, SqlInfo,
};
use arrow_flight::{
    Action, CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightData, FlightDescriptor, FlightInfo,
};
use futures::{TryStreamExt, stream};
use prost::Message;
use tokio::task::JoinHandle;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use super::*;
use crate::clock::Clock;
use crate::config::{EngineConfig, LakeConfig};
use crate::lake::Lake;

const BI: &str = "0123456789abcdef";
const JOB: &str = "fedcba9876543210";
const GRACE: Duration = Duration::from_secs(5);

type Client = FlightSqlServiceClient<Channel>;

struct Stage {
    addr: SocketAddr,
    stop: CancellationToken,
    serving: JoinHandle<Result<()>>,
}

impl Stage {
    async fn open(tokens: &[(&str, &str)]) -> Stage {
        Stage::open_within(START_UP, tokens, |_| {}).await
    }

    async fn open_within(start_up: Duration, tokens: &[(&str, &str)], change: impl FnOnce(&mut FlightConfig)) -> Stage {
        let lake = LakeConfig { url: "memory://".into(), ..LakeConfig::default() };
        let lake = Lake::open(&lake).await.unwrap();
        let config = EngineConfig { threads: 2, ..EngineConfig::default() };
        let engine = Engine::open(&lake, &config, &BTreeMap::new(), Clock::system()).await.unwrap();
        let tokens = tokens.iter().map(|(n, t)| (n.to_string(), t.to_string())).collect();
        let mut config = FlightConfig { bind: "127.0.0.1:0".into(), ..FlightConfig::default() };
        change(&mut config);
        let access = AccessConfig { tokens };
        let server = Server::bind_within(start_up, &config, &access, engine, None).await.unwrap();
        let (addr, stop) = (server.addr(), CancellationToken::new());
        let serving = tokio::spawn(server.run(stop.clone().cancelled_owned(), GRACE));
        Stage { addr, stop, serving }
    }

    async fn client(&self) -> Client {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.addr)).unwrap();
        Client::new(endpoint.connect().await.unwrap())
    }

    async fn client_of(&self, token: &str) -> Client {
        let mut client = self.client().await;
        client.set_token(token.into());
        client
    }
}

async fn rows(client: &mut Client, info: &FlightInfo) -> Result<RecordBatch, FlightError> {
    let told = info.clone().try_decode_schema().unwrap();
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    let mut rows = client.do_get(ticket).await?;
    let mut batches = Vec::new();
    while let Some(batch) = rows.try_next().await? {
        batches.push(batch);
    }
    let schema = rows.schema().unwrap();
    assert_eq!(schema.as_ref(), &told, "the flight told what comes");
    Ok(arrow::compute::concat_batches(schema, &batches).unwrap())
}

fn refused<T>(result: Result<T, FlightError>) -> Status {
    match result.err().expect("refused") {
        FlightError::Tonic(status) => *status,
        other => panic!("{other}"),
    }
}

fn numbers(batch: &RecordBatch) -> Vec<i64> {
    batch.column(0).as_primitive::<Int64Type>().values().to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_is_planned_then_fetched() {
    let stage = Stage::open(&[]).await;
    let mut client = stage.client().await;
    let sql = "SELECT n, 'x' AS x FROM (VALUES (2), (1)) AS t(n) ORDER BY n";
    let info = client.execute(sql.into(), None).await.unwrap();
    assert_eq!((info.endpoint.len(), info.ordered), (1, true));
    assert!(info.endpoint[0].location.is_empty() && info.total_records == -1 && info.total_bytes == -1);
    let batch = rows(&mut client, &info).await.unwrap();
    assert_eq!(numbers(&batch), [1, 2]);
    assert_eq!(batch.schema().field(1).metadata()["ARROW:FLIGHT:SQL:TYPE_NAME"], "TEXT");
    assert_eq!(numbers(&rows(&mut client, &info).await.unwrap()), [1, 2], "a ticket may be fetched again");

    let wrong = refused(client.execute("SELECT nix FROM product".into(), None).await);
    assert!(wrong.code() != Code::Internal && wrong.message().contains("hint: "), "{wrong}");
    let update = refused(client.execute_update("DELETE FROM product".into(), None).await);
    assert_eq!(update.code(), Code::PermissionDenied);
    stage.stop.cancel();
    drop(client);
    stage.serving.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prepared_statement_runs_for_each_row_bound() {
    let stage = Stage::open(&[]).await;
    let mut client = stage.client().await;
    let mut prepared =
        client.prepare("SELECT CAST($1 AS BIGINT) + 1 AS n, CAST($2 AS TEXT) AS t".into(), None).await.unwrap();
    assert_eq!(prepared.dataset_schema().unwrap().fields().len(), 2);
    let parameters = prepared.parameter_schema().unwrap();
    assert_eq!((parameters.field(0).name().as_str(), parameters.fields().len()), ("$1", 2));

    let unbound = refused(prepared.execute().await);
    assert_eq!(unbound.code(), Code::InvalidArgument);
    assert!(unbound.message().contains("$1, $2") && unbound.message().contains("Arrow"), "{unbound}");

    let bound = |n: Vec<i64>| {
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values(n.iter().map(|n| format!("t{n}"))));
        RecordBatch::try_from_iter([("0", Arc::new(Int64Array::from(n)) as ArrayRef), ("1", texts)]).unwrap()
    };
    for given in [vec![5], vec![3, 1, 2], vec![]] {
        prepared.set_parameters(bound(given.clone())).unwrap();
        let info = prepared.execute().await.unwrap();
        let batch = rows(&mut client, &info).await.unwrap();
        assert_eq!(numbers(&batch), given.iter().map(|n| n + 1).collect::<Vec<_>>(), "in the order of the rows");
    }
    let some: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
    prepared
        .set_parameters(RecordBatch::try_from_iter_with_nullable([("0", some, true), ("1", texts, true)]).unwrap())
        .unwrap();
    let info = prepared.execute().await.unwrap();
    assert_eq!(rows(&mut client, &info).await.unwrap().column(0).null_count(), 1, "a run may give NULL");
    prepared.set_parameters(bound(vec![1]).project(&[0]).unwrap()).unwrap();
    assert!(refused(prepared.execute().await).message().contains("2 parameters"));
    prepared.close().await.unwrap();
}

/// On threads with stacks as small as they are anywhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_too_large_is_refused_and_the_server_goes_on() {
    let stage = Stage::open(&[]).await;
    let mut client = stage.client().await;
    let terms = |n: usize| format!("SELECT 1{} AS n", " + 1".repeat(n - 1));
    let doubled = (1..=19).map(|i| format!(", a{i} AS (SELECT * FROM a{0} UNION ALL SELECT * FROM a{0})", i - 1));
    let doubled = format!("WITH a0 AS (SELECT 1 AS x){} SELECT * FROM a19", doubled.collect::<String>());
    for (sql, says) in [(terms(20_000), "79996 operators"), (doubled, "relations")] {
        let large = refused(client.execute(sql.clone(), None).await);
        assert!(large.code() == Code::InvalidArgument && large.message().contains(says), "{large}");
        assert!(client.prepare(sql, None).await.is_err());
    }
    let info = client.execute(terms(600), None).await.unwrap();
    assert_eq!(numbers(&rows(&mut client, &info).await.unwrap()), [600]);
    let written = refused(client.execute("WITH a AS (DELETE FROM product) SELECT 1".into(), None).await);
    assert_eq!(written.code(), Code::PermissionDenied, "{written}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_are_who_they_say() {
    let stage = Stage::open(&[("bi", BI), ("job", JOB)]).await;
    let mut nobody = stage.client().await;
    assert_eq!(refused(nobody.execute("SELECT 1".into(), None).await).code(), Code::Unauthenticated);
    assert!(nobody.handshake("bi", JOB).await.is_err());
    assert_eq!(nobody.handshake("bi", BI).await.unwrap().as_ref(), BI.as_bytes());
    let info = nobody.execute("SELECT 1 AS n".into(), None).await.unwrap();
    assert_eq!(rows(&mut nobody, &info).await.unwrap().num_rows(), 1);

    let mut job = stage.client_of(JOB).await;
    assert_eq!(refused(rows(&mut job, &info).await).code(), Code::PermissionDenied, "another's ticket");
    let mut changed = info.clone();
    let ticket = changed.endpoint[0].ticket.as_mut().unwrap();
    let mut bytes = ticket.ticket.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    ticket.ticket = bytes.into();
    assert_eq!(refused(rows(&mut nobody, &changed).await).code(), Code::InvalidArgument, "a changed ticket");
}

async fn act(client: &mut Client, name: &str, body: Vec<u8>) -> Result<Vec<u8>, FlightError> {
    let mut results = client.do_action(Action { r#type: name.into(), body: body.into() }).await?;
    Ok(results.message().await?.map(|result| result.body.to_vec()).unwrap_or_default())
}

/// A few bytes that claim to unpack to a pebibyte: room for it would end the process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bound_values_are_weighed_before_they_are_unpacked() {
    const ROWS: usize = 1000;
    let stage = Stage::open(&[]).await;
    let mut client = stage.client().await;
    let query = "SELECT CAST($1 AS BIGINT) + 1 AS n".to_string();
    let asked = ActionCreatePreparedStatementRequest { query, transaction_id: None };
    let made = act(&mut client, "CreatePreparedStatement", asked.as_any().encode_to_vec()).await.unwrap();
    let made: ActionCreatePreparedStatementResult = Any::decode(&*made).unwrap().unpack().unwrap().unwrap();
    let command = CommandPreparedStatementQuery { prepared_statement_handle: made.prepared_statement_handle };
    let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
    let values = RecordBatch::try_from_iter([("0", Arc::new(Int64Array::from(vec![7; ROWS])) as ArrayRef)]).unwrap();
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD)).unwrap();
    let encoder = FlightDataEncoderBuilder::new().with_options(options).with_flight_descriptor(Some(descriptor));
    let mut sent: Vec<FlightData> = encoder.build(stream::iter([Ok(values)])).try_collect().await.unwrap();
    let told = client.do_put(stream::iter(sent.clone())).await.unwrap().message().await.unwrap();
    assert!(told.is_some_and(|told| !told.app_metadata.is_empty()), "packed, and small enough");

    let mut body = sent[1].data_body.to_vec();
    let length = (8 * ROWS as i64).to_le_bytes();
    let place = body.windows(8).position(|bytes| bytes == length).unwrap();
    body[place..place + 8].copy_from_slice(&(1_i64 << 50).to_le_bytes());
    sent[1].data_body = body.into();
    let denied = refused(client.do_put(stream::iter(sent)).await);
    assert_eq!(denied.code(), Code::InvalidArgument);
    assert!(denied.message().contains("1024 KiB of bound values"), "{denied}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_flight_is_not_answered() {
    let stage = Stage::open(&[]).await;
    let mut client = stage.client().await;
    let info = client.execute("SELECT 1 AS n".into(), None).await.unwrap();
    let request = CancelFlightInfoRequest { info: Some(info.clone()) };
    let result = act(&mut client, "CancelFlightInfo", request.encode_to_vec()).await.unwrap();
    let status = CancelFlightInfoResult::decode(&*result).unwrap().status;
    assert_eq!(status, CancelStatus::Cancelled as i32);
    assert_eq!(refused(rows(&mut client, &info).await).code(), Code::Cancelled);
    let catalogs = client.get_catalogs().await.unwrap();
    let request = CancelFlightInfoRequest { info: Some(catalogs) };
    let result = act(&mut client, "CancelFlightInfo", request.encode_to_vec()).await.unwrap();
    let status = CancelFlightInfoResult::decode(&*result).unwrap().status;
    assert_eq!(status, CancelStatus::NotCancellable as i32);
    for (unknown, code) in [("BeginTransaction", Code::Unimplemented), ("Nix", Code::Unimplemented)] {
        assert_eq!(refused(act(&mut client, unknown, Vec::new()).await).code(), code, "{unknown}");
    }
    assert!(!act(&mut client, "GetSessionOptions", Vec::new()).await.unwrap().is_empty());
    act(&mut client, "CloseSession", Vec::new()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metadata_is_told() {
    let stage = Stage::open(&[]).await;
    let mut client = stage.client().await;
    let tables = CommandGetTables { include_schema: true, ..CommandGetTables::default() };
    let infos = [
        client.get_catalogs().await.unwrap(),
        client.get_db_schemas(CommandGetDbSchemas::default()).await.unwrap(),
        client.get_tables(tables).await.unwrap(),
        client.get_table_types().await.unwrap(),
        client.get_sql_info(vec![SqlInfo::FlightSqlServerName, SqlInfo::SqlIdentifierQuoteChar]).await.unwrap(),
        client.get_xdbc_type_info(CommandGetXdbcTypeInfo::default()).await.unwrap(),
    ];
    for info in &infos {
        assert!(rows(&mut client, info).await.unwrap().num_rows() > 0);
    }
    let command = CommandStatementQuery { query: "SELECT 1 AS n".into(), transaction_id: None };
    let descriptor = FlightDescriptor::new_cmd(command.as_any().encode_to_vec());
    let mut flight = client.inner_mut().clone();
    let schema = flight.get_schema(descriptor.clone()).await.unwrap().into_inner();
    assert_eq!(ipc::schema(&schema.schema).unwrap().field(0).data_type(), &DataType::Int64);
    let poll = flight.poll_flight_info(descriptor).await.unwrap().into_inner();
    assert!(poll.flight_descriptor.is_none() && poll.info.unwrap().endpoint.len() == 1);
    let actions: Vec<_> =
        flight.list_actions(arrow_flight::Empty {}).await.unwrap().into_inner().try_collect().await.unwrap();
    assert!(actions.iter().any(|a| a.r#type == "CancelFlightInfo"));
    assert!(!actions.iter().any(|a| a.r#type == "BeginTransaction"), "only what is done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_rows_are_taken_where_that_is_not_allowed() {
    let stage = Stage::open(&[]).await;
    let mut client = stage.client().await;
    let batch = RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]).unwrap();
    let command = CommandStatementIngest { table: "products".into(), ..CommandStatementIngest::default() };
    let denied = refused(client.execute_ingest(command, stream::iter([Ok(batch)])).await);
    assert_eq!(denied.code(), Code::PermissionDenied);
    assert!(denied.message().contains("flight.allow_ingest"), "{denied}");
}
