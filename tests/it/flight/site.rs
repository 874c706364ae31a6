//! A server with Flight SQL for tests, over the shared sample or a lake of its own, and arrow-flight's client of it.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use arrow::record_batch::RecordBatch;
use arrow_flight::FlightInfo;
use arrow_flight::error::{FlightError, Result as FlightResult};
use arrow_flight::sql::client::FlightSqlServiceClient;
use futures::TryStreamExt;
use saleslake::app::App;
use saleslake::config::Config;
use saleslake::engine::{Engine, QueryOptions};
use saleslake::error::Result;
use saleslake::ingest::{Ingest, InputFile};
use saleslake::lake::Lake;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::Status;
use tonic::transport::Channel;

use crate::common::{self, Answer, Silent};

pub type Client = FlightSqlServiceClient<Channel>;

/// The source of a [`Site::own`] that takes pushes.
pub const PUSHED: &str = "till_push";
/// Only a failing test waits this long.
const SOON: Duration = Duration::from_secs(60);

/// A server that answers on a free port.
pub struct Site {
    pub addr: SocketAddr,
    /// Where it speaks the PostgreSQL wire protocol, if it does.
    pub postgres: Option<SocketAddr>,
    pub engine: Engine,
    ingest: Ingest,
    folder: tempfile::TempDir,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<()>>,
}

impl Site {
    /// Over the shared sample, which nobody may change. On the sample's runtime: see [`on_sample`].
    pub async fn sample(change: impl FnOnce(&mut Config)) -> Site {
        Site::over(common::shared_sample().app.lake.clone(), change).await
    }

    /// Over an empty lake of its own; rows come by [`Site::land`] or are pushed into [`PUSHED`].
    pub async fn own(change: impl FnOnce(&mut Config)) -> Site {
        let lake = Lake::open(&common::config().lake).await.unwrap();
        Site::over(lake, |config| {
            config.flight.allow_ingest = true;
            config.http.ingest_group_ms = 0;
            change(config);
        })
        .await
    }

    /// As [`Site::own`], over the lake of another one.
    pub async fn over(lake: Lake, change: impl FnOnce(&mut Config)) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let sources = folder.path().join("sources");
        std::fs::create_dir_all(&sources).unwrap();
        std::fs::write(sources.join("till.sql"), common::till("csv")).unwrap();
        std::fs::write(sources.join(format!("{PUSHED}.sql")), common::till("arrow")).unwrap();
        let mut config = common::config();
        config.queries_dir = Some(folder.path().to_path_buf());
        config.flight.enabled = true;
        config.flight.bind = "127.0.0.1:0".into();
        config.engine.concurrent = 8; // BI tools get half
        change(&mut config);
        let app = App::over(lake, config, common::clock()).await.unwrap();
        let (engine, ingest) = (app.engine.clone(), app.ingest().unwrap());
        let serving = app.build().await.unwrap();
        let addr = serving.flight_addr().expect("Flight SQL is on");
        let postgres = serving.postgres_addr();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(serving.run(async {
            let _ = stopped.await;
        }));
        Site { addr, postgres, engine, ingest, folder, stop, served }
    }

    pub fn uri(&self) -> String {
        format!("grpc://{}", self.addr)
    }

    pub async fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.addr)).unwrap().connect().await.unwrap()
    }

    pub async fn client(&self) -> Client {
        FlightSqlServiceClient::new(self.channel().await)
    }

    /// Lands a line per order as a file, and shows it.
    pub async fn land(&self, orders: &[&str]) {
        let path = self.folder.path().join(format!("{}.csv", orders[0]));
        let lines: Vec<String> = orders.iter().map(|o| format!("{o},web,2026-01-10,tea,2,10.50\n")).collect();
        std::fs::write(&path, format!("order_no,channel,sold,sku,qty,price\n{}", lines.concat())).unwrap();
        let file = InputFile::open(&path, path.to_string_lossy()).unwrap();
        let account = self.ingest.run("till", &[file], &Silent).await.unwrap();
        assert_eq!(account.files[0].quarantined, 0, "{account}");
        self.engine.refresh().await.unwrap();
    }

    /// What became of a statement: its states in the query log.
    pub async fn states(&self, sql: &str) -> Vec<String> {
        let of = format!("SELECT state FROM system.queries WHERE sql = '{}'", sql.replace('\'', "''"));
        let told = common::query(&self.engine, &of, QueryOptions::default()).await.unwrap();
        told.column("state").into_iter().map(String::from).collect()
    }

    /// Waits until the statement has this state.
    pub async fn becomes(&self, sql: &str, state: &str, within: Duration) {
        let begun = std::time::Instant::now();
        loop {
            let states = self.states(sql).await;
            if states.iter().any(|s| s == state) {
                return;
            }
            assert!(begun.elapsed() < within, "{sql}: {states:?} after {within:?}, wanted {state}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The rows that a statement has given so far.
    pub async fn given(&self, sql: &str) -> u64 {
        let of = format!("SELECT rows FROM system.queries WHERE sql = '{}'", sql.replace('\'', "''"));
        let told = common::query(&self.engine, &of, QueryOptions::default()).await.unwrap();
        told.rows[0][0].parse().unwrap()
    }

    /// The rows that a statement gives to a reader who does not read: whatever lies in buffers on the way fills, and then
    /// it waits.
    pub async fn stalled(&self, sql: &str) -> u64 {
        let (mut before, begun) = (0, std::time::Instant::now());
        loop {
            let given = self.given(sql).await;
            if given == before && given > 0 {
                return given;
            }
            assert!(begun.elapsed() < SOON, "it never stops: {given} rows");
            before = given;
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(SOON, self.served).await.expect("the server did not stop").unwrap().unwrap();
    }
}

/// Runs a test against the shared sample, on whose runtime its servers live.
pub fn on_sample<F: Future>(test: impl FnOnce() -> F) -> F::Output {
    let shared = common::shared_sample();
    shared.run(async { test().await })
}

/// The rows of a flight, by its one ticket.
pub async fn fetch(client: &mut Client, info: &FlightInfo) -> FlightResult<Vec<RecordBatch>> {
    assert_eq!(info.endpoint.len(), 1, "clients open all endpoints at once");
    assert!(info.endpoint[0].location.is_empty(), "an endpoint without location is this server");
    let ticket = info.endpoint[0].ticket.clone().expect("a ticket");
    client.do_get(ticket).await?.try_collect().await
}

/// The rows as text, under the columns that were told.
pub async fn answer(client: &mut Client, info: &FlightInfo) -> Answer {
    let told = info.clone().try_decode_schema().unwrap();
    let batches = fetch(client, info).await.unwrap_or_else(|e| panic!("{e}"));
    for batch in &batches {
        assert_eq!(*batch.schema(), told, "the columns are those that were told");
    }
    Answer::of(&batches, told.fields().iter().map(|f| f.name().clone()).collect())
}

pub async fn ask(client: &mut Client, sql: &str) -> Answer {
    let info = client.execute(sql.into(), None).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    answer(client, &info).await
}

/// What the server says went wrong.
pub fn status<T>(result: FlightResult<T>) -> Status {
    match result.map(|_| ()) {
        Err(FlightError::Tonic(status)) => *status,
        Err(other) => panic!("no status: {other}"),
        Ok(()) => panic!("it should fail"),
    }
}
