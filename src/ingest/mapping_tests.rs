//! Mapping from file bytes to rows: what lands, what does not, and by which rule.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, StringArray};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::fx::FxRates;
use super::map::{MapContext, Mapper, ReplayRecord};
use super::mapped::{Mapped, MappedTable, Rejected};
use super::read::Input;
use super::source::Source;
use super::time;
use crate::error::Error;
use crate::model::Severity;
use crate::queryfile::QueryFile;

fn source(header: &str, sql: &str) -> Result<Source, Error> {
    let header: String = header.lines().map(|l| format!("-- {l}\n")).collect();
    Source::parse(&QueryFile::parse("sources/test.sql", &format!("-- ---\n{header}-- ---\n{sql}"))?)
}

fn mapper(source: Source, rates: FxRates) -> Mapper {
    let context = MapContext {
        file_id: "f1".into(),
        file: "test.csv".into(),
        file_time_micros: time::parse_instant("2026-06-01T00:00:00Z").expect("an instant"),
        currency: "EUR".into(),
        zone: chrono_tz::UTC,
    };
    Mapper::new(Arc::new(source), Arc::new(rates), context)
}

async fn map_with(mapper: &mut Mapper, bytes: &[u8]) -> Result<Mapped, Error> {
    let mut all = Mapped::default();
    let input = Input::Bytes(bytes.to_vec().into());
    mapper
        .map_file(input, async |mapped| {
            all.records += mapped.records;
            all.rejected.extend(mapped.rejected);
            all.tables.extend(mapped.tables);
            mapped.skipped.into_iter().for_each(|(k, n)| *all.skipped.entry(k).or_default() += n);
            Ok(())
        })
        .await?;
    Ok(all)
}

async fn map(header: &str, sql: &str, text: &str) -> Mapped {
    let source = source(header, sql).expect("a source");
    map_with(&mut mapper(source, FxRates::default()), text.as_bytes()).await.expect("mapped")
}

fn shown(batch: &RecordBatch, column: &str) -> Vec<String> {
    let array = batch.column_by_name(column).unwrap_or_else(|| panic!("no column {column}"));
    let format = FormatOptions::default().with_null("∅");
    let formatter = ArrayFormatter::try_new(array, &format).expect("a formatter");
    (0..array.len()).map(|i| formatter.value(i).to_string()).collect()
}

fn table<'a>(mapped: &'a Mapped, name: &str) -> &'a MappedTable {
    mapped.tables.iter().find(|t| t.table.name == name).unwrap_or_else(|| panic!("no rows for {name}"))
}

fn column(mapped: &Mapped, name: &str, column: &str) -> Vec<String> {
    shown(&table(mapped, name).rows, column)
}

fn rules(mapped: &Mapped) -> Vec<(i64, &str, Option<&str>, Option<&str>)> {
    mapped.rejected.iter().map(|r| (r.line, r.rule, r.field.as_deref(), r.value.as_deref())).collect()
}

const CSV: &str = "[read]\npath = \"*.csv\"\nformat = \"csv\"\n";
const SHOP: &str = "[read]\npath = \"*.csv\"\nformat = \"csv\"\n[defaults]\nchannel_id = \"pos\"\ncurrency = \"EUR\"\ntz = \"Europe/Berlin\"\n";
const MINIMAL: &str = "-- into = \"order_line\"
SELECT date_of(date, '%d.%m.%Y') AS created_at, sku, CAST(quantity AS DECIMAL(18,3)) AS quantity,
       CAST(price AS DECIMAL(18,4)) AS unit_price FROM raw;";

#[tokio::test]
async fn date_sku_quantity_and_price_alone_land() {
    let mapped = map(
        SHOP,
        MINIMAL,
        "date,sku,quantity,price\n31.01.2026,ａ１,2,1.50\n31.01.2026,ａ１,2,1.50\n01.02.2026,00123,1,3\n",
    )
    .await;
    assert_eq!(mapped.records, 3);
    assert!(mapped.rejected.is_empty(), "{:?}", mapped.rejected);
    assert_eq!(column(&mapped, "order_line", "sku"), ["A1", "A1", "00123"]);
    assert_eq!(column(&mapped, "order_line", "business_date"), ["2026-01-31", "2026-01-31", "2026-02-01"]);
    assert_eq!(column(&mapped, "order_line", "business_month"), ["2026-01", "2026-01", "2026-02"]);
    assert_eq!(
        column(&mapped, "order_line", "event_time"),
        ["2026-01-30T23:00:00Z", "2026-01-30T23:00:00Z", "2026-01-31T23:00:00Z"]
    );
    assert_eq!(column(&mapped, "order_line", "net_amount"), ["3.0000", "3.0000", "3.0000"]);
    assert_eq!(column(&mapped, "order_line", "net_amount_rc"), ["3.0000", "3.0000", "3.0000"]);
    assert_eq!(column(&mapped, "order_line", "source_system"), ["test", "test", "test"]);
    let orders = column(&mapped, "order_line", "order_id");
    assert!(orders[0].ends_with("-0") && orders[1].ends_with("-1") && orders[0][..16] == orders[1][..16], "{orders:?}");
    assert_eq!(column(&mapped, "order_line", "order_line_id"), ["1", "1", "1"]);
    assert_eq!(table(&mapped, "order_line").record, [2, 3, 4]);
    let keys = table(&mapped, "order_line").rows.column_by_name("row_key").expect("keys").as_binary::<i32>();
    assert_ne!(keys.value(0), keys.value(1));
    assert_eq!(table(&mapped, "order_line").rows.schema(), crate::model::ORDER_LINE.schema());
}

#[tokio::test]
async fn v01_values_that_do_not_convert_name_column_and_value() {
    let text = "date,sku,quantity,price\nx,a,1,1\n31.01.2026,a,1.2345,1\n31.01.2026,a,1,1.00001\n31.01.2026,a,1,2\n31.01.2026,,1,2\n";
    let mapped = map(SHOP, MINIMAL, text).await;
    let expected = [
        (2, "V01", Some("created_at"), Some("x")),
        (3, "V01", Some("quantity"), Some("1.2345")),
        (4, "V01", Some("unit_price"), Some("1.00001")),
        (6, "V01", Some("sku"), None),
    ];
    assert_eq!(rules(&mapped), expected);
    assert_eq!(mapped.rejected[0].raw, "x,a,1,1");
    assert_eq!(table(&mapped, "order_line").record, [5]);
    assert_eq!(mapped.rejected[0].table, "order_line");
    assert!(mapped.rejected[0].record.as_deref().is_some_and(|r| r.contains("\"date\":\"x\"")));
}

/// The largest price fits, twice of it does not: neither cut off nor wrapped around it would be what was sold (D30).
#[tokio::test]
async fn d30_an_amount_that_does_not_fit_lands_nowhere() {
    let text = "date,sku,quantity,price\n31.01.2026,a,2,99999999999999.9999\n31.01.2026,a,1,99999999999999.9999\n";
    let mapped = map(SHOP, MINIMAL, text).await;
    assert_eq!(rules(&mapped), [(2, "V01", Some("unit_price"), Some("99999999999999.9999"))]);
    assert!(mapped.rejected[0].message.contains("does not fit"), "{}", mapped.rejected[0].message);
    assert_eq!(table(&mapped, "order_line").record, [3]);
    assert_eq!(column(&mapped, "order_line", "net_amount_rc"), ["99999999999999.9999"]);
}

#[tokio::test]
async fn casts_follow_the_branches_that_are_taken() {
    let sql = "-- into = \"order_line\"
SELECT CASE WHEN kind = 'gift' THEN 0 ELSE CAST(price AS DECIMAL(18,4)) END AS unit_price,
       coalesce(CAST(qty AS DECIMAL(18,3)), CAST(qty2 AS DECIMAL(18,3))) AS quantity,
       TRY_CAST(cost AS DECIMAL(18,4)) AS unit_cost, sku, TIMESTAMP '2026-01-01 10:00:00' AS created_at
FROM raw WHERE kind <> 'note' AND CAST(qty AS DECIMAL(18,3)) > 0";
    let text = "kind,price,qty,qty2,cost,sku\ngift,free,1,x,n/a,a\nsale,free,1,,1,a\nsale,2,1,x,1,a\nnote,1,none,,,a\nsale,1,none,,,a\n";
    let mapped = map(SHOP, sql, text).await;
    assert_eq!(table(&mapped, "order_line").record, [2, 4]);
    assert_eq!(column(&mapped, "order_line", "unit_price"), ["0.0000", "2.0000"]);
    assert_eq!(column(&mapped, "order_line", "unit_cost"), ["∅", "1.0000"]);
    // The note is decided by AND's other side; nothing takes it. The last row's WHERE cannot be read.
    assert_eq!(
        rules(&mapped),
        [(3, "V01", Some("unit_price"), Some("free")), (5, "V00", None, None), (6, "V01", None, Some("none"))]
    );
}

#[tokio::test]
async fn implied_conversions_and_overflows_do_not_stop_a_file() {
    let sql = "-- into = \"order_line\"
SELECT price AS unit_price, qty AS quantity, sku, local_time(at, '%Y-%m-%d %H:%M') AS created_at,
       CAST(100 / CAST(div AS INT) AS INT) AS line_no
FROM raw WHERE qty > 0";
    let text = "price,qty,sku,at,div\n1,1,a,2026-01-01 10:00,1\n1,abc,a,2026-01-01 10:00,1\n1,1,a,2026-01-01 10:00,0\n1,1,a,2026-01-01 10:00,4\n";
    let mapped = map(SHOP, sql, text).await;
    assert_eq!(table(&mapped, "order_line").record, [2, 5]);
    assert_eq!(column(&mapped, "order_line", "line_no"), ["100", "25"]);
    let found: Vec<_> = mapped.rejected.iter().map(|r| (r.line, r.rule)).collect();
    assert_eq!(found, [(3, "V01"), (4, "V01")]);
    assert_eq!(mapped.rejected[0].value.as_deref(), Some("abc"));
    assert!(mapped.rejected[1].message.contains("ivide by zero"), "{}", mapped.rejected[1].message);
}

#[tokio::test]
async fn skips_come_first_and_what_nobody_takes_is_v00() {
    let header = format!(
        "{SHOP}[[skip]]\nwhere = \"kind = 'draft'\"\nreason = \"drafts\"\n[[skip]]\nwhere = \"kind IN ('draft','test')\"\nreason = \"tests\"\n"
    );
    let sql = format!("{} WHERE kind = 'sale'", MINIMAL.trim_end_matches(';'));
    let text = "kind,date,sku,quantity,price\nsale,31.01.2026,a,1,1\ndraft,,,,\ntest,,,,\nodd,,,,\ndraft,x,,,\n";
    let mapped = map(&header, &sql, text).await;
    assert_eq!(mapped.skipped, [("drafts".to_string(), 2), ("tests".to_string(), 1)].into());
    assert_eq!(rules(&mapped), [(5, "V00", None, None)]);
    assert_eq!(mapped.rejected[0].raw, "odd,,,,");
    assert_eq!(mapped.records, 5);
}

const NESTED: &str = "[read]\npath = \"*.ndjson\"\nformat = \"ndjson\"\nshape = '{\"id\":\"\",\"at\":\"\",\"cust\":{\"id\":\"\"},\"ship\":\"\",\"lines\":[{\"no\":\"\",\"sku\":\"\",\"name\":\"\",\"qty\":\"\",\"price\":\"\"}]}'
[defaults]\nchannel_id = \"web\"\ncurrency = \"EUR\"\ntz = \"Europe/London\"\nprice_includes_tax = true\ntax_rate = 0.2\n";
const NESTED_SQL: &str = "-- into = \"order_line\"
SELECT id AS order_id, l['no'] AS order_line_id, instant(at) AS created_at, cust.id AS customer_key, l['sku'] AS sku,
       CAST(l['qty'] AS DECIMAL(18,3)) AS quantity, CAST(l['price'] AS DECIMAL(18,4)) AS unit_price
FROM (SELECT *, unnest(lines) AS l FROM raw);
-- into = \"order_charge\"
SELECT id AS order_id, 'ship' AS charge_seq, 'shipping' AS charge_type, CAST(ship AS DECIMAL(18,4)) AS amount, instant(at) AS created_at
FROM raw WHERE ship IS NOT NULL;
-- into = \"product\", reference = true
SELECT l['sku'] AS product_id, l['name'] AS product_name FROM (SELECT *, unnest(lines) AS l FROM raw) WHERE l['name'] IS NOT NULL;";

#[tokio::test]
async fn nested_orders_land_whole_or_not_at_all() {
    let text = r#"{"id":"o1","at":"2026-01-01T10:00:00+01:00","cust":{"id":"c"},"ship":4.90,"lines":[{"no":1,"sku":"a","name":"A","qty":1,"price":12.00},{"no":2,"sku":"b","name":"B","qty":2,"price":0.6}]}
{"id":"o2","at":"2026-01-01T10:00:00Z","ship":1,"lines":[{"no":1,"sku":"c","name":"C","qty":1,"price":1},{"no":2,"sku":"d","name":"D","qty":"two","price":1}]}
{"id":"o3","at":"2026-01-01T10:00:00Z","lines":[]}
not json
"#;
    let mapped = map(NESTED, NESTED_SQL, text).await;
    assert_eq!(mapped.records, 4);
    assert_eq!(column(&mapped, "order_line", "order_id"), ["o1", "o1"]);
    assert_eq!(column(&mapped, "order_line", "net_amount"), ["10.0000", "1.0000"]);
    assert_eq!(column(&mapped, "order_line", "tax_amount"), ["2.0000", "0.2000"]);
    assert_eq!(column(&mapped, "order_line", "event_time"), ["2026-01-01T09:00:00Z", "2026-01-01T09:00:00Z"]);
    assert_eq!(column(&mapped, "order_charge", "amount_rc"), ["4.9000"]);
    assert_eq!(column(&mapped, "product", "product_name"), ["A", "B"], "no reference rows of a rejected record");
    assert_eq!(column(&mapped, "product", "category_path"), ["∅", "∅"]);
    assert!(table(&mapped, "product").reference);
    let expected = [(2, "V01", Some("quantity"), Some("two")), (3, "V00", None, None), (4, "V00", None, None)];
    assert_eq!(rules(&mapped), expected);
}

#[tokio::test]
async fn reference_rows_never_decide() {
    let sql = format!(
        "{MINIMAL}\n-- into = \"product\", reference = true\nSELECT sku AS product_id, CAST(weight AS DECIMAL(18,3)) AS net_weight FROM raw;"
    );
    let mapped = map(SHOP, &sql, "date,sku,quantity,price,weight\n31.01.2026,a,1,1,heavy\n31.01.2026,b,1,1,2\n").await;
    assert!(mapped.rejected.is_empty(), "{:?}", mapped.rejected);
    assert_eq!(table(&mapped, "order_line").record, [2, 3]);
    assert_eq!(column(&mapped, "product", "product_id"), ["B"]);
}

const ORDERS: &str = "[read]\npath = \"*.csv\"\nformat = \"csv\"\n[defaults]\nchannel_id = \"pos\"\ntz = \"Europe/Berlin\"\n[key]\nordinal_within = [\"inv\"]\n";
const ORDERS_SQL: &str = "-- into = \"order_line\"
SELECT inv AS order_id, local_time(at, '%Y-%m-%d') AS created_at, sku, CAST(qty AS DECIMAL(18,3)) AS quantity,
       CAST(price AS DECIMAL(18,4)) AS unit_price, cur AS currency FROM raw;";

fn eur_per_usd() -> FxRates {
    let texts = |t: &str| Arc::new(StringArray::from(vec![t])) as ArrayRef;
    let day = time::parse_date("2026-01-31").expect("a date");
    let rate = Decimal128Array::from(vec![50_000_000]).with_precision_and_scale(18, 8).expect("a rate");
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("rate_date", Arc::new(Date32Array::from(vec![day]))),
        ("base_currency", texts("USD")),
        ("quote_currency", texts("EUR")),
        ("rate_type", texts("spot_close")),
        ("rate", Arc::new(rate)),
        ("is_deleted", Arc::new(BooleanArray::from(vec![false]))),
    ];
    FxRates::from_batches(&[RecordBatch::try_from_iter(columns).expect("a batch")]).expect("rates")
}

#[tokio::test]
async fn ordinal_keys_and_v18_records_that_land_later_under_the_same_key() {
    let text = "inv,at,sku,qty,price,cur\n1,2026-01-31,a,1,1,USD\n1,2026-01-31,a,1,1,USD\n2,2026-01-31,a,1,1,USD\n3,2026-01-31,a,1,1,EUR\n3,2026-01-31,a,1,1,xx\n";
    let parsed = || source(ORDERS, ORDERS_SQL).expect("a source");
    let known = map_with(&mut mapper(parsed(), eur_per_usd()), text.as_bytes()).await.expect("mapped");
    assert_eq!(rules(&known), [(6, "V02", Some("currency"), Some("XX"))]);
    let ids = column(&known, "order_line", "order_line_id");
    assert!(ids[0].ends_with("-0") && ids[1].ends_with("-1") && ids[2].ends_with("-0"), "{ids:?}");
    assert_eq!(column(&known, "order_line", "net_amount_rc"), ["0.5000", "0.5000", "0.5000", "1.0000"]);
    assert_eq!(column(&known, "order_line", "fx_date"), ["2026-01-31"; 4]);

    let waits = map_with(&mut mapper(parsed(), FxRates::default()), text.as_bytes()).await.expect("mapped");
    let waiting: Vec<&Rejected> = waits.rejected.iter().filter(|r| r.rule == "V18").collect();
    assert_eq!(waiting.len(), 3);
    assert_eq!(waiting[0].severity, Severity::Quarantine);
    let replay = |r: &&Rejected| ReplayRecord { line: r.line, json: r.record.clone().expect("a record") };
    // Out of order, and without the first: each keeps its own key.
    let records: Vec<ReplayRecord> = waiting.iter().rev().take(2).map(replay).collect();
    let again = mapper(parsed(), eur_per_usd()).map_records(records.clone()).await.expect("mapped");
    assert_eq!(table(&again, "order_line").record, [4, 3]);
    let keys = |m: &Mapped| -> HashMap<i64, Vec<u8>> {
        let t = table(m, "order_line");
        let keys = t.rows.column_by_name("row_key").expect("keys").as_binary::<i32>();
        t.record.iter().enumerate().map(|(i, line)| (*line, keys.value(i).to_vec())).collect()
    };
    let (first, second) = (keys(&known), keys(&again));
    assert!(second.iter().all(|(line, key)| first[line] == *key));
    let hash = |m: &Mapped, row| {
        table(m, "order_line")
            .rows
            .column_by_name("content_hash")
            .expect("hashes")
            .as_primitive::<Int64Type>()
            .value(row)
    };
    assert_eq!(hash(&known, 2), hash(&again, 0));

    let still = mapper(parsed(), FxRates::default()).map_records(records).await.expect("mapped");
    assert_eq!(still.rejected.len(), 2);
    assert_eq!(still.rejected[0].record, waiting[1].record);
}

#[tokio::test]
async fn v09_v10_v20_and_enums() {
    let sql = "-- into = \"return_line\"
SELECT id AS return_id, '1' AS return_line_id, local_time(at, '%Y-%m-%d %H:%M') AS refunded_at, CAST(qty AS DECIMAL(18,3)) AS quantity,
       CAST(net AS DECIMAL(18,4)) AS refund_net_amount, note AS reason_note, kind AS restock_type, zone AS tz, 'shop' AS channel_id FROM raw;";
    let header = "[read]\npath = \"*.csv\"\nformat = \"csv\"\n[defaults]\ncurrency = \"EUR\"\n";
    let text = "id,at,qty,net,note,kind,zone
1,2026-03-29 02:30,1,1,fine,scrap,Europe/Berlin
2,2026-06-01 02:11,1,1,,scrap,Europe/Berlin
3,1999-12-31 10:00,1,1,,scrap,Europe/Berlin
4,2026-01-01 10:00,1,1,ring mary@example.com,scrap,Europe/Berlin
5,2026-01-01 10:00,1,1,,lost,Europe/Berlin
6,2026-01-01 10:00,1,1,,scrap,Berlin
7,2026-01-01 10:00,-1,1,,,Europe/Berlin
8,2026-06-01 02:09,1,1,,,Europe/Berlin
";
    let mapped = map(header, sql, text).await;
    let expected = [
        (3, "V09", Some("event_time"), Some("2026-06-01T00:11:00Z")),
        (4, "V09", Some("event_time"), Some("1999-12-31T09:00:00Z")),
        (5, "V20", Some("reason_note"), Some("ring ***")),
        (6, "V01", Some("restock_type"), Some("lost")),
        (7, "V01", Some("tz"), Some("Berlin")),
        (8, "V03", Some("quantity"), Some("-1.000")),
    ];
    assert_eq!(rules(&mapped), expected);
    let v20 = &mapped.rejected[2];
    assert_eq!((v20.raw.as_str(), &v20.record), ("4,2026-01-01 10:00,1,1,ring ***,scrap,Europe/Berlin", &None));
    let returns = table(&mapped, "return_line");
    assert_eq!(returns.warned, [true, false], "02:30 did not exist that day");
    assert_eq!(column(&mapped, "return_line", "event_time")[0], "2026-03-29T01:30:00Z");
    assert_eq!(column(&mapped, "return_line", "local_minute"), ["210", "129"]);
    assert_eq!(column(&mapped, "return_line", "order_business_date"), ["2026-03-29", "2026-06-01"]);
    assert_eq!(column(&mapped, "return_line", "is_sale_known"), ["false", "false"]);
    assert_eq!(column(&mapped, "return_line", "is_blind"), ["true", "true"]);
    assert_eq!(column(&mapped, "return_line", "restock_type"), ["scrap", "no_restock"]);
}

#[tokio::test]
async fn stock_is_of_the_close_of_its_day() {
    let sql = "-- into = \"inventory_snapshot\"
SELECT CAST(day AS DATE) AS snapshot_date, loc AS location_id, sku, CAST(n AS DECIMAL(18,3)) AS on_hand, CAST(cost AS DECIMAL(18,4)) AS unit_cost,
       cur AS currency FROM raw;";
    let header = "[read]\npath = \"*.csv\"\nformat = \"csv\"\n[defaults]\ntz = \"America/New_York\"\n";
    let mapped = map(
        header,
        sql,
        "day,loc,sku,n,cost,cur\n2026-05-31,s1,a,-3,2.5,EUR\n2026-05-31,s2,a,1,,USD\n2026-06-02,s1,a,1,,USD\n",
    )
    .await;
    assert_eq!(column(&mapped, "inventory_snapshot", "event_time")[0], "2026-06-01T03:59:59.999999Z");
    assert_eq!(column(&mapped, "inventory_snapshot", "business_date"), ["2026-05-31", "2026-05-31"]);
    assert_eq!(column(&mapped, "inventory_snapshot", "on_hand_cost_rc"), ["-7.5000", "∅"], "no price, no rate needed");
    assert_eq!(column(&mapped, "inventory_snapshot", "product_id"), ["A", "A"]);
    assert_eq!(rules(&mapped).len(), 1);
    assert_eq!(rules(&mapped)[0].1, "V09");
}

#[tokio::test]
async fn movements_are_signed_and_purchases_have_local_days() {
    let sql = "-- into = \"inventory_movement\"
SELECT id AS movement_id, local_time(at, '%Y-%m-%d %H:%M') AS moved_at, what AS movement_type, 's1' AS location_id, sku, CAST(n AS DECIMAL(18,3)) AS quantity,
       CAST(cost AS DECIMAL(18,4)) AS unit_cost FROM raw WHERE what <> 'po';
-- into = \"purchase_order_line\"
SELECT id AS po_id, local_time(at, '%Y-%m-%d %H:%M') AS ordered_at, local_time(at, '%Y-%m-%d %H:%M') AS first_received_at, 'x' AS supplier_id,
       's1' AS location_id, sku, CAST(n AS DECIMAL(18,3)) AS ordered_qty, CAST('1' AS DECIMAL(18,3)) AS received_qty,
       CAST(cost AS DECIMAL(18,4)) AS unit_cost FROM raw WHERE what = 'po';";
    let header =
        "[read]\npath = \"*.csv\"\nformat = \"csv\"\n[defaults]\ntz = \"America/New_York\"\ncurrency = \"EUR\"\n";
    let text = "id,at,what,sku,n,cost
1,2026-05-30 23:30,sale,a,-3,2.5
2,2026-05-30 10:00,receipt,a,3,
3,2026-05-30 10:00,receipt,a,-3,1
4,2026-05-30 10:00,count,a,0,1
5,2026-05-30 10:00,lost,a,-1,1
6,2026-05-30 22:15,po,a,5,2
7,2026-05-30 10:00,po,a,0,2
";
    let mapped = map(header, sql, text).await;
    assert_eq!(column(&mapped, "inventory_movement", "cost_amount_rc"), ["-7.5000", "∅"]);
    assert_eq!(column(&mapped, "inventory_movement", "business_date"), ["2026-05-30", "2026-05-30"]);
    assert_eq!(column(&mapped, "purchase_order_line", "first_received_date"), ["2026-05-30"]);
    assert_eq!(column(&mapped, "purchase_order_line", "last_received_date"), ["∅"]);
    assert_eq!(column(&mapped, "purchase_order_line", "status"), ["partially_received"]);
    let expected = [
        (4, "V03", Some("quantity"), Some("-3.000")),
        (5, "V03", Some("quantity"), Some("0.000")),
        (6, "V01", Some("movement_type"), Some("lost")),
        (8, "V03", Some("ordered_qty"), Some("0.000")),
    ];
    assert_eq!(rules(&mapped), expected);
}

#[tokio::test]
async fn dimensions_and_rates_map() {
    let sql = "-- into = \"fx_rate\"
SELECT CAST(day AS DATE) AS rate_date, base AS base_currency, 'EUR' AS quote_currency, CAST(rate AS DECIMAL(18,8)) AS rate FROM raw WHERE what = 'fx';
-- into = \"location\"
SELECT base AS location_id, 'R1' AS region_id, 'DE' AS country, 'Europe/Berlin' AS tz, 'eur' AS currency, date_of(day, '%Y-%m-%d') AS opened_on FROM raw WHERE what = 'shop';";
    let mapped =
        map(CSV, sql, "what,day,base,rate\nfx,2026-01-01,usd,0.85\nfx,2026-01-02,usd,0\nshop,2020-01-01,s1,\n").await;
    assert_eq!(column(&mapped, "fx_rate", "base_currency"), ["USD"]);
    assert_eq!(column(&mapped, "fx_rate", "rate"), ["0.85000000"]);
    assert_eq!(column(&mapped, "location", "location_name"), ["s1"]);
    assert_eq!(column(&mapped, "location", "valid_from"), ["1970-01-01T00:00:00Z"]);
    assert_eq!(rules(&mapped), [(3, "V03", Some("rate"), Some("0.00000000"))]);
}

#[tokio::test]
async fn a_contact_without_a_cost_needs_no_rate() {
    let header = "[read]\npath = \"*.csv\"\nformat = \"csv\"\n[defaults]\ntz = \"Europe/Berlin\"\n";
    let sql = "-- into = \"marketing_touch\"
SELECT id AS touch_id, 'click' AS touch_type, 'search' AS marketing_channel, instant(\"at\") AS touched_at,
       CAST(cost AS DECIMAL(18,4)) AS cost, currency FROM raw;";
    let at = "2026-01-01T10:00:00Z";
    let mapped = map(header, sql, &format!("id,at,cost,currency\n1,{at},,\n2,{at},0.5,EUR\n3,{at},1,USD\n")).await;
    assert_eq!(column(&mapped, "marketing_touch", "cost_rc"), ["∅", "0.5000"]);
    assert_eq!(column(&mapped, "marketing_touch", "business_date"), ["2026-01-01", "2026-01-01"]);
    assert_eq!(rules(&mapped), [(4, "V18", Some("currency"), Some("USD"))]);
}

#[tokio::test]
async fn a_file_that_lacks_a_column_lands_nothing_and_says_so() {
    let lacking = map_with(
        &mut mapper(source(SHOP, MINIMAL).expect("a source"), FxRates::default()),
        b"date,SKU,quantity,price\n1,2,3,4\n",
    )
    .await;
    let error = lacking.expect_err("refused");
    assert_eq!(error.message(), "file test.csv: source test needs column \"sku\", which the file does not have");
    assert!(
        error.hint_text().is_some_and(|h| h.contains("did you mean SKU") && h.contains("optional")),
        "{:?}",
        error.hint_text()
    );
    let header = SHOP.replace("format = \"csv\"", "format = \"csv\"\noptional = [\"sku\"]");
    let optional = map_with(
        &mut mapper(source(&header, MINIMAL).expect("a source"), FxRates::default()),
        b"date,quantity,price\n31.01.2026,3,4\n",
    )
    .await;
    assert_eq!(rules(&optional.expect("mapped")), [(2, "V01", Some("sku"), None)]);
    for nothing in ["", "date,sku,quantity,price\n"] {
        assert_eq!(map(SHOP, MINIMAL, nothing).await.records, 0);
    }
}

#[tokio::test]
async fn unwanted_parts_of_records_reach_sql_and_quarantine() {
    let sql = format!("{}, _file AS source_record_id, _raw AS ext FROM raw", MINIMAL.trim_end_matches(" FROM raw;"));
    let mapped = map(SHOP, &sql, "date,sku,quantity,price,more\n31.01.2026,a,1,1,\"x, y\"\n31.01.2026,a,0,1,z\n").await;
    assert_eq!(column(&mapped, "order_line", "source_record_id"), ["test.csv"]);
    assert_eq!(column(&mapped, "order_line", "ext"), ["31.01.2026,a,1,1,\"x, y\""]);
    assert_eq!(mapped.rejected[0].raw, "31.01.2026,a,0,1,z");
}

#[tokio::test]
async fn v03_costs_and_prices_below_nothing_do_not_land() {
    let costs = "-- into = \"product_cost\"
SELECT sku, place AS location_id, CAST(cost AS DECIMAL(18,4)) AS unit_cost, 'EUR' AS currency FROM raw";
    let mapped = map(CSV, costs, "sku,place,cost\na,,1.5\na,L1,-2\n").await;
    assert_eq!(rules(&mapped), [(3, "V03", Some("unit_cost"), Some("-2.0000"))]);
    assert_eq!(mapped.rejected[0].raw, "a,L1,-2");
    for (name, value) in
        [("product_id", "A"), ("location_id", "∅"), ("valid_from", "1970-01-01"), ("cost_method", "standard")]
    {
        assert_eq!(column(&mapped, "product_cost", name), [value], "{name}");
    }
    let prices = "-- into = \"price_list\"
SELECT sku, 'web' AS channel_id, CAST(price AS DECIMAL(18,4)) AS list_price, CAST(reduced AS DECIMAL(18,4)) AS promo_price, 'EUR' AS currency FROM raw";
    let mapped = map(CSV, prices, "sku,price,reduced\na,-5,\nb,10,-1\nc,10,12\nd,10,9\n").await;
    let expected = [(2, "V03", Some("list_price"), Some("-5.0000")), (3, "V03", Some("promo_price"), Some("-1.0000"))];
    assert_eq!(rules(&mapped), expected);
    assert_eq!(table(&mapped, "price_list").record, [4, 5]);
    assert_eq!(table(&mapped, "price_list").warned, [true, false], "reduced to more than the price");
}

const BUNDLES: &str = "-- into = \"product_bundle\"
SELECT bundle AS bundle_product_id, part AS component_product_id, CAST(qty AS DECIMAL(18,3)) AS component_qty,
       CAST(share AS DECIMAL(9,6)) AS revenue_share, CAST(rev AS BIGINT) AS source_version FROM raw";

#[tokio::test]
async fn v17_shares_add_up_or_none_of_a_bundle_lands() {
    let text = "bundle,part,qty,share,rev
b1,a,1,0.6,1
b1,b,2,0.3,1
b1,b,2,0.4,2
b1,a,1,0.6,1
b2,a,1,0.5,1
b2,b,1,0.4,1
b3,a,1,0.333333,1
b3,b,1,0.333333,1
b3,c,1,0.333333,1
b4,a,1,0.5,1
b4,b,0,0.5,1
";
    let mapped = map(CSV, BUNDLES, text).await;
    let expected = [
        (6, "V17", Some("revenue_share"), Some("0.500000")),
        (7, "V17", Some("revenue_share"), Some("0.400000")),
        (11, "V17", Some("revenue_share"), Some("0.500000")),
        (12, "V03", Some("component_qty"), Some("0.000")),
    ];
    assert_eq!(rules(&mapped), expected);
    assert!(mapped.rejected[0].message.ends_with("they add up to 0.9"), "{}", mapped.rejected[0].message);
    assert_eq!(mapped.rejected[0].table, "product_bundle");
    // The newest version of each row counts, once; thirds are rounded; what goes takes the rest of its bundle with it.
    assert_eq!(table(&mapped, "product_bundle").record, [2, 3, 4, 5, 8, 9, 10]);
    // What waits is added up anew: with the right quantity all of b4 would land, alone none of it does.
    let waiting = |lines: &[i64]| -> Vec<ReplayRecord> {
        let of = mapped.rejected.iter().filter(|r| lines.contains(&r.line));
        of.map(|r| ReplayRecord {
            line: r.line,
            json: r.record.clone().expect("kept").replace("\"qty\":\"0\"", "\"qty\":\"1\""),
        })
        .collect()
    };
    let again = |records: Vec<ReplayRecord>| async move {
        let mut mapper = mapper(source(CSV, BUNDLES).expect("a source"), FxRates::default());
        mapper.map_records(records).await.expect("mapped")
    };
    assert!(again(waiting(&[11, 12])).await.rejected.is_empty());
    assert_eq!(again(waiting(&[11])).await.rejected[0].rule, "V17");
}

#[tokio::test]
async fn v17_shares_of_representatives_add_up_too() {
    let sql = "-- into = \"rep_assignment\"
SELECT id AS assigned_id, rep AS sales_rep_id, CAST(share AS DECIMAL(9,6)) AS share, CAST(since AS DATE) AS valid_from FROM raw";
    let text =
        "id,rep,share,since\nk1,r1,0.6,2026-01-01\nk1,r2,0.4,2026-01-01\nk1,r2,0.9,2026-02-01\nk2,r1,1,2026-01-01\n";
    let mapped = map(CSV, sql, text).await;
    assert_eq!(rules(&mapped), [(4, "V17", Some("share"), Some("0.900000"))], "a day's rows are one set");
    assert_eq!(table(&mapped, "rep_assignment").record, [2, 3, 5]);
}

#[test]
fn definitions_are_checked_when_loaded() {
    let refused = |header: &str, sql: &str| {
        let error = source(header, sql).expect_err("refused");
        format!("{} | {}", error.message(), error.hint_text().unwrap_or(""))
    };
    let with =
        |columns: &str| format!("-- into = \"order_line\"\nSELECT {columns}, date_of(d, '%Y') AS created_at FROM raw");
    assert!(refused(SHOP, &with("sku, qty AS quantitty, p AS unit_price")).contains("did you mean quantity"));
    assert!(refused(SHOP, &with("sku, p AS unit_price, x AS net_amount_rc")).contains("set by ingest itself"));
    assert!(refused(SHOP, &with("p AS unit_price")).contains("order_line needs sku"));
    assert!(refused(CSV, MINIMAL).contains("order_line needs tz"));
    assert!(refused(SHOP, &with("sku, p AS unit_price, o AS order_id")).contains("ordinal_within"));
    assert!(refused(SHOP, "-- into = \"orders\"\nSELECT 1").contains("no table `orders`"));
    assert!(refused(SHOP, "SELECT 1 FROM raw").contains("-- into"));
    assert!(refused(SHOP, &MINIMAL.replace("SELECT", "SELECT DISTINCT")).contains("record by record"));
    assert!(refused(SHOP, &MINIMAL.replace("FROM raw", "FROM raw ORDER BY sku")).contains("record by record"));
    assert!(
        refused(SHOP, "-- into = \"order_line\"\nSELECT sku, p AS unit_price, d AS created_at FROM raw")
            .contains("local_time")
    );
    assert!(refused(&format!("{SHOP}colour = \"red\"\n"), MINIMAL).contains("no table of this source"));
    assert!(refused(&format!("{SHOP}[red]\nx = 1\n"), MINIMAL).contains("unknown field `red`"));
    assert!(refused(&SHOP.replace("Europe/Berlin", "Berlin"), MINIMAL).contains("[defaults] tz"));
    assert!(refused(SHOP, &with("sku, p AS unit_price, f(x) AS quantity")).to_lowercase().contains("function"));
    assert!(
        refused(SHOP, &with("sku, p AS unit_price, CAST(random() AS TEXT) AS uom"))
            .contains("depends on its record alone")
    );
    assert!(
        refused(SHOP, &MINIMAL.replace("FROM raw", "FROM raw WHERE sku IN (SELECT sku FROM raw)"))
            .contains("a subquery")
    );
    let inner = "-- into = \"order_line\"\nSELECT sku, p AS unit_price, t AS created_at FROM (SELECT *, local_time(d, '%Y') AS t FROM raw)";
    assert!(refused(SHOP, inner).contains("inner SELECT converts"));
    let cased = source(SHOP, &with("\"SKU\" AS sku, UPPER(Price) AS unit_price")).expect("a source");
    assert_eq!(cased.columns, ["SKU", "Price", "d"], "names are as in the file, quoted or not");
    let parsed = source(SHOP, MINIMAL).expect("a source");
    assert_eq!(parsed.columns, ["date", "sku", "quantity", "price"]);
}

#[test]
fn shipped_definitions_are_sound() {
    let sources = super::source::Sources::load(None).expect("loaded");
    assert!(sources.broken().is_empty(), "{:?}", sources.broken());
    assert!(!sources.is_empty());
    let order: Vec<i64> = sources.in_order().iter().map(|s| s.header.order).collect();
    assert!(order.is_sorted());
    let unknown = sources.get("shop_pos_sale").expect_err("unknown");
    assert!(unknown.hint_text().is_some_and(|h| h.contains("did you mean")), "{unknown:?}");
}
