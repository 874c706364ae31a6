//! Flight SQL with the clients that analysts use (tests/clients/flight): ADBC, the Arrow JDBC driver, flightsql-dbapi with
//! SQLAlchemy, polars, and the bare protocol through pyarrow. They need Python (see CONTRIBUTING.md), the JDBC driver also
//! Java and Maven; what is missing is said.

use std::process::{Command, Stdio};

use saleslake::config::Config;

use crate::common;
use crate::flight::site::{PUSHED, Site, on_sample};

const USER: &str = "till";
const TOKEN: &str = "0123456789abcdef-till";

#[test]
fn adbc() {
    reads("adbc");
    ingests("adbc");
    is_let_in("adbc");
}

#[test]
fn pyarrow() {
    reads("pyarrow");
    ingests("pyarrow");
    is_let_in("pyarrow");
}

#[test]
fn dbapi() {
    reads("dbapi");
    is_let_in("dbapi");
}

#[test]
fn polars() {
    reads("polars");
}

#[test]
fn jdbc() {
    reads("jdbc");
    is_let_in("jdbc");
}

/// Everything that reads, against the sample.
fn reads(client: &str) {
    if common::python(client).is_none() {
        return;
    }
    let site = on_sample(|| Site::sample(|config| config.engine.row_limit = u64::MAX));
    run(client, &[&site.uri(), "read"]);
    on_sample(|| site.stop());
}

/// Rows are pushed into a lake of its own.
fn ingests(client: &str) {
    if common::python(client).is_none() {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let site = runtime.block_on(Site::own(|_| ()));
    run(client, &[&site.uri(), "ingest", "--source", PUSHED]);
    runtime.block_on(site.stop());
}

/// Tokens and TLS.
fn is_let_in(client: &str) {
    if common::python(client).is_none() {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let pair =
        rcgen::generate_simple_self_signed(["localhost".to_string(), "127.0.0.1".into()]).expect("a certificate");
    let (certificate, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    std::fs::write(&certificate, pair.cert.pem()).expect("written");
    std::fs::write(&key, pair.signing_key.serialize_pem()).expect("written");
    let change = |config: &mut Config| {
        config.access.tokens = [(USER.to_string(), TOKEN.to_string())].into();
        config.flight.tls.certificate = Some(certificate.clone());
        config.flight.tls.key = Some(key.clone());
    };
    let site = on_sample(|| Site::sample(change));
    let uri = format!("grpc+tls://localhost:{}", site.addr.port());
    let root = certificate.to_string_lossy();
    run(client, &[&uri, "access", "--user", USER, "--token", TOKEN, "--root", &root]);
    on_sample(|| site.stop());
}

/// Runs a part of a client's tests, or says that it is skipped.
///
/// # Panics
/// It finds something wrong. In CI also where the client cannot be installed.
fn run(client: &str, words: &[&str]) {
    let Some(python) = common::python(client) else { return };
    let mut command = Command::new(python);
    command.arg(common::repo("tests/clients/flight/run.py")).arg(client).args(words);
    let out = command.stdin(Stdio::null()).output().expect("Python starts");
    let told = String::from_utf8_lossy(&out.stderr);
    if common::is_missing("flight_clients", client, out.status, &told) {
        return;
    }
    assert!(out.status.success(), "{client} {words:?}: {told}");
}
