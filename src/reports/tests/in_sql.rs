//! Reports as SQL names them.

use super::*;
use crate::engine::Param;
use crate::engine::ReportSource;

async fn shelf() -> (Engine, Arc<Reports>) {
    let shop = shop().await;
    let reports = Arc::new(shop.reports);
    let source: std::sync::Weak<Reports> = Arc::downgrade(&reports);
    shop.engine.set_reports(source);
    (shop.engine, reports)
}

async fn texts(rows: crate::engine::Rows) -> Vec<Vec<String>> {
    let batches = rows.collect().await.unwrap();
    let row = |batch: &RecordBatch, at: usize| {
        batch.columns().iter().map(|c| array_value_to_string(c, at).unwrap()).collect::<Vec<_>>()
    };
    batches.iter().flat_map(|b| (0..b.num_rows()).map(|at| row(b, at)).collect::<Vec<_>>()).collect()
}

async fn sql(engine: &Engine, text: &str, params: &[(&str, Param)]) -> crate::error::Result<Vec<Vec<String>>> {
    let params = params.iter().map(|(n, p)| (n.to_string(), p.clone())).collect();
    let options = QueryOptions { params, ..QueryOptions::default() };
    Ok(texts(engine.query(text, options, &Caller::local()).await?).await)
}

#[tokio::test]
async fn a_report_in_sql_is_the_report() {
    let (engine, reports) = shelf().await;
    let asked = [("from", "2026-01-01"), ("to", "2026-04-01"), ("where.channel", "web"), ("totals", "true")];
    let request = asked.iter().fold(Request::new(), |r, (n, v)| r.with(*n, *v));
    let run = reports.run("sales-by-product", request, &Caller::local()).await.unwrap();
    let schema = Arc::clone(&run.rows.schema);
    let call = "SELECT * FROM report('sales-by-product', 'from=2026-01-01', 'to=2026-04-01', 'where.channel=web', 'totals=true')";
    let described = engine.describe(call, &QueryOptions::default(), &Caller::local()).await.unwrap();
    let names = |schema: &Schema| schema.fields().iter().map(|f| f.name().clone()).collect::<Vec<_>>();
    assert_eq!(names(&described.schema), names(&schema), "known when it is planned");
    let rows = texts(run.rows).await;
    assert!(rows.len() > 1);
    assert_eq!(sql(&engine, call, &[]).await.unwrap(), rows, "in the report's order");
    let first = sql(&engine, &format!("{call} LIMIT 1"), &[]).await.unwrap();
    assert_eq!(first, rows[..1], "its first row");
    let versions = engine.query(call, QueryOptions::default(), &Caller::local()).await.unwrap().versions;
    assert!(
        versions.contains_key("order_line") && versions.contains_key("channel"),
        "slicers were looked up: {versions:?}"
    );
}

#[tokio::test]
async fn a_report_is_a_table_like_others() {
    let (engine, _reports) = shelf().await;
    let joined = "SELECT r.channel_id, c.channel_id IS NOT NULL AS known FROM report('sales-by-channel', \
                  'from=2026-01-01', 'to=2026-04-01') AS r LEFT JOIN channel c ON c.channel_id = r.channel_id \
                  WHERE r.net_sales > 0 ORDER BY 1";
    assert!(!sql(&engine, joined, &[]).await.unwrap().is_empty());
    let twice = "SELECT a.net_sales = b.net_sales + c.net_sales FROM report('sales-summary', $1, 'to=2026-04-01') a, \
                 report('sales-summary', $1, 'to=2026-02-01') b, report('sales-summary', 'from=2026-02-01', 'to=2026-04-01') c \
                 WHERE $2 = 7";
    let described = engine.describe(twice, &QueryOptions::default(), &Caller::local()).await.unwrap();
    let told: Vec<_> = described.parameters.iter().map(|p| (p.name.as_str(), p.arrow.clone())).collect();
    assert_eq!(told[0], ("1", Some(DataType::Utf8)), "{told:?}");
    let given = [("1", Param::Text("from=2026-01-01".into())), ("2", Param::Int(7))];
    assert_eq!(sql(&engine, twice, &given).await.unwrap(), [["true"]]);
}

#[tokio::test]
async fn a_report_may_be_called_in_several_ways() {
    let (engine, _reports) = shelf().await;
    let of = async |name: &str| {
        let call = format!("SELECT s.net_sales FROM {name}('sales-summary', 'from=2026-01-01', 'to=2026-04-01') AS s");
        sql(&engine, &call, &[]).await.unwrap_or_else(|e| panic!("{name}: {e}"))
    };
    let rows = of("report").await;
    assert_eq!(rows.len(), 1);
    for name in ["REPORT", "\"report\"", "main.report", "lake.main.\"report\"", "LATERAL report", "LATERAL main.report"]
    {
        assert_eq!(of(name).await, rows, "{name}");
    }
    let beside = "SELECT c.x, s.net_sales FROM (SELECT 1 AS x) AS c, \
                  LATERAL report('sales-summary', 'from=2026-01-01', 'to=2026-04-01') AS s";
    assert_eq!(sql(&engine, beside, &[]).await.unwrap(), [["1", rows[0][0].as_str()]]);
    let other = sql(&engine, "SELECT * FROM base.report('sales-summary')", &[]).await.unwrap_err();
    assert!(other.hint_text().is_some(), "{other}");
}

#[tokio::test]
async fn wrong_calls_say_what_works() {
    let (engine, reports) = shelf().await;
    let says = async |call: &str| {
        let error = sql(&engine, &format!("SELECT * FROM {call}"), &[]).await.unwrap_err();
        format!("{error} / {}", error.hint_text().unwrap_or_default())
    };
    assert!(says("report('sales-by-chanel')").await.contains("sales-by-channel"));
    assert!(says("report()").await.contains("report('sales-by-region'"));
    assert!(says("report('sales-by-channel', 'from')").await.contains("no value"));
    assert!(says("report('sales-by-channel', 'form=2026-01-01')").await.contains("from"));
    assert!(says("report('sales-by-channel', from)").await.contains("texts"));
    assert!(says("channel AS c, LATERAL report(c.channel_id)").await.contains("texts"));
    assert!(says("report('sales-by-channel', 'where.channel=wbe')").await.contains("web"));
    let many = ["report('sales-summary', 'from=2026-01-01', 'to=2026-04-01')"; 51].join(", ");
    assert!(says(&many).await.contains("51 times"));
    assert!(says("reprot('sales-by-channel')").await.contains("report"));
    drop(reports);
    assert!(says("report('sales-by-channel')").await.contains("cannot be used here"));
}

#[tokio::test]
async fn reports_are_listed_for_sql() {
    let (engine, reports) = shelf().await;
    let listed = sql(&engine, "SELECT id, title_zh <> '' FROM system.reports ORDER BY id", &[]).await.unwrap();
    let ids: Vec<String> = reports.rows().into_iter().map(|r| r.id).collect();
    assert_eq!(listed.len(), ids.len());
    assert!(listed.iter().all(|row| ids.contains(&row[0]) && row[1] == "true"), "{listed:?}");
    let params =
        "SELECT type, allowed_values FROM system.report_params WHERE report = 'sales-over-time' AND name = 'grain'";
    assert!(sql(&engine, params, &[]).await.unwrap()[0][1].contains("week"));
    let slicers = "SELECT count(*) > 3 FROM system.report_params WHERE report = 'sales-over-time' AND type = 'slicer'";
    assert_eq!(sql(&engine, slicers, &[]).await.unwrap(), [["true"]]);
}
