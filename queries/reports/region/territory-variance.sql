-- ---
-- title = { en = "Territories against plan", zh = "区域目标差异" }
-- about = """Where are we off the plan? Net sales and target per territory and group of articles: the region of the sale by top category,
-- from the targets of dim_type region_category. variance = net_sales − target, attainment = net_sales / target. A target whose period
-- reaches beyond the asked days counts with the part of its days (view target_day), and net sales are of the days for which the row has a
-- target (D60). The last approved version holds, unless version names one. Plans, and targets of months and of quarters, are rows of their
-- own and are never added up. Sales of territories and groups without a target are not shown. Rows are of the plan's own members and
-- periods (target_grain), so grain, calendar and include_zero mean nothing here."""
-- key = ["target_set_id", "target_grain", "region_id", "category_id"]
-- totals = false
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- target_set = { type = "text", optional = true, values = "SELECT DISTINCT target_set_id FROM base.target ORDER BY 1", about = "Only this plan." }
-- version = { type = "int", optional = true, min = 1, about = "This version of the plan instead of the last approved one." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a period that ends later is partial." }
--
-- [chart]
-- kind = "bullet"
-- x = "region_name"
-- y = ["net_sales", "target"]
-- series = "category_id"
--
-- [columns]
-- period_start = "the first day asked for"
-- period_end = "the first day that is not"
-- is_partial_period = "to is after as_of: the period is not over"
-- target_set_id = "the plan"
-- target_grain = "how long the targets' periods are"
-- region_id = "the territory"
-- region_name = "its name"
-- category_id = "the top category"
-- category_name = "its name"
-- target = "planned (money)"
-- net_sales = "gross sales − discounts − returns (money)"
-- variance = "net_sales − target (money)"
-- attainment = "net_sales / target (share)"
-- variance_share = "variance / target (share)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "what is off is sold less planned"
-- each = ["variance = net_sales - target"]
--
-- [[tests]]
-- name = "the plan is that of targets attained"
-- each = ["target IS NOT NULL"]
-- same_sums = { report = "target-attainment", params = { dim_type = "region_category" }, columns = ["target"] }
-- ---
WITH goal AS (
    -- what was planned per day
    SELECT
        t.target_set_id, t.grain AS target_grain, split_part(t.dim_id, '/', 1) AS region_id, split_part(t.dim_id, '/', 2) AS category_id,
        t.business_date, sum(t.target_rc) AS target
    FROM target_day t
    WHERE t.dim_type = 'region_category' AND t.metric = 'net_sales' AND t.business_date >= $from AND t.business_date < $to
      AND ($target_set IS NULL OR t.target_set_id = $target_set)
      AND CASE WHEN $version IS NULL THEN t.holds ELSE CAST(t.version AS BIGINT) = $version END
    GROUP BY 1, 2, 3, 4, 5
),
done AS (
    SELECT v.region_id, p.category_l1_id AS category_id, v.business_date, sum(v.net_rc) AS net_sales
    FROM sales_event v
    JOIN product p ON p.product_id = v.product_id
    WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out'
    GROUP BY 1, 2, 3
)
SELECT
    $from AS period_start,
    $to AS period_end,
    $to > $as_of AS is_partial_period,
    s.target_set_id,
    s.target_grain,
    s.region_id,
    coalesce(s.region_name, s.region_id) AS region_name,
    s.category_id,
    coalesce(s.category_name, s.category_id) AS category_name,
    s.target,
    s.net_sales,
    s.net_sales - s.target AS variance,
    ratio(s.net_sales, s.target) AS attainment,
    ratio(s.net_sales - s.target, s.target) AS variance_share,
    reporting_currency() AS currency
FROM (
    SELECT
        g.target_set_id,
        g.target_grain,
        g.region_id,
        min(r.region_name) AS region_name,
        g.category_id,
        min(k.category_l1_name) AS category_name,
        CAST(sum(g.target) AS DECIMAL(28,4)) AS target,
        CAST(sum(coalesce(d.net_sales, CAST(0 AS DECIMAL(28,4)))) AS DECIMAL(28,4)) AS net_sales
    FROM goal g
    LEFT JOIN done d ON d.region_id = g.region_id AND d.category_id = g.category_id AND d.business_date = g.business_date
    LEFT JOIN region r ON r.region_id = g.region_id
    LEFT JOIN (
        SELECT category_l1_id, min(category_l1_name) AS category_l1_name FROM product GROUP BY 1
    ) k ON k.category_l1_id = g.category_id
    GROUP BY g.target_set_id, g.target_grain, g.region_id, g.category_id
) s
ORDER BY s.target_set_id NULLS LAST, s.target_grain NULLS LAST, s.region_id NULLS LAST, s.category_id NULLS LAST
