//! What reports are asked, by what they declare themselves. It must not look at answers.

use saleslake::reports::ReportInfo;

use crate::common::{Answer, Shared};
use crate::golden::laws::{ALL_TIME, ask_of};

/// Names and values of parameters.
pub type Values = &'static [(&'static str, &'static str)];

/// Reports that count what arrived: a file that comes again is one more.
pub const COUNT_FILES: &[&str] = &["dq-quarantine", "dq-scorecard", "dq-duplicates"];
/// Reports that compare what was delivered with what was told, tests too.
pub const COUNT_TESTS: &[&str] = &["channel-order-reconciliation", "dq-reconciliation", "dq-freshness-lateness"];

/// Parameters that would leave rows out, of a small sample all of them.
const WHOLE: &[(&str, Values)] = &[
    ("basket-affinity", &[("min_orders", "1")]),
    ("customer-segment-export", &[("min_group", "1")]),
    ("product-top-bottom", &[("n", "1000")]),
    ("return-rate-by-product", &[("min_units", "0")]),
    ("top-customers", &[("n", "100000")]),
];

#[derive(Debug, Clone)]
pub struct Question {
    pub report: String,
    request: Vec<(&'static str, &'static str)>,
}

impl Question {
    /// All rows of those days, where the report is about days.
    pub fn of(info: &ReportInfo, days: Values) -> Question {
        let whole = WHOLE.iter().filter(|(report, _)| *report == info.id).flat_map(|(_, values)| *values);
        let days: Values = if about_days(info) { days } else { &[] };
        Question { report: info.id.clone(), request: days.iter().chain(whole).copied().collect() }
    }

    pub fn with(mut self, name: &'static str, value: &'static str) -> Question {
        self.request.push((name, value));
        self
    }

    pub fn ask(&self, lake: &Shared) -> Answer {
        ask_of(lake, &self.report, &[self.request.as_slice()])
    }
}

/// Whether the report takes `from` and `to`.
pub fn about_days(info: &ReportInfo) -> bool {
    ["from", "to"].iter().all(|name| info.params.iter().any(|param| param.name == *name))
}

/// Everything under the usual policies; and again where cancelled orders and returns can count on other days.
pub fn questions(info: &ReportInfo) -> Vec<Question> {
    let usual = Question::of(info, ALL_TIME);
    let has = |name: &str| info.policies.iter().any(|policy| policy.name == name);
    let mut other = usual.clone();
    for (policy, value) in [("cancel_policy", "sale_then_reversal"), ("return_basis", "sale_date")] {
        if has(policy) {
            other = other.with(policy, value);
        }
    }
    if has("cancel_policy") { vec![usual, other] } else { vec![usual] }
}
