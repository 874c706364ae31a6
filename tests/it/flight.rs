//! Flight SQL with arrow-flight's own client against a bound socket: statements and parameters here, the rest below. Other
//! clients are in `flight_clients`.

mod access;
mod ingest;
mod metadata;
mod running;
pub mod site;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, TimeUnit};
use arrow_flight::{FlightInfo, Ticket};
use tonic::Code;

use crate::common;
use site::{Site, answer, ask, fetch, on_sample, status};

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn column(array: impl Array + 'static) -> ArrayRef {
    Arc::new(array)
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    column(StringArray::from(values.to_vec()))
}

fn ticket(info: &FlightInfo) -> Ticket {
    info.endpoint[0].ticket.clone().unwrap()
}

#[test]
fn statements_answer_as_the_library_does() {
    on_sample(|| async {
        let site = Site::sample(|_| ()).await;
        let mut client = site.client().await;
        let sql = "SELECT channel_id, count(*) AS n, sum(net_amount) AS net FROM base.order_line GROUP BY channel_id ORDER BY 1";
        assert_eq!(ask(&mut client, sql).await, common::sql(&common::shared_sample().app, sql).await);
        let report = "SELECT * FROM report('sales-by-region', 'from=2025-01-01', 'to=2026-01-01')";
        let asked = common::report(
            &common::shared_sample().app,
            "sales-by-region",
            &[("from", "2025-01-01"), ("to", "2026-01-01")],
        );
        assert_eq!(ask(&mut client, report).await, asked.await);

        // Without rows the columns are the same.
        let none = client.execute(format!("SELECT * FROM ({report}) AS r WHERE false"), None).await.unwrap();
        assert_eq!(answer(&mut client, &none).await.rows, Vec::<Vec<String>>::new());
        assert_eq!(none.total_records, -1, "nobody has counted");

        // Few clients know how Arrow keeps these in memory.
        let plain = "SELECT arrow_cast('a', 'Utf8View') AS v, arrow_cast('b', 'Dictionary(Int32, Utf8)') AS d, \
                     arrow_cast('c', 'BinaryView') AS b";
        let told = client.execute(plain.into(), None).await.unwrap().try_decode_schema().unwrap();
        let kinds: Vec<&DataType> = told.fields().iter().map(|f| f.data_type()).collect();
        assert_eq!(kinds, [&DataType::Utf8, &DataType::Utf8, &DataType::Binary]);
        site.stop().await;
    });
}

#[test]
fn prepared_statements_take_one_row_of_values_or_many() {
    on_sample(|| async {
        let site = Site::sample(|_| ()).await;
        let mut client = site.client().await;
        let sql = "SELECT count(*) AS n FROM base.order_line WHERE line_no >= ? AND channel_id = ? AND business_date >= ? \
                   AND net_amount > ? AND confirmed_at < ? AND is_test = ?";
        let mut prepared = client.prepare(sql.into(), None).await.unwrap();
        let told = prepared.parameter_schema().unwrap();
        let kinds: Vec<DataType> = told.fields().iter().map(|f| f.data_type().clone()).collect();
        assert!(told.fields().iter().all(|f| f.is_nullable()), "{told}");
        assert_eq!(kinds[1..4], [DataType::Utf8, DataType::Date32, DataType::Decimal128(18, 4)]);
        // In milliseconds, which is what the JDBC driver writes whatever it is told.
        assert_eq!(kinds[4..], [DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())), DataType::Boolean]);
        assert_eq!(prepared.dataset_schema().unwrap().field(0).name(), "n");

        let june = 1_780_272_000_000_000_i64; // 2026-06-01
        let values = |channel: &str| {
            batch(vec![
                ("1", column(Int64Array::from(vec![1]))),
                ("2", texts(&[Some(channel)])),
                ("3", column(Date32Array::from(vec![20_454]))), // 2026-01-01
                ("4", column(Decimal128Array::from(vec![205_i128]).with_precision_and_scale(3, 1).unwrap())),
                ("5", column(TimestampMicrosecondArray::from(vec![june]).with_timezone("UTC"))),
                ("6", column(BooleanArray::from(vec![false]))),
            ])
        };
        let mut counted = Vec::new();
        for channel in ["web", "pos", "web"] {
            prepared.set_parameters(values(channel)).unwrap();
            let info = prepared.execute().await.unwrap();
            let literal = format!(
                "SELECT count(*) AS n FROM base.order_line WHERE line_no >= 1 AND channel_id = '{channel}' \
                 AND business_date >= DATE '2026-01-01' AND net_amount > 20.5 \
                 AND confirmed_at < arrow_cast('2026-06-01T00:00:00Z', 'Timestamp(Microsecond, Some(\"UTC\"))') AND NOT is_test"
            );
            let found = answer(&mut client, &info).await;
            assert_eq!(found, ask(&mut client, &literal).await);
            counted.push(found.rows[0][0].clone());
        }
        assert!(counted[0] != "0" && counted[0] == counted[2] && counted[0] != counted[1], "{counted:?}");

        let mut many =
            client.prepare("SELECT count(*) AS n FROM channel WHERE channel_id = $1".into(), None).await.unwrap();
        many.set_parameters(batch(vec![("x", texts(&[Some("web"), None, Some("nowhere"), Some("pos")]))])).unwrap();
        let info = many.execute().await.unwrap();
        assert_eq!(answer(&mut client, &info).await.column("n"), ["1", "0", "0", "1"], "a run per row, in order");
        many.close().await.unwrap();
        prepared.close().await.unwrap();
        site.stop().await;
    });
}

#[test]
fn a_statement_without_its_values_says_so() {
    on_sample(|| async {
        let site = Site::sample(|_| ()).await;
        let mut client = site.client().await;
        let sql = "SELECT count(*) AS n FROM channel WHERE channel_id = ?";
        let mut prepared = client.prepare(sql.into(), None).await.unwrap();
        let unbound = status(prepared.execute().await);
        assert_eq!(unbound.code(), Code::InvalidArgument);
        assert!(unbound.message().contains("no values were bound to $1"), "{}", unbound.message());
        assert!(unbound.message().contains("\nhint: "), "{}", unbound.message());
        let direct = status(client.execute(sql.into(), None).await);
        assert!(direct.message().contains("no values were bound"), "{}", direct.message());

        prepared.set_parameters(batch(vec![("1", texts(&[None])), ("2", texts(&[None]))])).unwrap();
        let many = status(prepared.execute().await);
        assert!(many.message().contains("2 values were bound, the statement has 1"), "{}", many.message());
        let mut dated =
            client.prepare("SELECT count(*) FROM base.order_line WHERE business_date = ?".into(), None).await.unwrap();
        dated.set_parameters(batch(vec![("1", texts(&[Some("tea")]))])).unwrap();
        let wrong = match dated.execute().await {
            Ok(info) => status(fetch(&mut client, &info).await),
            early => status(early),
        };
        assert_eq!(wrong.code(), Code::InvalidArgument, "{}", wrong.message());
        assert!(wrong.message().contains("tea"), "{}", wrong.message());
        site.stop().await;
    });
}

#[test]
fn nothing_can_be_written_by_sql() {
    on_sample(|| async {
        let site = Site::sample(|_| ()).await;
        let mut client = site.client().await;
        for sql in ["DELETE FROM base.order_line", "SELECT 1"] {
            let refused = status(client.execute_update(sql.into(), None).await);
            assert_eq!(refused.code(), Code::PermissionDenied, "{}", refused.message());
            assert!(
                refused.message().contains("only read") && refused.message().contains("\nhint: "),
                "{}",
                refused.message()
            );
        }
        for sql in ["DELETE FROM base.order_line", "COPY channel TO 'x.csv'", "SET x = 1"] {
            assert_eq!(status(client.execute(sql.into(), None).await).code(), Code::PermissionDenied, "{sql}");
            assert_eq!(status(client.prepare(sql.into(), None).await).code(), Code::PermissionDenied, "{sql}");
        }
        assert_eq!(status(client.begin_transaction().await).code(), Code::Unimplemented);
        let misspelt = status(client.execute("SELECT * FROM sales_evnt".into(), None).await);
        assert!(matches!(misspelt.code(), Code::NotFound | Code::InvalidArgument), "{misspelt}");
        assert!(misspelt.message().contains("sales_evnt") && misspelt.message().contains("sales_event"), "{misspelt}");
        site.stop().await;
    });
}
