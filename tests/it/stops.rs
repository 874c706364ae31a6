//! What a client gives up is computed no more, whatever door it came by: told by the time that the server's process spends on
//! processors (on Linux). Joins of many rows, which DataFusion would go on with for minutes.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use arrow_flight::{CancelFlightInfoRequest, CancelStatus, FlightClient};
use futures::StreamExt;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use crate::doors;

/// Only a failing test waits this long.
const SOON: Duration = Duration::from_secs(60);
/// Within a second a query has stopped; the rest is for a loaded machine.
const STOPS: Duration = Duration::from_secs(5);
/// Processor time that shows that a query is at what takes long.
const BUSY: Duration = Duration::from_secs(2);
/// A server without queries looks for new data now and then: in each [`WINDOW`] it takes less than that.
const QUIET: Duration = Duration::from_millis(200);
const WINDOW: Duration = Duration::from_secs(1);
/// The kernel's unit in /proc.
const TICK: Duration = Duration::from_millis(10);

/// Pairs on a key that many rows share, all of them taken.
const ALL_PAIRS: &str = "SELECT count(*) AS n FROM (SELECT value % 2 AS k FROM generate_series(1, 400000)) a \
    JOIN (SELECT value % 2 AS k FROM generate_series(1, 400000)) b ON a.k = b.k";
/// Pairs of which none is taken.
const NO_PAIRS: &str = "SELECT count(*) AS n FROM (SELECT value AS v FROM generate_series(1, 400000)) a \
    JOIN (SELECT value AS v FROM generate_series(1, 400000)) b ON a.v + b.v < 0";

/// `saleslake serve` as a process of its own; killed when dropped.
struct Server {
    child: Child,
    http: String,
    flight: String,
    postgres: String,
}

impl Server {
    async fn start(dir: &Path) -> Server {
        let settings = [
            "lake.url=memory://",
            "lake.currency=GBP",
            "lake.zone=Europe/London",
            "http.bind=127.0.0.1:0",
            "http.allow_sql=true",
            "flight.enabled=true",
            "flight.bind=127.0.0.1:0",
            "postgres.enabled=true",
            "postgres.bind=127.0.0.1:0",
        ];
        let mut child = Command::new(env!("CARGO_BIN_EXE_saleslake"))
            .current_dir(dir)
            .arg("serve")
            .args(settings.iter().flat_map(|set| ["--set", *set]))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        let (mut told, mut http, mut flight) = (String::new(), String::new(), String::new());
        let postgres = loop {
            let line = lines.next_line().await.expect("UTF-8");
            let line = line.unwrap_or_else(|| panic!("the server ended\n{told}"));
            let last = |mark: &str| line.split_once(mark).map(|(_, rest)| rest.trim().to_string());
            if let Some(url) = line.strip_prefix("serving on http://").and_then(|rest| rest.split_whitespace().next()) {
                http = url.into();
            } else if let Some(addr) = last("grpc://") {
                flight = addr;
            } else if let Some(addr) = last("postgresql://") {
                break addr.split('/').next().unwrap_or_default().to_string();
            }
            told = format!("{told}{line}\n");
        };
        // Whoever writes must find a reader.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Server { child, http, flight, postgres }
    }

    /// The time that the process has spent on processors.
    fn spent(&self) -> Duration {
        let path = format!("/proc/{}/stat", self.child.id().expect("it runs"));
        let told = std::fs::read_to_string(&path).expect("readable");
        // After the name, which may hold anything: utime and stime are the 14th and the 15th field.
        let (_, fields) = told.rsplit_once(')').expect("a name in parentheses");
        let ticks = fields.split_whitespace().skip(11).take(2).map(|t| t.parse::<u32>().expect("a number"));
        TICK * ticks.sum::<u32>()
    }

    /// Waits until it has computed for a while.
    async fn computes(&self, what: &str) {
        let (begun, before) = (Instant::now(), self.spent());
        while self.spent() - before < BUSY {
            assert!(begun.elapsed() < SOON, "{what}: it does not compute");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until it computes no more.
    async fn stops(&self, what: &str) {
        let begun = Instant::now();
        loop {
            let (over, before) = (begun.elapsed() > STOPS, self.spent());
            tokio::time::sleep(WINDOW).await;
            let spent = self.spent() - before;
            if spent < QUIET {
                return;
            }
            assert!(!over, "{what}: {spent:?} of {WINDOW:?} on processors, {STOPS:?} after it was given up");
        }
    }

    async fn postgres(&self) -> (tokio_postgres::Client, JoinHandle<()>) {
        let (host, port) = self.postgres.rsplit_once(':').expect("a port");
        let config = format!("host={host} port={port} user=test dbname=lake");
        let (client, connection) = tokio_postgres::connect(&config, NoTls).await.expect("connected");
        let driven = tokio::spawn(async move {
            let _ = connection.await;
        });
        (client, driven)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_is_computed_no_more() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = Server::start(dir.path()).await;
    http(&server).await;
    flight(&server).await;
    postgres(&server).await;
}

async fn http(server: &Server) {
    for sql in [ALL_PAIRS, NO_PAIRS] {
        let request = reqwest::Client::new()
            .post(format!("http://{}/api/v1/sql", server.http))
            .header("content-type", "application/json")
            .body(json!({ "sql": sql }).to_string());
        let asking = tokio::spawn(async move { request.send().await.map(|r| r.status()) });
        server.computes("HTTP").await;
        assert!(!asking.is_finished(), "{sql}");
        asking.abort();
        server.stops(&format!("HTTP, a client that leaves: {sql}")).await;
    }
}

async fn flight(server: &Server) {
    let addr = server.flight.parse().expect("an address");
    for (sql, cancels) in [(ALL_PAIRS, false), (NO_PAIRS, true)] {
        let mut client = doors::flight(addr).await;
        let info = client.execute(sql.into(), None).await.expect("planned");
        let ticket = info.endpoint[0].ticket.clone().expect("a ticket");
        let reading = tokio::spawn(async move {
            let mut rows = client.do_get(ticket).await.expect("rows");
            while rows.next().await.is_some_and(|batch| batch.is_ok()) {}
        });
        server.computes("Flight SQL").await;
        assert!(!reading.is_finished(), "{sql}");
        if cancels {
            let channel = tonic::transport::Channel::from_shared(format!("http://{addr}")).expect("an address");
            let mut flight = FlightClient::new(channel.connect().await.expect("connected"));
            let told = flight.cancel_flight_info(CancelFlightInfoRequest::new(info)).await.expect("cancelled");
            assert_eq!(told.status(), CancelStatus::Cancelled);
        } else {
            reading.abort();
        }
        server.stops(&format!("Flight SQL, cancelled: {cancels}, {sql}")).await;
    }
}

async fn postgres(server: &Server) {
    let (client, driven) = server.postgres().await;
    let token = client.cancel_token();
    let asking = tokio::spawn(async move { client.simple_query(NO_PAIRS).await.err() });
    server.computes("PostgreSQL").await;
    token.cancel_query(NoTls).await.expect("asked");
    let error = asking.await.expect("ended").expect("an error");
    assert_eq!(error.code(), Some(&SqlState::QUERY_CANCELED), "{error:?}");
    server.stops("PostgreSQL, cancelled").await;
    driven.abort();

    let (client, driven) = server.postgres().await;
    let asking = tokio::spawn(async move { client.simple_query(ALL_PAIRS).await.err() });
    server.computes("PostgreSQL").await;
    // The socket goes with whoever drives it.
    driven.abort();
    server.stops("PostgreSQL, a client that leaves").await;
    asking.abort();

    for sql in [ALL_PAIRS, NO_PAIRS] {
        let (client, driven) = server.postgres().await;
        client.simple_query("SET statement_timeout = '3s'").await.expect("set");
        let error = client.simple_query(sql).await.expect_err("it takes minutes");
        assert_eq!(error.code(), Some(&SqlState::QUERY_CANCELED), "{error:?}");
        server.stops(&format!("PostgreSQL, its time is over: {sql}")).await;
        driven.abort();
    }
}
