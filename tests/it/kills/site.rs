//! One lake with two servers before it, and rounds of work on it during which processes are killed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures::future::join_all;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use reqwest::Client;
use serde_json::Value;

use super::look;
use super::process::{Kind, Server, Struck, survive};
use super::sources::SOURCES;
use super::world::{Push, Work, World};
use crate::common::succeeded;
use crate::readers;

const SERVERS: usize = 2;
/// Senders at once; each sends its pushes one after the other.
const TILLS: usize = 3;
/// How often a push is sent until it is acknowledged.
const SENDINGS: usize = 60;
/// Until something has been seen to take its time.
const A_WHILE: Duration = Duration::from_millis(400);

/// Vacuum keeps an hour, the shortest time that the program allows; between rounds `look::a_day_passes`. The lake is kept
/// by commands: a server would not begin before a minute, and nobody would know when.
const SETTINGS: &str = r#"
queries_dir = "queries"
[lake]
url = "lake"
currency = "GBP"
zone = "Europe/London"
today = "data"
[landing]
path = "landing"
temp_dir = "temp"
[maintenance]
every_minutes = 0
retention_hours = 1
[http]
bind = "127.0.0.1:0"
allow_ingest = true
ingest_group_ms = 20
[flight]
bind = "127.0.0.1:0"
"#;

/// Asked of other readers in the end.
const SUMS: &str = "\
    SELECT 'audited' AS what, count(*) AS n, sum(CAST(landed AS DECIMAL(18,4))) AS s FROM base.ingest_file UNION ALL \
    SELECT 'lines', count(*), sum(CAST(quantity AS DECIMAL(18,4))) FROM base.order_line UNION ALL \
    SELECT 'products', count(*), sum(CAST(source_version AS DECIMAL(18,4))) FROM base.product UNION ALL \
    SELECT 'rates', count(*), sum(CAST(rate AS DECIMAL(18,4))) FROM base.fx_rate UNION ALL \
    SELECT 'returns', count(*), sum(CAST(quantity AS DECIMAL(18,4))) FROM base.return_line UNION ALL \
    SELECT 'stopped', count(*), sum(CAST(line AS DECIMAL(18,4))) FROM base.quarantine ORDER BY 1";

pub struct Site {
    dir: tempfile::TempDir,
    world: World,
    servers: Vec<Server>,
    client: Client,
    round: u64,
    /// How long each takes when nobody kills it; of a server, how long the pushes of a round take.
    usual: BTreeMap<Kind, Duration>,
    pub struck: BTreeMap<Kind, Struck>,
}

impl Site {
    pub async fn open() -> Site {
        let dir = tempfile::tempdir().expect("a folder");
        for folder in ["queries/sources", "landing/rates", "landing/sold", "landing/back", "temp", "log", "lake"] {
            fs::create_dir_all(dir.path().join(folder)).expect("made");
        }
        for (name, text) in SOURCES {
            fs::write(dir.path().join(format!("queries/sources/{name}.sql")), text).expect("written");
        }
        fs::write(dir.path().join("saleslake.toml"), SETTINGS).expect("written");
        let servers = join_all((0..SERVERS).map(|_| Server::start(dir.path()))).await;
        let (world, client) = (World::default(), Client::new());
        Site { dir, world, servers, client, round: 0, usual: BTreeMap::new(), struck: BTreeMap::new() }
    }

    /// Kills so far.
    pub fn kills(&self) -> u64 {
        self.struck.values().map(|s| s.killed).sum()
    }

    /// New files and pushes land while the lake is kept, all at once; one of the processes is killed, at times its
    /// successor, too. In the end everything has been acknowledged, and is there.
    pub async fn round(&mut self, dice: &mut ChaCha8Rng) {
        self.round += 1;
        let Work { files, pushes } = self.world.next(dice);
        for file in files {
            fs::write(self.dir.path().join("landing").join(file.name), file.text).expect("written");
        }
        let victim = match dice.random_range(0..20_u32) {
            0..7 => Kind::Ingest,
            7..12 => Kind::Serve,
            12..17 => Kind::Optimize,
            _ => Kind::Vacuum,
        };
        let keeps = match victim {
            Kind::Optimize | Kind::Vacuum => victim,
            _ if dice.random_bool(0.5) => Kind::Optimize,
            _ => Kind::Vacuum,
        };
        let usual = self.usual.get(&victim).copied().unwrap_or(A_WHILE);
        let kills = if dice.random_bool(0.25) { 2 } else { 1 };
        let delays: Vec<Duration> = (0..kills).map(|_| usual.mul_f64(dice.random_range(0.0..1.1))).collect();
        let of = |kind: Kind| if kind == victim { delays.as_slice() } else { &[] };
        let server = self.servers.swap_remove(dice.random_range(0..SERVERS));

        let struck = [Kind::Ingest, keeps, Kind::Serve].map(|_| Struck::default());
        let [mut by_ingest, mut by_keeper, mut by_server] = struck;
        let (dir, begun) = (self.dir.path(), Instant::now());
        let urls = Mutex::new([&server, &self.servers[0]].map(|s| s.url.clone()));
        let pushing = async {
            let tills = pushes.chunks(pushes.len().div_ceil(TILLS)).enumerate();
            join_all(tills.map(|(till, pushes)| send_all(&self.client, &urls, till, pushes))).await;
            begun.elapsed()
        };
        let serving = async {
            let server = server.survive(dir, of(Kind::Serve), &mut by_server).await;
            urls.lock().expect("whole")[0].clone_from(&server.url);
            server
        };
        let (landed, kept, server, pushed) = tokio::join!(
            survive(dir, Kind::Ingest, of(Kind::Ingest), &mut by_ingest),
            survive(dir, keeps, of(keeps), &mut by_keeper),
            serving,
            pushing,
        );
        self.servers.push(server);
        for (kind, took, struck) in
            [(Kind::Ingest, landed, by_ingest), (keeps, kept, by_keeper), (Kind::Serve, pushed, by_server)]
        {
            self.usual.insert(kind, took);
            let sum = self.struck.entry(kind).or_default();
            (sum.killed, sum.missed) = (sum.killed + struck.killed, sum.missed + struck.missed);
        }
        look::agrees(dir, &self.world, &format!("round {}, {victim:?} killed after {delays:?}", self.round)).await;
        look::a_day_passes(dir);
    }

    /// The servers are killed, too; then the lake is put in order, and nothing is left over.
    pub async fn end(&mut self) {
        for server in std::mem::take(&mut self.servers) {
            server.kill().await;
        }
        let dir = self.dir.path();
        look::logs_are_cleaned(dir).await;
        survive(dir, Kind::Ingest, &[], &mut Struck::default()).await;
        for command in [&["optimize"][..], &["vacuum", "--hours", "0", "--force"], &["doctor", "--mend", "--deep"]] {
            succeeded(dir, &[&["lake"], command].concat());
        }
        look::agrees(dir, &self.world, "in the end").await;
        for reader in ["deltalake", "duckdb"] {
            readers::agrees("kills_at_random_moments", reader, &dir.join("lake"), SUMS, &readers::answers(dir, SUMS));
        }
        let left = look::left_over(dir).await;
        assert!(left.is_empty(), "nothing needs these files, and vacuum did not see them: {left:#?}");
    }

    pub fn folder(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // Of a failure everything stays: the lake, what landed, what each process said.
        if std::thread::panicking() {
            self.dir.disable_cleanup(true);
        }
    }
}

/// Sends pushes one after the other, each until it is acknowledged: under the same key, to one server after the other.
async fn send_all(client: &Client, urls: &Mutex<[String; SERVERS]>, till: usize, pushes: &[Push]) {
    for push in pushes {
        let mut last = String::new();
        let mut acknowledged = false;
        for sending in 0..SENDINGS {
            let url = urls.lock().expect("whole")[(till + sending) % SERVERS].clone();
            match send(client, &url, push).await {
                Ok(()) => {
                    acknowledged = true;
                    break;
                }
                Err(e) => last = e,
            }
        }
        assert!(acknowledged, "push {} was not acknowledged in {SENDINGS} sendings: {last}", push.key);
    }
}

/// # Errors
/// No acknowledgement: the server is gone, or asks to be sent the same again.
async fn send(client: &Client, url: &str, push: &Push) -> Result<(), String> {
    let request = client.post(format!("{url}/api/v1/ingest/orders")).header("idempotency-key", &push.key);
    let response = request.body(push.body.clone()).send().await.map_err(|e| e.to_string())?;
    let status = response.status().as_u16();
    let text = response.text().await.map_err(|e| e.to_string())?;
    if matches!(status, 429 | 503) {
        return Err(text);
    }
    assert_eq!(status, 200, "push {}: {text}", push.key);
    let account: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(account["read"].as_u64(), Some(push.lines), "push {}: {account}", push.key);
    Ok(())
}
