//! The words that random questions are made of: what can be asked of a view that has rollups, and what no rollup of it tells.
//! Columns are those of `e`.

/// What is asked of.
#[derive(Clone, Copy)]
pub struct Family {
    /// The relation; empty = branches of several.
    pub view: &'static str,
    pub texts: &'static [&'static str],
    pub bools: &'static [&'static str],
    pub sums: &'static [&'static str],
    /// Calls beside sums of columns, and keys beside columns.
    pub calls: &'static [&'static str],
    pub keys: &'static [&'static str],
    /// What is counted distinct beside keys.
    pub distinct: &'static [&'static str],
    pub joins: &'static [Joined],
    pub outside: Outside,
}

/// What no rollup tells.
#[derive(Clone, Copy)]
pub struct Outside {
    pub keys: &'static [&'static str],
    pub calls: &'static [&'static str],
    pub conditions: &'static [&'static str],
}

/// Another relation beside `e`.
#[derive(Clone, Copy)]
pub struct Joined {
    pub sql: &'static str,
    pub keys: &'static [&'static str],
    pub conditions: &'static [&'static str],
    /// A row may meet several: sums are of each.
    pub doubles: bool,
}

const CHANNEL: Joined = Joined {
    sql: "LEFT JOIN channel c ON c.channel_id = e.channel_id",
    keys: &["c.channel_type", "member(e.channel_id, c.channel_name)", "c.is_online"],
    conditions: &["c.is_online", "c.channel_id IS NULL", "c.channel_type <> 'marketplace'"],
    doubles: false,
};
const LOCATION: Joined = Joined {
    sql: "LEFT JOIN location l ON l.location_id = e.location_id",
    keys: &["l.location_type", "l.country", "member(e.location_id, l.location_name)"],
    conditions: &["l.country = 'GB'", "l.location_id IS NULL OR l.location_type = 'store'"],
    doubles: false,
};
const REGION: Joined = Joined {
    sql: "LEFT JOIN region r ON r.region_id = e.region_id",
    keys: &["r.level1_id", "member(e.region_id, coalesce(r.level1_name, r.region_name))", "r.region_level"],
    conditions: &["r.region_level > 1", "r.region_id IS NOT NULL"],
    doubles: false,
};
const PRODUCT: Joined = Joined {
    sql: "LEFT JOIN product p ON p.product_id = e.product_id",
    keys: &["p.brand", "p.category_l1_id", "member(e.product_id, p.product_name)"],
    conditions: &["p.brand IS NOT NULL", "coalesce(p.category_l1_id, 'none') <> 'none'"],
    doubles: false,
};
const CALENDAR: Joined = Joined {
    sql: "JOIN calendar d ON d.date_key = e.business_date",
    keys: &["d.year", "d.month_start", "d.day_of_week", "12 * d.year + d.month"],
    conditions: &["d.day_of_week > 5", "d.year = 2025", "d.month_start >= DATE '2025-03-01'"],
    doubles: false,
};
const FISCAL: Joined = Joined {
    sql: "JOIN fiscal_calendar f ON f.date_key = e.business_date",
    keys: &["f.calendar_code", "f.fiscal_period"],
    conditions: &["f.calendar_code <> 'retail_445'", "f.fiscal_quarter IN (1, 4)"],
    doubles: true,
};
const TIMES: Joined = Joined {
    sql: "CROSS JOIN (VALUES (1), (2), (3)) AS x (n)",
    keys: &["x.n"],
    conditions: &["x.n <> 2"],
    doubles: true,
};
/// Another aggregate of a view that has rollups.
const COUNTED: Joined = Joined {
    sql: "JOIN (SELECT k.channel_id, count(*) AS n FROM sales_event k WHERE k.flow <> 'sell_out' GROUP BY 1) t \
          ON t.channel_id = e.channel_id",
    keys: &["t.n"],
    conditions: &["t.n > 100"],
    doubles: true,
};

const COST: &[&str] = &[
    "sum(coalesce(e.cost_rc, CAST(0 AS DECIMAL(18,4))))",
    "sum(CASE WHEN e.cost_rc IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END)",
    "sum(e.gross_sales - e.discounts)",
    "sum(e.units_sold - e.units_returned)",
    "sum(-e.net_rc)",
];

pub const DAY: Family = Family {
    view: "sales_event",
    texts: &["channel_id", "event_kind", "flow", "location_id", "region_id", "return_channel_id"],
    bools: &["is_blind", "is_goods", "is_sale_known", "is_staff_order"],
    sums: &[
        "discounts",
        "gross_sales",
        "net_rc",
        "returns",
        "sale_lines",
        "sell_out_rc",
        "sell_out_units",
        "tax_rc",
        "units_returned",
        "units_sold",
    ],
    calls: &[
        "sum(coalesce(e.cost_rc, CAST(0 AS DECIMAL(18,4))))",
        "sum(CASE WHEN e.cost_rc IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END)",
        "sum(abs(e.net_rc))",
        "sum(CASE WHEN e.is_goods THEN abs(e.net_rc) ELSE CAST(0 AS DECIMAL(18,4)) END)",
        "sum(CASE WHEN e.is_goods AND e.cost_rc IS NOT NULL THEN abs(e.net_rc) ELSE CAST(0 AS DECIMAL(18,4)) END)",
        "sum(e.gross_sales - e.discounts)",
        "count(*) FILTER (WHERE e.buyer_key IS NULL)",
    ],
    keys: &["e.buyer_key IS NULL", "CASE WHEN e.buyer_key IS NULL THEN 'anonymous' ELSE e.event_kind END"],
    distinct: &["buyer_key", "buyer_key", "sale_order_id"],
    joins: &[CHANNEL, LOCATION, REGION, CALENDAR, FISCAL, TIMES, COUNTED],
    outside: Outside {
        keys: &["e.reason_code", "e.sales_rep_id", "e.product_id", "e.local_minute % 7"],
        calls: &[
            "sum(e.cost_rc)",
            "sum(e.net_rc * 2)",
            "sum(e.net_rc - e.cost_rc)",
            "avg(e.net_rc)",
            "min(e.net_rc)",
            "count(e.cost_rc)",
            "count(DISTINCT e.product_id)",
            "sum(DISTINCT e.net_rc)",
        ],
        conditions: &[
            "e.net_rc > 10",
            "e.buyer_key IS NOT NULL",
            "e.product_id IS NOT NULL",
            "e.order_business_date < DATE '2025-09-01'",
            "EXISTS (SELECT 1 FROM product s WHERE s.product_id = e.product_id AND s.brand IS NOT NULL)",
        ],
    },
};

pub const ARTICLE: Family = Family {
    view: "sales_event",
    texts: &["product_id", "product_id", "channel_id", "event_kind", "flow"],
    bools: &["is_goods"],
    sums: &["discounts", "gross_sales", "net_rc", "returns", "sale_lines", "units_returned", "units_sold"],
    calls: COST,
    keys: &["coalesce(e.product_id, 'no article')"],
    distinct: &[],
    joins: &[PRODUCT, CHANNEL, CALENDAR, FISCAL, TIMES, COUNTED],
    outside: Outside {
        keys: &["e.reason_code", "e.tax_rate", "e.local_minute % 5"],
        calls: &["sum(e.tax_rate)", "max(e.net_rc)", "sum(e.net_rc * e.units_sold)", "count(DISTINCT e.line_id)"],
        conditions: &["e.units_sold > 1", "e.customer_key IS NOT NULL", "e.cost_rc IS NULL"],
    },
};

pub const CHARGE: Family = Family {
    view: "charge_event",
    texts: &["charge_type", "channel_id", "flow", "location_id", "region_id", "return_channel_id"],
    bools: &["is_blind", "is_staff_order"],
    sums: &["charge_rc", "charge_tax_rc"],
    calls: &["sum(-e.charge_rc)", "sum(coalesce(e.charge_rc, 0))", "sum(e.charge_rc + e.charge_tax_rc)"],
    keys: &["e.charge_type = 'shipping'"],
    distinct: &[],
    joins: &[CHANNEL, LOCATION, REGION, CALENDAR, FISCAL, TIMES, COUNTED],
    outside: Outside {
        keys: &["e.sales_rep_id", "e.tax_code"],
        calls: &["max(e.charge_rc)", "sum(e.tax_rate)", "count(DISTINCT e.customer_key)"],
        conditions: &["e.charge_rc > 1", "e.customer_key IS NULL"],
    },
};

/// What `sales_event` says, where its shops lie.
pub const PLACED: Family = Family { view: "placed_sale", ..DAY };

/// The same, of articles with what is known of them.
pub const CLASSIFIED: Family = Family {
    view: "classified_sale",
    keys: &["e.brand", "e.category_l1_id", "member(e.product_id, e.product_name)"],
    ..ARTICLE
};

/// Sales, charges and days in one.
pub const UNION: Family = Family {
    view: "",
    texts: &["channel_id", "flow", "location_id", "region_id"],
    bools: &["is_staff_order"],
    sums: &["charge_rc", "gross_sales", "net_rc", "units_sold"],
    calls: &["sum(e.net_rc + e.charge_rc)", "sum(e.gross_sales - e.net_rc)"],
    keys: &["e.buyer_key IS NULL"],
    distinct: &["buyer_key"],
    joins: &[CHANNEL, LOCATION, REGION, CALENDAR, TIMES],
    outside: Outside {
        keys: &["e.net_rc > 5"],
        calls: &["max(e.net_rc)", "sum(e.net_rc * 3)"],
        conditions: &["e.net_rc <> 0", "e.units_sold >= 0"],
    },
};

/// Conditions with a question of their own in them.
pub const SUBQUERIES: &[&str] = &[
    "e.channel_id IN (SELECT s.channel_id FROM channel s WHERE s.is_online)",
    "e.channel_id NOT IN (SELECT s.channel_id FROM channel s WHERE s.channel_type = 'marketplace')",
    "e.business_date IN (SELECT s.date_key FROM calendar s WHERE s.day_of_week = 6)",
    "e.business_date >= (SELECT min(s.business_date) FROM charge_event s WHERE s.charge_type = 'shipping')",
    "e.channel_id IN (SELECT s.channel_id FROM sales_event s GROUP BY 1 HAVING sum(s.net_rc) > 1000)",
];
