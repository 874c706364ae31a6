//! target: what was planned to be sold, per period and member of a dimension, in versions (domain 3.8, D60).
//! It is no event: a target of a period to come lands today.

use super::contract::{Check, Column, EventTime, Kind::*, Severity::*, Table, TableKind};
use super::envelope::REFERENCE;

pub const TABLE: Table = Table {
    name: "target",
    about: "Planned figures per period and member of a dimension; of several versions the last approved one holds.",
    kind: TableKind::Plan,
    key: &["target_set_id", "period_start", "grain", "dim_type", "dim_id", "metric", "version"],
    parts: &[REFERENCE, TARGET],
    event: EventTime::None,
    month_of: None,
    sort: &["target_set_id", "dim_type", "dim_id", "period_start"],
    stats: &["target_set_id", "dim_type", "dim_id", "period_start"],
    checks: &[
        Check {
            rule: "V03",
            severity: Reject,
            column: "period_end",
            holds: "period_end > period_start",
            says: "a period ends after it begins (period_end is not included)",
        },
        Check {
            rule: "V03",
            severity: Quarantine,
            column: "target_value",
            holds: "target_value >= 0",
            says: "a target is 0 or more",
        },
    ],
};

const TARGET: &[Column] = &[
    Column::new("target_set_id", Code, "the plan"),
    Column::new("grain", Code, "how long the period is").or("'month'").one_of(&[
        "day",
        "week",
        "month",
        "quarter",
        "year",
        "fiscal_week",
        "fiscal_period",
        "fiscal_quarter",
        "fiscal_year",
    ]),
    Column::new("period_start", Date, "first day of the period"),
    Column::new("period_end", Date, "first day after it"),
    Column::new("dim_type", Code, "whose target: region_category is a region and a top category")
        .or("'company'")
        .one_of(&["company", "region", "channel", "location", "sales_rep", "category", "product", "region_category"]),
    Column::new("dim_id", Code, "the member; region and category joined by /; all = the company").or("'all'"),
    Column::new("metric", Code, "what is planned").or("'net_sales'").one_of(&[
        "net_sales",
        "gross_profit",
        "net_units",
        "orders",
    ]),
    Column::new("version", Int, "of the plan, counted up").or("1"),
    Column::new("target_value", Money, "amount in the reporting currency, stock units, or a count"),
    Column::new("approved_at", Instant, "when it was approved; NULL = a draft, which does not hold").nullable(),
];
