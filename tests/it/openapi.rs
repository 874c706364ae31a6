//! The OpenAPI document of a running server: it tells every report as it answers, is kept by its ETag, and makes a client that works
//! (tests/clients/openapi, which needs Python, see CONTRIBUTING.md).

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use saleslake::app::App;
use saleslake::error::Result;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::common::{self, Shared};

const DOCUMENT: &str = "/api/v1/openapi.json";
const TOKEN: &str = "0123456789abcdef0123";
/// Only a failing test waits this long.
const SOON: Duration = Duration::from_secs(30);

/// A server over the shared sample that wants a token.
struct Site {
    url: String,
    client: Client,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<()>>,
}

impl Site {
    async fn serve(shared: &Shared) -> Site {
        let mut config = common::config();
        config.access.tokens.insert("bi".into(), TOKEN.into());
        let app = App::over(shared.app.lake.clone(), config, common::clock()).await.unwrap();
        let serving = app.build().await.unwrap();
        let url = format!("http://{}", serving.http_addr());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(serving.run(async {
            let _ = stopped.await;
        }));
        Site { url, client: Client::new(), stop, served }
    }
    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url)).bearer_auth(TOKEN)
    }
    async fn json(&self, path: &str) -> Value {
        let response = self.get(path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }
    async fn stop(self) {
        self.stop.send(()).unwrap();
        tokio::time::timeout(SOON, self.served).await.expect("the server did not stop").unwrap().unwrap();
    }
}

#[test]
fn the_document_needs_a_token_and_is_kept_by_its_etag() {
    let shared = common::shared_sample();
    shared.run(async {
        let site = Site::serve(shared).await;
        let stranger = site.client.get(format!("{}{DOCUMENT}", site.url)).send().await.unwrap();
        assert_eq!(stranger.status(), 401);
        let first = site.get(DOCUMENT).send().await.unwrap();
        assert_eq!(first.headers()["content-type"], "application/json");
        let tag = first.headers()["etag"].to_str().unwrap().to_string();
        let again = site.get(DOCUMENT).header("if-none-match", tag).send().await.unwrap();
        assert_eq!(again.status(), 304);
        assert!(again.bytes().await.unwrap().is_empty());
        assert_eq!(site.get(&format!("{DOCUMENT}?x=1")).send().await.unwrap().status(), 400);
        site.stop().await;
    });
}

#[test]
fn reports_answer_as_the_document_tells() {
    let shared = common::shared_sample();
    shared.run(async {
        let site = Site::serve(shared).await;
        let document = site.json(DOCUMENT).await;
        let list = site.json("/api/v1/reports").await;
        for report in list["reports"].as_array().unwrap() {
            let path = format!("{}/run", report["href"].as_str().unwrap());
            answers_as_told(&site, &document, &path).await;
        }
        site.stop().await;
    });
}

/// One row of the report has the columns and types, and the answer the headers, that are told.
async fn answers_as_told(site: &Site, document: &Value, path: &str) {
    let told = &document["paths"][path]["get"]["responses"]["200"];
    let answer = site.get(&format!("{path}?limit=1")).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    for name in answer.headers().keys().map(|n| n.as_str()).filter(|n| n.starts_with("x-") || *n == "etag") {
        let known = told["headers"].as_object().unwrap().keys().any(|known| known.eq_ignore_ascii_case(name));
        assert!(known, "{path} answers the header {name}, which it does not tell");
    }
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let whole = resolved(document, &told["content"]["application/json"]["schema"]);
    let row = resolved(document, &whole["properties"]["rows"]["items"]);
    let columns: Vec<&Value> = answer["columns"].as_array().unwrap().iter().map(|c| &c["name"]).collect();
    assert_eq!(row["required"].as_array().unwrap().iter().collect::<Vec<_>>(), columns, "{path}");
    for (name, value) in answer["rows"].as_array().unwrap().iter().flat_map(|row| row.as_object().unwrap()) {
        let types = &row["properties"][name]["type"];
        let fits = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(n) if types[0] == "integer" && n.is_i64() => "integer",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        assert!(types.as_array().unwrap().iter().any(|t| t == fits), "{path}, {name}: {value} is none of {types}");
    }
    let receipt = resolved(document, &whole["properties"]["receipt"]);
    let parts = receipt["allOf"].as_array().unwrap().iter().map(|part| resolved(document, part));
    let required: BTreeSet<&str> =
        parts.flat_map(|part| part["required"].as_array().unwrap()).filter_map(Value::as_str).collect();
    let there: BTreeSet<&str> = answer["receipt"].as_object().unwrap().keys().map(String::as_str).collect();
    assert!(required.is_subset(&there), "{path}: {required:?} are told, {there:?} come");
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

#[test]
fn a_generated_client_finds_what_plain_requests_find() {
    let test = "a_generated_client_finds_what_plain_requests_find";
    let Some(python) = common::python(test) else { return };
    let shared = common::shared_sample();
    shared.run(async {
        let site = Site::serve(shared).await;
        let mut check = Command::new(python);
        check.arg(common::repo("tests/clients/openapi/check.py")).args([&site.url, TOKEN]);
        let run = tokio::task::spawn_blocking(move || check.stdin(Stdio::null()).output());
        let out = run.await.unwrap().expect("Python starts");
        let told = String::from_utf8_lossy(&out.stderr);
        if common::is_missing(test, "openapi", out.status, &told) {
            return;
        }
        assert!(out.status.success(), "{told}");
        site.stop().await;
    });
}
