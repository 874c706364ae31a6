//! What a report cannot do it refuses by name: slicers, policies, comparisons; wrong values give near ones. Never ignored.

use std::collections::BTreeSet;

use saleslake::error::{Error, ErrorKind};
use saleslake::model::slicer::SLICERS;

use super::canonical;
use crate::common::shared_sample;

const SALES: &[&str] = &[
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
/// What goes to a buyer: orders and articles, but not returns.
const SENT: &[&str] =
    &["channel", "location", "region", "category", "brand", "product", "segment", "sales_rep", "staff"];
const ORDERS: &[&str] = &["channel", "location", "region", "segment", "sales_rep", "staff"];
const POLICIES: &[&str] = &["return_basis", "cancel_policy", "region_basis", "recognition_basis", "fx_mode"];
/// What groups by attributes that change.
const CHANGING: &[&str] =
    &["return_basis", "cancel_policy", "region_basis", "recognition_basis", "fx_mode", "attribute_basis"];

const STOCKED: &[&str] = &["location", "region", "category", "brand", "product"];

/// report, slicers that apply, policies that apply.
const APPLY: &[(&str, &[&str], &[&str])] = &[
    ("sales-summary", SALES, POLICIES),
    ("sales-over-time", SALES, POLICIES),
    ("sales-by-product", SALES, POLICIES),
    ("sales-by-region", SALES, CHANGING),
    ("sales-by-channel", SALES, POLICIES),
    // It shows both bases side by side.
    ("returns-summary", SALES, &["cancel_policy", "region_basis", "recognition_basis", "fx_mode"]),
    ("channel-mix-over-time", SALES, POLICIES),
    ("inactive-customers", SALES, POLICIES),
    ("new-vs-returning", SALES, POLICIES),
    ("top-customers", SALES, POLICIES),
    ("abc-classification", SALES, POLICIES),
    ("basket-affinity", SALES, POLICIES),
    ("basket-size-distribution", SALES, POLICIES),
    ("product-margin", SALES, POLICIES),
    ("product-movers", SALES, CHANGING),
    ("product-top-bottom", SALES, POLICIES),
    ("sales-by-brand", SALES, CHANGING),
    ("sales-by-category", SALES, CHANGING),
    ("region-growth-contribution", SALES, CHANGING),
    ("store-ranking", SALES, POLICIES),
    ("return-rate-by-product", SALES, POLICIES),
    ("return-reasons", SALES, POLICIES),
    ("sales-weekday-hour", SALES, POLICIES),
    ("cohort-retention", SALES, POLICIES),
    ("cohort-revenue", SALES, POLICIES),
    ("cross-channel-customers", SALES, POLICIES),
    ("rfm-segments", SALES, POLICIES),
    ("discount-depth", SALES, POLICIES),
    ("dq-unmapped-dimensions", SALES, POLICIES),
    ("customer-acquisition", SALES, POLICIES),
    ("customer-segment-export", SALES, POLICIES),
    ("customer-lifecycle", SALES, POLICIES),
    ("like-for-like-sales", SALES, POLICIES),
    ("sales-period-comparison", SALES, POLICIES),
    ("moving-annual-total", SALES, POLICIES),
    ("moving-average-trend", SALES, POLICIES),
    ("sales-to-date", SALES, POLICIES),
    ("sales-intraday-live", SALES, POLICIES),
    // It counts the days from a sale to the day of its refund.
    ("return-lag", SALES, &["cancel_policy", "region_basis", "recognition_basis", "fx_mode"]),
    // Stock is not of a channel, a customer or an order.
    ("stock-on-hand", &["location", "region", "category", "brand", "product"], &[]),
    ("inventory-valuation", &["location", "region", "category", "brand", "product"], &[]),
    // Nor does it tell by which channel it would have sold.
    ("dead-slow-stock", &["location", "region", "category", "brand", "product"], POLICIES),
    ("gmroi", STOCKED, POLICIES),
    ("inventory-turnover", STOCKED, POLICIES),
    ("lost-sales-estimate", STOCKED, POLICIES),
    ("low-stock-alert", STOCKED, POLICIES),
    ("overstock-excess", STOCKED, POLICIES),
    ("reorder-proposal", STOCKED, POLICIES),
    ("sell-through", STOCKED, POLICIES),
    ("stock-cover", STOCKED, POLICIES),
    // These read no sales.
    ("inventory-movement", STOCKED, &[]),
    ("stock-out-rate", STOCKED, &[]),
    // What an order is worth is told before returns, on one day.
    ("order-status-funnel", SENT, &["region_basis"]),
    ("fulfilment-on-time", SENT, &["region_basis"]),
    ("order-backlog", SENT, &["region_basis"]),
    // An order as a whole is not of one article.
    ("order-cycle-time", ORDERS, &["region_basis"]),
    ("cancelled-orders", ORDERS, &["region_basis"]),
    ("channel-order-reconciliation", &["channel", "location", "segment", "sales_rep", "staff"], &[]),
    // A payment is not of who sold.
    ("payment-mix", &["channel", "location", "region", "segment", "staff"], &[]),
    ("tax-summary", SALES, POLICIES),
    // An opportunity is of no shop, article or channel.
    ("rep-leaderboard", &["sales_rep"], POLICIES),
    // Plans are of what they were made for.
    ("rep-scorecard", &[], POLICIES),
    ("target-attainment", &[], POLICIES),
    ("target-pacing", &[], POLICIES),
    ("territory-variance", &[], POLICIES),
    ("promotion-performance", SALES, POLICIES),
    // A coupon is issued to a customer, not for a shop or an article.
    ("coupon-redemption", &["segment"], POLICIES),
    // What is spent on marketing is of nothing that can be sliced.
    ("roas-cac", &[], POLICIES),
    ("campaign-performance", &[], POLICIES),
    // A visit is not of one product.
    ("traffic-conversion-funnel", &["channel", "location", "region", "segment"], &[]),
    ("cart-abandonment", &["channel", "location", "region", "category", "brand", "product", "segment"], &[]),
    // Feedback is of a channel, an article and a customer, not of a place or a region.
    ("customer-satisfaction", &["channel", "category", "brand", "product", "segment"], &[]),
    ("complaints-analysis", &["channel", "category", "brand", "product", "segment"], POLICIES),
    // It shows sales, visits and feedback: what all of them have.
    ("customer-360", &["channel", "segment"], POLICIES),
    ("dq-quarantine", &[], &[]),
    ("dq-scorecard", &[], &[]),
    ("dq-duplicates", &[], &[]),
    ("dq-freshness-lateness", &["channel", "location"], &[]),
    // A source totals days, channels and places, not articles or customers.
    ("dq-reconciliation", &["channel", "location", "region"], &[]),
];

fn ask(report: &str, name: &str, value: &str) -> Result<usize, Error> {
    let sample = shared_sample();
    let request = [(name.to_string(), value.to_string())];
    sample.run(canonical(&sample.app, report, &request)).map(|answer| answer.rows.len())
}

fn refused(report: &str, name: &str, value: &str) -> Error {
    match ask(report, name, value) {
        Ok(rows) => panic!("{report} {name}={value} should be refused, not answered with {rows} rows"),
        Err(e) => {
            assert_eq!(e.kind(), ErrorKind::Invalid, "{report} {name}={value}: {e}");
            e
        }
    }
}

/// Of what applies to a report a third is asked, another third of the next report: that it applies is known without an answer,
/// and all of it takes minutes. `SALESLAKE_ALL_MUTANTS=1` in the environment asks everything.
fn is_tried(at: usize) -> bool {
    at.is_multiple_of(3) || std::env::var("SALESLAKE_ALL_MUTANTS").is_ok_and(|v| !v.is_empty() && v != "0")
}

/// The message and what would work.
fn said(e: &Error) -> String {
    format!("{e} ({})", e.hint_text().unwrap_or_default())
}

#[test]
fn slicers_that_do_not_apply_are_refused_by_name() {
    let known: BTreeSet<&str> = shared_sample().app.reports.list().iter().map(|r| r.id.as_str()).collect();
    assert_eq!(known, APPLY.iter().map(|(report, ..)| *report).collect(), "this list knows every report");
    for (at, (report, slicers, _)) in APPLY.iter().enumerate() {
        let info = shared_sample().app.reports.get(report).expect("it is there").info();
        assert_eq!(info.slicers, *slicers, "{report}");
        for (no, slicer) in SLICERS.iter().map(|s| s.name).enumerate() {
            let value = if slicer == "staff" { "true" } else { "N/A" };
            if slicers.contains(&slicer) {
                if is_tried(at + no) {
                    let answer = ask(report, &format!("where.{slicer}"), value);
                    answer.unwrap_or_else(|e| panic!("{report} by {slicer}: {e}"));
                }
            } else {
                let e = refused(report, &format!("where.{slicer}"), value);
                assert!(e.message().contains(slicer) && e.message().contains(report), "{report} by {slicer}: {e}");
            }
        }
    }
}

#[test]
fn policies_that_do_not_apply_are_refused_by_name() {
    let asked = [
        ("return_basis", "sale_date"),
        ("cancel_policy", "include_gross"),
        ("region_basis", "ship"),
        ("recognition_basis", "paid"),
        ("fx_mode", "constant"),
        ("attribute_basis", "as_was"),
    ];
    for (at, (report, _, policies)) in APPLY.iter().enumerate() {
        for (no, (policy, value)) in asked.into_iter().enumerate() {
            if policies.contains(&policy) {
                if is_tried(at + no) {
                    ask(report, policy, value).unwrap_or_else(|e| panic!("{report} {policy}: {e}"));
                }
                let e = refused(report, policy, "nonsense");
                assert!(e.message().contains(policy), "{report} {policy}: {e}");
            } else {
                let e = refused(report, policy, value);
                assert!(e.message().contains(policy), "{report} {policy}: {e}");
            }
        }
    }
}

#[test]
fn comparisons_and_totals_are_refused_where_they_mean_nothing() {
    for report in [
        "stock-on-hand",
        "dq-quarantine",
        "dq-reconciliation",
        "inactive-customers",
        "top-customers",
        "abc-classification",
        "product-movers",
        "product-top-bottom",
        "rfm-segments",
        "customer-segment-export",
        "sales-to-date",
        "sales-intraday-live",
        "sales-period-comparison",
        "inventory-valuation",
        "dead-slow-stock",
        "order-status-funnel",
        "order-backlog",
        "order-cycle-time",
        "channel-order-reconciliation",
        "rep-scorecard",
        "target-attainment",
        "target-pacing",
        "territory-variance",
        "coupon-redemption",
        "gmroi",
        "inventory-movement",
        "inventory-turnover",
        "lost-sales-estimate",
        "low-stock-alert",
        "overstock-excess",
        "reorder-proposal",
        "sell-through",
        "stock-cover",
        "stock-out-rate",
    ] {
        let e = refused(report, "compare", "previous_year");
        assert!(said(&e).contains("compare"), "{report}: {e}");
    }
    for report in [
        "traffic-conversion-funnel",
        "abc-classification",
        "basket-affinity",
        "top-customers",
        "cancelled-orders",
        "target-attainment",
        "promotion-performance",
        "roas-cac",
    ] {
        assert!(said(&refused(report, "totals", "true")).contains("totals"), "{report}");
    }
}

#[test]
fn wrong_values_give_near_names() {
    for (name, value, near) in [
        ("where.channel", "wbe", "web"),
        ("where.region", "Scotlnd", "Scotland"),
        ("where.brand", "Kestrl", "Kestrel"),
        ("where.category", "Kitchn", "Kitchen"),
        ("where.location", "S0001", "S001"),
        ("where.chanel", "web", "channel"),
        ("cancel_policy", "exclud", "exclude"),
        ("retrun_basis", "sale_date", "return_basis"),
        ("grain", "monht", "month"),
        ("compare", "previous_yaer", "previous_year"),
        ("order_by", "net_sale", "net_sales"),
    ] {
        let result = ask("sales-summary", name, value);
        let e = result.err().unwrap_or_else(|| panic!("{name}={value} should be refused"));
        assert!(matches!(e.kind(), ErrorKind::Invalid | ErrorKind::NotFound), "{name}={value}: {e}");
        assert!(said(&e).contains(near), "{name}={value} should speak of {near}: {}", said(&e));
    }
}
