//! Landing on a `memory://` lake with hand-made rows: the sentences of exactly-once, without reading or mapping.

mod full;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    RecordBatch, StringArray,
};
use arrow::datatypes::DataType;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::account::FileAccount;
use super::batch::{Batch, Flushed};
use super::columns::{instant_column, row_json, texts};
use super::commit::Writer;
use super::land::BatchFile;
use super::mapped::{Mapped, MappedTable, Rejected};
use super::progress::Silent;
use super::quarantine::{self, Filter};
use crate::clock::Clock;
use crate::config::LakeConfig;
use crate::lake::Lake;
use crate::model::{Kind, MONTH, ORDER_LINE, PRODUCT, RETURN_LINE, Severity, Table};

/// A row by column name; what is not named takes a plain value, or NULL where it may.
type Row = BTreeMap<&'static str, String>;

fn row(values: &[(&'static str, &str)]) -> Row {
    values.iter().map(|(k, v)| (*k, v.to_string())).collect()
}

fn batch(table: &'static Table, rows: &[Row]) -> RecordBatch {
    let schema = table.schema();
    let get = |row: &Row, name: &str| row.get(name).cloned();
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .map(|field| {
            let name = field.name().as_str();
            let values: Vec<Option<String>> = rows
                .iter()
                .map(|r| {
                    get(r, name).or_else(|| match name {
                        MONTH => Some(get(r, "business_date").map_or("1970-01".into(), |d| {
                            format!("1970-{:02}", 1 + d.parse::<i32>().expect("days") / 31)
                        })),
                        "row_key" | "content_hash" => Some(String::new()),
                        _ => (!field.is_nullable())
                            .then(|| if name == "source_system" { "shop".into() } else { "0".into() }),
                    })
                })
                .collect();
            if name == "row_key" {
                let key = |r: &Row| {
                    xxh3_128(
                        table.key.iter().map(|k| get(r, k).unwrap_or_default() + "\x1f").collect::<String>().as_bytes(),
                    )
                };
                return Arc::new(BinaryArray::from_iter_values(rows.iter().map(|r| key(r).to_be_bytes()))) as ArrayRef;
            }
            if name == "content_hash" {
                let hash = |r: &Row| {
                    get(r, name)
                        .map_or_else(|| xxh3_64(format!("{r:?}").as_bytes()) as i64, |h| h.parse().expect("a number"))
                };
                return Arc::new(Int64Array::from_iter_values(rows.iter().map(hash)));
            }
            column(field.data_type(), &values)
        })
        .collect();
    RecordBatch::try_new(schema, columns).expect("rows fit")
}

fn column(kind: &DataType, values: &[Option<String>]) -> ArrayRef {
    fn parsed<T: std::str::FromStr>(values: &[Option<String>]) -> Vec<Option<T>> {
        values.iter().map(|v| v.as_ref().map(|v| v.parse().ok().expect("a number"))).collect()
    }
    match kind {
        DataType::Utf8 => Arc::new(StringArray::from(values.to_vec())),
        DataType::Int32 => Arc::new(Int32Array::from(parsed(values))),
        DataType::Int64 => Arc::new(Int64Array::from(parsed(values))),
        DataType::Float64 => Arc::new(Float64Array::from(parsed(values))),
        DataType::Date32 => Arc::new(Date32Array::from(parsed(values))),
        DataType::Boolean => Arc::new(BooleanArray::from_iter(values.iter().map(|v| v.as_ref().map(|v| v == "true")))),
        DataType::Timestamp(..) => instant_column(parsed(values)),
        DataType::Decimal128(..) => Arc::new(Decimal128Array::from(parsed(values)).with_data_type(kind.clone())),
        other => panic!("no {other} in the contracts: {:?}", Kind::Text),
    }
}

fn mapped(table: &'static Table, reference: bool, rows: &[Row]) -> Mapped {
    let record: Vec<i64> = (1..=rows.len() as i64).collect();
    let tables =
        vec![MappedTable { table, reference, rows: batch(table, rows), warned: vec![false; rows.len()], record }];
    Mapped { tables, records: rows.len() as u64, ..Mapped::default() }
}

async fn lake() -> Lake {
    let config = LakeConfig { url: "memory://".into(), ..LakeConfig::default() };
    Lake::open(&config).await.expect("a lake")
}

/// Lands one file per element in one batch.
async fn land(lake: &Lake, batch_id: &str, files: Vec<(&str, Mapped)>) -> Flushed {
    let clock = Clock::fixed(chrono::DateTime::from_timestamp(1_000_000, 0).expect("an instant"));
    let writer = Writer { lake, source: "shop", batch_id, clock };
    let mut batch = Batch::new(writer, &Silent);
    for (name, mapped) in files {
        let number = batch.file(BatchFile { id: name.into(), uri: format!("{name}.csv") });
        batch.push(number, mapped).expect("pushed");
    }
    batch.flush().await.expect("landed")
}

/// All rows of a table as JSON, bookkeeping aside, sorted.
async fn content(lake: &Lake, table: &'static Table) -> Vec<String> {
    let state = lake.state(table).await.expect("a state");
    let mut rows = Vec::new();
    for file in &state.files {
        for batch in lake.read(&state, file, None).await.expect("read") {
            let kept: Vec<usize> = (0..batch.num_columns())
                .filter(|i| {
                    !["ingested_at", "ingest_batch_id", "source_file_id"]
                        .contains(&batch.schema().field(*i).name().as_str())
                })
                .collect();
            let batch = batch.project(&kept).expect("projected");
            rows.extend((0..batch.num_rows()).map(|row| row_json(&batch, row).expect("json")));
        }
    }
    rows.sort();
    rows
}

async fn quarantined(lake: &Lake, resolved: Option<bool>) -> RecordBatch {
    quarantine::list(lake, &Filter { resolved, ..Filter::default() }).await.expect("listed")
}

/// The open conflicts: (table, key and version and hash).
async fn conflicts(lake: &Lake) -> BTreeSet<String> {
    let open = quarantined(lake, Some(false)).await;
    let values = texts(&open, "value").expect("values");
    values.iter().flatten().map(str::to_string).collect()
}

fn counts(file: &FileAccount) -> [u64; 6] {
    [file.read, file.landed, file.duplicate, file.late_ignored, file.skipped, file.quarantined]
}

fn line(order: &str, version: i64, hash: i64, date: &str) -> Row {
    let (version, hash) = (version.to_string(), hash.to_string());
    row(&[
        ("order_id", order),
        ("order_line_id", "1"),
        ("source_version", &version),
        ("content_hash", &hash),
        ("business_date", date),
        ("event_time", "0"),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_land_once_and_move_between_months() {
    let lake = lake().await;
    let first = land(
        &lake,
        "b1",
        vec![("f1", mapped(&ORDER_LINE, false, &[line("a", 1, 5, "3"), line("b", 1, 5, "3"), line("a", 1, 5, "3")]))],
    )
    .await;
    assert_eq!(counts(&first.files[0]), [3, 2, 1, 0, 0, 0]);
    let again =
        land(&lake, "b2", vec![("f2", mapped(&ORDER_LINE, false, &[line("a", 1, 5, "3"), line("b", 0, 9, "3")]))])
            .await;
    assert_eq!(counts(&again.files[0]), [2, 0, 1, 1, 0, 0]);
    assert_eq!(
        lake.state(&ORDER_LINE).await.expect("a state").version,
        first.tables[&("f1".into(), "order_line")].version,
        "nothing to commit"
    );
    let moved = land(&lake, "b3", vec![("f3", mapped(&ORDER_LINE, false, &[line("a", 2, 1, "40")]))]).await;
    let rows = moved.tables[&("f3".to_string(), "order_line")];
    assert_eq!(
        (rows.account.new, rows.account.replaced, rows.account.beyond_sla, rows.events),
        (0, 1, 1, Some((0, 0)))
    );
    let rows = content(&lake, &ORDER_LINE).await;
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().any(|r| r.contains("1970-02") && r.contains(r#""order_id":"a""#)), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_displaced_row_is_quarantined_once_and_resolved_by_a_new_version() {
    let lake = lake().await;
    let mut first = line("a", 1, 5, "3");
    first.insert("source_file_id", "f1".into());
    land(&lake, "b1", vec![("f1", mapped(&ORDER_LINE, false, &[first]))]).await;
    let displacing = land(&lake, "b2", vec![("f2", mapped(&ORDER_LINE, false, &[line("a", 1, 9, "3")]))]).await;
    assert_eq!(counts(&displacing.files[0]), [1, 1, 0, 0, 0, 0]);
    let open = quarantined(&lake, Some(false)).await;
    assert_eq!(open.num_rows(), 1);
    assert_eq!(texts(&open, "source_file_id").expect("ids").value(0), "f1");
    assert!(texts(&open, "raw").expect("raw").value(0).contains(r#""order_id":"a""#));
    let loser = land(&lake, "b3", vec![("f3", mapped(&ORDER_LINE, false, &[line("a", 1, 5, "3")]))]).await;
    assert_eq!(counts(&loser.files[0]), [1, 0, 0, 0, 0, 1]);
    assert_eq!(conflicts(&lake).await.len(), 1);
    land(&lake, "b3", vec![("f3", mapped(&ORDER_LINE, false, &[line("a", 1, 5, "3")]))]).await;
    assert_eq!(quarantined(&lake, None).await.num_rows(), 2, "the same file again writes nothing");
    land(&lake, "b4", vec![("f4", mapped(&ORDER_LINE, false, &[line("a", 2, 0, "3")]))]).await;
    assert_eq!(quarantined(&lake, Some(false)).await.num_rows(), 0);
    assert_eq!(quarantined(&lake, Some(true)).await.num_rows(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn gleaned_rows_decide_no_fate_and_yield_to_declared_ones() {
    let lake = lake().await;
    let product = |name: &str| row(&[("product_id", "P1"), ("product_name", name)]);
    let gleaned = land(&lake, "b1", vec![("f1", mapped(&PRODUCT, true, &[product("x"), product("y")]))]).await;
    assert_eq!(gleaned.files[0].landed + gleaned.files[0].duplicate, 2);
    assert_eq!(
        gleaned.tables[&("f1".to_string(), "product")].account.late_ignored
            + gleaned.tables[&("f1".to_string(), "product")].account.new,
        2
    );
    land(&lake, "b2", vec![("f2", mapped(&PRODUCT, false, &[product("declared")]))]).await;
    land(&lake, "b3", vec![("f3", mapped(&PRODUCT, true, &[product("z")]))]).await;
    let rows = content(&lake, &PRODUCT).await;
    assert!(rows.len() == 1 && rows[0].contains("declared"), "{rows:?}");
    assert_eq!(quarantined(&lake, None).await.num_rows(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_and_skipped_records_are_counted_and_kept_once() {
    let lake = lake().await;
    let build = || Mapped {
        records: 4,
        skipped: [("drafts".to_string(), 1)].into(),
        rejected: vec![Rejected {
            table: "order_line".into(),
            line: 7,
            field: Some("quantity".into()),
            value: Some("-1".into()),
            rule: "V03",
            severity: Severity::Quarantine,
            message: "above 0".into(),
            raw: "a,b,-1".into(),
            record: None,
        }],
        ..mapped(&ORDER_LINE, false, &[line("a", 1, 5, "3"), line("b", 1, 5, "3")])
    };
    let first = land(&lake, "b1", vec![("f1", build())]).await;
    assert_eq!(counts(&first.files[0]), [4, 2, 0, 0, 1, 1]);
    land(&lake, "b2", vec![("f1", build())]).await;
    let all = quarantined(&lake, None).await;
    assert_eq!(all.num_rows(), 1);
    assert_eq!(texts(&all, "file").expect("files").value(0), "f1.csv");
}

/// New, equal and conflicting versions, tombstones and moves, in any order and any split: the same table, the same open
/// conflicts, and accounts that add up.
#[tokio::test(flavor = "multi_thread")]
async fn arrival_order_cannot_matter() {
    let mut wanted = None;
    for seed in 0..12 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut rows: Vec<Row> = Vec::new();
        for order in ["a", "b", "c", "d"] {
            for version in 0..3 {
                for hash in 0..3 {
                    let mut one = line(order, version, hash * 7 + version, &((version * 20 + hash * 9).to_string()));
                    one.insert("is_deleted", (version == 1).to_string());
                    rows.extend([one.clone(), one]);
                }
            }
        }
        for i in (1..rows.len()).rev() {
            rows.swap(i, random.next_u32() as usize % (i + 1));
        }
        let lake = lake().await;
        let mut number = 0;
        while !rows.is_empty() {
            let mut files = Vec::new();
            for _ in 0..1 + random.next_u32() % 3 {
                let size = (1 + random.next_u32() as usize % 9).min(rows.len());
                let part: Vec<Row> = rows.drain(..size).collect();
                if !part.is_empty() {
                    number += 1;
                    files.push((format!("f{number}"), mapped(&ORDER_LINE, false, &part)));
                }
            }
            let files: Vec<(&str, Mapped)> = files.iter_mut().map(|(n, m)| (n.as_str(), std::mem::take(m))).collect();
            let flushed = land(&lake, &format!("b{number}"), files).await;
            assert!(flushed.files.iter().all(|f| f.accounted() == f.read));
        }
        let found = (content(&lake, &ORDER_LINE).await, conflicts(&lake).await);
        assert_eq!(found.0.len(), 4);
        assert_eq!(found.1.len(), 8);
        match &wanted {
            None => wanted = Some(found),
            Some(wanted) => assert_eq!(*wanted, found, "seed {seed}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn returns_take_their_sales_columns_whichever_came_first() {
    let sale = |version: i64, kind: &str, channel: &str, date: &str| {
        let mut sale = line("a", version, version, date);
        sale.extend(row(&[("channel_id", channel), ("customer_key", "k"), ("order_business_date", date)]));
        sale.insert("order_type", kind.into());
        sale
    };
    let mut returned = row(&[
        ("return_id", "r"),
        ("return_line_id", "1"),
        ("order_id", "a"),
        ("order_line_id", "1"),
        ("is_sale_known", "false"),
    ]);
    returned.extend(row(&[("business_date", "50"), ("order_business_date", "50"), ("sales_rep_id", "own rep")]));
    let steps = [
        ("order_line", sale(1, "draft", "web", "3")),
        ("order_line", sale(2, "b2b", "app", "4")),
        ("return_line", returned),
    ];
    let mut wanted = None;
    for order in [[0, 1, 2], [0, 2, 1], [2, 0, 1], [1, 0, 2], [2, 1, 0], [1, 2, 0]] {
        let lake = lake().await;
        for step in order {
            let (table, row) = steps[step].clone();
            let table = if table == "order_line" { &ORDER_LINE } else { &RETURN_LINE };
            land(&lake, &format!("b{step}"), vec![(&format!("f{step}"), mapped(table, false, &[row]))]).await;
        }
        let found = content(&lake, &RETURN_LINE).await;
        assert_eq!(found.len(), 1);
        let row: serde_json::Value = serde_json::from_str(&found[0]).expect("json");
        assert_eq!(row["sale_channel_id"], "app", "{order:?}");
        assert_eq!(row["sale_order_type"], "b2b", "a draft that was confirmed: {order:?}");
        assert_eq!(row["sales_rep_id"], "own rep");
        assert_eq!(row["customer_key"], "k");
        assert_eq!(row["is_sale_known"], true);
        assert_eq!(row["order_business_date"], "1970-01-05");
        assert_eq!(row["filled_columns"], "sale_channel_id,sale_order_type,customer_key");
        assert_eq!(*wanted.get_or_insert_with(|| found.clone()), found);
    }
}

/// The commit loop computes anew what another writer moved.
#[tokio::test(flavor = "multi_thread")]
async fn two_writers_cannot_put_a_key_twice() {
    let lake = lake().await;
    let lands = (0..6).map(|writer| {
        let lake = lake.clone();
        tokio::spawn(async move {
            let rows: Vec<Row> = (0..20).map(|i| line(&i.to_string(), i % 3, writer, "3")).collect();
            land(&lake, &format!("b{writer}"), vec![("f", mapped(&ORDER_LINE, false, &rows))]).await;
        })
    });
    for landed in lands.collect::<Vec<_>>() {
        landed.await.expect("landed");
    }
    let rows = content(&lake, &ORDER_LINE).await;
    assert_eq!(rows.len(), 20);
    assert!(rows.iter().all(|r| r.contains(r#""content_hash":5"#)), "{rows:?}");
    assert_eq!(conflicts(&lake).await.len(), 100);
}
