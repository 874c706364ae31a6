//! What must hold of any data, shown on the sample (domain section 5, the invariants at its end). Laws that take a lake are held
//! to on random data, too (`crate::random`).

use std::collections::BTreeMap;

use saleslake::access::Caller;

use super::canonical;
use crate::common::{Answer, Shared, shared_sample, units};

const QUARTER: &[(&str, &str)] = &[("from", "2025-03-01"), ("to", "2025-06-01")];
/// All that the sample holds, whatever its seed.
pub const ALL_TIME: &[(&str, &str)] = &[("from", "2024-01-01"), ("to", "2027-01-01")];
const NEVER: &[(&str, &str)] = &[("from", "2001-01-01"), ("to", "2001-02-01")];

/// What the lake answers, in canonical text.
pub fn ask_of(lake: &Shared, report: &str, request: &[&[(&str, &str)]]) -> Answer {
    let request: Vec<_> = request.concat().iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
    lake.run(canonical(&lake.app, report, &request)).unwrap_or_else(|e| panic!("{report} {request:?}: {e}"))
}

fn ask(report: &str, request: &[&[(&str, &str)]]) -> Answer {
    ask_of(shared_sample(), report, request)
}

/// A value in units of 0.0001, NULL as 0.
pub fn amount(value: &str) -> i128 {
    if value == "NULL" { 0 } else { units(value) }
}

/// A column's values in units of 0.0001, NULL as nothing.
fn amounts(answer: &Answer, column: &str) -> Vec<i128> {
    answer.column(column).into_iter().filter(|v| *v != "NULL").map(units).collect()
}

/// The rows' sum and the totals row's value.
pub fn sum_and_total(answer: &Answer, column: &str) -> (i128, i128) {
    let kinds = answer.column("row_kind");
    let (mut sum, mut total) = (0, None);
    for (kind, value) in kinds.iter().zip(answer.column(column)) {
        match *kind {
            "total" => total = Some(amount(value)),
            _ => sum += amount(value),
        }
    }
    (sum, total.expect("a totals row"))
}

/// Σ over any dimension with UNK and N/A = the total, which is computed from the base (D02, D25); distinct counts are not added (D03).
#[test]
fn d02_d03_d25_every_dimension_adds_up_to_the_total() {
    every_dimension_adds_up(shared_sample(), QUARTER);
}

/// The same over the days asked for.
pub fn every_dimension_adds_up(lake: &Shared, days: &[(&str, &str)]) {
    let summary = ask_of(lake, "sales-summary", &[days]);
    type Law<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);
    let reports: &[Law<'_>] = &[
        (
            "sales-by-product",
            &[],
            &["gross_sales", "discounts", "returns", "net_sales", "units_sold", "units_returned", "cogs"],
        ),
        ("sales-by-product", &[("level", "product")], &["net_sales", "net_units"]),
        ("sales-by-region", &[], &["net_sales", "cogs"]),
        ("sales-by-region", &[("region_level", "1")], &["net_sales", "cogs"]),
        ("sales-by-region", &[("region_basis", "ship")], &["net_sales", "cogs"]),
        ("sales-by-region", &[("region_basis", "bill")], &["net_sales", "cogs"]),
        (
            "sales-by-channel",
            &[],
            &["gross_sales", "returns", "net_sales", "tax", "charges", "total_sales", "units_sold"],
        ),
        ("sales-by-channel", &[("level", "type")], &["net_sales", "charges", "total_sales"]),
        ("sales-by-channel", &[("level", "outlet")], &["net_sales", "charges", "total_sales", "units_returned"]),
        ("sales-over-time", &[("grain", "day")], &["gross_sales", "returns", "net_sales", "units_sold"]),
        (
            "sales-by-category",
            &[],
            &["gross_sales", "discounts", "returns", "net_sales", "units_sold", "units_returned", "cogs"],
        ),
        ("sales-by-category", &[("category_level", "3")], &["net_sales", "cogs"]),
        // One version per article and day (D40).
        (
            "sales-by-category",
            &[("category_level", "2"), ("attribute_basis", "as_was")],
            &["returns", "net_sales", "cogs"],
        ),
        ("sales-by-region", &[("attribute_basis", "as_was")], &["net_sales", "cogs"]),
        ("tax-summary", &[], &["net_sales", "returns", "tax", "charges"]),
        ("tax-summary", &[("level", "jurisdiction")], &["net_sales", "tax", "charges"]),
        ("sales-by-brand", &[], &["gross_sales", "discounts", "returns", "net_sales", "units_sold", "cogs"]),
        ("channel-mix-over-time", &[("grain", "week")], &["net_sales"]),
        ("sales-weekday-hour", &[], &["net_sales"]),
        ("new-vs-returning", &[("grain", "week")], &["returns", "net_sales"]),
        ("cross-channel-customers", &[], &["returns", "net_sales"]),
        ("region-growth-contribution", &[], &["net_sales"]),
        ("like-for-like-sales", &[("level", "location")], &["net_sales"]),
    ];
    for (report, extra, measures) in reports {
        let answer = ask_of(lake, report, &[days, extra, &[("totals", "true")]]);
        for measure in *measures {
            let (sum, total) = sum_and_total(&answer, measure);
            assert_eq!(sum, total, "{report} {extra:?} {measure}: Σ rows and total");
            assert_eq!(total, units(summary.column(measure)[0]), "{report} {extra:?} {measure}: total and summary");
        }
        if answer.columns.iter().any(|c| c == "orders") {
            let (sum, total) = sum_and_total(&answer, "orders");
            let most = amounts(&answer, "orders").into_iter().filter(|n| *n != total).max().unwrap_or(0);
            assert!(most <= total && total <= sum, "{report} {extra:?} orders: max {most}, total {total}, Σ {sum}");
        }
    }
}

/// Ratios of the totals row are ratios of sums, never averages of ratios (D01).
#[test]
fn d01_a_ratio_is_of_sums() {
    let answer = ask("sales-by-channel", &[QUARTER, &[("totals", "true")]]);
    let number = |value: &str| value.parse::<f64>().expect("a number");
    for (ratio, part, whole) in [
        ("gross_margin_pct", "gross_profit", "net_sales_with_cost"),
        ("return_rate_value", "returns", "sales_before_returns"),
    ] {
        let (part, whole) = (sum_and_total(&answer, part).0, sum_and_total(&answer, whole).0);
        let total = answer.column("row_kind").iter().position(|k| *k == "total").expect("a totals row");
        let shown = number(answer.column(ratio)[total]);
        assert!((shown - part as f64 / whole as f64).abs() < 1e-6, "{ratio}: {shown}");
    }
}

/// [a,b) + [b,c) = [a,c): the end is not included, and nothing falls between (D11).
#[test]
fn d11_adjacent_windows_add_up() {
    let of = |from: &str, to: &str| ask("sales-summary", &[&[("from", from), ("to", to)]]);
    let (whole, first, second) =
        (of("2024-12-15", "2025-01-20"), of("2024-12-15", "2025-01-01"), of("2025-01-01", "2025-01-20"));
    for measure in [
        "gross_sales",
        "discounts",
        "returns",
        "net_sales",
        "tax",
        "charges",
        "total_sales",
        "units_sold",
        "units_returned",
        "cogs",
    ] {
        assert_eq!(
            amounts(&first, measure)[0] + amounts(&second, measure)[0],
            amounts(&whole, measure)[0],
            "{measure}"
        );
    }
    // An order is on one day, so orders add up over days, too.
    assert_eq!(amounts(&first, "orders")[0] + amounts(&second, "orders")[0], amounts(&whole, "orders")[0]);
}

/// All that the sample holds, in one row.
fn all_time(lake: &Shared, policy: &[(&str, &str)]) -> BTreeMap<String, String> {
    let answer = ask_of(lake, "sales-summary", &[ALL_TIME, policy]);
    answer.columns.iter().cloned().zip(answer.rows[0].iter().cloned()).collect()
}

/// Over all time a return counts the same by its own day and by that of the sale; per month they differ (D15).
#[test]
fn d15_both_return_bases_agree_over_all_time() {
    return_bases_agree(shared_sample(), QUARTER);
}

/// The same; in the months of `days` returns differ.
pub fn return_bases_agree(lake: &Shared, days: &[(&str, &str)]) {
    assert_eq!(all_time(lake, &[]), all_time(lake, &[("return_basis", "sale_date")]));
    let month = |basis: &str| ask_of(lake, "sales-over-time", &[days, &[("grain", "month"), ("return_basis", basis)]]);
    assert_ne!(month("return_date").column("returns"), month("sale_date").column("returns"));
    assert_eq!(month("return_date").column("gross_sales"), month("sale_date").column("gross_sales"));
}

/// A cancelled order left out, or sold and taken back: the same net over all time; counted gross it is more (D18).
#[test]
fn d18_cancel_policies_agree_over_all_time() {
    cancel_policies_agree(shared_sample());
}

/// The same of any lake with a cancelled order.
pub fn cancel_policies_agree(lake: &Shared) {
    let (excluded, reversed) = (all_time(lake, &[]), all_time(lake, &[("cancel_policy", "sale_then_reversal")]));
    for measure in ["net_sales", "tax", "charges", "total_sales", "net_units", "cogs", "gross_profit"] {
        assert_eq!(excluded[measure], reversed[measure], "{measure}");
    }
    assert!(units(&reversed["gross_sales"]) > units(&excluded["gross_sales"]));
    let gross = all_time(lake, &[("cancel_policy", "include_gross")]);
    assert_eq!(gross["units_sold"], reversed["units_sold"]);
    assert_eq!(gross["discounts"], reversed["discounts"]);
    assert!(units(&gross["net_sales"]) > units(&excluded["net_sales"]));
}

/// What stands beside the reports in their files holds of the sample.
#[test]
fn tests_beside_reports_hold() {
    let sample = shared_sample();
    let mut wrong = Vec::new();
    for info in sample.app.reports.list() {
        let outcomes = sample.run(sample.app.reports.test(&info.id, &Caller::local())).expect("it is there");
        let failed = outcomes.iter().filter(|outcome| !outcome.passed());
        wrong.extend(failed.map(|outcome| format!("{}: {}: {}", info.id, outcome.test, outcome.wrong.join("; "))));
        // Over the sample none may hold for want of rows.
        let empty = outcomes.iter().filter(|outcome| outcome.is_empty());
        wrong.extend(empty.map(|outcome| format!("{}: {}: no rows, so it shows nothing", info.id, outcome.test)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Without data every report answers, with nothing or with zeros, never with an error (D27).
#[test]
fn d27_nothing_is_no_error() {
    for info in shared_sample().app.reports.list() {
        let window = match info.params.iter().any(|p| p.name == "from") {
            true => NEVER,
            false => &[("as_of", "2001-01-01")][..],
        };
        let answer = ask(&info.id, &[window]);
        for (column, value) in answer.rows.iter().flat_map(|r| answer.columns.iter().zip(r)) {
            assert!(!value.contains("NaN") && !value.contains("inf"), "{} {column}: {value}", info.id);
        }
    }
}

/// Whoever gets the credit, what is attributed and what is not is all that was sold (D57).
#[test]
fn d57_credit_adds_up_to_what_was_sold() {
    // Amounts beside the goods are of no order that a contact could have led to, so the lines are asked.
    let sold: i128 = amounts(&ask("discount-depth", &[QUARTER]), "sales_before_returns").iter().sum();
    let orders = units(ask("sales-summary", &[QUARTER]).column("orders")[0]);
    for model in ["last", "first", "linear"] {
        let answer = ask("roas-cac", &[QUARTER, &[("grain", "all"), ("attribution", model)]]);
        assert_eq!(amounts(&answer, "attributed_sales").iter().sum::<i128>(), sold, "{model}");
        assert_eq!(units(answer.column("all_sales")[0]), sold, "{model}");
        // Parts of orders have more decimals than are added up here.
        if model != "linear" {
            assert_eq!(amounts(&answer, "attributed_orders").iter().sum::<i128>(), orders, "{model}");
        }
    }
}

/// The parts of a target's period add up to it, also where a month is cut (D60).
#[test]
fn d60_targets_of_adjacent_windows_add_up() {
    let of = |from: &str, to: &str| {
        let answer = ask("target-attainment", &[&[("from", from), ("to", to), ("target_set", "PLAN-2026")]]);
        answer
            .column("dim_id")
            .iter()
            .map(|id| id.to_string())
            .zip(amounts(&answer, "target"))
            .collect::<BTreeMap<_, _>>()
    };
    let (whole, first, second) =
        (of("2025-08-01", "2025-10-01"), of("2025-08-01", "2025-09-13"), of("2025-09-13", "2025-10-01"));
    assert!(whole.len() > 5, "{whole:?}");
    for (region, target) in whole {
        assert_eq!(first[&region] + second[&region], target, "{region}");
    }
}

/// Shared credit is shared, not doubled: all representatives together have what was sold by anybody (D61).
#[test]
fn d61_credit_is_shared_not_doubled() {
    let of = |credit: &str| {
        let answer = ask("rep-leaderboard", &[QUARTER, &[("rep_credit", credit)]]);
        let all = amounts(&answer, "net_sales");
        (all.iter().sum::<i128>(), all.len() as i128)
    };
    let ((sold, _), (shared, reps)) = (of("seller"), of("assigned"));
    // Each representative's part is rounded by itself.
    assert!((sold - shared).abs() <= reps, "{sold} {shared}");
}
