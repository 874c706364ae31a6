-- ---
-- title = { en = "ABC classification", zh = "ABC 分类" }
-- about = """Which few articles bring most? Articles (level sku) or styles (level product) in falling order of one metric, net sales, gross
-- profit or net units, then of product_id. The cumulative share before an article decides: class A while it is below cut_a, B while it is
-- below cut_b, else C; so the article that crosses 80 % is still A, and so is one that alone has more. Shares are over the articles whose
-- metric is above 0; 0 is class N (nothing sold; include_zero shows those too), below 0 class R (more came back than was sold). Where the
-- metric is not known, gross profit without any cost, the class is empty. Only articles of the product table are classified. An article has one
-- class for all the asked days: it has no buckets."""
-- key = ["product_id"]
-- spine = ["product"]
-- totals = false
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- metric = { type = "text", default = "net_sales", values = ["net_sales", "gross_profit", "net_units"], about = "What is shared out." }
-- cut_a = { type = "decimal", default = 0.8, min = 0, max = 1, about = "Class A begins before this cumulative share." }
-- cut_b = { type = "decimal", default = 0.95, min = 0, max = 1, about = "Class B begins before this cumulative share." }
-- level = { type = "text", default = "sku", values = ["sku", "product"], about = "Articles, or styles: an article without a style is its own." }
-- include_zero = { type = "bool", default = true, about = "Articles without any event are shown, as class N; their gross profit is 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a period that ends later is partial." }
--
-- [chart]
-- kind = "pareto"
-- x = "product_name"
-- y = ["metric_value", "share_before"]
--
-- [columns]
-- period_start = "the first day asked for"
-- period_end = "the first day that is not"
-- is_partial_period = "to is after as_of: the period is not over"
-- product_id = "the article, or the style"
-- sku = "the seller's article number; empty at level product"
-- product_name = "its name"
-- place = "rank by the metric, 1 = most"
-- class = "A, B, C, N = nothing, R = below 0; empty = the metric is not known"
-- net_sales = "gross_sales − discounts − returns (money)"
-- net_units = "units_sold − units_returned (stock units)"
-- net_sales_with_cost = "net sales whose cost is known (money)"
-- cogs = "cost of those goods, less cost returned to stock; empty where no cost is known (money)"
-- gross_profit = "net_sales_with_cost − cogs; empty where no cost is known (money)"
-- metric_value = "the metric (money, or stock units)"
-- metric_before = "the metric of the articles before it, of those above 0 (money, or stock units)"
-- metric_all = "the metric of all articles above 0 (money, or stock units)"
-- share_before = "metric_before / metric_all; empty unless the metric is above 0"
-- metric_share = "metric_value / metric_all; empty unless the metric is above 0"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "what is shared out is all above zero"
-- each = ["class IN ('A', 'B', 'C', 'N', 'R')"]
-- all = ["sum(CASE WHEN metric_value > 0 THEN metric_value END) = max(metric_all)"]
--
-- [[tests]]
-- name = "units, without those of nothing"
-- params = { metric = "net_units", include_zero = "false" }
-- each = ["class <> 'A' OR metric_value > 0"]
-- all = ["sum(CASE WHEN metric_value > 0 THEN metric_value END) = max(metric_all)"]
-- ---
SELECT
    $from AS period_start,
    $to AS period_end,
    $to > $as_of AS is_partial_period,
    r.product_id,
    r.sku,
    r.product_name,
    r.place,
    CASE WHEN r.metric IS NULL THEN NULL
         WHEN r.metric < 0 THEN 'R'
         WHEN r.metric = 0 THEN 'N'
         WHEN r.metric_before < $cut_a * r.metric_all THEN 'A'
         WHEN r.metric_before < $cut_b * r.metric_all THEN 'B'
         ELSE 'C' END AS class,
    r.net_sales,
    r.net_units,
    r.net_sales_with_cost,
    r.cogs,
    r.gross_profit,
    r.metric AS metric_value,
    r.metric_before,
    r.metric_all,
    CASE WHEN r.metric > 0 THEN ratio(r.metric_before, r.metric_all) END AS share_before,
    CASE WHEN r.metric > 0 THEN ratio(r.metric, r.metric_all) END AS metric_share,
    reporting_currency() AS currency
FROM (
    SELECT
        m.*,
        CAST(row_number() OVER (ORDER BY m.metric DESC NULLS LAST, m.product_id NULLS LAST) AS BIGINT) AS place,
        coalesce(sum(CASE WHEN m.metric > 0 THEN m.metric ELSE CAST(0 AS DECIMAL(28,4)) END)
            OVER (ORDER BY m.metric DESC NULLS LAST, m.product_id NULLS LAST ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
            CAST(0 AS DECIMAL(28,4))) AS metric_before,
        sum(CASE WHEN m.metric > 0 THEN m.metric ELSE CAST(0 AS DECIMAL(28,4)) END) OVER () AS metric_all
    FROM (
        SELECT
            s.*,
            s.net_sales_with_cost - s.cogs AS gross_profit,
            CASE $metric WHEN 'gross_profit' THEN CAST(s.net_sales_with_cost - s.cogs AS DECIMAL(28,4))
                         WHEN 'net_units' THEN CAST(s.net_units AS DECIMAL(28,4))
                         ELSE CAST(s.net_sales AS DECIMAL(28,4)) END AS metric
        FROM (
            SELECT
                CASE WHEN $level = 'product' THEN coalesce(p.parent_product_id, p.product_id) ELSE p.product_id END AS product_id,
                CASE WHEN $level = 'sku' THEN p.sku END AS sku,
                CASE WHEN $level = 'product' THEN coalesce(style.product_name, p.parent_product_id, p.product_name)
                     ELSE p.product_name END AS product_name,
                sum(e.net_rc) AS net_sales,
                sum(e.units_sold - e.units_returned) AS net_units,
                sum(CASE WHEN e.cost_rc IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales_with_cost,
                -- what had no event has no cost to know: 0
                CASE WHEN sum(e.is_event) = 0 THEN CAST(0 AS DECIMAL(28,4)) ELSE sum(e.cost_rc) END AS cogs
            FROM (
                SELECT v.product_id, v.net_rc, v.cost_rc, v.units_sold, v.units_returned, 1 AS is_event
                FROM sales_event v
                WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out'

                UNION ALL

                SELECT known.product_id, CAST(0 AS DECIMAL(18,4)) AS net_rc, CAST(NULL AS DECIMAL(18,4)) AS cost_rc,
                       CAST(0 AS DECIMAL(18,3)) AS units_sold, CAST(0 AS DECIMAL(18,3)) AS units_returned, 0 AS is_event
                FROM product known
                WHERE $include_zero
            ) e
            JOIN product p ON p.product_id = e.product_id
            LEFT JOIN (SELECT product_id, product_name FROM product_history WHERE is_current) style ON style.product_id = p.parent_product_id
            GROUP BY 1, 2, 3
        ) s
    ) m
) r
ORDER BY r.place NULLS LAST, r.product_id NULLS LAST
