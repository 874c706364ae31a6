//! One real object store server for one test, started by tests/servers/serve.py and ended with the value that owns it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use saleslake::config::{Config, StorageConfig};
use serde_json::{Value, json};

use crate::common;

pub struct Server {
    process: Child,
    told: Value,
}

impl Server {
    /// `None` after saying that `test` is skipped: without Python, or where the server cannot be installed.
    ///
    /// # Panics
    /// In CI without a word about Python, or where Python is there and the server is not to be had.
    pub fn start(test: &str, kind: &str) -> Option<Server> {
        let python = common::python(test)?;
        let mut process = Command::new(python)
            .arg(common::repo("tests/servers/serve.py"))
            .arg(kind)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts");
        let mut line = String::new();
        let out = process.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut line).expect("serve.py speaks UTF-8");
        if !line.is_empty() {
            let told = serde_json::from_str(&line).unwrap_or_else(|e| panic!("serve.py said {line:?}: {e}"));
            return Some(Server { process, told });
        }
        let ended = process.wait().expect("it ended");
        assert!(common::is_missing(test, kind, ended, "see above"), "serve.py {kind} ended with {ended}");
        None
    }

    /// A place in the server's bucket, or container.
    pub fn url(&self, below: &str) -> String {
        let scheme = match self.told("kind").as_str() {
            "azurite" => "az",
            "google" => "gs",
            _ => "s3",
        };
        format!("{scheme}://{}/{below}", self.told("bucket"))
    }

    pub fn storage(&self) -> StorageConfig {
        let default = StorageConfig { allow_http: true, ..StorageConfig::default() };
        if self.told("kind") == "google" {
            // A service account's key, which may say where the store is and that it asks for no token.
            let key = json!({
                "gcs_base_url": self.told("endpoint"),
                "disable_oauth": true,
                "client_email": "",
                "private_key": "",
                "private_key_id": "",
            });
            return StorageConfig { secret_access_key: Some(key.to_string()), ..default };
        }
        StorageConfig {
            endpoint: Some(self.told("endpoint")),
            region: Some(self.told("region")).filter(|region| !region.is_empty()),
            access_key_id: Some(self.told("access_key")),
            secret_access_key: Some(self.told("secret_key")),
            ..default
        }
    }

    /// A lake of its own on this server.
    pub fn config(&self) -> Config {
        let mut config = common::config();
        config.lake.url = self.url("tests/a lake");
        config.lake.storage = self.storage();
        config
    }

    fn told(&self, what: &str) -> String {
        self.told[what].as_str().unwrap_or_else(|| panic!("serve.py does not tell {what}: {}", self.told)).into()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server ends, and its data with it, when its standard input closes.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
