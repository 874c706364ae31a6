-- ---
-- title = { en = "Best and worst products", zh = "商品红黑榜" }
-- about = """Which articles do best, which worst? The n first and the n last articles (level sku) or styles (level product) by one metric:
-- net sales, gross profit, net units or returns. Only articles of the product table that had an event in the asked days are ranked; those
-- whose metric is not known (gross profit without any cost) are not. Equal ones stand in order of product_id on both sides, so that the
-- list is the same on every run. An article may stand on both sides where there are fewer than 2 × n."""
-- key = ["product_id"]
-- totals = false
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- metric = { type = "text", default = "net_sales", values = ["net_sales", "gross_profit", "net_units", "returns"], about = "By what they are ranked." }
-- n = { type = "int", default = 10, min = 1, max = 1000, about = "So many of each side." }
-- level = { type = "text", default = "sku", values = ["sku", "product"], about = "Articles, or styles: an article without a style is its own." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a period that ends later is partial." }
--
-- [chart]
-- kind = "hbar"
-- x = "product_name"
-- y = ["net_sales"]
--
-- [columns]
-- period_start = "the first day asked for"
-- period_end = "the first day that is not"
-- is_partial_period = "to is after as_of: the period is not over"
-- product_id = "the article, or the style"
-- sku = "the seller's article number; empty at level product"
-- product_name = "its name"
-- place = "rank from above, 1 = most of the metric"
-- place_from_below = "rank from below, 1 = least of the metric"
-- ranked = "articles that were ranked"
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
-- params = { metric = "returns", n = "3" }
-- each = ["place >= 1 AND place <= ranked"]
-- all = ["count(*) <= 6"]
-- ---
SELECT
    $from AS period_start,
    $to AS period_end,
    $to > $as_of AS is_partial_period,
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
        CAST(row_number() OVER (ORDER BY m.metric DESC NULLS LAST, m.product_id NULLS LAST) AS BIGINT) AS place,
        CAST(row_number() OVER (ORDER BY m.metric NULLS LAST, m.product_id NULLS LAST) AS BIGINT) AS place_from_below,
        count(*) OVER () AS ranked
    FROM (
        SELECT
            s.*,
            CASE $metric WHEN 'gross_profit' THEN CAST(s.net_sales_with_cost - s.cogs AS DECIMAL(38,4))
                         WHEN 'net_units' THEN CAST(s.net_units AS DECIMAL(38,4))
                         WHEN 'returns' THEN CAST(s.returns AS DECIMAL(38,4))
                         ELSE CAST(s.net_sales AS DECIMAL(38,4)) END AS metric
        FROM (
            SELECT
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
            FROM sales_event e
            JOIN product p ON p.product_id = e.product_id
            LEFT JOIN (SELECT product_id, product_name FROM product_history WHERE is_current) style ON style.product_id = p.parent_product_id
            WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out'
            GROUP BY 1, 2, 3
        ) s
    ) m
    WHERE m.metric IS NOT NULL
) r
WHERE r.place <= $n OR r.place_from_below <= $n
ORDER BY r.place NULLS LAST, r.product_id NULLS LAST
