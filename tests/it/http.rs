//! HTTP against a bound socket: formats, negotiation, problems, ETags, tokens, SQL, limits, shutdown.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use arrow::ipc::reader::StreamReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use saleslake::access::Caller;
use saleslake::app::App;
use saleslake::config::Config;
use saleslake::encode::{self, Format};
use saleslake::engine::Engine;
use saleslake::error::Result;
use saleslake::ingest::{Ingest, InputFile};
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::common::{self, Silent};

/// What [`common::till`] tells of its channels.
const CHANNELS: &str = r#"-- into = "channel", reference = true
SELECT channel AS channel_id, upper(channel) AS channel_name, 'own_web' AS channel_type FROM raw;
"#;
const SALES: &str = "A,web,2026-01-10,tea,2,10.50\nB,app,2026-01-11,cup,1,5.25\nC,web,2026-02-01,tea,1,10.50\n";
const HEAD: &str = "order_no,channel,sold,sku,qty,price\n";
const RUN: &str = "/api/v1/reports/sales-by-channel/run?from=2026-01-01&to=2026-03-01";
/// Only a failing test waits this long.
const SOON: Duration = Duration::from_secs(30);

/// A server over a lake in memory that holds [`SALES`].
struct Site {
    url: String,
    client: Client,
    engine: Engine,
    ingest: Ingest,
    folder: tempfile::TempDir,
    landed: usize,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<()>>,
}

async fn site(change: impl FnOnce(&mut Config)) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let sources = folder.path().join("sources");
    std::fs::create_dir_all(&sources).unwrap();
    std::fs::write(sources.join("till.sql"), common::till("csv") + CHANNELS).unwrap();
    let mut config = common::config();
    config.queries_dir = Some(folder.path().to_path_buf());
    change(&mut config);
    let app = App::open(config, common::clock()).await.unwrap();
    let (engine, ingest) = (app.engine.clone(), app.ingest().unwrap());
    let serving = app.build().await.unwrap();
    let url = format!("http://{}", serving.http_addr());
    let (stop, stopped) = oneshot::channel::<()>();
    let served = tokio::spawn(serving.run(async {
        let _ = stopped.await;
    }));
    let mut site = Site { url, client: Client::new(), engine, ingest, folder, landed: 0, stop, served };
    site.land(SALES).await;
    site.engine.refresh().await.unwrap();
    site
}

impl Site {
    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }
    async fn json(&self, path: &str) -> Value {
        let response = self.get(path).send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }
    async fn sql(&self, body: Value) -> Response {
        self.client
            .post(format!("{}/api/v1/sql", self.url))
            .header("content-type", "application/json")
            .body(body.to_string())
            .send()
            .await
            .unwrap()
    }
    /// Lands lines as a file of its own, without telling the engine.
    async fn land(&mut self, lines: &str) {
        self.landed += 1;
        let path = self.folder.path().join(format!("till-{}.csv", self.landed));
        std::fs::write(&path, format!("{HEAD}{lines}")).unwrap();
        let file = InputFile::open(Path::new(&path), path.to_string_lossy()).unwrap();
        let account = self.ingest.run("till", &[file], &Silent).await.unwrap();
        assert_eq!(account.files[0].quarantined, 0, "{account}");
    }
    async fn stop(self) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(SOON, self.served).await.expect("the server did not stop").unwrap().unwrap();
    }
}

async fn parsed(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}

/// The problem of a response, which must have the shape of one.
async fn problem(response: Response, status: u16) -> Value {
    let id = response.headers()["x-request-id"].to_str().unwrap().to_string();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.status().as_u16(), status);
    let body = parsed(response).await;
    assert_eq!(body["status"], status);
    assert_eq!(body["instance"], id.as_str());
    assert!(body["title"].is_string() && body["type"].is_string() && body["detail"].is_string(), "{body}");
    body
}

fn text_of(problem: &Value) -> String {
    format!("{} {}", problem["detail"].as_str().unwrap_or_default(), problem["hint"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn reports_and_tables_are_listed_and_explained() {
    let site = site(|_| ()).await;
    let list = site.json("/api/v1/reports").await;
    assert_eq!(list["broken"], json!([]));
    for report in list["reports"].as_array().unwrap() {
        let shown = site.json(report["href"].as_str().unwrap()).await;
        assert_eq!(shown["id"], report["id"]);
        assert!(!shown["columns"].as_array().unwrap().is_empty(), "{shown}");
    }
    let tables = site.json("/api/v1/tables").await;
    let names: Vec<&str> = tables["tables"].as_array().unwrap().iter().filter_map(|t| t["name"].as_str()).collect();
    assert!(names.contains(&"sales_event") && names.contains(&"order_line"), "{names:?}");
    site.stop().await;
}

#[tokio::test]
async fn every_format_has_the_same_rows_and_checksum_as_the_library() {
    let site = site(|_| ()).await;
    let json = site.json(RUN).await;
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    let web = rows.iter().find(|r| r["channel_id"] == "web").unwrap();
    let net = web["net_sales"].as_str().expect("money is a string");
    assert!(net.starts_with("31.50"), "{net}");
    let sum = json["receipt"]["checksum"].as_str().unwrap();
    assert_eq!(json["receipt"]["rows"], 2);
    assert_eq!(json["receipt"]["report"], "sales-by-channel");

    for format in Format::ALL {
        let response = site.get(&format!("{RUN}&format={format}")).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], format.mime());
        assert_eq!(response.headers()["x-saleslake-checksum"], sum, "{format}");
        assert_eq!(response.headers()["x-saleslake-report"], "sales-by-channel");
        let bytes = response.bytes().await.unwrap();
        let count = match format {
            Format::Csv => csv::Reader::from_reader(&bytes[..]).records().count(),
            Format::Ndjson => bytes.iter().filter(|b| **b == b'\n').count(),
            Format::Arrow => StreamReader::try_new(&bytes[..], None).unwrap().map(|b| b.unwrap().num_rows()).sum(),
            Format::Parquet => {
                ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().metadata().file_metadata().num_rows() as usize
            }
            Format::Json | Format::Table => 2,
        };
        assert_eq!(count, 2, "{format}");
    }

    let sql = "SELECT channel_id, sum(net_rc) AS net FROM sales_event GROUP BY 1 ORDER BY 1";
    let library = site.engine.query(sql, Default::default(), &Caller::local()).await.unwrap();
    let written = encode::write(library, Format::Csv, &mut Vec::new(), &Default::default()).await.unwrap();
    assert_eq!(written.rows, 2);
    site.stop().await;
}

#[tokio::test]
async fn the_format_parameter_beats_accept_and_accept_is_negotiated() {
    let site = site(|_| ()).await;
    let kind = async |path: String, accept: &str| {
        let response = site.get(&path).header("accept", accept).send().await.unwrap();
        (response.status().as_u16(), response.headers()["content-type"].to_str().unwrap().to_string())
    };
    assert_eq!(kind(RUN.into(), "text/csv;q=0.9, application/x-ndjson;q=0.1").await.1, Format::Csv.mime());
    assert_eq!(kind(format!("{RUN}&format=ndjson"), "text/csv").await.1, Format::Ndjson.mime());
    assert_eq!(kind(RUN.into(), "*/*").await.1, Format::Json.mime());
    assert_eq!(kind(RUN.into(), "image/png").await.0, 406);
    let wrong = problem(site.get(&format!("{RUN}&format=cvs")).send().await.unwrap(), 400).await;
    assert!(text_of(&wrong).contains("cvs") && text_of(&wrong).contains("csv"), "{wrong}");
    site.stop().await;
}

#[tokio::test]
async fn engine_parameters_slicers_and_wrong_names() {
    let site = site(|_| ()).await;
    let rows = site.json(&format!("{RUN}&where.channel=web,app&order_by=-net_sales&limit=1&totals=true")).await;
    let kinds: Vec<&str> = rows["rows"].as_array().unwrap().iter().map(|r| r["row_kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["row", "total"]);
    assert_eq!(rows["rows"][0]["channel_id"], "web");
    assert_eq!(site.json(&format!("{RUN}&where.channel=app")).await["rows"].as_array().unwrap().len(), 1);

    for (path, status, named) in [
        (format!("{RUN}&form=2026-01-01"), 400, "form"),
        (format!("{RUN}&limit=1&limit=2"), 400, "limit"),
        (format!("{RUN}&where.chanel=web"), 400, "channel"),
        ("/api/v1/reports/sales-by-chanel/run".to_string(), 404, "sales-by-channel"),
        ("/api/v1/reports?x=1".to_string(), 400, "'x'"),
        ("/api/v1/nothing".to_string(), 404, "/api/v1/nothing"),
    ] {
        let body = problem(site.get(&path).send().await.unwrap(), status).await;
        assert!(text_of(&body).contains(named), "{path}: {body}");
    }
    let wrong = site.client.delete(format!("{}{RUN}", site.url)).send().await.unwrap();
    assert!(wrong.headers()["allow"].to_str().unwrap().contains("GET"));
    problem(wrong, 405).await;
    site.stop().await;
}

#[tokio::test]
async fn an_etag_answers_304_until_an_ingest_touches_a_table() {
    let mut site = site(|_| ()).await;
    let first = site.get(RUN).send().await.unwrap();
    let tag = first.headers()["etag"].to_str().unwrap().to_string();
    assert!(tag.starts_with("W/\""), "{tag}");
    assert_eq!(first.headers()["cache-control"], "no-cache");
    assert!(first.headers()["vary"].to_str().unwrap().contains("accept-encoding"));

    let again = site.get(RUN).header("if-none-match", format!("\"x\", {tag}")).send().await.unwrap();
    assert_eq!((again.status(), again.headers()["etag"].to_str().unwrap()), (StatusCode::NOT_MODIFIED, tag.as_str()));
    assert_eq!(again.bytes().await.unwrap().len(), 0);
    let zipped = site.get(RUN).header("accept-encoding", "gzip").header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(zipped.status(), StatusCode::NOT_MODIFIED);
    let csv = site.get(&format!("{RUN}&format=csv")).header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(csv.status(), 200, "another format is another answer");
    let head = site.client.request(Method::HEAD, format!("{}{RUN}", site.url)).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.headers()["etag"].to_str().unwrap()), (200, tag.as_str()));
    assert!(!head.headers().contains_key("content-length"), "HEAD does not run, so it knows no length");

    site.land("D,web,2026-01-20,tea,1,100.00\n").await;
    site.engine.refresh().await.unwrap();
    let new = site.get(RUN).header("if-none-match", &tag).send().await.unwrap();
    assert_eq!(new.status(), 200);
    assert_ne!(new.headers()["etag"].to_str().unwrap(), tag);
    assert!(new.text().await.unwrap().contains("131.50"));
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_answer_is_from_the_cache_unless_it_is_asked_anew() {
    let mut site = site(|config| config.http.allow_sql = true).await;
    let cached = async |site: &Site, directive: &str| {
        let answer = site.get(RUN).header("cache-control", directive).send().await.unwrap();
        let header = answer.headers()["x-saleslake-cached"] == "true";
        let json: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(json["receipt"]["cached"], json!(header));
        (header, json["rows"].clone())
    };
    let (first, rows) = cached(&site, "max-age=0").await;
    assert!(!first);
    assert_eq!(cached(&site, "max-age=0").await, (true, rows.clone()));
    assert_eq!(cached(&site, "max-age=0, No-Cache").await, (false, rows.clone()));
    let count = json!({ "sql": "SELECT count(*) AS n FROM base.order_line" });
    for told in [false, true] {
        assert_eq!(parsed(site.sql(count.clone()).await).await["receipt"]["cached"], json!(told));
    }
    let metrics = site.get("/metrics").send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("saleslake_result_cache_hits_total"), "{metrics}");
    site.land("D,web,2026-01-20,tea,1,100.00\n").await;
    site.engine.refresh().await.unwrap();
    let (after, new) = cached(&site, "max-age=0").await;
    assert!(!after && new != rows, "{new}");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_shows_what_another_process_lands() {
    let dir = tempfile::tempdir().unwrap();
    let lake = dir.path().join("lake").to_str().unwrap().to_string();
    let site = site(|config| {
        config.lake.url = lake.clone();
        config.engine.refresh_ms = 20;
        config.http.allow_sql = true;
    })
    .await;
    // The report reads views, the statement the table itself: both must see it.
    let count = json!({ "sql": "SELECT count(*) AS n FROM base.order_line" });
    assert_eq!(parsed(site.sql(count.clone()).await).await["rows"], json!([{ "n": 3 }]));
    let before = site.get(RUN).send().await.unwrap();
    let tag = before.headers()["etag"].to_str().unwrap().to_string();
    assert!(before.text().await.unwrap().contains("\"31.50"), "web: 2 × 10.50 + 10.50");

    std::fs::write(dir.path().join("more.csv"), format!("{HEAD}E,web,2026-01-21,tea,1,1000.00\n")).unwrap();
    let queries = site.folder.path().to_str().unwrap();
    let settings = [
        format!("lake.url={lake}"),
        "lake.currency=GBP".into(),
        "lake.zone=Europe/London".into(),
        "lake.today=data".into(),
        format!("queries_dir={queries}"),
    ];
    let mut args = vec!["ingest", "till", "more.csv"];
    args.extend(settings.iter().flat_map(|set| ["--set", set.as_str()]));
    let account = common::succeeded(dir.path(), &args);
    assert!(account.contains("1 read = 1 landed"), "{account}");

    let seen = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            let response = site.get(RUN).header("if-none-match", &tag).send().await.unwrap();
            if response.status() != StatusCode::NOT_MODIFIED {
                break parsed(response).await;
            }
            ticks.tick().await;
        }
    };
    let shown = tokio::time::timeout(SOON, seen).await.expect("the new row never showed");
    let web = shown["rows"].as_array().unwrap().iter().find(|r| r["channel_id"] == "web").unwrap();
    assert!(web["net_sales"].as_str().unwrap().starts_with("1031.50"), "{shown}");
    assert_eq!(parsed(site.sql(count).await).await["rows"], json!([{ "n": 4 }]));
    site.stop().await;
}

#[tokio::test]
async fn without_tokens_strangers_names_and_pages_are_refused() {
    let site = site(|config| {
        config.http.allow_sql = true;
        config.http.hosts = vec!["lake.example".into()];
    })
    .await;
    // What a browser sends that was told that evil.example is 127.0.0.1.
    let stranger = site.get(RUN).header("host", "evil.example:8080").send().await.unwrap();
    assert!(text_of(&problem(stranger, 421).await).contains("http.hosts"));
    for own in ["localhost:1", "[::1]:8080", "Lake.Example"] {
        assert_eq!(site.get(RUN).header("host", own).send().await.unwrap().status(), 200, "{own}");
    }
    let sql = async |origin: &str| {
        let request = site.client.post(format!("{}/api/v1/sql", site.url)).header("content-type", "application/json");
        request.header("origin", origin).body(r#"{"sql":"SELECT 1 AS one"}"#).send().await.unwrap()
    };
    let foreign = problem(sql("https://evil.example").await, 403).await;
    assert!(text_of(&foreign).contains("https://evil.example"), "{foreign}");
    assert_eq!(sql(&site.url).await.status(), 200, "a page of its own");
    assert_eq!(sql("https://lake.example").await.status(), 200);
    site.stop().await;
}

#[tokio::test]
async fn with_tokens_any_name_will_do() {
    let token = "0123456789abcdef0123";
    let site = site(|config| drop(config.access.tokens.insert("bi".into(), token.into()))).await;
    let request = site.get(RUN).header("host", "lake.example").bearer_auth(token);
    assert_eq!(request.send().await.unwrap().status(), 200, "a stranger's page has no token");
    site.stop().await;
}

#[tokio::test]
async fn gzip_carries_the_same_answer() {
    let site = site(|_| ()).await;
    let plain = site.get(&format!("{RUN}&format=csv")).send().await.unwrap();
    let zipped = site.get(&format!("{RUN}&format=csv")).header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(zipped.headers()["content-encoding"], "gzip");
    assert_eq!(zipped.headers()["etag"], plain.headers()["etag"]);
    let mut text = String::new();
    flate2::read::GzDecoder::new(&zipped.bytes().await.unwrap()[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, plain.text().await.unwrap());
    site.stop().await;
}

#[tokio::test]
async fn with_tokens_every_route_but_the_probes_needs_one() {
    let token = "0123456789abcdef0123";
    let site = site(|config| drop(config.access.tokens.insert("bi".into(), token.into()))).await;
    for path in [RUN, "/api/v1/reports", "/api/v1/tables", "/metrics", "/api/v1/nothing"] {
        let refused = site.get(path).send().await.unwrap();
        assert_eq!(refused.headers()["www-authenticate"], "Bearer realm=\"saleslake\"");
        problem(refused, 401).await;
        problem(site.get(path).bearer_auth("0123456789abcdef0124").send().await.unwrap(), 401).await;
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(site.get(path).send().await.unwrap().status(), 200, "{path}");
    }
    assert_eq!(site.get(RUN).bearer_auth(token).send().await.unwrap().status(), 200);
    let local = Caller::local();
    let who = site.engine.query("SELECT DISTINCT principal FROM system.queries", Default::default(), &local);
    let who = who.await.unwrap().collect().await.unwrap();
    assert!(format!("{who:?}").contains("bi"), "the query log knows the token by its name");
    site.stop().await;
}

#[tokio::test]
async fn without_tokens_only_loopback_is_bound() {
    let mut config = common::config();
    config.http.bind = "0.0.0.0:0".into();
    let app = App::open(config.clone(), common::clock()).await.unwrap();
    let error = app.build().await.err().expect("a refusal");
    assert!(error.hint_text().unwrap().contains("access.tokens"), "{error}");
    config.access.tokens.insert("bi".into(), "0123456789abcdef0123".into());
    let app = App::open(config, common::clock()).await.unwrap();
    assert!(app.build().await.is_ok());
}

#[tokio::test]
async fn sql_is_off_unless_enabled_and_reads_only() {
    let off = site(|_| ()).await;
    let refused = problem(off.sql(json!({ "sql": "SELECT 1" })).await, 403).await;
    assert!(text_of(&refused).contains("http.allow_sql"));
    off.stop().await;

    let site = site(|config| config.http.allow_sql = true).await;
    let statement = "SELECT business_date, net_rc FROM sales_event WHERE business_date >= $from AND channel_id = $channel ORDER BY 1";
    let params = json!({ "from": { "type": "date", "value": "2026-01-15" }, "channel": "web" });
    let answer = parsed(site.sql(json!({ "sql": statement, "params": params })).await).await;
    assert_eq!(answer["rows"], json!([{ "business_date": "2026-02-01", "net_rc": "10.5000" }]), "{answer}");
    let spliced = json!({ "from": { "type": "date", "value": "2026-01-15" }, "channel": "web' OR '1'='1" });
    let none = parsed(site.sql(json!({ "sql": statement, "params": spliced })).await).await;
    assert_eq!(none["rows"], json!([]), "D72: values are bound, never spliced");
    let csv = site.sql(json!({ "sql": "SELECT 1 AS one", "format": "csv" })).await;
    assert_eq!(csv.text().await.unwrap(), "one\n1\n");

    for (body, status) in [
        (json!({ "sql": "DELETE FROM base.order_line" }), 403),
        (json!({ "sql": "SELEC 1" }), 400),
        (json!({ "sql": "SELECT 1", "parms": {} }), 400),
        (json!({ "sql": "SELECT 1; SELECT 2" }), 400),
        (json!({ "sql": "SELECT 1 WHERE 1 = $a", "params": { "a": null } }), 400),
    ] {
        problem(site.sql(body).await, status).await;
    }
    let form = site.client.post(format!("{}/api/v1/sql", site.url)).body("{}").send().await.unwrap();
    problem(form, 415).await;
    let terms = format!("SELECT 1{}", " + 1".repeat(20_000));
    let doubled = (1..=19).map(|i| format!(", a{i} AS (SELECT * FROM a{0} UNION ALL SELECT * FROM a{0})", i - 1));
    let doubled = format!("WITH a0 AS (SELECT 1 AS x){} SELECT * FROM a19", doubled.collect::<String>());
    for (sql, says) in [(terms, "80000 operators"), (doubled, "relations")] {
        let told = problem(site.sql(json!({ "sql": sql })).await, 400).await;
        assert!(told["detail"].as_str().unwrap().contains(says), "{told}");
    }
    problem(site.sql(json!({ "sql": "WITH a AS (DELETE FROM product) SELECT 1" })).await, 403).await;
    let terms = site.sql(json!({ "sql": format!("SELECT 1{} AS n", " + 1".repeat(600)) })).await;
    assert_eq!(parsed(terms).await["rows"], json!([{ "n": 601 }]));
    let huge = site.sql(json!({ "sql": format!("SELECT '{}'", "x".repeat(2_000_000)) })).await;
    problem(huge, 413).await;
    site.stop().await;
}

#[tokio::test]
async fn a_result_above_the_row_limit_is_an_error_never_cut() {
    let site = site(|config| {
        config.http.allow_sql = true;
        config.engine.row_limit = 1000;
    })
    .await;
    let sql = "SELECT date_key FROM calendar LIMIT 5000";
    let response = site.sql(json!({ "sql": sql, "format": "csv" })).await;
    let refused = problem(response, 400).await;
    assert!(text_of(&refused).contains("1000"), "{refused}");
    site.stop().await;
}

#[tokio::test]
async fn request_ids_metrics_and_probes() {
    let site = site(|_| ()).await;
    let given = site.get("/healthz").header("x-request-id", "mine-1").send().await.unwrap();
    assert_eq!(given.headers()["x-request-id"], "mine-1");
    let made = site.get("/healthz").header("x-request-id", "not fine").send().await.unwrap();
    assert_ne!(made.headers()["x-request-id"], "not fine");
    assert_eq!(site.get("/readyz").send().await.unwrap().status(), 200);
    site.json(RUN).await;
    let metrics = site.get("/metrics").send().await.unwrap().text().await.unwrap();
    let line = "saleslake_http_requests_total{route=\"/api/v1/reports/{id}/run\",method=\"GET\",status=\"200\"} 1";
    assert!(metrics.contains(line), "{metrics}");
    assert!(metrics.contains("saleslake_http_rows_total{route=\"/api/v1/reports/{id}/run\"} 2"), "{metrics}");
    assert!(metrics.contains("saleslake_snapshot_age_seconds"), "{metrics}");
    site.stop().await;
}

#[tokio::test]
async fn after_a_shutdown_nothing_answers() {
    let site = site(|_| ()).await;
    let (url, client) = (site.url.clone(), site.client.clone());
    assert_eq!(client.get(format!("{url}/healthz")).send().await.unwrap().status(), 200);
    site.stop().await;
    assert!(Client::new().get(format!("{url}/healthz")).send().await.is_err());
}
