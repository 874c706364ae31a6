//! Pushes over HTTP against a bound socket: grouped, acknowledged once they have landed, repeatable, refused whole.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use futures::future::join_all;
use reqwest::{Client, RequestBuilder, Response};
use saleslake::app::App;
use saleslake::config::Config;
use saleslake::error::Result;
use saleslake::lake::Lake;
use saleslake::model::{INGEST_FILE, ORDER_LINE};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::common::{self, sql};

const HEAD: &str = "order_no,channel,sold,sku,qty,price";
const RUN: &str = "/api/v1/reports/sales-by-channel/run?from=2026-01-01&to=2026-03-01";
/// Longer than any test: such a group ends when it is full, or at shutdown.
const NEVER: u64 = 3_600_000;
/// Only a failing test waits this long.
const SOON: Duration = Duration::from_secs(60);

struct Site {
    url: String,
    client: Client,
    lake: Lake,
    config: Config,
    _folder: tempfile::TempDir,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<()>>,
}

/// A server over a new lake. Pushes do not wait for others, unless `change` says so; queries see only what pushing shows.
async fn site(change: impl FnOnce(&mut Config)) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let sources = folder.path().join("sources");
    std::fs::create_dir_all(&sources).unwrap();
    std::fs::write(sources.join("till.sql"), common::till("csv")).unwrap();
    let mut config = common::config();
    config.queries_dir = Some(folder.path().to_path_buf());
    config.engine.refresh_ms = NEVER;
    config.http.allow_ingest = true;
    config.http.ingest_group_ms = 0;
    change(&mut config);
    let lake = Lake::open(&config.lake).await.unwrap();
    start(lake, config, folder).await
}

async fn start(lake: Lake, config: Config, folder: tempfile::TempDir) -> Site {
    let app = App::over(lake.clone(), config.clone(), common::clock()).await.unwrap();
    let serving = app.build().await.unwrap();
    let url = format!("http://{}", serving.http_addr());
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(serving.run(async {
        let _ = stopped.await;
    }));
    Site { url, client: Client::new(), lake, config, _folder: folder, stop, served }
}

/// A body of one receipt line per order.
fn receipts(orders: &[&str]) -> String {
    let lines: Vec<String> = orders.iter().map(|o| format!("{o},web,2026-01-10,tea,2,10.50")).collect();
    format!("{HEAD}\n{}\n", lines.join("\n"))
}

impl Site {
    fn push(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.client.post(format!("{}/api/v1/ingest/till", self.url)).body(body)
    }
    fn keyed(&self, key: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.push(body).header("idempotency-key", key)
    }
    async fn get(&self, path: &str) -> String {
        self.client.get(format!("{}{path}", self.url)).send().await.unwrap().text().await.unwrap()
    }
    /// Orders in the lake, each as often as it is there.
    async fn orders(&self) -> Vec<String> {
        let app = App::over(self.lake.clone(), self.config.clone(), common::clock()).await.unwrap();
        let held = sql(&app, "SELECT order_id FROM base.order_line ORDER BY 1").await;
        held.column("order_id").into_iter().map(String::from).collect()
    }
    async fn stop(self) -> (Lake, Config, tempfile::TempDir) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(SOON, self.served).await.expect("the server did not stop").unwrap().unwrap();
        (self.lake, self.config, self._folder)
    }
}

/// The account of a push that was acknowledged.
async fn account(response: Response) -> Value {
    let status = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(status, 200, "{text}");
    let account: Value = serde_json::from_str(&text).unwrap();
    let fates = ["landed", "duplicate", "late_ignored", "skipped", "quarantined"];
    let sum: u64 = fates.iter().map(|f| account[*f].as_u64().unwrap()).sum();
    assert_eq!(account["read"].as_u64().unwrap(), sum, "{account}");
    account
}

async fn problem(response: Response, status: u16) -> String {
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.status().as_u16(), status);
    let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    format!("{} {}", body["detail"].as_str().unwrap(), body["hint"].as_str().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_of_many_tills_land_in_one_commit_each_once() {
    // The group is full with the last of them.
    let site = site(|config| (config.http.ingest_group_ms, config.http.ingest_queue) = (NEVER, 200)).await;
    let orders: Vec<String> = (0..200).map(|n| format!("R{n:03}")).collect();
    let sent = orders.iter().map(|o| site.keyed(o, receipts(&[o])).send());
    let mut batches = BTreeSet::new();
    for response in join_all(sent).await {
        let account = account(response.unwrap()).await;
        assert_eq!((account["read"].as_u64(), account["landed"].as_u64()), (Some(1), Some(1)), "{account}");
        assert_eq!(account["already"], false);
        batches.insert(account["batch_id"].as_str().unwrap().to_string());
    }
    assert_eq!(batches.len(), 1);
    for table in [&ORDER_LINE, &INGEST_FILE] {
        let state = site.lake.state(table).await.unwrap();
        assert_eq!((state.version, state.files.len(), state.rows()), (0, 1, 200), "{}", table.name);
    }
    assert_eq!(site.orders().await, orders);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_push_again_has_its_first_answer_also_after_a_restart() {
    let first_site = site(|_| ()).await;
    let body = format!("{}B,web,2026-01-11,cup,two,5.25\n", receipts(&["A"]));
    let first = account(first_site.keyed("till-7/1", body.clone()).send().await.unwrap()).await;
    assert_eq!((first["landed"].as_u64(), first["quarantined"].as_u64()), (Some(1), Some(1)));
    assert_eq!(first["file"], "push/till/till-7/1");
    let mut again_as = first.clone();
    again_as["already"] = json!(true);
    for key in ["till-7/1", "\"till-7/1\""] {
        assert_eq!(account(first_site.keyed(key, body.clone()).send().await.unwrap()).await, again_as, "{key}");
    }
    let (lake, config, folder) = first_site.stop().await;

    let site = start(lake, config, folder).await;
    assert_eq!(account(site.keyed("till-7/1", body.clone()).send().await.unwrap()).await, again_as);
    let other = problem(site.keyed("till-7/1", receipts(&["C"])).send().await.unwrap(), 409).await;
    assert!(other.contains("till-7/1"), "{other}");
    // The same bytes under another key are another push, of rows that are there.
    let other = account(site.keyed("till-7/2", body).send().await.unwrap()).await;
    assert_eq!((other["landed"].as_u64(), other["duplicate"].as_u64()), (Some(0), Some(1)));
    // Without a key the bytes are the key.
    let bare = account(site.push(receipts(&["D"])).send().await.unwrap()).await;
    let again = account(site.push(receipts(&["D"])).send().await.unwrap()).await;
    assert_eq!((bare["already"].as_bool(), again["already"].as_bool()), (Some(false), Some(true)));
    assert_eq!(bare["batch_id"], again["batch_id"]);
    assert_eq!(site.orders().await, ["A", "D"]);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_twice_in_one_group() {
    let site = site(|config| (config.http.ingest_group_ms, config.http.ingest_queue) = (NEVER, 3)).await;
    let sent = [receipts(&["A"]), receipts(&["A"]), receipts(&["B"])].map(|body| site.keyed("k", body).send());
    let responses: Vec<Response> = join_all(sent).await.into_iter().map(|r| r.unwrap()).collect();
    let mut told: Vec<u16> = responses.iter().map(|r| r.status().as_u16()).collect();
    told.sort_unstable();
    // Whichever came first: the one that differs from it is refused.
    assert!(told == [200, 200, 409] || told == [200, 409, 409], "{told:?}");
    let held = site.orders().await;
    assert_eq!(held, [if told[1] == 200 { "A" } else { "B" }]);
    let rows = site.lake.state(&INGEST_FILE).await.unwrap().rows();
    assert_eq!(rows, 1, "one push in the audit");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_does_not_land_is_told_at_once() {
    let site = site(|_| ()).await;
    let body = format!("{}B,web,2026-01-11,cup,two,5.25\n", receipts(&["A"]));
    let account = account(site.push(body).send().await.unwrap()).await;
    assert_eq!((account["read"].as_u64(), account["landed"].as_u64()), (Some(2), Some(1)));
    let told = account["quarantined_records"].as_array().unwrap();
    assert_eq!(told.len(), 1, "{account}");
    assert_eq!((told[0]["line"].as_i64(), told[0]["rule"].as_str()), (Some(3), Some("V01")), "{account}");
    assert_eq!((told[0]["field"].as_str(), told[0]["value"].as_str()), (Some("quantity"), Some("two")), "{account}");
    assert!(!told[0]["message"].as_str().unwrap().is_empty());
    // An hour later than the clock may be a clock that is off; a year is not (V09).
    let late = site.push(receipts(&["F"]).replace("2026-01-10", "2027-07-01")).send().await.unwrap();
    assert_eq!(self::account(late).await["quarantined_records"][0]["rule"], "V09");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_read_fails_alone() {
    let site = site(|config| (config.http.ingest_group_ms, config.http.ingest_queue) = (NEVER, 5)).await;
    let bodies: [Vec<u8>; 5] = [
        receipts(&["A"]).into(),
        receipts(&["B"]).replace(",qty", ",quantity").into(),
        format!("{HEAD}\nC,web,2026-01-10\n").into(),
        // The beginning of a gzip file, and no more.
        vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0],
        receipts(&["E"]).into(),
    ];
    let mut responses = join_all(bodies.map(|b| site.push(b).send())).await.into_iter().map(|r| r.unwrap());
    let first = account(responses.next().unwrap()).await;
    let column = problem(responses.next().unwrap(), 400).await;
    assert!(column.contains("\"qty\""), "the missing column is named: {column}");
    let line = problem(responses.next().unwrap(), 400).await;
    assert!(line.contains("line 2"), "the line is named: {line}");
    problem(responses.next().unwrap(), 400).await;
    let last = account(responses.next().unwrap()).await;
    assert_eq!(first["batch_id"], last["batch_id"], "they were one group");
    assert_eq!(site.orders().await, ["A", "E"]);
    assert_eq!(site.lake.state(&INGEST_FILE).await.unwrap().rows(), 2, "what was refused is no file");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_says_when_to_come_back_and_loses_nothing() {
    let site = site(|config| config.http.ingest_queue = 1).await;
    // A sender that stops in the middle of its body has the only place.
    let body = receipts(&["SLOW"]);
    let head = format!(
        "POST /api/v1/ingest/till HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let (begin, rest) = body.split_at(10);
    let send = async || {
        let mut slow = TcpStream::connect(site.url.trim_start_matches("http://")).await.unwrap();
        slow.write_all(format!("{head}{begin}").as_bytes()).await.unwrap();
        slow
    };
    let (mut slow, mut busy) = (send().await, 1);
    let refused = async {
        loop {
            let response = site.keyed("k", receipts(&["NEXT"])).send().await.unwrap();
            if response.status() == 429 {
                break response;
            }
            // The slow one was not there yet, or came while this one was at work and was refused itself.
            account(response).await;
            if tokio::time::timeout(Duration::from_millis(100), slow.peek(&mut [0])).await.is_ok() {
                (slow, busy) = (send().await, busy + 1);
            }
        }
    };
    let refused = tokio::time::timeout(SOON, refused).await.expect("the queue was never full");
    assert_eq!(refused.headers()["retry-after"], "1");
    problem(refused, 429).await;
    slow.write_all(rest.as_bytes()).await.unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let landed = account(site.keyed("k", receipts(&["NEXT"])).send().await.unwrap()).await;
    assert_eq!(landed["read"], 1);
    assert_eq!(site.orders().await, ["NEXT", "SLOW"]);
    let metrics = site.get("/metrics").await;
    assert!(metrics.contains(&format!("saleslake_ingest_refused_total{{kind=\"busy\"}} {busy}\n")), "{metrics}");
    assert!(metrics.contains("saleslake_ingest_records_total{source=\"till\",fate=\"landed\"} 2"), "{metrics}");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_falls_silent_is_refused_and_its_place_is_free() {
    let site = site(|config| (config.http.ingest_queue, config.http.ingest_pause_ms) = (1, 200)).await;
    let half = "POST /api/v1/ingest/till HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
                content-length: 100\r\n\r\norder_no";
    let mut silent = TcpStream::connect(site.url.trim_start_matches("http://")).await.unwrap();
    silent.write_all(half.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let told = tokio::time::timeout(SOON, silent.read_to_string(&mut answer)).await;
    told.expect("it held its place").unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    for part in ["application/problem+json", "after 8 bytes", "http.ingest_pause_ms"] {
        assert!(answer.contains(part), "{part}: {answer}");
    }
    let landed = loop {
        let response = site.keyed("k", receipts(&["NEXT"])).send().await.unwrap();
        // On a busy machine this one may pause, too; but there is a place for it.
        if response.status() != 408 {
            break account(response).await;
        }
    };
    assert_eq!(landed["landed"], 1);
    assert_eq!(site.orders().await, ["NEXT"]);
    let metrics = site.get("/metrics").await;
    assert!(metrics.contains("saleslake_ingest_refused_total{kind=\"body-timeout\"}"), "{metrics}");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_lands_and_answers_what_waits() {
    let site = site(|config| config.http.ingest_group_ms = NEVER).await;
    let orders: Vec<String> = (0..20).map(|n| format!("R{n:02}")).collect();
    let sent: Vec<_> = orders.iter().map(|o| tokio::spawn(site.push(receipts(&[o])).send())).collect();
    let all_in_flight = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        // They and the one that asks.
        while !site.get("/metrics").await.contains("saleslake_http_in_flight 21") {
            ticks.tick().await;
        }
    };
    tokio::time::timeout(SOON, all_in_flight).await.expect("the pushes did not arrive");
    let lake = site.lake.clone();
    let (_, config, _folder) = site.stop().await;
    let mut acknowledged = Vec::new();
    for (order, sent) in orders.iter().zip(sent) {
        let response = sent.await.unwrap().unwrap();
        match response.status().as_u16() {
            200 => acknowledged.push(order.clone()),
            // One whose body had not come yet.
            503 => drop(problem(response, 503).await),
            other => panic!("{other}"),
        }
    }
    assert!(!acknowledged.is_empty());
    let app = App::over(lake, config, common::clock()).await.unwrap();
    let held = sql(&app, "SELECT order_id FROM base.order_line ORDER BY 1").await;
    assert_eq!(held.column("order_id"), acknowledged);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_shows_in_the_next_report() {
    let site = site(|_| ()).await;
    for (n, net) in [(1, "21.00"), (2, "42.00"), (3, "63.00")] {
        account(site.push(receipts(&[&format!("R{n}")])).send().await.unwrap()).await;
        let report: Value = serde_json::from_str(&site.get(RUN).await).unwrap();
        let shown = report["rows"][0]["net_sales"].as_str().unwrap();
        assert!(shown.starts_with(net), "2 × 10.50 a receipt: {report}");
    }
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn long_and_packed_bodies() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().to_path_buf();
    let site = site(|config| {
        config.landing.temp_dir = Some(path);
        config.http.ingest_max_mb = 2;
    })
    .await;
    let names: Vec<String> = (0..40_000).map(|n| format!("R{n:05}")).collect();
    let long = receipts(&names.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(long.len() > 1 << 20 && long.len() < 2 << 20, "more than stays in memory");
    assert_eq!(account(site.push(long.clone()).send().await.unwrap()).await["landed"], 40_000);
    let left = std::fs::read_dir(Path::new(temp.path())).unwrap().count();
    assert_eq!(left, 0, "temporary files are removed");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(long.replace("R", "P").as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let sent = site.push(packed).header("content-encoding", "gzip").send().await.unwrap();
    assert_eq!(account(sent).await["landed"], 40_000);
    let too_long = site.push(long.repeat(2)).send().await.unwrap();
    assert!(problem(too_long, 413).await.contains("http.ingest_max_mb"));
    assert_eq!(site.orders().await.len(), 80_000);
    site.stop().await;
}

/// A few KiB of Arrow that claim to unpack to a pebibyte a column: room for it would end the process.
#[tokio::test(flavor = "multi_thread")]
async fn packed_batches_are_weighed_before_they_are_unpacked() {
    const ROWS: usize = 123_456;
    let column = |name| (name, Arc::new(Int64Array::from(vec![7; ROWS])) as ArrayRef);
    let batch = RecordBatch::try_from_iter(HEAD.split(',').map(column)).unwrap();
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD)).unwrap();
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
    writer.write(&batch).unwrap();
    let mut body = writer.into_inner().unwrap();
    let length = (8 * ROWS as i64).to_le_bytes();
    let places: Vec<usize> = (0..body.len() - 8).filter(|at| body[*at..at + 8] == length).collect();
    assert_eq!(places.len(), 6, "one a column");
    for place in places {
        body[place..place + 8].copy_from_slice(&(1_i64 << 50).to_le_bytes());
    }
    let site = site(|_| ()).await;
    let told = problem(site.push(body).send().await.unwrap(), 400).await;
    assert!(told.contains("that are read at once") && told.contains("smaller record batches"), "{told}");
    assert_eq!(account(site.push(receipts(&["A"])).send().await.unwrap()).await["landed"], 1);
    site.stop().await;
}

/// A few KiB may hold gigabytes.
#[tokio::test(flavor = "multi_thread")]
async fn a_packed_body_unpacks_to_no_more_than_the_limit() {
    let site = site(|config| config.landing.archive_mb = Some(1)).await;
    let gzip = |text: &str| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap()
    };
    let long = |order: &str| format!("{}{}\n", receipts(&[order]), "x".repeat(3 << 20));
    let names: Vec<String> = (0..40_000).map(|n| format!("B{n:05}")).collect();
    let many = receipts(&names.iter().map(String::as_str).collect::<Vec<_>>());
    // One that is small as it is sent, and one that is not.
    for (text, small) in [(long("A"), true), (many, false)] {
        let packed = gzip(&text);
        assert_eq!(packed.len() < 64 << 10, small, "{}", packed.len());
        let told = problem(site.push(packed).send().await.unwrap(), 400).await;
        assert!(told.contains("more than 1 MiB") && told.contains("landing.archive_mb"), "{told}");
    }
    assert!(site.orders().await.is_empty(), "nothing of them has landed");
    // What is not packed is bounded by http.ingest_max_mb, and what unpacks to less than the limit is taken.
    assert_eq!(account(site.push(long("C")).send().await.unwrap()).await["landed"], 1);
    assert_eq!(account(site.push(gzip(&receipts(&["D"]))).send().await.unwrap()).await["landed"], 1);
    assert_eq!(site.orders().await, ["C", "D"]);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_are_refused_by_name() {
    let off = site(|config| config.http.allow_ingest = false).await;
    assert!(problem(off.push(receipts(&["A"])).send().await.unwrap(), 403).await.contains("http.allow_ingest"));
    off.stop().await;

    let token = "0123456789abcdef0123";
    let site = site(|config| drop(config.access.tokens.insert("till-7".into(), token.into()))).await;
    problem(site.push(receipts(&["A"])).send().await.unwrap(), 401).await;
    let push = |body: &str| site.push(body.to_string()).bearer_auth(token);
    let url = format!("{}/api/v1/ingest/tll", site.url);
    let unknown = site.client.post(url).bearer_auth(token).body("x").send().await.unwrap();
    assert!(problem(unknown, 404).await.contains("till"));
    assert!(problem(push("").send().await.unwrap(), 400).await.contains("empty"));
    let brotli = push("x").header("content-encoding", "br").send().await.unwrap();
    assert!(problem(brotli, 415).await.contains("br"));
    let spaced = push("x").header("idempotency-key", "a b").send().await.unwrap();
    assert!(problem(spaced, 400).await.contains("a b"));
    let foreign = push("x").header("origin", "https://shop.example").send().await.unwrap();
    problem(foreign, 403).await;
    assert_eq!(account(push(&receipts(&["A"])).send().await.unwrap()).await["landed"], 1);
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_and_new_definitions_take_effect_while_the_server_runs() {
    let site = site(|_| ()).await;
    account(site.push(receipts(&["A"])).send().await.unwrap()).await;
    let sources = site._folder.path().join("sources");
    // Renamed, so that no look finds half of it.
    let write = |name: &str, text: &str| {
        std::fs::write(sources.join("draft"), text).unwrap();
        std::fs::rename(sources.join("draft"), sources.join(name)).unwrap();
    };
    // Whoever sees the file that is written last has seen the others.
    write("till.sql", &common::till("csv").replace("channel AS channel_id", "'kiosk' AS channel_id"));
    write("new_till.sql", &common::till("csv"));
    let new = |source: &str| {
        let request = site.client.post(format!("{}/api/v1/ingest/{source}", site.url));
        request.header("idempotency-key", source).body(receipts(&["N"]))
    };
    let known = async |source: &str| {
        let landed = async {
            let mut ticks = tokio::time::interval(Duration::from_millis(20));
            loop {
                let response = new(source).send().await.unwrap();
                if response.status() != 404 {
                    break account(response).await;
                }
                ticks.tick().await;
            }
        };
        tokio::time::timeout(SOON, landed).await.unwrap_or_else(|_| panic!("{source} never came"))
    };
    assert_eq!(known("new_till").await["landed"], 1);
    account(site.push(receipts(&["B"])).send().await.unwrap()).await;
    // A broken one changes nothing for its senders.
    write("till.sql", "-- half of a fi");
    write("newer_till.sql", &common::till("csv"));
    known("newer_till").await;
    account(site.push(receipts(&["C"])).send().await.unwrap()).await;
    let app = App::over(site.lake.clone(), common::config(), common::clock()).await.unwrap();
    let held =
        sql(&app, "SELECT order_id, channel_id FROM base.order_line WHERE source_system = 'till' ORDER BY 1").await;
    assert_eq!(held.rows, [["A", "web"], ["B", "kiosk"], ["C", "kiosk"]]);
    site.stop().await;
}
