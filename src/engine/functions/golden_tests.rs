//! Values that were computed elsewhere (domain 4.5), asked in SQL as reports ask. Those of formulas that reports alone have (average
//! stock, lost units, sell-through, GMROI and turn, deviation of demand) are held over rows in `reports/tests/supply.rs`, numbers of
//! weeks and the years before in `model/calendar/tables.rs`.

use datafusion::arrow::util::display::array_value_to_string;
use datafusion::prelude::SessionContext;

/// The first column of the answer, as text.
async fn asked(sql: &str) -> Vec<String> {
    let mut ctx = SessionContext::new();
    super::register(&mut ctx).unwrap();
    let batches = ctx.sql(sql).await.unwrap_or_else(|e| panic!("{sql}: {e}")).collect().await.unwrap();
    let cells = batches.iter().flat_map(|b| (0..b.num_rows()).map(move |row| array_value_to_string(b.column(0), row)));
    cells.map(Result::unwrap).collect()
}

/// Expression, expected value, and by how much it may be off: the digits that the source gives.
async fn near(values: &[(&str, f64, f64)]) {
    for (expression, expected, within) in values {
        let found = asked(&format!("SELECT CAST({expression} AS DOUBLE)")).await;
        let number: f64 = found[0].parse().unwrap_or(f64::NAN);
        assert!((number - expected).abs() <= *within, "{expression} is {found:?}, not {expected}");
    }
}

#[tokio::test]
async fn replenishment() {
    near(&[
        ("normal_quantile(0.95)", 1.644_853_626_951_471_5, 1e-12),
        ("safety_stock(0.95, 20, 6, 9, 2)", 72.148_913, 5e-7),
        ("20 * 9 + safety_stock(0.95, 20, 6, 9, 2)", 252.148_913, 5e-7),
        ("safety_stock(0.95, 20, 6, 9 + 7, 2)", 76.728_499, 5e-7),
        ("order_size(7300, 50, 2)", 604.152_298_7, 5e-8),
        ("order_quantity(20, 20, 50, NULL, 12, NULL)", 36.0, 0.0),
    ])
    .await;
}

/// Of 1,000 orders 200 have the one, 150 the other, 60 both.
#[tokio::test]
async fn affinity() {
    near(&[
        ("ratio(60, 1000)", 0.06, 1e-12),
        ("ratio(60, 200)", 0.3, 1e-12),
        ("lift(60, 200, 150, 1000)", 2.0, 1e-12),
        ("leverage(60, 200, 150, 1000)", 0.03, 1e-12),
        ("conviction(60, 200, 150, 1000)", 1.214_285_7, 5e-8),
    ])
    .await;
}

/// Wilson's formula of 1927 in decimals of 60 digits. The first four are also method 3 in table I of R. G. Newcombe, Two-sided confidence
/// intervals for the single proportion, Statistics in Medicine 17, 1998: 0.2553 to 0.3662, 0.0624 to 0.1605, 0 to 0.1611, 0.0061 to 0.1718.
#[tokio::test]
async fn wilson() {
    for (part, whole, level, lower, upper) in [
        (81, 263, 0.95, 0.255_288_519_878_274, 0.366_209_576_982_8),
        (15, 148, 0.95, 0.062_386_399_530_736, 0.160_487_241_723_308),
        (0, 20, 0.95, 0.0, 0.161_125_158_052_819),
        (1, 29, 0.95, 0.006_113_214_292_763, 0.171_755_218_793_203),
        (1, 1, 0.95, 0.206_549_314_377_237, 1.0),
        (3, 12, 0.9, 0.104_652_565_570_489, 0.487_338_031_803_249),
    ] {
        let bounds = ["lower", "upper"].map(|bound| format!("wilson_{bound}({part}, {whole}, {level})"));
        near(&[(bounds[0].as_str(), lower, 1e-12), (bounds[1].as_str(), upper, 1e-12)]).await;
    }
}

/// Averages of ratios would be 0.745 and integers 0 (D01, D29); a base below 0 and one of 0 (D28, D27).
#[tokio::test]
async fn quotients() {
    near(&[
        ("ratio(1 + 99, 2 + 100)", 100.0 / 102.0, 1e-15),
        ("ratio(1, 2)", 0.5, 0.0),
        ("growth(50, -100)", 1.5, 0.0),
    ])
    .await;
    assert_eq!(asked("SELECT coalesce(growth(50, 0), ratio(1, 0), conviction(2, 2, 5, 10))").await, [""]);
}

/// A hundred customers who bought on one day each have one score, which NTILE would tear apart (D24).
#[tokio::test]
async fn d24_equal_values_have_equal_scores() {
    let scores = async |values: &str| {
        asked(&format!(
            "SELECT rank_score(rank() OVER (ORDER BY value), count(*) OVER (), 5) AS score FROM {values} ORDER BY value"
        ))
        .await
    };
    let alike = scores("(SELECT 1 AS value FROM generate_series(1, 100))").await;
    assert!(alike.len() == 100 && alike.iter().all(|score| score == "1"), "{alike:?}");
    let mixed = "(SELECT column1 AS value FROM (VALUES (7), (7), (7), (8), (9)))";
    assert_eq!(scores(mixed).await, ["1", "1", "1", "4", "5"]);
    assert_eq!(
        scores("(SELECT value FROM generate_series(1, 10))").await,
        ["1", "1", "2", "2", "3", "3", "4", "4", "5", "5"]
    );
}

#[tokio::test]
async fn calendars() {
    // Weeks of ISO years: the first of 2025, the 53rd of 2020 and that of 2026 (D10).
    for (date, monday) in [("2024-12-30", "2024-12-30"), ("2021-01-01", "2020-12-28"), ("2027-01-01", "2026-12-28")] {
        assert_eq!(asked(&format!("SELECT period_start('{date}', 'week', 'iso')")).await, [monday]);
    }
    let year = |edge: &str, date: &str| format!("period_{edge}('{date}', 'fiscal_year', 'retail_454')");
    assert_eq!(asked(&format!("SELECT {}", year("start", "2024-02-03"))).await, ["2023-01-29"]);
    assert_eq!(asked(&format!("SELECT {}", year("end", "2023-01-29"))).await, ["2024-02-04"]);
    for (fiscal, weeks) in [(2006, 53), (2012, 53), (2017, 53), (2022, 52), (2023, 53), (2024, 52)] {
        let summer = format!("{fiscal}-07-01");
        let days = format!("CAST({} AS INT) - CAST({} AS INT)", year("end", &summer), year("start", &summer));
        assert_eq!(asked(&format!("SELECT ({days}) / 7")).await, [weeks.to_string()], "{fiscal}");
    }
}
