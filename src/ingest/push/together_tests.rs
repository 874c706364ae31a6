//! Small pushes mapped together come to what each comes to alone: rows, accounts, quarantine, messages.

use std::sync::Arc;

use futures::StreamExt;

use super::map::{Content, Mappers, Work};
use super::received::{Receiving, Room};
use super::together::Step;
use super::worker::Job;
use crate::clock::Clock;
use crate::config::LakeConfig;
use crate::error::Result;
use crate::ingest::columns::texts;
use crate::ingest::fx::FxRates;
use crate::ingest::mapped::Mapped;
use crate::ingest::testing::source;
use crate::ingest::{Ingest, Sources};
use crate::lake::Lake;

/// 2026-07-01T12:00:00Z, µs.
const NOON: i64 = 1_782_907_200_000_000;
const HOUR: i64 = 3_600_000_000;

const TILL: &str = r#"-- ---
-- [read]
-- path = "till/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "pos"
-- tz = "Europe/Berlin"
-- [key]
-- ordinal_within = ["inv"]
-- [[skip]]
-- where = "sku = 'TEST'"
-- reason = "a test"
-- ---
-- into = "order_line"
SELECT inv AS order_id, local_time(at, '%Y-%m-%d %H:%M') AS created_at, sku, CAST(qty AS DECIMAL(18,3)) AS quantity,
       CAST(price AS DECIMAL(18,4)) AS unit_price, cur AS currency
FROM   raw
-- into = "product", reference = true
SELECT sku AS product_id, _file || ' ' || CAST(_line AS VARCHAR) || ' ' || right(_raw, 8) AS product_name FROM raw WHERE sku <> ''
"#;

const SHOP: &str = r#"-- ---
-- [read]
-- path = "shop/*.ndjson"
-- format = "ndjson"
-- shape = '{"id":"","at":"","lines":[{"sku":"","qty":"","price":""}]}'
-- [defaults]
-- channel_id = "web"
-- currency = "USD"
-- tz = "UTC"
-- [key]
-- ordinal_within = ["id"]
-- [[skip]]
-- where = "id = 'test'"
-- reason = "a test"
-- ---
-- into = "order_line"
SELECT id AS order_id, instant(at) AS created_at, l['sku'] AS sku, CAST(l['qty'] AS DECIMAL(18,3)) AS quantity,
       CAST(l['price'] AS DECIMAL(18,4)) AS unit_price
FROM   (SELECT *, unnest(lines) AS l FROM raw)
"#;

const HEADER: &str = "inv,at,sku,qty,price,cur";
const LINE: &str = "1,2026-02-05 10:00,X,2,3.50,USD";

/// A name, when it arrived, and the body.
type Body<'a> = (&'a str, i64, String);

async fn mappers(text: &str) -> Mappers {
    let lake = Lake::open(&LakeConfig { url: "memory://".into(), ..LakeConfig::default() }).await.expect("a lake");
    let clock = Clock::fixed("2026-07-01T12:00:00Z".parse().expect("a constant"));
    let source = source("till", text);
    Mappers::new(&Ingest::new(&lake, Sources::from_list([source.clone()]), clock), &Arc::new(source))
}

fn work(name: &str, arrived: i64, body: &(impl AsRef<[u8]> + ?Sized)) -> Work {
    let room = Arc::new(Room::new(1, 1 << 30));
    let mut receiving = Receiving::new(room.enter(0).expect("room"), std::env::temp_dir());
    receiving.add(body.as_ref()).expect("room");
    Work { body: Arc::new(receiving.end()), uri: format!("push/till/{name}"), arrived }
}

/// What all bodies hold; those called `together` must have been mapped so, and no others. Whichever way they went, they
/// come to the same.
async fn mapped(text: &str, bodies: &[Body<'_>], together: &[&str]) -> Vec<Result<Content>> {
    let (mappers, rates) = (mappers(text).await, Arc::new(FxRates::default()));
    let works: Vec<Work> = bodies.iter().map(|(name, arrived, body)| work(name, *arrived, body)).collect();
    let steps = mappers.together(&works, &rates).await;
    let done: Vec<&str> =
        bodies.iter().zip(&steps).filter(|(_, s)| matches!(s, Step::Done(_))).map(|(b, _)| b.0).collect();
    assert_eq!((steps.len(), &done[..]), (bodies.len(), together));
    let job = |w: &Work| Job {
        uri: w.uri.clone(),
        body: w.body.clone(),
        arrived: w.arrived,
        since: tokio::time::Instant::now(),
        answer: tokio::sync::oneshot::channel().0,
    };
    let jobs: Vec<Job> = works.iter().map(job).collect();
    let all: Vec<Result<Content>> = mappers.map(&jobs, &rates).collect().await;
    assert_eq!(all.len(), works.len());
    for (work, content) in works.into_iter().zip(&all) {
        let uri = work.uri.clone();
        same(&uri, content, &mappers.clone().alone(work, rates.clone()).await);
    }
    all
}

fn same(uri: &str, one: &Result<Content>, other: &Result<Content>) {
    match (one, other) {
        (Err(a), Err(b)) => {
            assert_eq!((a.kind(), a.message(), a.hint_text()), (b.kind(), b.message(), b.hint_text()), "{uri}");
        }
        (Ok(a), Ok(b)) => {
            assert_eq!(a.columns, b.columns, "{uri}");
            assert_eq!(a.mapped.len(), b.mapped.len(), "{uri}");
            a.mapped.iter().zip(&b.mapped).for_each(|(a, b)| same_records(uri, a, b));
        }
        _ => panic!("{uri}: {:?}, alone {:?}", one.as_ref().err(), other.as_ref().err()),
    }
}

fn same_records(uri: &str, a: &Mapped, b: &Mapped) {
    assert_eq!((a.records, &a.skipped), (b.records, &b.skipped), "{uri}");
    assert_eq!(format!("{:#?}", a.rejected), format!("{:#?}", b.rejected), "{uri}");
    let names = |m: &Mapped| m.tables.iter().map(|t| (t.table.name, t.reference)).collect::<Vec<_>>();
    assert_eq!(names(a), names(b), "{uri}");
    for (a, b) in a.tables.iter().zip(&b.tables) {
        assert_eq!((&a.record, &a.warned, &a.rows), (&b.record, &b.warned, &b.rows), "{uri}, {}", a.table.name);
    }
}

fn content(all: &[Result<Content>], at: usize) -> &Mapped {
    &all[at].as_ref().expect("mapped").mapped[0]
}

fn column(mapped: &Mapped, name: &str) -> Vec<String> {
    let table = mapped.tables.iter().find(|t| t.table.name == "order_line").expect("order lines");
    texts(&table.rows, name).expect("texts").iter().map(|t| t.unwrap_or("NULL").to_string()).collect()
}

/// The counts in the rows' ordinal ids.
fn counts(mapped: &Mapped) -> Vec<String> {
    column(mapped, "order_line_id").iter().filter_map(|id| Some(id.split_once('-')?.1.to_string())).collect()
}

fn rules(mapped: &Mapped) -> Vec<(i64, &str)> {
    mapped.rejected.iter().map(|r| (r.line, r.rule)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn csv_pushes_come_to_the_same_together_and_alone() {
    let body = |lines: &[&str]| format!("{HEADER}\n{}\n", lines.join("\n"));
    let late = body(&["9,2026-07-01 15:00,X,1,1,USD"]);
    let euro = "2,2026-02-05 10:00,X,2,3.50,EUR";
    let mixed = body(&[
        "3,2026-02-05 10:00",
        "3,2026-02-05 10:00,TEST,1,1,USD",
        "3,2026-02-05 10:00,Y,-1,1,USD",
        "3,2026-03-29 02:30,Y,1,1,USD",
        "3,2026-02-05 10:00,Y,1,free,USD",
        "mary@example.com,2026-02-05 10:00,Y,1,1,USD",
        "3,2026-02-05 10:00,\"Y\nZ\",1,1,USD",
    ]);
    let long = vec![LINE; 2500].join("\n");
    let bodies = [
        ("twice", NOON, body(&[LINE, LINE])),
        ("euro", NOON, body(&[euro, LINE, euro])),
        ("mixed", NOON, mixed),
        ("no header", NOON, "\"inv,at".to_string()),
        ("note", NOON, format!("{HEADER},note\n{LINE},hello\n{LINE},hello\n")),
        ("v09", NOON, late.clone()),
        ("in time", NOON + HOUR, late),
        ("all bad", NOON, body(&["1,2", "3"])),
        ("lacks cur", NOON, "inv,at,sku,qty,price\n1,2026-02-05 10:00,X,2,3.50\n".to_string()),
        ("empty", NOON, format!("{HEADER}\n")),
        ("long", NOON, body(&[long.as_str()])),
        ("twice more", NOON, body(&[LINE, LINE])),
    ];
    let together = ["twice", "euro", "mixed", "note", "v09", "in time", "all bad", "twice more"];
    let all = mapped(TILL, &bodies, &together).await;
    // Equal lines are counted within their push.
    for at in [0, 11] {
        assert_eq!((counts(content(&all, at)), content(&all, at).records), (vec!["0".into(), "1".into()], 2));
    }
    assert_eq!(counts(content(&all, 1)), ["0"]);
    assert_eq!(rules(content(&all, 1)), [(2, "V18"), (4, "V18")]);
    let waits = |n: usize| content(&all, 1).rejected[n].record.as_deref().unwrap_or_default();
    assert!(waits(0).starts_with(r#"{"_ordinal":{"order_line":[0]},"#), "{}", waits(0));
    assert!(waits(1).starts_with(r#"{"_ordinal":{"order_line":[1]},"#), "{}", waits(1));
    let mixed = content(&all, 2);
    assert_eq!((mixed.records, mixed.skipped.get("a test")), (7, Some(&1)));
    assert_eq!(rules(mixed), [(2, "V00"), (4, "V03"), (6, "V01"), (7, "V20")]);
    assert_eq!((&mixed.tables[0].record[..], &mixed.tables[0].warned[..]), (&[5, 8][..], &[true, false][..]));
    assert_eq!(rules(content(&all, 5)), [(2, "V09")]);
    assert!(rules(content(&all, 6)).is_empty());
    assert_eq!(column(content(&all, 6), "order_id"), ["9"]);
    let product = &content(&all, 2).tables[1].rows;
    let names: Vec<_> = texts(product, "product_name").expect("texts").iter().flatten().collect();
    assert_eq!(names, ["push/till/mixed 5 ,1,1,USD", "push/till/mixed 8 ,1,1,USD"]);
    let file = |at: usize| column(content(&all, at), "source_file_id").remove(0);
    assert_ne!(file(0), file(2));
    assert_eq!(file(0), file(11), "the same bytes");
    let refused = all[7].as_ref().err().map(|e| e.to_string()).unwrap_or_default();
    assert!(refused.contains("push/till/all bad, line 2: 2 fields where the header has 6"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn json_pushes_come_to_the_same_together_and_alone() {
    let order = |id: &str, lines: &str| format!(r#"{{"id":"{id}","at":"2026-02-05T10:00:00Z","lines":[{lines}]}}"#);
    let (x, y) = (r#"{"sku":"x","qty":1,"price":1.50}"#, r#"{"sku":"y","qty":"two","price":1}"#);
    let bodies = [
        ("two lines", NOON, order("o1", &format!("{x},{x}"))),
        ("again", NOON, order("o1", x)),
        ("three", NOON, [order("o1", x), order("o2", &format!("{x},{y}")), order("test", x)].join("\n")),
        ("misfits", NOON, ["not json".into(), r#"{"id":"o4","lines":7}"#.into(), order("o5", x)].join("\n")),
        ("array", NOON, format!("[{}]", order("o6", x))),
        ("other names", NOON, format!(r#"{{"id":"o7","at":"2026-02-05T10:00:00Z","by":"k","lines":[{x}]}}"#)),
        ("no lines", NOON, order("o8", "")),
    ];
    let together = ["two lines", "again", "three", "misfits", "other names", "no lines"];
    let all = mapped(SHOP, &bodies, &together).await;
    assert_eq!(counts(content(&all, 0)), ["0", "1"]);
    assert_eq!(counts(content(&all, 1)), ["0"]);
    let three = content(&all, 2);
    assert_eq!((rules(three), three.skipped.get("a test")), (vec![(2, "V01")], Some(&1)));
    assert_eq!(column(three, "order_id"), ["o1"]);
    assert_eq!(three.rejected[0].raw, order("o2", &format!("{x},{y}")));
    assert_eq!(rules(content(&all, 3)), [(1, "V00"), (2, "V00")]);
    assert_eq!(column(content(&all, 3), "order_id"), ["o5"]);
    assert!(all[6].is_err(), "nothing of it can land");
}

/// A skip that cannot be decided stops a file: of pushes, only the one that holds it.
#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_stops_all_stops_itself_only() {
    let text = TILL.replace("sku = 'TEST'", "100 / CAST(qty AS INT) = 100");
    let body = |qty: &str| format!("{HEADER}\n5,2026-02-05 10:00,X,{qty},1,USD\n");
    let bodies = [("skipped", NOON, body("1")), ("stops", NOON, body("0")), ("lands", NOON, body("2"))];
    let all = mapped(&text, &bodies, &[]).await;
    assert_eq!(content(&all, 0).skipped.get("a test"), Some(&1));
    assert!(all[1].is_err());
    assert_eq!(counts(content(&all, 2)), ["0"]);
}

/// A time takes no more than is enough, and at least one.
#[tokio::test(flavor = "multi_thread")]
async fn many_pushes_are_taken_in_parts() {
    let (mappers, rates) = (mappers(TILL).await, Arc::new(FxRates::default()));
    let thousand = format!("{HEADER}\n{}", format!("{LINE}\n").repeat(1000));
    let works: Vec<Work> = (0..6).map(|n| work(&n.to_string(), NOON, &thousand)).collect();
    let steps = mappers.together(&works, &rates).await;
    assert_eq!(steps.len(), 5, "the fifth passes 4096 records");
    assert_eq!(mappers.together(&works[5..], &rates).await.len(), 1);
    let alone = mappers.alone(works[0].clone(), rates).await.expect("mapped").bytes;
    let each = |s: &Step| matches!(s, Step::Done(Ok(c)) if c.bytes > alone / 2 && c.bytes < alone * 2);
    assert!(steps.iter().all(each), "each weighs what it holds, not what all hold");
}

/// What a packed push unpacks to is not known before: a long one is given up, and reading it was enough for one time.
#[tokio::test(flavor = "multi_thread")]
async fn a_packed_push_that_is_long_is_left_to_be_mapped_alone() {
    let (mappers, rates) = (mappers(TILL).await, Arc::new(FxRates::default()));
    let small = format!("{HEADER}\n{LINE}\n");
    let long = format!("{small}{}\n", "x".repeat(8 << 20));
    let packed = |text: &str| zstd::stream::encode_all(text.as_bytes(), 1).expect("packed");
    let works: Vec<Work> = [&small, &long, &small].map(|text| work("packed", NOON, &packed(text))).into();
    let steps = mappers.together(&works, &rates).await;
    let small: Vec<bool> = steps.iter().map(|s| matches!(s, Step::Done(Ok(c)) if c.mapped[0].records == 1)).collect();
    assert_eq!(small, [true, false]);
    assert_eq!(mappers.together(&works[2..], &rates).await.len(), 1, "what is left comes next");
    let alone = mappers.alone(works[1].clone(), rates).await.expect("mapped");
    assert_eq!(alone.mapped.iter().map(|m| m.records).sum::<u64>(), 2, "it is long, and within the limit");
}
