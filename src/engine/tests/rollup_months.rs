//! Rollups by the month beside those by the day: which of them answers, and that the rows are those of the tables.

use super::*;

const PARTS: &str = "-- ---\n-- about = \"Lines.\"\n-- ---\n\
    SELECT s.business_date, s.channel_id, s.order_line_id, s.product_id, s.net_amount_rc AS net FROM base.order_line s\n";

fn rollup(date: &str) -> String {
    format!(
        "-- ---\n-- about = \"By {date}.\"\n-- once = [\"order_line_id\"]\n-- sets = [\"product_id\"]\n-- ---\n\
         SELECT {date} AS business_date, p.channel_id, count(*) AS events, sum(p.net) AS net, \
         count(DISTINCT p.order_line_id) AS lines, count(DISTINCT p.product_id) AS products FROM parts p GROUP BY {date}, p.channel_id\n"
    )
}

async fn open(lake: &Lake, rollups: &[(&str, &str)]) -> Engine {
    let cfg = EngineConfig { result_cache_mb: 0, threads: 2, ..EngineConfig::default() };
    let file = |path: &str, text: &str| QueryFile::parse(path, text).unwrap();
    let views = [("parts".to_string(), file("views/parts.sql", PARTS))].into();
    let files =
        rollups.iter().map(|(name, date)| (name.to_string(), file(&format!("rollups/{name}.sql"), &rollup(date))));
    Engine::open_with_rollups(lake, &cfg, &views, &files.collect(), Clock::system()).await.unwrap()
}

/// The rows, and what became of the aggregate.
async fn told(engine: &Engine, sql: &str) -> (String, String) {
    let rows = engine.query(sql, QueryOptions::default(), &Caller::local()).await;
    let rows = rows.unwrap_or_else(|e| panic!("{sql}: {e} ({:?})", e.hint_text()));
    let by = rows.answers.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let batches = rows.collect().await.unwrap();
    (pretty_format_batches(&batches).unwrap().to_string(), by)
}

const FIRST: &str = "period_start(p.business_date, 'month', 'iso')";

/// Lines on the first, a middle and the last day of each month of 2025.
async fn a_year(lake: &Lake) {
    let days: Vec<String> = (1..=12)
        .flat_map(|month| {
            let next = NaiveDate::from_ymd_opt(2025 + month / 12, month as u32 % 12 + 1, 1).unwrap();
            let last = next.pred_opt().unwrap();
            [format!("2025-{month:02}-01"), format!("2025-{month:02}-15"), last.to_string()]
        })
        .collect();
    let days: Vec<&str> = days.iter().map(String::as_str).collect();
    let channels: Vec<&str> = (0..days.len()).map(|n| ["web", "pos"][n % 2]).collect();
    let articles: Vec<String> = (0..days.len()).map(|n| format!("P{}", n % 5)).collect();
    let articles: Vec<&str> = articles.iter().map(String::as_str).collect();
    let amounts: Vec<i128> = (0..days.len()).map(|n| 10_000 + 700 * n as i128).collect();
    land(lake, &ORDER_LINE, lines(&days, &channels, &vec![None; days.len()], &articles, &amounts)).await;
}

const MONTHS: &str = "by by_month";
const BOTH: &str = "by by_month and by_day";
const DAYS: &str = "by by_day";

#[tokio::test(flavor = "multi_thread")]
async fn months_answer_what_is_the_same_on_every_day() {
    let lake = memory_lake("clock").await;
    a_year(&lake).await;
    let on = open(&lake, &[("by_month", FIRST), ("by_day", "p.business_date")]).await;
    assert!(on.broken_rollups().is_empty(), "{:?}", on.broken_rollups());
    let done = on.refresh_rollups(&[], usize::MAX).await.unwrap();
    assert!(done.failed.is_empty() && done.made.len() == 24, "{done:?}");
    let off = open(&lake, &[]).await;
    let all = "sum(net), count(*), count(DISTINCT product_id)";
    let asked = [
        (format!("SELECT {all} FROM parts"), MONTHS),
        (
            format!(
                "SELECT {all} FROM parts WHERE business_date >= DATE '2025-02-01' AND business_date < DATE '2025-05-01'"
            ),
            MONTHS,
        ),
        (
            format!("SELECT {all} FROM parts WHERE business_date BETWEEN DATE '2025-02-01' AND DATE '2025-04-30'"),
            MONTHS,
        ),
        (format!("SELECT {all} FROM parts WHERE business_date >= DATE '2025-02-15'"), BOTH),
        (
            format!(
                "SELECT {all} FROM parts WHERE business_date > DATE '2025-02-01' AND business_date <= DATE '2025-07-30'"
            ),
            BOTH,
        ),
        (format!("SELECT {all} FROM parts WHERE business_date < DATE '2025-01-15'"), DAYS),
        (format!("SELECT {all} FROM parts WHERE business_date <> DATE '2025-06-15'"), BOTH),
        (format!("SELECT {all} FROM parts WHERE business_date < DATE '2025-06-15' OR channel_id = 'web'"), BOTH),
        (
            "SELECT sum(CASE WHEN business_date < DATE '2025-06-01' THEN net END), sum(CASE WHEN business_date >= DATE '2025-09-02' AND channel_id = 'pos' THEN net END) FROM parts".into(),
            BOTH,
        ),
        ("SELECT count(*) FILTER (WHERE business_date >= DATE '2025-03-01') AS n FROM parts".into(), MONTHS),
        (
            format!(
                "SELECT period_start(business_date, 'quarter', 'iso') AS q, {all} FROM parts GROUP BY 1 ORDER BY 1"
            ),
            MONTHS,
        ),
        (
            format!(
                "SELECT date_trunc('month', business_date) AS m, channel_id, {all} FROM parts GROUP BY 1, 2 ORDER BY 1, 2"
            ),
            MONTHS,
        ),
        (format!("SELECT extract(year FROM business_date) AS y, {all} FROM parts GROUP BY 1"), MONTHS),
        (
            format!(
                "SELECT period_start(business_date, 'fiscal_year', 'gregorian_fy_apr') AS y, {all} FROM parts GROUP BY 1 ORDER BY 1"
            ),
            MONTHS,
        ),
        (
            format!(
                "SELECT q, {all} FROM (SELECT date_trunc('quarter', d) AS q, * FROM (SELECT business_date AS d, net, product_id FROM parts)) GROUP BY 1 ORDER BY 1"
            ),
            MONTHS,
        ),
        (format!("SELECT business_date, {all} FROM parts GROUP BY 1 ORDER BY 1"), DAYS),
        (
            format!("SELECT period_start(business_date, 'week', 'iso') AS w, {all} FROM parts GROUP BY 1 ORDER BY 1"),
            DAYS,
        ),
        (format!("SELECT extract(day FROM business_date) AS d, {all} FROM parts GROUP BY 1 ORDER BY 1"), DAYS),
        ("SELECT max(business_date), min(business_date), count(DISTINCT business_date) FROM parts".into(), DAYS),
        (
            format!(
                "SELECT {all} FROM parts WHERE business_date IN (DATE '2025-03-01', DATE '2025-03-15', DATE '2025-08-31')"
            ),
            BOTH,
        ),
        (format!("SELECT {all} FROM parts JOIN (VALUES (DATE '2025-04-30')) AS v(d) ON d = business_date"), DAYS),
        (format!("SELECT {all} FROM parts JOIN (VALUES (DATE '2025-04-15')) AS v(d) ON d < business_date"), DAYS),
        (
            format!(
                "SELECT {all} FROM (SELECT business_date, net, product_id FROM parts UNION ALL SELECT DATE '2025-04-30', CAST(1 AS DECIMAL(18,4)), CAST(NULL AS VARCHAR)) WHERE business_date < DATE '2025-05-01'"
            ),
            MONTHS,
        ),
    ];
    for (sql, by) in asked {
        let (with, says) = told(&on, &sql).await;
        assert_eq!(with, told(&off, &sql).await.0, "{sql}: {says}");
        assert_eq!(says, by, "{sql}");
    }
}

/// Without one by the day, and where months are not current, the tables tell the rest.
#[tokio::test(flavor = "multi_thread")]
async fn the_rest_is_told_by_days_or_tables() {
    let lake = memory_lake("clock").await;
    a_year(&lake).await;
    let on = open(&lake, &[("by_month", FIRST), ("by_day", "p.business_date")]).await;
    let off = open(&lake, &[]).await;
    on.refresh_rollups(&["by_month".into()], usize::MAX).await.unwrap();
    let sql = "SELECT channel_id, sum(net), count(DISTINCT product_id) FROM parts \
               WHERE business_date >= DATE '2025-02-10' AND business_date < DATE '2025-10-03' GROUP BY 1 ORDER BY 1";
    let (with, says) = told(&on, sql).await;
    assert_eq!((with, says), (told(&off, sql).await.0, "by by_month, 2 months from the tables".into()));
    let texts = "SELECT sum(net) AS n FROM parts WHERE channel_id IN ('web', 'tel', 'app', 'kiosk') \
                 AND business_date >= DATE '2025-02-10' AND business_date < DATE '2025-10-03'";
    // The newest: October is among them, February is not.
    on.refresh_rollups(&["by_day".into()], 3).await.unwrap();
    let (with, says) = told(&on, sql).await;
    assert_eq!((with, says), (told(&off, sql).await.0, "by by_month and by_day, 1 month from the tables".into()));
    assert_eq!(told(&on, texts).await.0, told(&off, texts).await.0);
    on.refresh_rollups(&[], usize::MAX).await.unwrap();
    assert_eq!(told(&on, sql).await, (told(&off, sql).await.0, BOTH.into()));

    // A late line of June: its month comes from the tables, by_day's too.
    land(&lake, &ORDER_LINE, lines(&["2025-06-07"], &["web"], &[None], &["LATE"], &[5_000])).await;
    on.refresh().await.unwrap();
    off.refresh().await.unwrap();
    let (with, says) = told(&on, sql).await;
    assert_eq!((with, says), (told(&off, sql).await.0, "by by_month and by_day, 1 month from the tables".into()));
    on.refresh_rollups(&["by_day".into()], usize::MAX).await.unwrap();
    assert_eq!(told(&on, sql).await, (told(&off, sql).await.0, BOTH.into()));
}

const COUNTED: &str = "SELECT count(DISTINCT order_line_id) AS n FROM parts \
    WHERE business_date >= DATE '2025-01-02' AND business_date < DATE '2025-03-01'";

/// A value in two months that each of the rollups has noticed in another month: neither of the two that are asked tells of it.
#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_months_of_two_rollups_is_counted_once() {
    let lake = memory_lake("clock").await;
    let sold = async |days: &[&str]| {
        let none = vec![None; days.len()];
        land(&lake, &ORDER_LINE, lines(days, &["web", "web"], &none, &["P1", "P2"], &[10_000, 20_000])).await;
    };
    sold(&["2025-01-05", "2025-01-06"]).await;
    let on = open(&lake, &[("by_month", FIRST), ("by_day", "p.business_date")]).await;
    on.refresh_rollups(&["by_day".into()], usize::MAX).await.unwrap();
    // The same two ids once more: by_day notices it in February, by_month in January, which it makes last.
    sold(&["2025-02-05", "2025-02-06"]).await;
    let done = on.refresh_rollups(&[], usize::MAX).await.unwrap();
    let split: Vec<_> = done.made.iter().map(|made| (made.rollup.as_str(), made.month.as_str(), made.split)).collect();
    assert!(
        split.contains(&("by_day", "2025-02", true)) && split.contains(&("by_month", "2025-01", true)),
        "{split:?}"
    );
    assert!(split.contains(&("by_month", "2025-02", false)), "{split:?}");
    let off = open(&lake, &[]).await;
    let (with, says) = told(&on, COUNTED).await;
    assert_eq!(with, told(&off, COUNTED).await.0, "{says}");
    assert!(says.starts_with("not by "), "{says}");

    // Others are apart: the month from one, the days from the other.
    let lake = memory_lake("clock").await;
    let days = ["2025-01-01", "2025-01-05", "2025-02-05"];
    land(&lake, &ORDER_LINE, lines(&days, &["web"; 3], &[None; 3], &["P1"; 3], &[10_000; 3])).await;
    let on = open(&lake, &[("by_month", FIRST), ("by_day", "p.business_date")]).await;
    on.refresh_rollups(&[], usize::MAX).await.unwrap();
    let off = open(&lake, &[]).await;
    assert_eq!(told(&on, COUNTED).await, (told(&off, COUNTED).await.0, BOTH.into()));
}

/// A key that is neither the day nor the first day of its month is no date of a rollup.
#[tokio::test(flavor = "multi_thread")]
async fn other_dates_are_refused() {
    let lake = memory_lake("clock").await;
    a_year(&lake).await;
    for date in [
        "period_start(p.business_date, 'quarter', 'iso')",
        "period_start(p.business_date, 'week', 'iso')",
        "period_start(p.business_date, 'fiscal_period', 'retail_454')",
        "period_end(p.business_date, 'month', 'iso')",
    ] {
        let engine = open(&lake, &[("odd", date)]).await;
        let broken = engine.broken_rollups();
        assert!(format!("{broken:?}").contains("not one of its keys"), "{date}: {broken:?}");
    }
}
