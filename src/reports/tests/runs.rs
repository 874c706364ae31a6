//! Loading, asking and answering: what holds for every report.

use super::*;
use crate::reports::catalogue;

#[tokio::test]
async fn every_shipped_report_keeps_its_promises_over_an_empty_lake() {
    let shop = over(empty_lake().await).await;
    let checked = Reports::load(None, &shop.engine, &Wanted::Checked).await.unwrap();
    let broken = checked.broken();
    assert!(broken.is_empty(), "{broken:#?}");
    let ids: Vec<&str> = shop.reports.list().iter().map(|info| info.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "cancelled-orders",
            "channel-mix-over-time",
            "channel-order-reconciliation",
            "fulfilment-on-time",
            "order-backlog",
            "order-cycle-time",
            "order-status-funnel",
            "payment-mix",
            "sales-by-channel",
            "tax-summary",
            "cohort-retention",
            "cohort-revenue",
            "complaints-analysis",
            "cross-channel-customers",
            "customer-360",
            "customer-acquisition",
            "customer-lifecycle",
            "customer-satisfaction",
            "customer-segment-export",
            "inactive-customers",
            "new-vs-returning",
            "rfm-segments",
            "top-customers",
            "dead-slow-stock",
            "gmroi",
            "inventory-movement",
            "inventory-turnover",
            "inventory-valuation",
            "lost-sales-estimate",
            "low-stock-alert",
            "overstock-excess",
            "reorder-proposal",
            "sell-through",
            "stock-cover",
            "stock-on-hand",
            "stock-out-rate",
            "campaign-performance",
            "cart-abandonment",
            "roas-cac",
            "traffic-conversion-funnel",
            "rep-leaderboard",
            "rep-scorecard",
            "target-attainment",
            "target-pacing",
            "abc-classification",
            "basket-affinity",
            "basket-size-distribution",
            "discount-depth",
            "product-margin",
            "product-movers",
            "product-top-bottom",
            "sales-by-brand",
            "sales-by-category",
            "sales-by-product",
            "coupon-redemption",
            "promotion-performance",
            "dq-duplicates",
            "dq-freshness-lateness",
            "dq-quarantine",
            "dq-reconciliation",
            "dq-scorecard",
            "dq-unmapped-dimensions",
            "region-growth-contribution",
            "sales-by-region",
            "store-ranking",
            "territory-variance",
            "return-lag",
            "return-rate-by-product",
            "return-reasons",
            "returns-summary",
            "like-for-like-sales",
            "moving-annual-total",
            "moving-average-trend",
            "sales-intraday-live",
            "sales-over-time",
            "sales-period-comparison",
            "sales-summary",
            "sales-to-date",
            "sales-weekday-hour"
        ]
    );
    for info in shop.reports.list() {
        for contract in ["period_start", "period_end", "is_partial_period", "currency"] {
            assert!(info.columns.iter().any(|c| c.name == contract), "{}: {contract}", info.id);
        }
        shop.rows(&info.id, &[], &["currency"]).await;
        if info.totals {
            shop.rows(&info.id, &[("totals", "true"), ("limit", "3")], &["row_kind"]).await;
            shop.rows(&info.id, &[("totals", "true"), ("top_n", "2")], &["row_kind"]).await;
        }
        for mode in ["previous_period", "previous_year", "previous_year_aligned"] {
            let compare = [("compare", mode)];
            match info.compares.first() {
                Some(measure) => drop(shop.rows(&info.id, &compare, &[&format!("{measure}_prev")]).await),
                None => assert!(shop.refusal(&info.id, &compare).await.contains("no period")),
            }
        }
        for policy in &info.policies {
            for value in &policy.values {
                shop.rows(&info.id, &[(policy.name.as_str(), value.as_str())], &["currency"]).await;
            }
        }
        for param in &info.params {
            for value in param.values.iter().flatten() {
                shop.rows(&info.id, &[(param.name.as_str(), value.as_str())], &["currency"]).await;
            }
        }
    }
}

#[tokio::test]
async fn reports_are_found_by_words_of_both_languages() {
    let shop = over(empty_lake().await).await;
    let list = shop.reports.list();
    let found = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|w| w.to_string()).collect();
        list.iter().filter(|info| info.speaks_of(&words)).map(|info| info.id.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(found(&["Wilson", "nps"]), ["customer-satisfaction"]);
    assert!(found(&["库存"]).contains(&"stock-on-hand") && found(&["退货", "原因"]).contains(&"return-reasons"));
    assert!(found(&["no such thing"]).is_empty() && found(&[]).len() == list.len());
    for name in ["quality", "Data quality", "数据质量"] {
        assert_eq!(catalogue::folder(name, &list).unwrap(), "quality");
    }
    let error = catalogue::folder("qualty", &list).unwrap_err();
    assert!(error.hint_text().unwrap().contains("quality"), "{error:?}");
}

/// `saleslake report catalogue > docs/reports.md` makes it anew.
#[tokio::test]
async fn the_catalogue_page_is_current() {
    let shop = over(empty_lake().await).await;
    let kept = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reports.md")).unwrap();
    let made = catalogue::page(&shop.reports.list());
    let differs = made.lines().zip(kept.lines()).position(|(made, kept)| made != kept);
    assert!(
        made == kept,
        "docs/reports.md is old from line {:?} on: make it with `saleslake report catalogue`",
        differs
    );
}

#[tokio::test]
async fn slicers_policies_and_totals_that_apply() {
    let shop = over(empty_lake().await).await;
    let info = |id: &str| shop.reports.get(id).unwrap().info();
    let all = [
        "channel",
        "return_channel",
        "location",
        "region",
        "category",
        "brand",
        "product",
        "segment",
        "sales_rep",
        "staff",
    ];
    for id in [
        "sales-summary",
        "sales-over-time",
        "sales-by-product",
        "sales-by-region",
        "sales-by-channel",
        "returns-summary",
    ] {
        assert_eq!(info(id).slicers, all, "{id}");
        assert!(info(id).totals, "{id}");
    }
    assert_eq!(info("rep-leaderboard").slicers, ["sales_rep"]);
    // A plan is of what it was made for: sliced sales would stand beside all of it.
    assert!(info("target-attainment").slicers.is_empty() && info("roas-cac").slicers.is_empty());
    assert_eq!(info("stock-on-hand").slicers, ["location", "region", "category", "brand", "product"]);
    assert_eq!(info("traffic-conversion-funnel").slicers, ["channel", "location", "region", "segment"]);
    assert!(info("dq-quarantine").slicers.is_empty() && !info("traffic-conversion-funnel").totals);
    let policies = |id: &str| info(id).policies.iter().map(|p| p.name.clone()).collect::<Vec<_>>();
    let all = ["attribute_basis", "cancel_policy", "fx_mode", "recognition_basis", "region_basis", "return_basis"];
    assert_eq!(policies("sales-by-region"), all);
    assert_eq!(policies("sales-over-time"), all[1..]);
    assert_eq!(policies("returns-summary"), all[1..5]);
    assert!(policies("stock-on-hand").is_empty());
    assert!(
        shop.refusal("returns-summary", &[("return_basis", "sale_date")]).await.contains("sets return_basis itself")
    );
    assert!(shop.refusal("stock-on-hand", &[("where.channel", "web")]).await.contains("cannot be sliced by channel"));
}

#[tokio::test]
async fn receipts_name_what_was_asked_and_read() {
    let shop = shop().await;
    let request = shop
        .request("sales-by-channel", &[("from", "start of year"), ("where.channel", "web"), ("order_by", "-orders")]);
    let caller = Caller::local();
    let key = shop.reports.etag_key("sales-by-channel", &request, &caller).await.unwrap();
    let run = shop.reports.run("sales-by-channel", request.clone(), &caller).await.unwrap();
    let head = run.receipt;
    assert_eq!(head.etag_key(&caller), key, "known without running");
    assert_eq!(head.parameters["from"].as_deref(), Some("2026-01-01"));
    assert_eq!((head.slicers["channel"].as_str(), head.order_by[0].as_str()), ("web", "-orders"));
    assert_eq!(head.policies["cancel_policy"], "exclude");
    assert_eq!(head.versions["order_line"], 0);
    assert!(head.versions.contains_key("channel") && !head.versions.contains_key("quarantine"), "{:?}", head.versions);
    assert_eq!(
        head.notes,
        ["the sales cover 2026-01-05 to 2026-02-06, not all of 2026-01-01 to 2026-04-01 (excluded)"]
    );

    let event = json!({ "client_event_id": "1", "business_date": "2026-01-01", "channel_id": "web" });
    land(&shop.lake, &crate::model::CUSTOMER_EVENT, json!({}), &[event]).await;
    assert!(shop.engine.refresh().await.unwrap());
    assert_eq!(shop.reports.etag_key("sales-by-channel", &request, &caller).await.unwrap(), key, "another table moved");
    let line = json!({ "order_id": "n", "business_date": "2026-01-05", "order_business_date": "2026-01-05" });
    land(&shop.lake, &ORDER_LINE, order(), &[line]).await;
    assert!(shop.engine.refresh().await.unwrap());
    assert_ne!(
        shop.reports.etag_key("sales-by-channel", &request, &caller).await.unwrap(),
        key,
        "a table of the report moved"
    );
}

#[tokio::test]
async fn compare_order_and_limit() {
    let shop = shop().await;
    let asked = [
        ("from", "2026-02-01"),
        ("to", "2026-03-01"),
        ("compare", "previous_period"),
        ("order_by", "-net_sales"),
        ("limit", "2"),
    ];
    let columns = ["channel_id", "net_sales", "net_sales_prev", "period_start"];
    // January, from the 4th: the 28 days before February.
    assert_eq!(
        shop.rows("sales-by-channel", &asked, &columns).await,
        ["pos|200.0000||2026-02-01", "UNK|-1.0000||2026-02-01"]
    );
    let months = [("from", "2026-02-01"), ("to", "2026-03-01"), ("compare", "previous_period")];
    let columns = ["period_start", "net_sales", "net_sales_prev", "orders_prev", "is_partial_period"];
    assert_eq!(shop.rows("sales-over-time", &months, &columns).await, ["2026-02-01|156.0000|144.0000|1|false"]);
}

#[tokio::test]
async fn a_broken_report_is_listed_with_its_reason_and_the_others_are_served() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("reports/mine");
    std::fs::create_dir_all(&folder).unwrap();
    let header = |rest: &str| {
        format!(
            "-- ---\n-- title = {{ en = \"A\", zh = \"甲\" }}\n-- about = \"a\"\n-- key = [\"k\"]\n{rest}-- [columns]\n-- k = \"k\"\n-- n = \"n\"\n-- ---\n"
        )
    };
    let from = "-- [params]\n-- from = { type = \"date\", default = \"today\" }\n";
    let good = "SELECT channel_id AS k, sum(net_rc) AS n FROM sales_event GROUP BY 1 ORDER BY k";
    let files = [
        ("fine", header(""), good.to_string(), ""),
        ("unordered", header(""), good.replace(" ORDER BY k", ""), "order is not total"),
        (
            "undeclared",
            header(""),
            good.replace("GROUP", "WHERE business_date >= $from GROUP"),
            "$from is used and not declared",
        ),
        ("unused", header(from), good.into(), "declared and not used"),
        (
            "mistyped",
            header(&from.replace("date", "text")),
            good.replace("GROUP", "WHERE business_date >= $from GROUP"),
            "declared as text",
        ),
        ("unknown", header("").replace("key = [\"k\"]", "key = [\"kk\"]"), good.into(), "key names kk"),
        ("clock", header(""), good.replace("GROUP", "WHERE business_date < now() GROUP"), "reads the clock"),
        ("writes", header(""), "DELETE FROM channel".into(), "read"),
        ("twice", header(""), format!("{good}; {good}"), "more than one statement"),
        ("misspelt", header("-- [chrat]\n-- kind = \"bar\"\n"), good.into(), "chrat"),
        ("no-table", header(""), good.replace("sales_event", "sales_evnt"), "sales_evnt"),
        ("bad-period", header("-- [period]\n-- measures = [\"n\"]\n"), good.into(), "not declared"),
    ];
    for (name, header, sql, _) in &files {
        std::fs::write(folder.join(format!("{name}.sql")), format!("{header}{sql}\n")).unwrap();
    }
    let shop = over(empty_lake().await).await;
    let reports = Reports::load(Some(dir.path()), &shop.engine, &Wanted::All).await.unwrap();
    let reasons: std::collections::BTreeMap<&str, String> =
        reports.broken().iter().map(|b| (b.id.as_str(), format!("{} {:?}", b.reason, b.hint))).collect();
    for (name, _, _, why) in &files {
        match reasons.get(name) {
            Some(reason) => assert!(!why.is_empty() && reason.contains(why), "{name}: {reason}"),
            None => assert!(why.is_empty(), "{name} is served"),
        }
    }
    assert!(reports.get("fine").is_ok() && reports.get("sales-summary").is_ok());
    let error = reports.get("clock").unwrap_err();
    assert!(error.message().contains("is broken") && error.hint_text().is_some());
    assert!(reports.get("sales-sumary").unwrap_err().hint_text().unwrap().contains("sales-summary"));
}

#[test]
fn every_report_file_has_a_legal_header_and_clean_sql() {
    use crate::reports::{header::Header, lint, params};
    let files = load_folder("reports", None).unwrap();
    assert!(files.len() >= 9, "{:?}", files.keys());
    for file in files.values() {
        let header: Header = file.header().unwrap_or_else(|e| panic!("{e}"));
        lint::check(&file.sql).unwrap_or_else(|e| panic!("{}: {e}", file.path));
        assert!(header.tests.len() >= 2, "{} has fewer than two tests ([[tests]] in its header)", file.path);
        assert_eq!(lint::parameters(&file.sql), header.params.names().map(String::from).collect(), "{}", file.path);
        for (name, param) in &header.params.0 {
            params::value(name, param, None, "2026-03-31".parse().unwrap())
                .unwrap_or_else(|e| panic!("{}: {e}", file.path));
        }
    }
    // A UNION or a clock in a view is one in every report that reads it (D08, D26, D47).
    for view in load_folder("views", None).unwrap().values() {
        lint::check(&view.sql).unwrap_or_else(|e| panic!("{}: {e}", view.path));
    }
}

#[tokio::test]
async fn one_report_is_loaded_alone_unless_it_calls_others() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("reports/own");
    std::fs::create_dir_all(&folder).unwrap();
    let header = "-- ---\n-- title = { en = \"Calls\" }\n-- about = \"a\"\n-- key = [\"n\"]\n-- [columns]\n-- n = \"rows\"\n-- ---\n";
    let sql = "SELECT count(*) AS n FROM report('sales-summary') s\n";
    std::fs::write(folder.join("calls.sql"), format!("{header}{sql}")).unwrap();
    let shop = over(empty_lake().await).await;
    let load = async |id: &str| {
        let only = Wanted::Only([id.to_string()].into());
        Reports::load(Some(dir.path()), &shop.engine, &only).await.unwrap()
    };
    let one = load("sales-summary").await;
    assert_eq!(one.list().iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["sales-summary"]);
    let missing = one.get("sales-sumary").unwrap_err();
    assert!(missing.hint_text().unwrap().contains("sales-summary"), "{missing}");
    assert!(load("calls").await.list().len() > 20);
}

/// Several platforms claim the same order, so their claims added up are more than was sold (D58).
#[test]
fn d58_no_report_reads_what_platforms_claim() {
    for file in load_folder("reports", None).unwrap().values() {
        for claim in ["platform_conversions", "platform_revenue"] {
            assert!(!file.sql.contains(claim), "{} reads {claim}", file.path);
        }
    }
}
