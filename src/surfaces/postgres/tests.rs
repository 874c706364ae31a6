//! The protocol over a real socket, message by message: what drivers do, and what a client should not be able to do.

mod messages;
mod room;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::access::Caller;
use crate::clock::Clock;
use crate::config::{EngineConfig, LakeConfig};
use crate::engine::QueryOptions;
use crate::lake::Lake;

/// Only a failing test waits this long.
const SOON: Duration = Duration::from_secs(20);
/// A query ends within a second of its client; the rest is for a loaded machine.
const STOPS: Duration = Duration::from_secs(5);
/// It computes for hours and gives no row before: a join on a key that many rows share.
const ENDLESS: &str =
    "SELECT count(*) FROM generate_series(1, 2000000) a, generate_series(1, 2000000) b WHERE a.value % 7 = b.value % 5";

struct Running {
    engine: Engine,
    addr: SocketAddr,
    stop: CancellationToken,
    served: tokio::task::JoinHandle<Result<()>>,
}

async fn serve(change: impl FnOnce(&mut PostgresConfig, &mut AccessConfig)) -> Running {
    serve_within(Times { start_up: START_UP, message: MESSAGE }, change).await
}

async fn serve_within(times: Times, change: impl FnOnce(&mut PostgresConfig, &mut AccessConfig)) -> Running {
    let lake = Lake::open(&LakeConfig { url: "memory://".into(), ..LakeConfig::default() }).await.unwrap();
    let engine = EngineConfig { concurrent: 4, ..EngineConfig::default() }; // BI tools get half
    let engine = Engine::open(&lake, &engine, &BTreeMap::new(), Clock::system()).await.unwrap();
    let mut config = PostgresConfig { bind: "127.0.0.1:0".into(), ..PostgresConfig::default() };
    let mut access = AccessConfig::default();
    change(&mut config, &mut access);
    let mut server = Server::bind(&config, &access, engine.clone()).await.unwrap();
    server.times = times;
    let (addr, stop) = (server.addr(), CancellationToken::new());
    let served = tokio::spawn(server.run(stop.clone().cancelled_owned(), Duration::from_secs(5)));
    Running { engine, addr, stop, served }
}

/// A client that reads and writes messages.
struct Wire(TcpStream);

type Message = (char, Vec<u8>);

impl Wire {
    async fn open(addr: SocketAddr) -> Wire {
        let mut wire = Wire(TcpStream::connect(addr).await.unwrap());
        let body = b"\0\x03\0\0user\0me\0database\0lake\0application_name\0test\0\0";
        wire.raw(body).await;
        wire
    }
    /// A client that was let in, with the number and secret for cancelling.
    async fn ready(addr: SocketAddr) -> (Wire, Vec<u8>) {
        let mut wire = Wire::open(addr).await;
        let greeting = wire.until_ready().await;
        let key = greeting.iter().find(|(kind, _)| *kind == 'K').unwrap().1.clone();
        (wire, key)
    }
    async fn raw(&mut self, body: &[u8]) {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        self.0.write_all(&[&length[..], body].concat()).await.unwrap();
    }
    async fn send(&mut self, kind: char, body: &[u8]) {
        self.0.write_all(&[kind as u8]).await.unwrap();
        self.raw(body).await;
    }
    async fn query(&mut self, sql: &str) {
        self.send('Q', format!("{sql}\0").as_bytes()).await;
    }
    async fn read(&mut self) -> Option<Message> {
        let read = async {
            let kind = self.0.read_u8().await.ok()?;
            let length = self.0.read_u32().await.ok()?;
            let mut body = vec![0; usize::try_from(length).ok()?.checked_sub(4)?];
            self.0.read_exact(&mut body).await.ok()?;
            Some((char::from(kind), body))
        };
        tokio::time::timeout(SOON, read).await.expect("nothing came")
    }
    async fn until_ready(&mut self) -> Vec<Message> {
        let mut all = Vec::new();
        while let Some(message) = self.read().await {
            let last = message.0 == 'Z';
            all.push(message);
            if last {
                return all;
            }
        }
        panic!("closed after {all:?}")
    }
    /// The kinds of the messages that answer `sql`.
    async fn kinds(&mut self, sql: &str) -> String {
        self.query(sql).await;
        self.until_ready().await.iter().map(|(kind, _)| kind).collect()
    }
}

fn text(message: &Message) -> String {
    String::from_utf8_lossy(&message.1).to_string()
}

fn error(messages: &[Message]) -> String {
    messages.iter().find(|(kind, _)| *kind == 'E').map(text).unwrap_or_else(|| panic!("no error in {messages:?}"))
}

/// Waits until nothing is computed any more. Left alone, [`ENDLESS`] keeps every thread of the engine busy for hours.
async fn stopped(engine: &Engine) {
    let begun = Instant::now();
    while engine.tasks() > 0 {
        assert!(begun.elapsed() < STOPS, "it still computes after {STOPS:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until [`ENDLESS`] is at what takes long: pairs of a join.
async fn busy(engine: &Engine) {
    logged(engine, "running").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(engine.tasks() > 0, "it has ended by itself");
}

/// Waits until the log knows of `count` statements like `sql` in `state`.
async fn logged(engine: &Engine, state: &str) -> Duration {
    let begun = Instant::now();
    let sql =
        format!("SELECT 1 FROM system.queries WHERE sql LIKE '%2000000%' AND state = '{state}' AND label <> 'look'");
    loop {
        let options = QueryOptions { label: "look".into(), ..QueryOptions::default() };
        let rows = engine.query(&sql, options, &Caller::local()).await.unwrap().collect().await.unwrap();
        if rows.iter().any(|batch| batch.num_rows() > 0) {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < SOON, "no query is {state}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn statements_run_one_after_the_other() {
    let server = serve(|_, _| {}).await;
    let (mut wire, _) = Wire::ready(server.addr).await;
    assert_eq!(wire.kinds("SELECT 1; SELECT ';' AS a").await, "TDCTDCZ");
    assert_eq!(wire.kinds(" ; -- nothing\n").await, "IZ");
    assert_eq!(wire.kinds("SELECT 1; SELECT nonsense; SELECT 2").await, "TDCEZ");
    assert_eq!(wire.kinds("BEGIN; SET x = 1; SHOW server_version; COMMIT").await, "CCTDCCZ");
    wire.query("CREATE TABLE x (a int)").await;
    assert!(error(&wire.until_ready().await).contains("C25006"));
    wire.query("COPY (SELECT 1 AS a, NULL AS b) TO STDOUT WITH (FORMAT csv, HEADER)").await;
    let copied = wire.until_ready().await;
    assert_eq!(copied.iter().map(|(kind, _)| kind).collect::<String>(), "HddcCZ");
    assert_eq!((text(&copied[1]), text(&copied[2])), ("a,b\n".into(), "1,\n".into()));
    assert!(text(&copied[4]).starts_with("COPY 1"));
    wire.query("COPY (SELECT '' AS a, NULL AS b, 'x;y' AS c) TO STDOUT WITH CSV DELIMITER ';'").await;
    assert_eq!(text(&wire.until_ready().await[1]), "\"\";;\"x;y\"\n", "an empty text is none that is missing");
    wire.query("COPY (SELECT 1 AS a) TO STDOUT WITH (FORMAT csv, DELIMITER '§')").await;
    assert!(error(&wire.until_ready().await).contains("COPY delimiter must be a single one-byte character"));
}

#[tokio::test]
async fn large_numbers_arrive_and_only_null_is_null() {
    let server = serve(|_, _| {}).await;
    let (mut wire, _) = Wire::ready(server.addr).await;
    let number = "-123456789012345678901234567890123456789012.34";
    let both =
        format!("arrow_cast('{number}', 'Decimal256(76, 2)') AS a, arrow_cast(NULL, 'Interval(MonthDayNano)') AS b");
    wire.query(&format!("SELECT {both}")).await;
    let row = wire.until_ready().await.swap_remove(1);
    assert!(text(&row).contains(number) && row.1.ends_with(&[255; 4]), "{row:?}");
    wire.query(&format!("COPY (SELECT {both}) TO STDOUT")).await;
    assert_eq!(text(&wire.until_ready().await[1]), format!("{number}\t\\N\n"));
    wire.query("SELECT arrow_cast(9000000000000, 'Timestamp(Second, None)') AS late").await;
    assert!(error(&wire.until_ready().await).contains("column late has no counterpart in PostgreSQL"));
}

#[tokio::test]
async fn a_statement_too_large_is_refused_and_the_server_goes_on() {
    let server = serve(|_, _| {}).await;
    let (mut wire, _) = Wire::ready(server.addr).await;
    let terms = |n: usize| format!("SELECT 1{}", " + 1".repeat(n - 1));
    wire.query(&terms(20_000)).await;
    assert!(error(&wire.until_ready().await).contains("79996 operators"));
    wire.send('P', format!("s\0{}\0\0\0", terms(20_000)).as_bytes()).await;
    wire.send('S', b"").await;
    assert!(error(&wire.until_ready().await).contains("79996 operators"));
    let doubled = (1..=19).map(|i| format!(", a{i} AS (SELECT * FROM a{0} UNION ALL SELECT * FROM a{0})", i - 1));
    wire.query(&format!("WITH a0 AS (SELECT 1 AS x){} SELECT * FROM a19", doubled.collect::<String>())).await;
    assert!(error(&wire.until_ready().await).contains("relations"));
    wire.query(&terms(600)).await;
    let answered = wire.until_ready().await;
    assert!(answered.iter().any(|m| m.0 == 'D' && text(m).contains("600")), "{answered:?}");
    wire.query("WITH a AS (DELETE FROM product RETURNING *) SELECT * FROM a").await;
    assert!(error(&wire.until_ready().await).contains("C25006"));
    assert_eq!(wire.kinds("SELECT 1").await, "TDCZ");
}

#[tokio::test]
async fn a_failed_transaction_takes_only_its_end() {
    let server = serve(|_, _| {}).await;
    let (mut wire, _) = Wire::ready(server.addr).await;
    wire.query("BEGIN").await;
    assert_eq!(wire.until_ready().await.last().unwrap().1, b"T");
    wire.query("SELECT nonsense").await;
    assert_eq!(wire.until_ready().await.last().unwrap().1, b"E");
    wire.query("SELECT 1").await;
    assert!(error(&wire.until_ready().await).contains("C25P02"));
    wire.query("COMMIT").await;
    let ended = wire.until_ready().await;
    assert!(text(&ended[0]).starts_with("ROLLBACK"), "{ended:?}");
    assert_eq!(ended.last().unwrap().1, b"I");
}

#[tokio::test]
async fn parameters_are_described_and_portals_are_read_in_parts() {
    let server = serve(|_, _| {}).await;
    let (mut wire, _) = Wire::ready(server.addr).await;
    wire.query("BEGIN").await;
    wire.until_ready().await;
    wire.send('P', b"s\0SELECT value FROM generate_series(1, 5) WHERE value >= $1\0\0\0").await;
    wire.send('D', b"Ss\0").await;
    wire.send('S', b"").await;
    let described = wire.until_ready().await;
    assert_eq!(described.iter().map(|(kind, _)| kind).collect::<String>(), "1tTZ", "{described:?}");
    assert_eq!(described[1].1, [0, 1, 0, 0, 0, 20], "one parameter, int8");
    // Portal p of statement s: one text value, results in binary.
    wire.send('B', b"p\0s\0\0\0\0\x01\0\0\0\x012\0\x01\0\x01").await;
    wire.send('E', b"p\0\0\0\0\x03").await;
    wire.send('S', b"").await;
    let part = wire.until_ready().await;
    assert_eq!(part.iter().map(|(kind, _)| kind).collect::<String>(), "2DDDsZ", "{part:?}");
    assert_eq!(part[1].1, [0, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 2], "2 as int8");
    wire.send('E', b"p\0\0\0\0\0").await;
    wire.send('S', b"").await;
    let rest = wire.until_ready().await;
    assert_eq!(rest.iter().map(|(kind, _)| kind).collect::<String>(), "DCZ", "{rest:?}");
    // Two formats for one column.
    wire.send('B', b"q\0s\0\0\0\0\x01\0\0\0\x012\0\x02\0\x01\0\x01").await;
    wire.send('S', b"").await;
    assert!(error(&wire.until_ready().await).contains("C08P01"));
}

#[tokio::test]
async fn a_parameter_has_a_number_that_can_be_bound() {
    let server = serve(|_, _| {}).await;
    let (mut wire, _) = Wire::ready(server.addr).await;
    for number in ["$0", "$65536", "$4000000000"] {
        wire.send('P', format!("\0SELECT {number}::bigint\0\0\0").as_bytes()).await;
        wire.send('S', b"").await;
        let told = error(&wire.until_ready().await);
        assert!(told.contains("C42601") && told.contains(&format!("there is no parameter {number}")), "{told}");
    }
    wire.send('P', b"\0SELECT $1::bigint\0\0\0").await;
    wire.send('D', b"S\0").await;
    wire.send('S', b"").await;
    assert_eq!(wire.until_ready().await[1].1[..2], [0, 1], "one parameter");
}

async fn search_path(wire: &mut Wire) -> String {
    wire.query("SHOW search_path").await;
    // Behind the number of columns and the value's length.
    text(&wire.until_ready().await[1])[6..].into()
}

#[tokio::test]
async fn settings_end_with_what_they_were_set_for() {
    let server = serve(|_, _| {}).await;
    let (mut wire, _) = Wire::ready(server.addr).await;
    assert_eq!(wire.kinds("SET LOCAL search_path = base").await, "NCZ", "there is no transaction");
    assert_eq!(search_path(&mut wire).await, "main");
    for sql in [
        "BEGIN; SET LOCAL search_path = base; COMMIT",
        "BEGIN; SET search_path = base; ROLLBACK",
        "BEGIN; SAVEPOINT a; SET search_path = base; ROLLBACK TO a; COMMIT",
    ] {
        assert!(!wire.kinds(sql).await.contains('E'), "{sql}");
        assert_eq!(search_path(&mut wire).await, "main", "{sql}");
    }
    assert_eq!(wire.kinds("BEGIN; SET search_path = base; SELECT nonsense").await, "CCEZ");
    assert_eq!(wire.kinds("COMMIT").await, "CZ");
    assert_eq!(search_path(&mut wire).await, "main", "it failed");
    assert_eq!(wire.kinds("BEGIN; SET search_path = base; COMMIT").await, "CCCZ");
    assert_eq!(search_path(&mut wire).await, "base");
    wire.query("SELECT set_config('search_path', 'main', false)").await;
    assert!(error(&wire.until_ready().await).contains("use SET search_path"));
}

#[tokio::test]
async fn what_is_discarded_is_what_was_named() {
    let server = serve(|_, _| {}).await;
    let (mut wire, _) = Wire::ready(server.addr).await;
    let some =
        "SET search_path = base; BEGIN; DECLARE c CURSOR FOR SELECT 1; DISCARD PLANS; DISCARD TEMP; FETCH c; COMMIT";
    assert_eq!(wire.kinds(some).await, "CCCCCTDCCZ");
    assert_eq!(search_path(&mut wire).await, "base");
    for all in ["DEALLOCATE ALL", "DISCARD ALL"] {
        wire.send('P', b"s\0SELECT 1\0\0\0").await;
        wire.send('S', b"").await;
        assert_eq!(wire.until_ready().await[0].0, '1');
        assert_eq!(wire.kinds(all).await, "CZ");
        wire.send('D', b"Ss\0").await;
        wire.send('S', b"").await;
        assert!(error(&wire.until_ready().await).contains("C26000"), "{all}");
    }
    assert_eq!(search_path(&mut wire).await, "main");
}

#[tokio::test]
async fn savepoints_are_in_transactions() {
    let server = serve(|_, _| {}).await;
    let (mut wire, _) = Wire::ready(server.addr).await;
    for sql in ["SAVEPOINT a", "RELEASE a", "ROLLBACK TO a"] {
        wire.query(sql).await;
        let told = wire.until_ready().await;
        assert!(error(&told).contains("C25P01"), "{sql}");
        assert_eq!(told.last().unwrap().1, b"I", "{sql}");
    }
    assert_eq!(wire.kinds("BEGIN; SAVEPOINT a; SELECT nonsense").await, "CCEZ");
    wire.query("ROLLBACK TO a; RELEASE a").await;
    assert_eq!(wire.until_ready().await.last().unwrap().1, b"T");
    wire.query("ROLLBACK TO a").await;
    assert!(error(&wire.until_ready().await).contains("C3B001"));
}

#[tokio::test]
async fn cursors_give_rows_as_they_are_fetched() {
    let server = serve(|_, _| {}).await;
    let (mut wire, _) = Wire::ready(server.addr).await;
    assert_eq!(wire.kinds("DECLARE c CURSOR FOR SELECT 1").await, "EZ", "outside a transaction");
    let asked = "BEGIN; DECLARE c CURSOR FOR SELECT value FROM generate_series(1, 5); FETCH 2 FROM c; MOVE 1 IN c; FETCH ALL FROM c";
    assert_eq!(wire.kinds(asked).await, "CCTDDCCTDDCZ");
    assert_eq!(wire.kinds("COMMIT; FETCH c").await, "CEZ", "it ended with its transaction");
}

#[tokio::test]
async fn a_cancelled_query_stops() {
    let server = serve(|_, _| {}).await;
    let (mut wire, key) = Wire::ready(server.addr).await;
    wire.query(ENDLESS).await;
    busy(&server.engine).await;
    let mut other = Wire(TcpStream::connect(server.addr).await.unwrap());
    other.raw(&[&[0x04, 0xD2, 0x16, 0x2E], &key[..]].concat()).await;
    assert!(error(&wire.until_ready().await).contains("C57014"));
    stopped(&server.engine).await;
    logged(&server.engine, "cancelled").await;
    assert_eq!(wire.kinds("SELECT 1").await, "TDCZ", "the connection goes on");
}

#[tokio::test]
async fn a_client_that_goes_away_stops_its_query() {
    let server = serve(|_, _| {}).await;
    let (mut wire, _) = Wire::ready(server.addr).await;
    wire.query(ENDLESS).await;
    // More that nobody reads: the end is noticed behind it.
    wire.query("SELECT 2").await;
    busy(&server.engine).await;
    drop(wire);
    stopped(&server.engine).await;
    logged(&server.engine, "cancelled").await;
}

#[tokio::test]
async fn a_statement_has_the_time_that_was_set() {
    let server = serve(|_, _| {}).await;
    let (mut wire, _) = Wire::ready(server.addr).await;
    wire.query(&format!("SET statement_timeout = '200ms'; {ENDLESS}")).await;
    assert!(error(&wire.until_ready().await).contains("C57014"));
    stopped(&server.engine).await;
}

#[tokio::test]
async fn who_has_no_password_is_not_let_in_nor_heard() {
    let server = serve(|_, access| {
        access.tokens.insert("me".into(), "0123456789abcdef".into());
    })
    .await;
    let mut wire = Wire::open(server.addr).await;
    let (kind, body) = wire.read().await.unwrap();
    assert_eq!((kind, String::from_utf8_lossy(&body).contains("SCRAM-SHA-256")), ('R', true));
    wire.send('p', b"SCRAM-SHA-256\0\0\0\0\x10n,,n=me,r=abcdef").await;
    assert_eq!(wire.read().await.unwrap().0, 'R');
    let nonsense = b"c=biws,r=abcdef,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    wire.send('p', nonsense).await;
    assert_eq!(wire.read().await.unwrap().0, 'E');
    // pgwire would go on; this server does not.
    let _ = wire.0.write_all(b"Q\0\0\0\x0dSELECT 1\0").await;
    while let Some((kind, _)) = wire.read().await {
        assert_ne!(kind, 'D', "it was answered");
    }
    let (sql, me) = ("SELECT 1 FROM system.queries WHERE sql = 'SELECT 1'", Caller::local());
    let rows = server.engine.query(sql, QueryOptions::default(), &me);
    assert!(rows.await.unwrap().collect().await.unwrap().is_empty(), "it was run");
}

#[tokio::test]
async fn shutdown_ends_idle_connections_at_once() {
    let server = serve(|_, _| {}).await;
    let (mut wire, _) = Wire::ready(server.addr).await;
    server.stop.cancel();
    assert!(wire.read().await.is_none());
    tokio::time::timeout(SOON, server.served).await.unwrap().unwrap().unwrap();
}
