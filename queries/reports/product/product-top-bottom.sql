-- ---
-- title = { en = "Best and worst products", zh = "商品红黑榜" }
-- about = """Which articles do best, which worst? The n first and the n last articles (level sku) or styles (level product) by one metric:
-- net sales, gross profit, net units or returns; of each bucket anew. Only articles of the product table that had an event in the bucket
-- are ranked (include_zero: all of them); those whose metric is not known (gross profit without any cost) are not. Equal ones stand in
-- order of product_id on both sides, so that the list is the same on every run. An article may stand on both sides where there are fewer
-- than 2 × n."""
-- key = ["period_start", "product_id"]
-- spine = ["product"]
-- totals = false
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- metric = { type = "text", default = "net_sales", values = ["net_sales", "gross_profit", "net_units", "returns"], about = "By what they are ranked." }
-- n = { type = "int", default = 10, min = 1, max = 1000, about = "So many of each side, in each bucket." }
-- level = { type = "text", default = "sku", values = ["sku", "product"], about = "Articles, or styles: an article without a style is its own." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "Best and worst of each such bucket; all = of all days." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Articles without any event are ranked, too, with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [chart]
-- kind = "hbar"
-- x = "product_name"
-- y = ["net_sales"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- product_id = "the article, or the style"
-- sku = "the seller's article number; empty at level product"
-- product_name = "its name"
-- place = "rank from above in the bucket, 1 = most of the metric"
-- place_from_below = "rank from below in the bucket, 1 = least of the metric"
-- ranked = "articles of the bucket that were ranked"
-- side = "top, bottom, or both"
-- gross_sales = "before discounts and returns (money)"
-- discounts = "line and order discounts (money)"
-- returns = "refunds, reversals, negative adjustments (money)"
-- net_sales = "gross_sales − discounts − returns (money)"
-- net_units = "units_sold − units_returned (stock units)"
-- net_sales_with_cost = "net sales whose cost is known (money)"
-- cogs = "cost of those goods, less cost returned to stock; empty where no cost is known (money)"
-- gross_profit = "net_sales_with_cost − cogs; empty where no cost is known (money)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "no more than ten on each side"
-- each = ["place >= 1 AND place <= ranked", "net_sales = gross_sales - discounts - returns"]
-- all = ["count(*) <= 20"]
--
-- [[tests]]
-- name = "as many as asked for"
-- params = { metric = "returns", n = "3", grain = "month", include_zero = "true" }
-- each = ["place >= 1 AND place <= ranked", "place <= 3 OR place_from_below <= 3"]
-- all = ["count(*) <= 6 * count(DISTINCT period_start)"]
-- ---
SELECT
    r.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(r.period_start, $grain, $calendar) END AS period_end,
    r.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(r.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    r.product_id,
    r.sku,
    r.product_name,
    r.place,
    r.place_from_below,
    r.ranked,
    CASE WHEN r.place <= $n AND r.place_from_below <= $n THEN 'both' WHEN r.place <= $n THEN 'top' ELSE 'bottom' END AS side,
    r.gross_sales,
    r.discounts,
    r.returns,
    r.net_sales,
    r.net_units,
    r.net_sales_with_cost,
    r.cogs,
    r.net_sales_with_cost - r.cogs AS gross_profit,
    reporting_currency() AS currency
FROM (
    SELECT
        m.*,
        CAST(row_number() OVER (PARTITION BY m.period_start ORDER BY m.metric DESC NULLS LAST, m.product_id NULLS LAST) AS BIGINT) AS place,
        CAST(row_number() OVER (PARTITION BY m.period_start ORDER BY m.metric NULLS LAST, m.product_id NULLS LAST) AS BIGINT)
            AS place_from_below,
        count(*) OVER (PARTITION BY m.period_start) AS ranked
    FROM (
        SELECT
            s.*,
            CASE $metric WHEN 'gross_profit' THEN CAST(s.net_sales_with_cost - s.cogs AS DECIMAL(38,4))
                         WHEN 'net_units' THEN CAST(s.net_units AS DECIMAL(38,4))
                         WHEN 'returns' THEN CAST(s.returns AS DECIMAL(38,4))
                         ELSE CAST(s.net_sales AS DECIMAL(38,4)) END AS metric
        FROM (
            SELECT
                CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
                CASE WHEN $level = 'product' THEN coalesce(p.parent_product_id, p.product_id) ELSE p.product_id END AS product_id,
                CASE WHEN $level = 'sku' THEN p.sku END AS sku,
                CASE WHEN $level = 'product' THEN coalesce(style.product_name, p.parent_product_id, p.product_name)
                     ELSE p.product_name END AS product_name,
                sum(e.gross_sales) AS gross_sales,
                sum(e.discounts) AS discounts,
                sum(e.returns) AS returns,
                sum(e.net_rc) AS net_sales,
                sum(e.units_sold - e.units_returned) AS net_units,
                sum(CASE WHEN e.cost_rc IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales_with_cost,
                sum(e.cost_rc) AS cogs
            FROM (
                SELECT
                    v.business_date, v.product_id, v.gross_sales, v.discounts, v.returns, v.net_rc, v.cost_rc, v.units_sold,
                    v.units_returned
                FROM sales_event v
                WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out'

                UNION ALL

                -- every product in every bucket, on the bucket's first day
                SELECT
                    d.date_key AS business_date, known.product_id, CAST(0 AS DECIMAL(18,4)) AS gross_sales,
                    CAST(0 AS DECIMAL(18,4)) AS discounts, CAST(0 AS DECIMAL(18,4)) AS returns, CAST(0 AS DECIMAL(18,4)) AS net_rc,
                    CAST(NULL AS DECIMAL(18,4)) AS cost_rc, CAST(0 AS DECIMAL(18,3)) AS units_sold, CAST(0 AS DECIMAL(18,3)) AS units_returned
                FROM product known
                CROSS JOIN calendar d
                WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
                  AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
            ) e
            JOIN product p ON p.product_id = e.product_id
            LEFT JOIN (SELECT product_id, product_name FROM product_history WHERE is_current) style ON style.product_id = p.parent_product_id
            GROUP BY 1, 2, 3, 4
        ) s
    ) m
    WHERE m.metric IS NOT NULL
) r
WHERE r.place <= $n OR r.place_from_below <= $n
ORDER BY r.period_start NULLS LAST, r.place NULLS LAST, r.product_id NULLS LAST
