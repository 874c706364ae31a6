//! Which golden cases all surfaces are asked, and how the command line puts them. It must not ask anything.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::{Case, cases};

/// A handful of the report's cases: those with the most kinds of parameters first, until no other brings a new kind.
pub fn handful(report: &str) -> Vec<Case> {
    let mut found: Vec<Case> =
        cases().into_iter().filter(|case| case.report == report && !case.expected.rows.is_empty()).collect();
    found.sort_by_key(|case| Reverse(kinds(case).len()));
    let mut seen = BTreeSet::new();
    found.retain(|case| {
        let before = seen.len();
        seen.extend(kinds(case));
        seen.len() > before
    });
    found
}

/// What kinds of parameters the case gives, beside its dates and what the report declares itself.
fn kinds(case: &Case) -> BTreeSet<&'static str> {
    let kind = |(name, _): &(String, String)| match name.as_str() {
        "return_basis" | "cancel_policy" | "region_basis" | "recognition_basis" | "fx_mode" => Some("policy"),
        "compare" => Some("compare"),
        "totals" => Some("totals"),
        "limit" | "order_by" => Some("the first rows"),
        name if name.starts_with("where.") => Some("slicer"),
        _ => None,
    };
    case.request.iter().filter_map(kind).collect()
}

/// The request as arguments of `saleslake report run REPORT`: an option where there is one.
pub fn arguments(request: &[(String, String)]) -> Vec<String> {
    let argument = |(name, value): &(String, String)| match name.as_str() {
        "from" | "to" | "compare" | "limit" => vec![format!("--{name}"), value.clone()],
        "order_by" => vec!["--order-by".into(), value.clone()],
        "totals" if value == "true" => vec!["--totals".into()],
        name => match name.strip_prefix("where.") {
            Some(slicer) => vec!["--where".into(), format!("{slicer}={value}")],
            None => vec![format!("{name}={value}")],
        },
    };
    request.iter().flat_map(argument).collect()
}
