//! The measures of the views: how each can be halved, and which columns of the reports are made of which. Plain data, and what
//! follows from it for a golden case; it must not ask the engine anything.

use super::Case;

/// A measure of a view.
pub struct Measure {
    pub view: &'static str,
    pub name: &'static str,
    /// Ways to halve it, SQL with `{}` for its name. Where the halves of a set are meant (ids, flags) each way keeps the other
    /// half, so whatever is there is missing from one of them.
    pub halves: &'static [&'static str],
    /// Adds it up, SQL with `{}` for its name: what halving must about halve.
    pub total: &'static str,
    /// The reports' columns that are nothing but this measure, added up or counted; and the same columns of another period or
    /// by another day (`_prev`, `_by_sale_date`).
    columns: &'static [&'static str],
    /// Columns that it is a part of, for reports that have no column of its own.
    mixed: &'static [&'static str],
    /// A column and its value: only rows with it show the measure in a mixed column.
    rows: Option<(&'static str, &'static str)>,
}

const fn money(view: &'static str, name: &'static str, columns: &'static [&'static str]) -> Measure {
    let halves = &["CAST({} * 0.5 AS DECIMAL(18,4))"];
    Measure { view, name, halves, total: "sum({})", columns, mixed: &[], rows: None }
}
const fn units(view: &'static str, name: &'static str, columns: &'static [&'static str]) -> Measure {
    let halves = &["CAST({} * 0.5 AS DECIMAL(18,3))"];
    Measure { view, name, halves, total: "sum({})", columns, mixed: &[], rows: None }
}
const fn counts(view: &'static str, name: &'static str, columns: &'static [&'static str]) -> Measure {
    Measure { view, name, halves: &["{} / 2"], total: "sum({})", columns, mixed: &[], rows: None }
}
const fn ids(view: &'static str, name: &'static str, columns: &'static [&'static str]) -> Measure {
    let halves =
        &["CASE WHEN ascii(right({}, 1)) % 2 = 0 THEN {} END", "CASE WHEN ascii(right({}, 1)) % 2 = 1 THEN {} END"];
    Measure { view, name, halves, total: "count(DISTINCT {})", columns, mixed: &[], rows: None }
}
const fn flag(view: &'static str, name: &'static str, mixed: &'static [&'static str]) -> Measure {
    let halves = &["({} AND local_minute % 2 = 0)", "({} AND local_minute % 2 = 1)"];
    Measure { view, name, halves, total: COUNT, columns: &[], mixed, rows: None }
}
/// What is said of a piece of feedback.
const fn said(name: &'static str, columns: &'static [&'static str]) -> Measure {
    let halves = &["({} AND ascii(right(feedback_id, 1)) % 2 = 0)", "({} AND ascii(right(feedback_id, 1)) % 2 = 1)"];
    Measure { view: "customer_feedback", name, halves, total: COUNT, columns, mixed: &[], rows: None }
}
/// Whole minutes that an answer took.
const fn minutes(name: &'static str, columns: &'static [&'static str]) -> Measure {
    Measure { view: "customer_feedback", name, halves: &["{} / 2"], total: "sum({})", columns, mixed: &[], rows: None }
}
/// What brings a visit to a stage of the funnel.
const fn stage(name: &'static str, stage: &'static str) -> Measure {
    let halves = &["({} AND ascii(right(session_id, 1)) % 2 = 0)", "({} AND ascii(right(session_id, 1)) % 2 = 1)"];
    let rows = Some(("stage", stage));
    Measure { view: "session_funnel", name, halves, total: COUNT, columns: &[], mixed: &["sessions"], rows }
}
/// The visits themselves: one without a day is none.
const fn visits() -> Measure {
    let halves = &[
        "CASE WHEN ascii(right(session_id, 1)) % 2 = 0 THEN {} END",
        "CASE WHEN ascii(right(session_id, 1)) % 2 = 1 THEN {} END",
    ];
    Measure { halves, total: "count({})", ..stage("business_date", "session") }
}
const COUNT: &str = "sum(CASE WHEN {} THEN 1 ELSE 0 END)";

impl Measure {
    const fn part_of(mut self, mixed: &'static [&'static str]) -> Measure {
        self.mixed = mixed;
        self
    }
    const fn in_rows(mut self, column: &'static str, value: &'static str) -> Measure {
        self.rows = Some((column, value));
        self
    }
}

/// Columns of what was sold after discounts.
const SOLD: &[&str] =
    &["sales_before_returns", "basket_sales", "first_day_sales", "attributed_sales", "redeemed_sales", "value"];

pub static MEASURES: &[Measure] = &[
    money("sales_event", "gross_sales", &["gross_sales"]).part_of(SOLD),
    money("sales_event", "discounts", &["discounts"]).part_of(SOLD),
    money("sales_event", "returns", &["returns", "exchange_returns"]).part_of(&["value"]),
    money(
        "sales_event",
        "net_rc",
        &[
            "net_sales",
            "net_sales_all",
            "net_sales_with_cost",
            "goods_amount_with_cost",
            "net_sales_window",
            "net_sales_to_date",
            "net_sales_so_far",
            "mat",
            "typical_so_far_all",
            "net_sales_prev_year",
        ],
    )
    .part_of(&["value"]),
    money("sales_event", "tax_rc", &["tax", "refunded_tax"]),
    money("sales_event", "cost_rc", &["cogs", "cost_of_sales"]).part_of(&["value"]),
    flag("sales_event", "is_goods", &["goods_amount"]),
    units("sales_event", "units_sold", &["units_sold"]).part_of(&[
        "basket_units",
        "value",
        "daily_units",
        "lost_units",
    ]),
    units("sales_event", "units_returned", &["units_returned"]).part_of(&["value"]),
    ids("sales_event", "sale_order_id", &["orders"]).part_of(&[
        "baskets",
        "pair_orders",
        "first_day_orders",
        "attributed_orders",
        "redeemed",
        "value",
    ]),
    ids("sales_event", "buyer_key", &["customers", "cohort_size", "active_customers"]).part_of(&[
        "customers_before",
        "coupon_customers",
        "value",
    ]),
    money("charge_event", "charge_rc", &["charges"]),
    money("charge_event", "charge_tax_rc", &["charge_tax"]),
    money("order_now", "order_value_rc", &["cancelled_value"]),
    units(
        "fulfilment_part",
        "quantity",
        &["units_due", "units_shipped", "units_on_time", "open_units", "overdue_units"],
    ),
    money("fulfilment_part", "value_rc", &["open_value", "overdue_value"]),
    money("payment_event", "captured_rc", &["captured"]),
    money("payment_event", "refunded_rc", &["refunded"]),
    money("order_check", "told_amount", &["told_amount"]),
    money("order_check", "landed_amount", &["landed_amount"]),
    money("order_line_now", "line_value_rc", &["line_value", "line_value_all"]),
    units("inventory_day", "on_hand", &["on_hand", "opening_units", "ending_units"])
        .part_of(&["quantity"])
        .in_rows("step", "closing"),
    units("inventory_day", "available", &["available"]),
    money("inventory_day", "on_hand_cost_rc", &["inventory_cost_days"]).part_of(&["cost"]).in_rows("step", "closing"),
    units("stock_movement", "quantity", &["received_units"]).part_of(&["quantity"]).in_rows("step", "sale"),
    money("stock_movement", "cost_amount_rc", &[]).part_of(&["cost"]).in_rows("step", "sale"),
    units("purchase_line", "ordered_qty", &[]).part_of(&["on_order"]),
    units("stock", "on_hand", &["on_hand"]),
    units("stock", "available", &["available"]),
    money("stock", "on_hand_cost_rc", &["on_hand_cost"]),
    money("stock", "retail_value_rc", &["retail_value"]),
    money("target_day", "target_rc", &["target"]),
    money("opportunity_now", "amount_rc", &["won_amount"]),
    money("line_discount", "amount_rc", &["promotion_discounts"]).part_of(&["coupon_discounts"]),
    money("marketing_spend", "spend_rc", &["spend", "spend_all", "marketing_spend"]),
    counts("marketing_spend", "impressions", &["impressions"]),
    counts("marketing_spend", "clicks", &["clicks"]),
    money("landed_total", "landed_value", &["landed"]),
    money("control_total", "control_value", &["control"]),
    units("cart_item", "quantity", &["cart_units", "abandoned_units"]),
    money("cart_item", "cart_value", &["cart_value", "abandoned_value"]),
    money("customer_feedback", "rating_of_five", &["rating_points"]),
    said("is_satisfied", &["csat_satisfied"]),
    said("is_answered", &["answered"]),
    said("is_resolved", &["resolved"]),
    said("is_first_contact_resolved", &["first_contact_resolved"]),
    minutes("response_minutes", &["response_minutes_p50"]),
    minutes("resolution_minutes", &["resolution_minutes_p50", "resolution_minutes_p90"]),
    visits(),
    stage("has_view", "view"),
    stage("has_cart", "cart"),
    stage("has_checkout", "checkout"),
    stage("has_purchase", "purchase"),
];

/// Measures of those views of which no golden case shows anything: no report has them, or the sample does not.
pub const UNSHOWN: &[(&str, &[&str])] = &[
    ("sales_event", &["sale_lines", "sell_out_rc", "sell_out_units", "tax_rate"]),
    ("charge_event", &["tax_rate"]),
    ("payment_event", &["authorized_rc"]),
    ("order_check", &["order_lines", "possible_copies"]),
    ("opportunity_now", &["probability"]),
    // Claims of platforms are about the same orders: no report adds them up.
    ("marketing_spend", &["platform_conversions", "platform_revenue_rc"]),
    ("inventory_day", &["in_transit", "retail_value_rc"]),
    // Received quantities are seen in what is not yet received.
    ("purchase_line", &["confirmed_qty", "received_qty", "ordered_unit_cost"]),
    ("stock", &["committed", "reserved", "incoming", "in_transit", "damaged", "quality_hold"]),
];

/// Reports that have a column of a measure which is 0 in every case.
pub const NEVER: &[(&str, &str)] = &[
    // What is on order is not proposed again.
    ("reorder-proposal", "ordered_qty"),
];

/// Columns that are made of several measures, are ratios, or count rows: no single measure's halving can be read from them.
const MADE: &[&str] = &[
    "total_sales",
    "net_units",
    "anonymous_orders",
    "sales_before_returns",
    "aov",
    "units_per_order",
    "asp",
    "asp_before_returns",
    "gross_profit",
    "gross_margin_pct",
    "goods_amount",
    "cost_coverage",
    "discount_rate",
    "return_rate_value",
    "return_rate_units",
    "return_lines",
    "exchange_share",
    "share",
    "items",
    "difference",
    "abs_difference",
    "difference_share",
    "comparisons",
    "differing",
    "missing_control",
    "missing_data",
    "problems",
    "missing_numbers",
    "sessions",
    "sessions_before",
    "all_sessions",
    "step_rate",
    "conversion_rate",
    "percentile",
    "sales_per_sqm",
    "gross_profit_all",
    "profit_share",
    "metric_value",
    "metric_before",
    "metric_all",
    "share_before",
    "metric_share",
    "rate_lower",
    "rate_upper",
    "change",
    "contribution",
    "cumulative_net_sales",
    "cumulative_share",
    "last_order_sales",
    "returns_group",
    "group_share",
    "returns_all",
    "returns_share",
    "lag_lines",
    "lag_days",
    "mean_days",
    "return_lines_all",
    "line_share",
    "net_sales_per_day",
    "orders_per_day",
    "baskets",
    "basket_sales",
    "basket_units",
    "baskets_all",
    "basket_share",
    "size_all",
    "mean_size",
    "median_size",
    "p90_size",
    "pair_orders",
    "a_orders",
    "b_orders",
    "all_orders",
    "support",
    "confidence_a_b",
    "confidence_b_a",
    "lift",
    "leverage",
    "conviction_a_b",
    "conviction_b_a",
    "retention",
    "gross_profit_so_far",
    "net_sales_per_customer",
    "gross_profit_per_customer",
    "orders_per_customer",
    "customer_count",
    "customer_count_all",
    "customer_count_before",
    "customer_share",
    "stayed",
    "came",
    "gone",
    "purchase_days",
    "lines",
    "sales_before_returns_all",
    "sales_share",
    "sales_with_cost",
    "profit_before_returns",
    "margin_before_returns",
    "moving_average",
    "months_with_sales",
    "events",
    "value",
    "value_per_day",
    "new_customers",
    "new_customers_all",
    "new_share",
    "first_day_orders",
    "first_day_sales",
    "first_order_value",
    "first_day_orders_per_customer",
    "items_negative",
    "on_hand_negative",
    "cost_negative",
    "units_without_cost",
    "potential_profit",
    "stock_value",
    "units_at_snapshot_cost",
    "units_at_product_cost",
    "cost_all",
    "cost_share",
    "in_stock_days",
    "out_days",
    "daily_units",
    "daily_deviation",
    "cover_days",
    "weeks_of_supply",
    "on_order",
    "inventory_position",
    "safety_stock",
    "reorder_point",
    "order_up_to",
    "order_quantity",
    "order_value",
    "value_until",
    "unit_cost",
    "average_inventory_cost",
    "turnover",
    "days_inventory",
    "sales_to_stock",
    "gmroi",
    "sell_through",
    "listed",
    "out_of_stock",
    "stock_out_rate",
    "carried",
    "items_without_estimate",
    "lost_units",
    "lost_sales",
    "items_in_excess",
    "excess_units",
    "excess_cost",
    "quantity",
    "cost",
    "movements",
    "typical_so_far",
    "ahead",
    "pace",
    "status_orders",
    "status_orders_all",
    "order_share",
    "reached_orders",
    "value_share",
    "stage_count",
    "stage_count_before",
    "flow_share",
    "stage_share",
    "complaints",
    "complaints_all",
    "complaints_share",
    "complaints_per_1000_orders",
    "open_complaints",
    "fcr_rate",
    "csat_answers",
    "csat",
    "csat_lower",
    "csat_upper",
    "nps_answers",
    "promoters",
    "detractors",
    "nps",
    "nps_margin",
    "ratings",
    "mean_rating",
    "carts",
    "bought_carts",
    "open_carts",
    "abandoned_carts",
    "abandonment_rate",
    "abandoned_value_per_cart",
    "checked",
    "failed",
    "score",
    "taxable_base",
    "tax_amount",
    "effective_rate",
    "tax_amount_all",
    "tax_share",
    "cancelled_orders",
    "created_orders",
    "cancel_rate",
    "cancelled_orders_all",
    "cancel_share",
    "orders_due",
    "orders_shipped",
    "orders_otif",
    "otif_rate",
    "order_fill_rate",
    "lines_due",
    "lines_shipped",
    "lines_on_time",
    "line_fill_rate",
    "unit_fill_rate",
    "open_orders",
    "open_lines",
    "overdue_orders",
    "overdue_share",
    "fillable_units",
    "fillable_share",
    "captures",
    "refunds",
    "net_captured",
    "net_captured_all",
    "attempts",
    "failed_attempts",
    "success_rate",
    "authorizations",
    "captured_authorizations",
    "capture_rate",
    "voids",
    "told_orders",
    "landed_orders",
    "matched_orders",
    "missing_orders",
    "extra_orders",
    "amount_differs",
    "status_differs",
    "copies",
    "open_pairs",
    "amount_difference",
    "matched_difference",
    "step_orders",
    "orders_done",
    "orders_open",
    "orders_cancelled",
    "orders_reversed",
    "hours_all",
    "mean_hours",
    "p50_hours",
    "p90_hours",
    "won",
    "lost",
    "closed",
    "win_rate",
    "actual",
    "variance",
    "attainment",
    "variance_share",
    "day_weight",
    "weight_to_date",
    "weight_all",
    "target_to_date",
    "actual_to_date",
    "pacing",
    "forecast",
    "projected_to_date",
    "projected_attainment",
    "required_per_day",
    "growth_score",
    "margin_score",
    "customers_before",
    "kept_customers",
    "planned_activities",
    "done_activities",
    "activity_score",
    "score_index",
    "orders_all",
    "discount_depth",
    "fixed_cost",
    "budget",
    "issued",
    "redeemed",
    "redemption_rate",
    "coupon_discounts",
    "cost_per_order",
    "redeemed_sales",
    "aov_with",
    "orders_without",
    "sales_without",
    "aov_without",
    "coupon_customers",
    "coupon_new_customers",
    "attributed_sales",
    "attributed_orders",
    "attributed_new_customers",
    "roas",
    "cac",
    "all_sales",
    "mer",
    "ctr",
    "cost_per_click",
    "visits",
];

/// Columns that say which row it is.
const WHO: &[&str] = &[
    "row_kind",
    "period_start",
    "period_end",
    "is_partial_period",
    "channel_name",
    "location_name",
    "product_name",
    "region_name",
    "snapshot_day",
    "oldest_snapshot_day",
    "days_old",
    "is_stale",
    "status",
    "gaps",
    "stage",
    "category_id",
    "category_name",
    "place",
    "place_in_category",
    "place_in_peers",
    "place_from_below",
    "peer_group",
    "peer_count",
    "below_peers",
    "selling_area_sqm",
    "ranked",
    "side",
    "class",
    "item_name",
    "direction",
    "group_name",
    "lag",
    "days",
    "customer_type",
    "customer_group",
    "membership_tier",
    "first_order_date",
    "last_order_date",
    "last_order_id",
    "days_since",
    "band_from",
    "band_to",
    "a_name",
    "b_name",
    "activity_start",
    "channel_count",
    "r_from",
    "r_to",
    "band",
    "first_date",
    "last_date",
    "n",
    "day",
    "places",
    "layout",
    "segment",
    "recency_score",
    "frequency_score",
    "money_score",
    "last_day",
    "reason",
    "segment_size",
    "order_status",
    "age",
    "oldest_date",
    "slot_start",
    "last_slot_start",
    "weeks",
    "metric_no",
    "first_day",
    "end_day",
    "location_id",
    "product_id",
    "first_stock_day",
    "stock_day",
    "oldest_stock_day",
    "stock_days",
    "supplier_id",
    "lead_time_days",
    "lead_time_sd",
    "review_period_days",
    "horizon_days",
    "service_level",
    "min_order_qty",
    "pack_size",
    "max_stock",
    "projected_out_date",
    "next_expected_date",
    "expected_date",
    "cost_method",
    "step",
    "brand",
    "last_sale_date",
    "days_since_sale",
    "customer_key",
    "said",
    "jurisdiction_name",
    "rate",
    "oldest_promise",
    "days_overdue",
    "team_id",
    "sales_rep_name",
    "dim_name",
    "target_from",
    "target_to",
    "days_left",
    "promotion_name",
    "promotion_type",
    "funded_by",
    "campaign_name",
    "marketing_channel",
];

/// Reports that sort rows into groups by measures: halving one moves rows, and so changes what is made of others.
pub const MOVED: &[&str] = &[
    "discount-depth",
    "low-stock-alert",
    "reorder-proposal",
    "overstock-excess",
    "stock-out-rate",
    "lost-sales-estimate",
    "stock-cover",
    // Its cost methods value the stock by what came in.
    "inventory-valuation",
];

/// A column's name without the period that it is of: halving a measure halves it there, too. A growth is a ratio.
fn plain(column: &str) -> &str {
    let column = column.strip_suffix("_prev").unwrap_or(column);
    column.strip_suffix("_by_sale_date").unwrap_or(column)
}

/// The measure that the column is nothing but.
pub fn measure_of(column: &str) -> Option<&'static Measure> {
    MEASURES.iter().find(|m| m.columns.contains(&plain(column)))
}

/// Whether it is known what the column is made of; `key`: the report's.
pub fn is_known(column: &str, key: &[String]) -> bool {
    let name = plain(column.strip_suffix("_growth").unwrap_or(column));
    measure_of(name).is_some()
        || MADE.contains(&name)
        || WHO.contains(&name)
        || UNSHOWN.iter().any(|(_, names)| names.contains(&name))
        || key.iter().any(|k| k == name)
}

/// Whether columns called so have anything but zeros and NULLs in the case's expected rows; `None`: it has no such columns.
pub fn shows(case: &Case, names: &[&str]) -> Option<bool> {
    shows_in(case, names, None)
}

/// The same of the rows with a value in a column.
fn shows_in(case: &Case, names: &[&str], rows: Option<(&str, &str)>) -> Option<bool> {
    let columns = &case.expected.columns;
    let at: Vec<usize> = (0..columns.len()).filter(|i| names.contains(&plain(&columns[*i]))).collect();
    let is_something = |text: &String| text.parse::<f64>().is_ok_and(|n| n != 0.0);
    let with = rows.map(|(name, value)| (columns.iter().position(|c| c == name), value));
    let is_meant = |row: &&Vec<String>| with.is_none_or(|(at, value)| at.is_some_and(|i| row[i] == value));
    let mut meant = case.expected.rows.iter().filter(is_meant);
    (!at.is_empty()).then(|| meant.any(|row| at.iter().any(|i| is_something(&row[*i]))))
}

impl Measure {
    /// Whether the case's expected rows depend on the measure; `None`: no column of the case is made of it.
    ///
    /// Of a mixed column nothing tells which of its parts is 0, unless another case shows the part of the same events.
    pub fn matters(&self, case: &Case, cases: &[Case]) -> Option<bool> {
        if let Some(shown) = shows(case, self.columns) {
            return Some(shown);
        }
        let mixed = shows_in(case, self.mixed, self.rows)?;
        let apart =
            cases.iter().filter(|other| same_events(case, other)).filter_map(|other| shows(other, self.columns));
        Some(mixed && apart.reduce(|a, b| a || b).unwrap_or(true))
    }
}

/// Whether both cases are of all the same events, grouped as they may be.
fn same_events(one: &Case, other: &Case) -> bool {
    const GROUPING: &[&str] = &["grain", "calendar", "level", "region_level", "totals", "order_by", "include_zero"];
    let asked = |case: &Case| {
        let mut asked = case.request.clone();
        asked.retain(|(name, _)| !GROUPING.contains(&name.as_str()));
        asked.sort();
        asked
    };
    let cut = |case: &Case| case.request.iter().any(|(name, _)| name == "limit");
    !cut(other) && asked(one) == asked(other)
}
