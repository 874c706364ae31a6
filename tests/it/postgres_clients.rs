//! The PostgreSQL protocol with the clients that analysts use (tests/clients/postgres), and with what BI tools send when they
//! connect and read the schema (tests/clients/replay), there and over Flight SQL. They need Python (see CONTRIBUTING.md), some
//! also Java and Maven, Node, or Debian's packages; what is missing is said.

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use saleslake::app::App;
use saleslake::config::Config;
use saleslake::error::Result;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::common;

const USER: &str = "analyst";
const TOKEN: &str = "0123456789abcdef-analyst";
/// Only a failing test waits this long.
const SOON: Duration = Duration::from_secs(30);

#[test]
fn psycopg() {
    open(&["psycopg"]);
    guarded(&["psycopg"]);
}

#[test]
fn asyncpg() {
    open(&["asyncpg"]);
    guarded(&["asyncpg"]);
}

#[test]
fn pg8000() {
    open(&["pg8000"]);
    guarded(&["pg8000"]);
}

#[test]
fn sqlalchemy() {
    open(&["sqlalchemy"]);
}

#[test]
fn adbc() {
    open(&["adbc"]);
}

#[test]
fn odbc() {
    open(&["odbc"]);
}

#[test]
fn node() {
    open(&["node"]);
    guarded(&["node"]);
}

#[test]
fn jdbc() {
    open(&["jdbc"]);
    guarded(&["jdbc"]);
}

#[test]
fn psql() {
    open(&["psql"]);
    guarded(&["psql"]);
}

#[test]
fn pgbench() {
    open(&["pgbench"]);
}

#[test]
fn dbeaver_connects() {
    open(&["replay", "dbeaver"]);
    open(&["replay-flight", "dbeaver"]);
}

#[test]
fn grafana_connects() {
    open(&["replay", "grafana"]);
    open(&["replay-flight", "grafana"]);
}

#[test]
fn metabase_connects() {
    open(&["replay", "metabase"]);
}

#[test]
fn power_bi_connects() {
    open(&["replay", "power-bi"]);
    open(&["replay-flight", "power-bi"]);
}

#[test]
fn superset_connects() {
    open(&["replay", "superset"]);
    open(&["replay-flight", "superset"]);
}

#[test]
fn tableau_connects() {
    open(&["replay", "tableau"]);
    open(&["replay-flight", "tableau"]);
}

/// Without tokens and TLS.
fn open(client: &[&str]) {
    with_server(client, &[], |_| ());
}

/// With a token and TLS, which all of the client's checks then go through.
fn guarded(client: &[&str]) {
    let dir = tempfile::tempdir().expect("a folder");
    let names = ["localhost".to_string(), "127.0.0.1".into()];
    let pair = rcgen::generate_simple_self_signed(names).expect("a certificate");
    let (certificate, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    std::fs::write(&certificate, pair.cert.pem()).expect("written");
    std::fs::write(&key, pair.signing_key.serialize_pem()).expect("written");
    let user = format!("user={USER}");
    let password = format!("password={TOKEN}");
    with_server(client, &[&user, &password, "tls=on"], |config| {
        config.access.tokens = [(USER.to_string(), TOKEN.to_string())].into();
        config.postgres.tls.certificate = Some(certificate.clone());
        config.postgres.tls.key = Some(key.clone());
    });
}

/// A server over the shared sample, which nobody may change, for one run of a client.
fn with_server(client: &[&str], settings: &[&str], change: impl FnOnce(&mut Config)) {
    let test = client.join(" ");
    if common::python(&test).is_none() {
        return;
    }
    let shared = common::shared_sample();
    let server = shared.run(Server::start(change));
    let addr = if client[0] == "replay-flight" { server.flight } else { server.postgres };
    run(&test, client, addr, settings);
    shared.run(server.stop());
}

struct Server {
    postgres: SocketAddr,
    flight: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<()>>,
}

impl Server {
    async fn start(change: impl FnOnce(&mut Config)) -> Server {
        let mut config = common::config();
        config.postgres.enabled = true;
        config.postgres.bind = "127.0.0.1:0".into();
        config.flight.enabled = true;
        config.flight.bind = "127.0.0.1:0".into();
        config.engine.row_limit = u64::MAX;
        config.engine.concurrent = 8; // BI tools get half
        change(&mut config);
        let lake = common::shared_sample().app.lake.clone();
        let app = App::over(lake, config, common::clock()).await.expect("an app");
        let serving = app.build().await.expect("a server");
        let postgres = serving.postgres_addr().expect("PostgreSQL is on");
        let flight = serving.flight_addr().expect("Flight SQL is on");
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(serving.run(async {
            let _ = stopped.await;
        }));
        Server { postgres, flight, stop, served }
    }

    async fn stop(self) {
        self.stop.send(()).expect("it runs");
        tokio::time::timeout(SOON, self.served)
            .await
            .expect("the server did not stop")
            .expect("joined")
            .expect("served");
    }
}

/// Runs a client's checks, or says that they are skipped.
///
/// # Panics
/// A check fails. In CI also where the client cannot be installed.
fn run(test: &str, client: &[&str], addr: SocketAddr, settings: &[&str]) {
    let Some(python) = common::python(test) else { return };
    let mut command = Command::new(python);
    command.arg(common::repo("tests/clients/postgres/run.py")).args(client);
    command.arg(addr.ip().to_string()).arg(addr.port().to_string()).args(settings);
    let out = command.stdin(Stdio::null()).output().expect("Python starts");
    let (told, checks) = (String::from_utf8_lossy(&out.stderr), String::from_utf8_lossy(&out.stdout));
    if common::is_missing("postgres_clients", client[0], out.status, &told) {
        return;
    }
    let failed: Vec<&str> = checks.lines().filter(|line| !line.starts_with("ok ")).collect();
    assert!(out.status.success(), "{test} {settings:?}:\n{}\n{told}", failed.join("\n"));
}
