//! Control totals land like any table: by key and version, what is no total stays out; and a source's own numbers with their gaps.

use std::fs;

use saleslake::app::App;

use crate::common::{self, Answer, clock, land, sql};

const TOTALS: &str = r#"-- ---
-- title = { en = "Totals", zh = "总数" }
-- about = "What the tills say."
-- source_system = "till"
-- order = 20
-- [read]
-- path = "totals/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "pos"
-- tz = "Europe/London"
-- ---
-- into = "source_control_total"
SELECT date_of(day, '%Y-%m-%d') AS total_date, shop AS location_id, metric, CAST(told AS DECIMAL(18,4)) AS value, currency,
       CAST(rev AS BIGINT) AS source_version
FROM raw;
"#;

const FILE: &str = "day,shop,metric,told,currency,rev
2025-01-15,S1,order_count,12,,1
2025-01-15,S1,order_count,10,,0
2025-01-15,S1,total_amount,99.5,GBP,0
2025-01-15,S1,total_amount,50,EUR,0
2025-01-15,,order_count,30,,0
2025-01-15,S2,total_amount,5,,0
2025-01-15,S2,order_count,-1,,0
2025-01-15,S2,line_count,1.5,,0
2025-01-15,S2,footfall,5,,0
2025-01-15,S2,units,1.5,,0
";

#[tokio::test]
async fn totals_have_a_key_with_or_without_place_and_currency() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("sources")).expect("made");
    fs::write(folder.path().join("sources/totals.sql"), TOTALS).expect("written");
    let file = folder.path().join("totals.csv");
    fs::write(&file, FILE).expect("written");
    let mut config = common::config();
    config.queries_dir = Some(folder.path().into());
    let app = App::open(config, clock()).await.expect("an empty lake opens");
    land(&app, "totals", &[file]).await;
    let rows = |answer: Answer| answer.rows.iter().map(|r| r.join("|")).collect::<Vec<_>>();
    let landed = "SELECT business_date, location_id, metric, currency, value, source_version FROM base.source_control_total ORDER BY 2, 3, 4";
    assert_eq!(
        rows(sql(&app, landed).await),
        [
            "2025-01-15|S1|order_count|NULL|12.0000|1",
            "2025-01-15|S1|total_amount|EUR|50.0000|0",
            "2025-01-15|S1|total_amount|GBP|99.5000|0",
            "2025-01-15|S2|units|NULL|1.5000|0",
            "2025-01-15|NULL|order_count|NULL|30.0000|0",
        ],
        "the newer total replaces the older one; places, currencies and the channel as a whole are told apart"
    );
    let stopped = "SELECT line, rule, field FROM quarantine ORDER BY line";
    assert_eq!(
        rows(sql(&app, stopped).await),
        ["7|V01|currency", "8|V03|value", "9|V03|value", "10|V01|metric"],
        "an amount has a currency, counts are whole and not below 0, metrics are a closed list"
    );
}
