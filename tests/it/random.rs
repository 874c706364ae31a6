//! The invariants of domain section 5 over every report about sales, on a generated retailer that nobody looked at: what must hold
//! of any data is not compared with expected rows. `lakes` holds its records twice, `laws` of the fixed sample hold here, too.

mod lakes;
mod marked;
mod questions;
mod records;

use std::collections::BTreeMap;

use chrono::{Months, NaiveDate};
use saleslake::reports::ReportInfo;

use crate::common::{Answer, Shared, sql};
use crate::golden::laws::{self, ALL_TIME, amount, sum_and_total};
use crate::golden::{Difference, between};
use lakes::{Lakes, lakes};
use questions::{COUNT_FILES, COUNT_TESTS, Question, Values, about_days, questions};

/// Measures that add up over the rows of a report, and over days.
const ADDITIVE: &[&str] = &[
    "gross_sales",
    "discounts",
    "returns",
    "net_sales",
    "tax",
    "charges",
    "total_sales",
    "units_sold",
    "units_returned",
    "net_units",
    "net_sales_with_cost",
    "cogs",
    "gross_profit",
    "sales_before_returns",
    "goods_amount",
    "goods_amount_with_cost",
    "sales_with_cost",
    "cost_of_sales",
    "profit_before_returns",
    "charge_tax",
    "taxable_base",
    "tax_amount",
    "refunded_tax",
    "return_lines",
    "exchange_returns",
    "returns_by_sale_date",
    "units_returned_by_sale_date",
    "sales_before_returns_by_sale_date",
    "baskets",
    "basket_sales",
    "basket_units",
    "new_customers",
    "first_day_orders",
    "first_day_sales",
    "promotion_discounts",
    "coupon_discounts",
    "redeemed_sales",
    "spend",
    "impressions",
    "clicks",
    "attributed_sales",
    "won_amount",
];

/// Reports whose rows are not the same things on other days, or which add up over the days themselves.
const NOT_OVER_DAYS: &[&str] = &[
    // By which channels somebody bought, and which places are comparable, is told of all days asked for.
    "cross-channel-customers",
    "like-for-like-sales",
    // Articles that were out of stock on one of the days.
    "lost-sales-estimate",
    // From the first day on.
    "sell-through",
    // Of the targets that lie in the days: what adds up there is in `laws`.
    "territory-variance",
];

/// Reports about sales: those that can count cancelled orders otherwise.
fn of_sales() -> impl Iterator<Item = &'static ReportInfo> {
    let reports = lakes().plain.app.reports.list().into_iter();
    reports.filter(|info| info.policies.iter().any(|policy| policy.name == "cancel_policy"))
}

fn additive(answer: &Answer) -> Vec<&'static str> {
    ADDITIVE.iter().copied().filter(|name| answer.columns.iter().any(|column| column == name)).collect()
}

/// The order of rows, their files, what comes again (D20), commits, threads (D23, D31) and tests (D38) change no answer: rows,
/// values, and the order of rows.
#[test]
fn d20_d23_d31_d38_the_same_records_give_the_same_answers() {
    let Lakes { plain, rearranged, before_tests } = lakes();
    let counts = |id: &str| COUNT_FILES.contains(&id) || COUNT_TESTS.contains(&id);
    let reports = plain.app.reports.list().into_iter().filter(|info| !counts(&info.id));
    // One question of each, every second one under other policies: all of both take twice the minutes.
    let asked: Vec<Question> =
        reports.enumerate().filter_map(|(n, info)| questions(info).into_iter().rev().cycle().nth(n % 2)).collect();
    let answers = |lake: &Shared| asked.iter().map(|question| question.ask(lake)).collect::<Vec<_>>();
    let (expected, got) = std::thread::scope(|scope| {
        let got = scope.spawn(|| answers(rearranged));
        (answers(plain), got.join().expect("every report answers"))
    });
    let empty = expected.iter().filter(|answer| answer.rows.is_empty()).count();
    let told: Vec<Answer> = before_tests.iter().map(|(question, _)| question.ask(plain)).collect();
    let pairs = asked.iter().zip(expected.iter().zip(&got));
    let pairs = pairs.chain(before_tests.iter().zip(&told).map(|((question, got), told)| (question, (told, got))));
    let wrong: Vec<String> = pairs.filter_map(|(question, (one, other))| differs(question, one, other)).collect();
    assert!(wrong.is_empty(), "{} of {} answers differ\n{}", wrong.len(), asked.len(), wrong.join("\n"));
    assert_eq!(before_tests.len(), COUNT_TESTS.len());
    assert!(empty * 5 < asked.len(), "{empty} of {} answers have no rows: they show nothing", asked.len());
}

/// What is wrong with the other answer, if anything is.
fn differs(question: &Question, one: &Answer, other: &Answer) -> Option<String> {
    assert_eq!(one.columns, other.columns, "{question:?}");
    let info = lakes().plain.app.reports.get(&question.report).expect("it answered").info();
    let found = between(info, one, other, false);
    let first: Vec<String> = found.iter().take(4).map(Difference::to_string).collect();
    (!found.is_empty()).then(|| format!("{question:?}, {} times\n    {}", found.len(), first.join("\n    ")))
}

/// The tests are in the tables, so they could have been counted (D38); and nothing else is there twice (D20).
#[test]
fn d20_d38_the_tables_have_tests_and_nothing_twice() {
    for table in ["order_line", "order_charge", "order_header", "payment", "return_line"] {
        let count = |lake: &Shared, which: &str| {
            let counted = lake.run(sql(&lake.app, &format!("SELECT count(*) FROM base.{table} WHERE {which}")));
            counted.rows[0][0].parse::<u64>().expect("a number")
        };
        let Lakes { plain, rearranged, .. } = lakes();
        assert!(count(rearranged, "is_test") > count(plain, "is_test"), "{table}: no tests");
        assert_eq!(count(rearranged, "NOT is_test"), count(plain, "NOT is_test"), "{table}");
    }
}

/// Rows with UNK and N/A add up to the totals row, which is computed from the base (D02, D25).
#[test]
fn d02_d25_rows_add_up_to_the_total() {
    let lake = &lakes().plain;
    laws::every_dimension_adds_up(lake, ALL_TIME);
    let mut reports = 0;
    for info in of_sales().filter(|info| info.totals) {
        let answer = Question::of(info, ALL_TIME).with("totals", "true").ask(lake);
        let measures = additive(&answer);
        reports += usize::from(!measures.is_empty());
        for measure in measures {
            let (sum, total) = sum_and_total(&answer, measure);
            assert_eq!(sum, total, "{} {measure}: Σ rows and total", info.id);
        }
    }
    assert!(reports > 12, "{reports} reports have totals");
}

/// [a,b) + [b,c) = [a,c), member by member: the end is not included, and nothing falls between (D11).
#[test]
fn d11_adjacent_windows_add_up() {
    let lake = &lakes().plain;
    let mut reports = 0;
    for info in of_sales().filter(|info| about_days(info) && !NOT_OVER_DAYS.contains(&info.id.as_str())) {
        let of = |days: Values| sums(info, &Question::of(info, days).ask(lake));
        let mut whole = of(&[("from", "2024-07-01"), ("to", "2026-07-01")]);
        let mut parts = of(&[("from", "2024-07-01"), ("to", "2025-06-01")]);
        for (member, sum) in of(&[("from", "2025-06-01"), ("to", "2026-07-01")]) {
            *parts.entry(member).or_default() += sum;
        }
        // A member without sales may have a row or none.
        whole.retain(|_, sum| *sum != 0);
        parts.retain(|_, sum| *sum != 0);
        let wrong = whole.keys().chain(parts.keys()).find(|member| whole.get(*member) != parts.get(*member));
        let shown = wrong.map(|member| (member, whole.get(member), parts.get(member)));
        assert!(shown.is_none(), "{}: measure and member, whole, parts (0.0001): {shown:?}", info.id);
        reports += usize::from(!whole.is_empty());
    }
    assert!(reports > 25, "{reports} reports add up");
}

/// Each additive measure by the key without the bucket of time, which the days asked for may cut.
fn sums(info: &ReportInfo, answer: &Answer) -> BTreeMap<(&'static str, Vec<String>), i128> {
    let key: Vec<&str> = info.key.iter().map(String::as_str).filter(|name| *name != "period_start").collect();
    let members = answer.select(&key).rows;
    let mut sums = BTreeMap::new();
    for measure in additive(answer) {
        for (member, value) in members.iter().zip(answer.column(measure)) {
            *sums.entry((measure, member.clone())).or_default() += amount(value);
        }
    }
    sums
}

/// Over all time a return counts the same by its own day and by that of the sale (D15), and a cancelled order left out the same
/// as one sold and taken back (D18).
#[test]
fn d15_d18_policies_agree_over_all_time() {
    laws::return_bases_agree(&lakes().plain, ALL_TIME);
    laws::cancel_policies_agree(&lakes().plain);
}

/// Compared columns are the report of the earlier days, member by member (D14): members without sales on the asked days are
/// there, and NULL meets NULL (D25).
#[test]
fn d14_d25_compared_columns_are_the_report_of_the_earlier_days() {
    const NOW: Values = &[("from", "2025-07-01"), ("to", "2026-01-01")];
    const BEFORE: [(&str, Values, u32); 2] = [
        ("previous_period", &[("from", "2025-01-01"), ("to", "2025-07-01")], 6),
        ("previous_year", &[("from", "2024-07-01"), ("to", "2025-01-01")], 12),
    ];
    let lake = &lakes().plain;
    let mut reports = 0;
    for info in of_sales().filter(|info| !info.compares.is_empty()) {
        let compared: Vec<String> = info.compares.iter().map(|measure| format!("{measure}_prev")).collect();
        for (mode, days, months) in BEFORE {
            let expected = by_key(info, &Question::of(info, days).ask(lake), &info.compares, months);
            let got = by_key(info, &Question::of(info, NOW).with("compare", mode).ask(lake), &compared, 0);
            let wrong = expected.keys().chain(got.keys()).find(|key| expected.get(*key) != got.get(*key));
            let shown = wrong.map(|key| (key, expected.get(key), got.get(key)));
            assert!(shown.is_none(), "{} compare={mode}: key, expected, compared: {shown:?}", info.id);
            reports += usize::from(!expected.is_empty());
        }
    }
    assert!(reports > 30, "{reports} comparisons");
}

/// The rows' values in `columns` by the report's key, buckets so many months later; without rows of nothing but NULL.
fn by_key(info: &ReportInfo, answer: &Answer, columns: &[String], months: u32) -> BTreeMap<Vec<String>, Vec<String>> {
    let names = |names: &[String]| answer.select(&names.iter().map(String::as_str).collect::<Vec<_>>()).rows;
    let mut keys = names(&info.key);
    if let Some(bucket) = info.key.iter().position(|name| name == "period_start") {
        keys.iter_mut().for_each(|key| key[bucket] = later(&key[bucket], months));
    }
    let rows = keys.into_iter().zip(names(columns));
    rows.filter(|(_, values)| values.iter().any(|value| value != "NULL")).collect()
}

fn later(day: &str, months: u32) -> String {
    let day: NaiveDate = day.parse().unwrap_or_else(|_| panic!("{day} is no day"));
    day.checked_add_months(Months::new(months)).expect("a day").to_string()
}
