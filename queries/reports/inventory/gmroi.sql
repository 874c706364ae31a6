-- ---
-- title = { en = "Gross margin return on inventory", zh = "库存毛利回报率" }
-- about = """What does the money in stock earn? Gross profit × 365 / days / average stock at cost, per top category, brand, place or
-- article; it is gross_margin_pct × sales_to_stock, so a high margin and a fast turn make the same. Profit is over the sales whose cost is
-- known. The average adds up each day's stock over places and articles and divides by the days on which stock is known (stock_days, of the
-- same bucket for all rows): a place that opened late had none before. Where only month ends are counted, it is of the days of those counts
-- and the seven days after each. Without a known cost or stock the ratios are empty, so what has neither sales nor stock is not shown, not
-- even as 0: there would be nothing to tell of it."""
-- key = ["period_start", "location_id", "category_id", "brand", "product_id"]
-- totals = false
-- needs = ["order_line.cost_amount", "inventory_snapshot.on_hand_cost_rc"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- level = { type = "text", default = "category", values = ["category", "brand", "location", "product"], about = "One row per top category, brand, place, or article." }
-- grain = { type = "text", default = "all", values = ["all", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per category, brand, place or article and such bucket; all = one row per each." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [chart]
-- kind = "scatter"
-- x = "gross_margin_pct"
-- y = ["sales_to_stock"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- location_id = "the place; empty unless level location; UNK = not in the location table, N/A = sold without a place"
-- location_name = "its name"
-- category_id = "the top category; empty unless level category; UNK = not known, N/A = no product"
-- category_name = "its name"
-- brand = "the brand; empty unless level brand; UNK = not known, N/A = no product"
-- product_id = "the article; empty unless level product; UNK = not in the product table, N/A = no product"
-- sku = "the seller's article number"
-- product_name = "its name"
-- days = "days of the bucket that are asked for and over"
-- net_sales_with_cost = "net sales whose cost is known (money)"
-- cogs = "cost of those goods, less cost returned to stock (money)"
-- gross_profit = "net_sales_with_cost − cogs (money)"
-- gross_margin_pct = "gross_profit / net_sales_with_cost (share)"
-- stock_days = "days of them on which stock is known"
-- inventory_cost_days = "stock at cost, added up over those days (money × days)"
-- average_inventory_cost = "inventory_cost_days / stock_days (money)"
-- sales_to_stock = "net_sales_with_cost × 365 / days / average_inventory_cost"
-- turnover = "cogs × 365 / days / average_inventory_cost"
-- gmroi = "gross_profit × 365 / days / average_inventory_cost"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "profit is sales less cost"
-- each = ["gross_profit = net_sales_with_cost - cogs", "stock_days <= days"]
--
-- [[tests]]
-- name = "brands add up to categories"
-- params = { level = "brand" }
-- each = ["brand IS NOT NULL"]
-- same_sums = { columns = ["net_sales_with_cost", "cogs", "inventory_cost_days"] }
-- ---
WITH known AS (
    -- of the places that are asked for: what else is sliced does not make a day unknown
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(k.stock_date, $grain, $calendar) END AS period_start,
        count(DISTINCT k.stock_date) AS stock_days
    FROM inventory_known_day k
    JOIN (SELECT i.location_id FROM inventory_day i WHERE i.stock_date >= $from AND i.stock_date < $to GROUP BY 1) asked
      ON asked.location_id = k.location_id
    WHERE k.stock_date >= $from AND k.stock_date < $to
    GROUP BY 1
)
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.location_id,
    s.location_name,
    s.category_id,
    s.category_name,
    s.brand,
    s.product_id,
    s.sku,
    s.product_name,
    s.days,
    s.net_sales_with_cost,
    s.cogs,
    s.net_sales_with_cost - s.cogs AS gross_profit,
    ratio(s.net_sales_with_cost - s.cogs, s.net_sales_with_cost) AS gross_margin_pct,
    coalesce(k.stock_days, 0) AS stock_days,
    s.inventory_cost_days,
    ratio(s.inventory_cost_days, k.stock_days) AS average_inventory_cost,
    ratio(CAST(s.net_sales_with_cost AS DOUBLE) * 365 * k.stock_days, CAST(s.inventory_cost_days AS DOUBLE) * s.days) AS sales_to_stock,
    ratio(CAST(s.cogs AS DOUBLE) * 365 * k.stock_days, CAST(s.inventory_cost_days AS DOUBLE) * s.days) AS turnover,
    ratio(CAST(s.net_sales_with_cost - s.cogs AS DOUBLE) * 365 * k.stock_days, CAST(s.inventory_cost_days AS DOUBLE) * s.days) AS gmroi,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(u.day, $grain, $calendar) END AS period_start,
        CASE WHEN $level = 'location' THEN member(u.location_id, l.location_id) END AS location_id,
        min(CASE WHEN $level = 'location' THEN member(u.location_id, l.location_name) END) AS location_name,
        CASE WHEN $level = 'category' THEN member(u.product_id, coalesce(p.category_l1_id, p.category_l1_name)) END AS category_id,
        min(CASE WHEN $level = 'category' THEN member(u.product_id, coalesce(p.category_l1_name, p.category_l1_id)) END) AS category_name,
        CASE WHEN $level = 'brand' THEN member(u.product_id, p.brand) END AS brand,
        CASE WHEN $level = 'product' THEN member(u.product_id, p.product_id) END AS product_id,
        min(CASE WHEN $level = 'product' THEN member(u.product_id, p.sku) END) AS sku,
        min(CASE WHEN $level = 'product' THEN member(u.product_id, p.product_name) END) AS product_name,
        greatest(
            CAST(min(least(CASE WHEN $grain = 'all' THEN CAST($to AS DATE) ELSE period_end(u.day, $grain, $calendar) END,
                           CAST($to AS DATE), CAST($as_of AS DATE))) AS INT)
            - CAST(min(greatest(CASE WHEN $grain = 'all' THEN CAST($from AS DATE) ELSE period_start(u.day, $grain, $calendar) END,
                                CAST($from AS DATE))) AS INT),
            0
        ) AS days,
        -- what was sold without a known cost has none, what was not sold has 0
        CASE WHEN sum(u.sold) = 0 THEN CAST(0 AS DECIMAL(28,4)) ELSE sum(u.net_with_cost) END AS net_sales_with_cost,
        CASE WHEN sum(u.sold) = 0 THEN CAST(0 AS DECIMAL(28,4)) ELSE sum(u.cogs) END AS cogs,
        sum(u.inventory_cost) AS inventory_cost_days
    FROM (
        SELECT
            e.business_date AS day,
            e.location_id,
            e.product_id,
            CASE WHEN e.cost_rc IS NOT NULL THEN e.net_rc END AS net_with_cost,
            e.cost_rc AS cogs,
            CAST(NULL AS DECIMAL(28,4)) AS inventory_cost,
            CAST(1 AS BIGINT) AS sold
        FROM sales_event e
        WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out'

        UNION ALL

        SELECT
            i.stock_date AS day,
            i.location_id,
            i.product_id,
            CAST(NULL AS DECIMAL(18,4)) AS net_with_cost,
            CAST(NULL AS DECIMAL(18,4)) AS cogs,
            i.on_hand_cost_rc AS inventory_cost,
            CAST(0 AS BIGINT) AS sold
        FROM inventory_day i
        WHERE i.stock_date >= $from AND i.stock_date < $to
    ) u
    LEFT JOIN location l ON l.location_id = u.location_id
    LEFT JOIN product p ON p.product_id = u.product_id
    GROUP BY 1, 2, 4, 6, 7
) s
LEFT JOIN known k ON k.period_start = s.period_start
ORDER BY
    s.period_start NULLS LAST, gmroi DESC NULLS LAST, s.location_id NULLS LAST, s.category_id NULLS LAST, s.brand NULLS LAST,
    s.product_id NULLS LAST
