-- ---
-- title = { en = "Targets attained", zh = "目标达成" }
-- about = """Are we where we planned to be? Per member of a dimension (dim_type) what was planned for the asked days and what was sold in
-- them: attainment = actual / target. A target whose period reaches beyond the asked days counts with the part of its days (view
-- target_day), and actual is of the days for which the row has a target, so that both are of the same days (D60). Of several versions the
-- last approved one holds, unless version names one, which may be a draft; plans, and targets of months and of quarters, are rows of their
-- own and are never added up. metric says what is planned: net sales, gross profit over the events whose cost is known, net stock units, or
-- orders. Members are ids as sales carry them, region_category the region of the sale and the article's top category, joined by /. Sales of
-- members without a target are not shown. A representative's actual is what policy rep_credit gives. Rows are of the plan's own members and
-- periods (target_grain), so grain, calendar and include_zero mean nothing here."""
-- key = ["target_set_id", "target_grain", "dim_id"]
-- totals = false
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- dim_type = { type = "text", default = "region", values = ["company", "region", "channel", "location", "sales_rep", "category", "product", "region_category"], about = "Whose targets." }
-- metric = { type = "text", default = "net_sales", values = ["net_sales", "gross_profit", "net_units", "orders"], about = "What was planned." }
-- target_set = { type = "text", optional = true, values = "SELECT DISTINCT target_set_id FROM base.target ORDER BY 1", about = "Only this plan." }
-- version = { type = "int", optional = true, min = 1, about = "This version of the plan instead of the last approved one." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a period that ends later is partial." }
--
-- [chart]
-- kind = "bullet"
-- x = "dim_name"
-- y = ["actual", "target"]
--
-- [columns]
-- period_start = "the first day asked for"
-- period_end = "the first day that is not"
-- is_partial_period = "to is after as_of: the period is not over"
-- target_set_id = "the plan"
-- target_grain = "how long the targets' periods are"
-- dim_id = "the member; all = the company"
-- dim_name = "its name"
-- target_from = "first day with a target"
-- target_to = "first day after the last one with a target"
-- target = "planned for those days (money, stock units or orders)"
-- actual = "the same, as it came (money, stock units or orders)"
-- variance = "actual − target"
-- attainment = "actual / target (share)"
-- variance_share = "variance / target (share)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "targets are of the asked days"
-- each = ["variance = actual - target", "target_from >= period_start", "target_from < target_to", "target_to <= period_end"]
--
-- [[tests]]
-- name = "orders are counted"
-- params = { dim_type = "company", metric = "orders" }
-- each = ["actual >= 0", "variance = actual - target"]
-- ---
WITH goal AS (
    -- what was planned per day
    SELECT t.target_set_id, t.grain AS target_grain, t.dim_id, t.business_date, sum(t.target_rc) AS target
    FROM target_day t
    WHERE t.dim_type = $dim_type AND t.metric = $metric AND t.business_date >= $from AND t.business_date < $to
      AND ($target_set IS NULL OR t.target_set_id = $target_set)
      AND CASE WHEN $version IS NULL THEN t.holds ELSE CAST(t.version AS BIGINT) = $version END
    GROUP BY 1, 2, 3, 4
),
done AS (
    -- what came per day; an order is on one day
    SELECT
        e.dim_id,
        e.business_date,
        CASE $metric
            WHEN 'net_sales' THEN CAST(sum(e.net_rc) AS DECIMAL(38,10))
            WHEN 'gross_profit' THEN CAST(sum(CASE WHEN e.cost_rc IS NOT NULL THEN e.net_rc - e.cost_rc ELSE CAST(0 AS DECIMAL(29,10)) END) AS DECIMAL(38,10))
            WHEN 'net_units' THEN CAST(sum(e.net_units) AS DECIMAL(38,10))
            ELSE CAST(count(DISTINCT e.sale_order_id) AS DECIMAL(38,10))
        END AS actual
    FROM (
        SELECT
            CASE $dim_type
                WHEN 'company' THEN 'all'
                WHEN 'region' THEN v.region_id
                WHEN 'channel' THEN v.channel_id
                WHEN 'location' THEN v.location_id
                WHEN 'sales_rep' THEN v.sales_rep_id
                WHEN 'category' THEN p.category_l1_id
                WHEN 'product' THEN v.product_id
                ELSE concat(v.region_id, '/', p.category_l1_id)
            END AS dim_id,
            v.business_date, v.net_rc, v.cost_rc, v.units_sold - v.units_returned AS net_units, v.sale_order_id
        FROM rep_sale v
        LEFT JOIN product p ON p.product_id = v.product_id
        WHERE v.business_date >= $from AND v.business_date < $to
    ) e
    GROUP BY 1, 2
)
SELECT
    $from AS period_start,
    $to AS period_end,
    $to > $as_of AS is_partial_period,
    s.target_set_id,
    s.target_grain,
    s.dim_id,
    coalesce(s.dim_name, s.dim_id) AS dim_name,
    s.target_from,
    s.target_to,
    s.target,
    s.actual,
    s.actual - s.target AS variance,
    ratio(s.actual, s.target) AS attainment,
    ratio(s.actual - s.target, s.target) AS variance_share,
    reporting_currency() AS currency
FROM (
    SELECT
        g.target_set_id,
        g.target_grain,
        g.dim_id,
        min(coalesce(r.region_name, c.channel_name, l.location_name, w.name_masked, k.category_l1_name, i.product_name)) AS dim_name,
        min(g.business_date) AS target_from,
        CAST(CAST(max(g.business_date) AS INT) + 1 AS DATE) AS target_to,
        CAST(sum(g.target) AS DECIMAL(28,4)) AS target,
        CAST(sum(coalesce(d.actual, CAST(0 AS DECIMAL(38,10)))) AS DECIMAL(28,4)) AS actual
    FROM goal g
    LEFT JOIN done d ON d.dim_id = g.dim_id AND d.business_date = g.business_date
    LEFT JOIN region r ON $dim_type = 'region' AND r.region_id = g.dim_id
    LEFT JOIN channel c ON $dim_type = 'channel' AND c.channel_id = g.dim_id
    LEFT JOIN location l ON $dim_type = 'location' AND l.location_id = g.dim_id
    LEFT JOIN sales_rep w ON $dim_type = 'sales_rep' AND w.sales_rep_id = g.dim_id
    LEFT JOIN product i ON $dim_type = 'product' AND i.product_id = g.dim_id
    LEFT JOIN (
        SELECT category_l1_id, min(category_l1_name) AS category_l1_name FROM product GROUP BY 1
    ) k ON $dim_type = 'category' AND k.category_l1_id = g.dim_id
    GROUP BY 1, 2, 3
) s
ORDER BY s.target_set_id NULLS LAST, s.target_grain NULLS LAST, s.target DESC NULLS LAST, s.dim_id NULLS LAST
