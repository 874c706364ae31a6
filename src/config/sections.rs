//! The sections of the configuration with their defaults: plain data. It must not read or check anything.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Where the lake is, and the properties that it gets when it is created.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LakeConfig {
    /// A path, `file://…`, `memory://`, `s3://bucket/path`, `az://container/path` or `gs://bucket/path`.
    pub url: String,
    /// Reporting currency, ISO 4217; fixed at creation.
    pub currency: String,
    /// IANA zone of `today`; fixed at creation.
    pub zone: String,
    /// What "today" means: `clock`, `data` (the day after the newest business date) or a date; fixed at creation.
    pub today: String,
    /// How `s3://`, `az://` and `gs://` are reached.
    pub storage: StorageConfig,
}

/// How an object store is reached. What is not set here comes from the usual environment variables (`AWS_…`, `AZURE_…`,
/// `GOOGLE_…`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StorageConfig {
    /// The server's address, where it is not the provider's own: `http://127.0.0.1:9000`.
    pub endpoint: Option<String>,
    pub region: Option<String>,
    /// S3: the key's id. Azure: the account's name.
    pub access_key_id: Option<String>,
    /// S3: the key's secret. Azure: the account's key. Google: the service account's JSON key.
    pub secret_access_key: Option<String>,
    /// S3: the bucket is part of the path (`true`) or of the host's name.
    pub path_style: bool,
    /// Whether plain http is allowed.
    pub allow_http: bool,
    /// Longest time for one request, its body included.
    pub timeout_seconds: u64,
    pub connect_timeout_seconds: u64,
    /// How often a failed request is tried again, and for how long at most.
    pub retries: usize,
    pub retry_seconds: u64,
    /// Requests at once.
    pub connections: usize,
    /// Any other option of the object_store crate, by its name there: `aws_…`, `azure_…`, `google_…`.
    pub options: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LandingConfig {
    /// The folder below which sources look for their files: a path, `file://…`, `s3://bucket/path`,
    /// `az://container/path` or `gs://bucket/path`.
    pub path: PathBuf,
    /// How `s3://`, `az://` and `gs://` are reached; it does not follow `lake.storage`.
    pub storage: StorageConfig,
    /// Where files of object stores and of archives wait while they are read, one at a time; the system's temporary
    /// folder if unset.
    pub temp_dir: Option<PathBuf>,
    /// Most that one archive, or one packed push, may unpack to, in MiB; 200 times its own size, and at least 1 GiB, if
    /// unset.
    pub archive_mb: Option<u64>,
    /// Records that one commit per table holds, about; fewer take less memory and make more files.
    pub batch_records: usize,
    /// Memory that landing takes, in MiB, about: it commits earlier rather than take more.
    pub memory_mb: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineConfig {
    /// Memory that queries may use together, in MiB; beyond it they spill. One function may
    /// make an eighth of it of one batch of rows.
    pub memory_mb: u64,
    /// Where queries spill; the system's temporary folder if unset.
    pub spill_dir: Option<PathBuf>,
    /// Longest time a query may take.
    pub timeout_seconds: u64,
    /// Most rows that a result may have; above it the query fails, it is never cut.
    pub row_limit: u64,
    /// Threads per query; 0 = one per core.
    pub threads: usize,
    /// Queries that run at once: people's; BI tools get half of it, batch jobs a quarter. As many more run that read no table.
    pub concurrent: usize,
    /// Queries that may wait; beyond them callers are told to come back.
    pub queued: usize,
    /// Results, per class, that may wait half read for slow readers, keeping their memory; beyond them one fails.
    pub unread: usize,
    /// How often tables are looked at for commits of other processes.
    pub refresh_ms: u64,
    /// Queries that `system.queries` remembers.
    pub query_log: usize,
    /// Whether rollups answer; the server also keeps them current.
    pub rollups: bool,
    /// Memory for the rows of rollups, in MiB, beside `memory_mb`, about; of one that would take half of it each query reads
    /// the files. 0 = of all.
    pub rollups_mb: u64,
    /// Memory for finished results, in MiB, beside `memory_mb`; 0 = none are kept. One may take an eighth of it.
    pub result_cache_mb: u64,
}

/// How the lake is kept while the server runs, and what the commands of `saleslake lake` start from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MaintenanceConfig {
    /// How often the server looks for small files, and (at most once an hour) for what nothing needs any more; 0 = never.
    pub every_minutes: u64,
    /// Size that data files should have, in MiB.
    pub file_mb: u64,
    /// Memory that compaction may take, in MiB, about.
    pub memory_mb: u64,
    /// How long files stay after they have left their table: longer than the longest query of any process, and the longest
    /// write.
    pub retention_hours: u64,
    /// How long commits stay in the tables' logs.
    pub log_days: u64,
}

/// Who may ask, on every surface.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessConfig {
    /// Name → token: a bearer token, or the password of a user of that name. Without any, only loopback addresses are bound.
    pub tokens: BTreeMap<String, String>,
}

/// A server's certificate; without both it speaks plaintext.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// PEM file: the certificate, then those that vouch for it.
    pub certificate: Option<PathBuf>,
    /// PEM file: the certificate's private key.
    pub key: Option<PathBuf>,
}

/// Arrow Flight SQL, for BI tools.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FlightConfig {
    pub enabled: bool,
    /// Address and port; port 0 takes a free one.
    pub bind: String,
    /// Whether bulk ingest takes records, as `http.allow_ingest` does.
    pub allow_ingest: bool,
    /// The longest message of rows taken from a client, in MiB; others may have 36. There is room for four of the longest
    /// at once, then clients wait.
    pub max_message_mb: u64,
    /// Connections at once, of those who have been let in.
    pub connections: usize,
    pub tls: TlsConfig,
}

/// The PostgreSQL wire protocol, for tools that speak nothing else.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PostgresConfig {
    pub enabled: bool,
    /// Address and port; port 0 takes a free one.
    pub bind: String,
    /// The longest message taken from a client, in MiB: a statement, or the values of its parameters.
    pub max_message_mb: u64,
    /// Connections at once, of those who have been let in.
    pub connections: usize,
    pub tls: TlsConfig,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Address and port; port 0 takes a free one.
    pub bind: String,
    /// Connections at once, of those who have been let in; one is closed after 30 s without a request.
    pub connections: usize,
    /// Names by which a server without tokens answers, beside localhost and loopback addresses; their pages may send, too.
    pub hosts: Vec<String>,
    /// Whether `POST /api/v1/sql` answers.
    pub allow_sql: bool,
    /// Whether `POST /api/v1/ingest/{source}` takes records.
    pub allow_ingest: bool,
    /// The longest body of a push, as it is sent (packed or not), in MiB.
    pub ingest_max_mb: u64,
    /// Pushes that may be received, wait and land at once; beyond them senders are told to come back.
    pub ingest_queue: usize,
    /// The same for their bytes, in MiB.
    pub ingest_queue_mb: u64,
    /// How long a push waits for others, in milliseconds: together they land in one commit.
    pub ingest_group_ms: u64,
    /// How long the sender of a push may pause within its body, in milliseconds; then it is refused (408), and its place is
    /// free for others.
    pub ingest_pause_ms: u64,
    /// How long requests in flight may take to end at shutdown.
    pub shutdown_seconds: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// A filter such as `info` or `saleslake=debug,warn`.
    pub level: String,
    /// `text` or `json`, to stderr.
    pub format: String,
}

impl Default for LakeConfig {
    fn default() -> Self {
        LakeConfig {
            url: "./lake".into(),
            currency: "USD".into(),
            zone: "UTC".into(),
            today: "clock".into(),
            storage: StorageConfig::default(),
        }
    }
}

impl Default for StorageConfig {
    fn default() -> Self {
        StorageConfig {
            endpoint: None,
            region: None,
            access_key_id: None,
            secret_access_key: None,
            path_style: true,
            allow_http: false,
            timeout_seconds: 60,
            connect_timeout_seconds: 5,
            retries: 8,
            retry_seconds: 120,
            connections: 64,
            options: BTreeMap::new(),
        }
    }
}

impl Default for LandingConfig {
    fn default() -> Self {
        LandingConfig {
            path: "./landing".into(),
            storage: StorageConfig::default(),
            temp_dir: None,
            archive_mb: None,
            batch_records: 1_000_000,
            memory_mb: 1024,
        }
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        EngineConfig {
            memory_mb: 2048,
            spill_dir: None,
            timeout_seconds: 120,
            row_limit: 1_000_000,
            threads: 0,
            concurrent: 4,
            queued: 64,
            unread: 64,
            refresh_ms: 1000,
            query_log: 1000,
            rollups: true,
            rollups_mb: 512,
            result_cache_mb: 64,
        }
    }
}

impl Default for MaintenanceConfig {
    fn default() -> Self {
        MaintenanceConfig { every_minutes: 10, file_mb: 128, memory_mb: 1024, retention_hours: 24, log_days: 30 }
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        HttpConfig {
            bind: "127.0.0.1:8080".into(),
            connections: 10_000,
            hosts: Vec::new(),
            allow_sql: false,
            allow_ingest: false,
            ingest_max_mb: 64,
            ingest_queue: 10_000,
            ingest_queue_mb: 256,
            ingest_group_ms: 250,
            ingest_pause_ms: 30_000,
            shutdown_seconds: 10,
        }
    }
}

impl Default for FlightConfig {
    fn default() -> Self {
        FlightConfig {
            enabled: true,
            bind: "127.0.0.1:8815".into(),
            allow_ingest: false,
            max_message_mb: 64,
            connections: 100,
            tls: TlsConfig::default(),
        }
    }
}

impl Default for PostgresConfig {
    fn default() -> Self {
        PostgresConfig {
            enabled: false,
            bind: "127.0.0.1:5432".into(),
            max_message_mb: 64,
            connections: 100,
            tls: TlsConfig::default(),
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        LogConfig { level: "warn".into(), format: "text".into() }
    }
}
