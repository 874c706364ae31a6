//! What is read: snapshots, statistics, pruning, dimensions.

use super::*;

#[tokio::test]
async fn an_empty_lake_answers() {
    let engine = engine(&memory_lake("clock").await).await;
    assert_eq!(one(&engine, "SELECT count(*) FROM base.order_line", QueryOptions::default()).await, "0");
    assert_eq!(one(&engine, "SELECT count(*), sum(net) IS NULL FROM sales", QueryOptions::default()).await, "0 true");
    assert_eq!(one(&engine, "SELECT count(*) FROM product", QueryOptions::default()).await, "0");
    assert_eq!(engine.data_range().await.unwrap(), None);
    assert_eq!(engine.snapshot().versions["order_line"], -1);
}

#[tokio::test]
async fn refresh_sees_commits_through_views() {
    let lake = small_lake().await;
    let engine = engine(&lake).await;
    assert!(!engine.refresh().await.unwrap());
    let before = engine.snapshot().id.clone();
    assert_eq!(one(&engine, "SELECT sum(net) FROM sales", QueryOptions::default()).await, "35.5000");
    land(&lake, &ORDER_LINE, lines(&["2026-03-01"], &["web"], &[None], &["P1"], &[10_000])).await;
    assert_eq!(one(&engine, "SELECT sum(net) FROM by_channel", QueryOptions::default()).await, "35.5000");
    assert!(engine.refresh().await.unwrap());
    assert_ne!(engine.snapshot().id, before);
    assert_eq!(one(&engine, "SELECT sum(net) FROM by_channel", QueryOptions::default()).await, "36.5000");
    assert_eq!(engine.today().await.unwrap().to_string(), "2026-03-02");
}

#[tokio::test]
async fn statistics_answer_what_the_rows_say() {
    let engine = engine(&small_lake().await).await;
    let sql = "SELECT count(*), count(location_id), min(business_date), max(business_date), min(channel_id), max(product_id) \
               FROM base.order_line";
    assert_eq!(one(&engine, sql, QueryOptions::default()).await, "3 2 2026-01-05 2026-02-03 pos P2");
    // One value in the whole file: read as a literal, and still right.
    let sql =
        "SELECT count(*), min(channel_id), min(net_amount_rc) FROM base.order_line WHERE business_month = '2026-02'";
    assert_eq!(one(&engine, sql, QueryOptions::default()).await, "1 web 0.5000");
    let (from, to) = engine.data_range().await.unwrap().unwrap();
    assert_eq!((from.to_string().as_str(), to.to_string().as_str()), ("2026-01-05", "2026-02-03"));
}

#[tokio::test]
async fn unused_dimension_joins_vanish_under_a_union_view() {
    let engine = engine(&small_lake().await).await;
    let plan = ask(&engine, "EXPLAIN SELECT channel_id, sum(net) FROM sales GROUP BY 1", QueryOptions::default())
        .await
        .unwrap();
    assert!(!plan.contains("Join"), "{plan}");
    let plan = ask(&engine, "EXPLAIN SELECT region_id, sum(net) FROM sales GROUP BY 1", QueryOptions::default())
        .await
        .unwrap();
    assert!(plan.contains("Join") && !plan.contains("product.product_id"), "one join each is used: {plan}");
    assert_eq!(
        one(&engine, "SELECT sum(net) FROM sales WHERE region_id = 'R1'", QueryOptions::default()).await,
        "25.0000"
    );
}

#[tokio::test]
async fn files_are_pruned_by_month_and_by_statistics() {
    let engine = engine(&small_lake().await).await;
    let files = async |condition: &str| {
        let sql = format!("EXPLAIN SELECT net_amount_rc FROM base.order_line WHERE {condition}");
        let plan = ask(&engine, &sql, QueryOptions::default()).await.unwrap();
        plan.matches(".parquet").count()
    };
    assert_eq!(files("true").await, 2);
    assert_eq!(files("business_month = '2026-01'").await, 1);
    assert_eq!(files("business_month IN ('2025-01', '2026-02')").await, 1);
    assert_eq!(files("substr(business_month, 1, 4) = '2025'").await, 0);
    assert_eq!(files("business_date >= DATE '2026-02-01'").await, 1);
    assert_eq!(files("product_id = 'P2'").await, 1);
    assert_eq!(files("product_id IN ('A', 'B', 'C', 'D', 'E')").await, 0);
    assert_eq!(files("net_amount_rc > 1000000").await, 2, "decimals never prune");
    for length in [500, 20_000] {
        let mut keys: Vec<String> = (0..length).map(|i| format!("X{i}")).collect();
        let long = "SELECT count(*) FROM base.order_line WHERE array_has($keys, product_id)";
        assert_eq!(one(&engine, long, with(&[("keys", Param::List(keys.clone()))])).await, "0");
        keys.push("P1".into());
        assert_eq!(one(&engine, long, with(&[("keys", Param::List(keys))])).await, "2");
    }
    // A partition filter is taken off the plan, so it must hold exactly.
    let sql = "SELECT count(*) FROM base.order_line WHERE business_month <> '2026-01'";
    assert_eq!(one(&engine, sql, QueryOptions::default()).await, "1");
}

#[tokio::test]
async fn dimensions_are_current_and_have_histories() {
    let engine = engine(&small_lake().await).await;
    let sql = "SELECT count(*), min(product_name) FROM product";
    assert_eq!(one(&engine, sql, QueryOptions::default()).await, "1 new");
    let history = ask(
        &engine,
        "SELECT product_id, product_name, valid_from, valid_to, is_current FROM product_history ORDER BY 1, 3",
        QueryOptions::default(),
    );
    let expected = "\
+------------+--------------+----------------------+----------------------+------------+
| product_id | product_name | valid_from           | valid_to             | is_current |
+------------+--------------+----------------------+----------------------+------------+
| P1         | old          | 0001-01-01T00:00:00Z | 1970-01-02T00:00:00Z | false      |
| P1         | new          | 1970-01-02T00:00:00Z |                      | true       |
| P3         | gone         | 0001-01-01T00:00:00Z | 1970-01-02T00:00:00Z | false      |
+------------+--------------+----------------------+----------------------+------------+";
    assert_eq!(history.await.unwrap(), expected);
    let sql = "SELECT count(*), count(DISTINCT calendar_code) FROM fiscal_calendar f JOIN calendar c ON c.date_key = f.date_key \
               WHERE c.date_key = DATE '2026-02-01'";
    assert_eq!(one(&engine, sql, QueryOptions::default()).await, "3 3");
}

#[tokio::test]
async fn counts_are_right_when_a_limit_is_pushed_down() {
    let engine = engine(&small_lake().await).await;
    let rows = engine
        .query("SELECT order_line_id FROM base.order_line LIMIT 2", QueryOptions::default(), &Caller::local())
        .await;
    let batches = rows.unwrap().collect().await.unwrap();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 2);
    let rows =
        engine.query("SELECT count(*) AS n FROM base.order_line", QueryOptions::default(), &Caller::local()).await;
    let batches = rows.unwrap().collect().await.unwrap();
    assert_eq!(batches[0].column(0).as_primitive::<Int64Type>().value(0), 3);
    assert!(batches[0].column(0).is_valid(0));
}
#[tokio::test]
async fn a_scan_without_a_caller_is_refused() {
    let engine = engine(&small_lake().await).await;
    let snapshot = engine.snapshot();
    for sql in ["SELECT count(order_id) FROM base.order_line", "SELECT * FROM product", "SELECT * FROM system.queries"]
    {
        let nobody = snapshot.state();
        let plan = nobody.create_logical_plan(sql).await.unwrap();
        let error = crate::engine::classify::classify(nobody.create_physical_plan(&plan).await.unwrap_err());
        assert_eq!(error.kind(), ErrorKind::Denied, "{sql}");
    }
    let plan = snapshot.state().create_logical_plan("SELECT * FROM sales").await.unwrap();
    assert!(snapshot.state().create_physical_plan(&plan).await.is_err(), "a view that nobody expanded");
}

#[tokio::test]
async fn keys_have_one_text_type_everywhere() {
    let engine = engine(&small_lake().await).await;
    let sql = "SELECT DISTINCT arrow_typeof(s.channel_id), arrow_typeof(c.channel_id), arrow_typeof(b.channel_id), \
               arrow_typeof(b.business_month) FROM sales s, channel c, base.order_line b";
    assert_eq!(one(&engine, sql, QueryOptions::default()).await, "Utf8View Utf8View Utf8View Utf8View");
    let rows = engine
        .query("SELECT channel_id, row_key FROM base.order_line", QueryOptions::default(), &Caller::local())
        .await;
    let schema = rows.unwrap().schema;
    assert_eq!((schema.field(0).data_type(), schema.field(1).data_type()), (&DataType::Utf8, &DataType::Binary));
}
