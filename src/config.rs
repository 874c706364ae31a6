//! One configuration: defaults ← saleslake.toml ← environment (`SALESLAKE__HTTP__BIND`) ← `--set http.bind=…`.
//! It knows each value's origin and refuses unknown keys; it must not open anything.

mod layers;
mod sections;

use std::path::{Path, PathBuf};

use figment::error::Kind;
use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::{Dict, Value};
use figment::{Figment, Metadata, Provider};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use layers::{Beside, Given};
pub use sections::{
    AccessConfig, EngineConfig, FlightConfig, HttpConfig, LakeConfig, LandingConfig, LogConfig, MaintenanceConfig,
    PostgresConfig, StorageConfig, TlsConfig,
};

/// The file that is read from the working directory when none is named.
pub const FILE: &str = "saleslake.toml";

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub lake: LakeConfig,
    pub landing: LandingConfig,
    /// A folder laid out like `queries/` that adds to the embedded files and overrides them by name.
    pub queries_dir: Option<PathBuf>,
    pub engine: EngineConfig,
    pub maintenance: MaintenanceConfig,
    pub access: AccessConfig,
    pub http: HttpConfig,
    pub flight: FlightConfig,
    pub postgres: PostgresConfig,
    pub log: LogConfig,
}

/// A setting with where it came from, for `saleslake config`.
#[derive(Debug, Serialize)]
pub struct Setting {
    pub key: String,
    /// Secrets are shown as `***`, what has no value as `unset`.
    pub value: String,
    /// `default`, the file's path, the environment, or `--set`.
    pub origin: String,
}

impl Config {
    /// The configuration from `file` (must exist if given; else `./saleslake.toml` if there is one), the environment and `sets`.
    /// Relative paths of the file start at its folder, all others at the working directory.
    pub fn load(file: Option<&Path>, sets: &[String]) -> Result<(Config, Vec<Setting>)> {
        let figment = Self::layers(file, sets)?;
        let config: Config = figment.extract().map_err(|e| explain(&e))?;
        config.validate()?;
        let settings = origins(&figment);
        Ok((config, settings))
    }

    fn layers(file: Option<&Path>, sets: &[String]) -> Result<Figment> {
        let mut figment = Figment::from(Serialized::defaults(Config::default()));
        let path = file.unwrap_or(Path::new(FILE));
        if path.exists() {
            let folder = path.parent().unwrap_or(Path::new(""));
            figment = figment.merge(Beside { file: Toml::file_exact(path), folder });
        } else if file.is_some() {
            return Err(Error::not_found(format!("configuration file {} does not exist", path.display())));
        }
        let environment = Env::prefixed("SALESLAKE__").split("__");
        for (key, text) in environment.iter() {
            figment = figment.merge(Given { key: key.as_str(), text: &text, origin: environment.metadata() });
        }
        for set in sets {
            let (key, text) = set.split_once('=').ok_or_else(|| {
                Error::invalid(format!("--set {set}: no value")).hint("write --set http.bind=127.0.0.1:9000")
            })?;
            figment = figment.merge(Given { key, text, origin: Metadata::named("--set") });
        }
        Ok(figment)
    }

    /// Checks what types cannot: each message names the key and what would work.
    pub fn validate(&self) -> Result<()> {
        let positive = [
            ("landing.batch_records", self.landing.batch_records as u64),
            ("landing.memory_mb", self.landing.memory_mb),
            ("engine.memory_mb", self.engine.memory_mb),
            ("engine.timeout_seconds", self.engine.timeout_seconds),
            ("engine.row_limit", self.engine.row_limit),
            ("engine.concurrent", self.engine.concurrent as u64),
            ("engine.unread", self.engine.unread as u64),
            ("engine.refresh_ms", self.engine.refresh_ms),
            ("http.connections", self.http.connections as u64),
            ("http.ingest_max_mb", self.http.ingest_max_mb),
            ("http.ingest_queue", self.http.ingest_queue as u64),
            ("http.ingest_pause_ms", self.http.ingest_pause_ms),
            ("flight.max_message_mb", self.flight.max_message_mb),
            ("flight.connections", self.flight.connections as u64),
            ("postgres.max_message_mb", self.postgres.max_message_mb),
            ("postgres.connections", self.postgres.connections as u64),
            ("maintenance.file_mb", self.maintenance.file_mb),
            ("maintenance.memory_mb", self.maintenance.memory_mb),
            ("maintenance.retention_hours", self.maintenance.retention_hours),
            ("maintenance.log_days", self.maintenance.log_days),
        ];
        if let Some((key, _)) = positive.iter().find(|(_, v)| *v == 0) {
            return Err(Error::invalid(format!("{key} = 0: it must be above 0")));
        }
        if !matches!(self.log.format.as_str(), "text" | "json") {
            return Err(Error::invalid(format!("log.format = \"{}\"", self.log.format)).hint("text or json"));
        }
        for (key, bind) in [("http", &self.http.bind), ("flight", &self.flight.bind), ("postgres", &self.postgres.bind)]
        {
            bind.parse::<std::net::SocketAddr>().map_err(|_| {
                Error::invalid(format!("{key}.bind = \"{bind}\": not an address and port")).hint("127.0.0.1:8080")
            })?;
        }
        for (key, tls) in [("flight", &self.flight.tls), ("postgres", &self.postgres.tls)] {
            tls.pair(key)?;
        }
        let (most, queue) = (self.http.ingest_max_mb, self.http.ingest_queue_mb);
        if queue < most {
            return Err(Error::invalid(format!(
                "http.ingest_queue_mb = {queue}: a body of http.ingest_max_mb = {most} would never have room"
            ))
            .hint(format!("set it to {most} or more")));
        }
        if let Some((name, _)) = self.access.tokens.iter().find(|(_, t)| t.len() < 16) {
            return Err(Error::invalid(format!("access.tokens.{name}: shorter than 16 characters"))
                .hint("make one with `openssl rand -hex 24`"));
        }
        Ok(())
    }
}

impl TlsConfig {
    /// Certificate and key; `None` = neither is set. `section` is the one that holds them, for the error.
    ///
    /// # Errors
    /// `Invalid`: one without the other.
    pub fn pair(&self, section: &str) -> Result<Option<(&Path, &Path)>> {
        let (given, missing) = match (&self.certificate, &self.key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => return Ok(Some((certificate.as_path(), key.as_path()))),
            (Some(_), None) => ("certificate", "key"),
            (None, Some(_)) => ("key", "certificate"),
        };
        Err(Error::invalid(format!("{section}.tls.{given} is set, and {section}.tls.{missing} is not"))
            .hint("set both, PEM files, for TLS; neither for plaintext"))
    }
}

fn explain(e: &figment::Error) -> Error {
    let key = e.path.join(".");
    let from = e.metadata.as_ref().map(|m| match &m.source {
        Some(figment::Source::File(path)) => format!(" in {}", path.display()),
        _ if m.name.contains("environment") => " in the environment".into(),
        _ => " in --set".into(),
    });
    Error::invalid(format!(
        "configuration{}: {}{}",
        from.unwrap_or_default(),
        if key.is_empty() { String::new() } else { format!("{key}: ") },
        what(&key, &e.kind)
    ))
    .hint("`saleslake config` lists every key with its value and origin")
}

/// What is wrong; values of secrets are not repeated.
fn what(key: &str, kind: &Kind) -> String {
    match kind {
        Kind::UnknownField(..) => kind.to_string(),
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected)
            if layers::is_secret(key) || layers::holds_secrets(key) =>
        {
            format!("it must be {expected}; a text in a file needs quotes (the value is not shown)")
        }
        _ if layers::is_secret(key) => "it cannot be read (the value is not shown)".into(),
        Kind::Message(text) => layers::without_source(text),
        _ => kind.to_string(),
    }
}

fn origins(figment: &Figment) -> Vec<Setting> {
    let mut out = Vec::new();
    if let Ok(dict) = figment.extract::<Dict>() {
        flatten(figment, "", &dict, &mut out);
    }
    out
}

fn flatten(figment: &Figment, prefix: &str, dict: &Dict, out: &mut Vec<Setting>) {
    for (name, value) in dict {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        if let Value::Dict(_, inner) = value
            && !inner.is_empty()
        {
            flatten(figment, &key, inner, out);
            continue;
        }
        out.push(Setting {
            value: match value {
                Value::Empty(..) => "unset".into(),
                _ if layers::is_secret(&key) => "***".into(),
                _ => show(value),
            },
            origin: origin(figment, &key),
            key,
        });
    }
}

fn show(value: &Value) -> String {
    match value {
        Value::String(_, s) => s.clone(),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

fn origin(figment: &Figment, key: &str) -> String {
    let Some(meta) = figment.find_metadata(key) else { return "default".into() };
    match &meta.source {
        Some(figment::Source::File(path)) => path.display().to_string(),
        _ if meta.name.contains("environment") => "environment".into(),
        _ if meta.name.contains("Config") => "default".into(),
        _ => "--set".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_layers_win_and_origins_are_known() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("saleslake.toml");
        std::fs::write(&file, "[lake]\nurl = \"./elsewhere\"\n[engine]\nrow_limit = 5\n").unwrap();
        let (config, settings) =
            Config::load(Some(&file), &["engine.row_limit=7".into(), "lake.zone=Asia/Shanghai".into()]).unwrap();
        assert_eq!(Path::new(&config.lake.url), dir.path().join("elsewhere"));
        assert_eq!(config.engine.row_limit, 7);
        assert_eq!(config.lake.zone, "Asia/Shanghai");
        let origin = |key: &str| settings.iter().find(|s| s.key == key).map(|s| s.origin.clone()).unwrap();
        assert_eq!(origin("engine.row_limit"), "--set");
        assert!(origin("lake.url").ends_with("saleslake.toml"));
        assert_eq!(origin("engine.threads"), "default");
    }

    #[test]
    fn secrets_of_every_storage_section_are_hidden() {
        let sets = ["lake.storage", "landing.storage"].map(|section| format!("{section}.secret_access_key=abcdef"));
        let token = "landing.storage.options.aws_session_token=abcdef".to_string();
        let (config, settings) = Config::load(None, &[&sets[..], &[token]].concat()).unwrap();
        assert_eq!(config.landing.storage.secret_access_key.as_deref(), Some("abcdef"));
        assert!(settings.iter().all(|s| !s.value.contains("abcdef")));
        assert_eq!(settings.iter().filter(|s| s.origin == "--set" && s.value == "***").count(), 3);
        // A secret that is not set is none: whoever looks for a missing key must see that it is missing.
        let (_, settings) = Config::load(None, &[]).unwrap();
        let value = |key: &str| settings.iter().find(|s| s.key == key).map(|s| s.value.as_str());
        for key in ["lake.storage.secret_access_key", "landing.storage.access_key_id", "queries_dir"] {
            assert_eq!(value(key), Some("unset"), "{key}");
        }
    }

    #[test]
    fn unknown_keys_and_bad_values_are_refused_by_name() {
        let says = |set: &str| Config::load(None, &[set.to_string()]).unwrap_err().to_string();
        assert!(says("engine.row_limt=7").contains("row_limt"), "{}", says("engine.row_limt=7"));
        assert!(says("http.bind=nonsense").contains("http.bind"));
        assert!(says("engine.row_limit=0").contains("engine.row_limit"));
        assert!(says("access.tokens.bi=short").contains("access.tokens.bi"));
        assert!(says("http.ingest_queue_mb=63").contains("http.ingest_max_mb"));
        assert!(says("http.connections=0").contains("http.connections"));
        assert!(says("http.ingest_pause_ms=0").contains("http.ingest_pause_ms"));
        assert!(says("postgres.tls.key=key.pem").contains("postgres.tls.certificate is not"));
        assert!(says("flight.tls.certificate=cert.pem").contains("flight.tls.key is not"));
    }

    /// Whoever names a file means what the file means, wherever he is; `saleslake config` shows the paths that hold.
    #[test]
    fn paths_of_a_file_start_at_its_folder_and_others_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("saleslake.toml");
        let text = "queries_dir = \"../queries\"\n[lake]\nurl = \"./lake\"\n[landing]\npath = \"s3://till/in\"\n\
                    temp_dir = \"/var/tmp\"\n[engine]\nspill_dir = \"spill\"\n";
        std::fs::write(&file, text).unwrap();
        let (config, settings) = Config::load(Some(&file), &[]).unwrap();
        let below = |path: &str| dir.path().join(path);
        assert_eq!(Path::new(&config.lake.url), below("lake"));
        assert_eq!(config.queries_dir, Some(below("../queries")));
        assert_eq!(config.engine.spill_dir, Some(below("spill")));
        assert_eq!(config.landing.path, Path::new("s3://till/in"));
        assert_eq!(config.landing.temp_dir.as_deref(), Some(Path::new("/var/tmp")));
        let setting = settings.iter().find(|s| s.key == "lake.url").unwrap();
        assert_eq!(Path::new(&setting.value), below("lake"));
        assert!(setting.origin.ends_with("saleslake.toml"), "{}", setting.origin);
        let (config, settings) = Config::load(Some(&file), &["lake.url=./here".into()]).unwrap();
        let setting = settings.iter().find(|s| s.key == "lake.url").unwrap();
        assert_eq!(
            (config.lake.url.as_str(), setting.value.as_str(), setting.origin.as_str()),
            ("./here", "./here", "--set")
        );
    }

    #[test]
    fn a_text_of_digits_is_a_text_and_a_secret_is_never_told() {
        let digits = "0123456789012345";
        let sets = ["access.tokens.bi", "lake.storage.secret_access_key", "lake.storage.options.aws_session_token"]
            .map(|key| format!("{key}={digits}"));
        let (config, _) = Config::load(None, &sets).unwrap();
        assert_eq!(config.access.tokens["bi"], digits, "with its zero");
        assert_eq!(config.lake.storage.secret_access_key.as_deref(), Some(digits));
        assert_eq!(config.lake.storage.options["aws_session_token"], digits);
        let (config, _) = Config::load(None, &["landing.archive_mb=7".into(), "queries_dir=2026".into()]).unwrap();
        assert_eq!((config.landing.archive_mb, config.queries_dir), (Some(7), Some("2026".into())));

        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("saleslake.toml");
        for text in [
            "[access.tokens]\nbi = 1234567890123456\n",
            "[access.tokens]\nbi = \"1234567890123456\n",
            "[access.tokens]\nbi = 12345678901234567890123456\n",
            "[access]\ntokens = \"1234567890123456\"\n",
        ] {
            std::fs::write(&file, text).unwrap();
            let told = Config::load(Some(&file), &[]).unwrap_err().to_string();
            assert!(
                !told.contains("1234567890") && told.contains("saleslake.toml") | told.contains("line 2"),
                "{told}"
            );
        }
    }
}
