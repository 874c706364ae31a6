-- ---
-- title = { en = "Inventory turnover", zh = "库存周转率" }
-- about = """How fast does stock turn? Per bucket of time, over everything, per place or per top category: cost of the goods sold × 365 / days /
-- average stock at cost, and the days that the stock lasts at that pace (days_inventory). The average adds up each day's stock over places and
-- articles and divides by the days on which stock is known (stock_days), of the same bucket for all rows: a place that opened late had none
-- before. Where only month ends are counted, it is of the days of those counts and the seven days after each. Stock below 0 counts as it is.
-- Without a known cost or stock the ratios are empty."""
-- key = ["period_start", "location_id", "category_id"]
-- spine = ["location", "product"]
-- totals = false
-- needs = ["order_line.cost_amount", "inventory_snapshot.on_hand_cost_rc"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- grain = { type = "text", default = "month", values = ["week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per such bucket." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- level = { type = "text", default = "total", values = ["total", "location", "category"], about = "One row per bucket, or per place or top category in it." }
-- include_zero = { type = "bool", default = false, about = "Top categories, and places that had stock before, are shown with 0 where they have neither stock nor sales, and so are such buckets." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [chart]
-- kind = "line"
-- x = "period_start"
-- y = ["turnover"]
-- series = "category_name"
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- location_id = "the place; empty unless level location; UNK = not in the location table, N/A = sold without a place"
-- location_name = "its name"
-- category_id = "the top category; empty unless level category; UNK = not known, N/A = no product"
-- category_name = "its name"
-- days = "days of the bucket that are asked for and over"
-- cogs = "cost of the goods sold, less cost returned to stock (money)"
-- stock_days = "days of them on which stock is known"
-- inventory_cost_days = "stock at cost, added up over those days (money × days)"
-- average_inventory_cost = "inventory_cost_days / stock_days (money)"
-- turnover = "cogs × 365 / days / average_inventory_cost"
-- days_inventory = "average_inventory_cost / cogs × days"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "stock is known on days of the bucket"
-- each = ["stock_days <= days"]
--
-- [[tests]]
-- name = "categories add up to all"
-- params = { level = "category" }
-- each = ["category_id IS NOT NULL"]
-- same_sums = { columns = ["cogs", "inventory_cost_days"] }
-- ---
WITH known AS (
    -- of the places that are asked for: what else is sliced does not make a day unknown
    SELECT period_start(k.stock_date, $grain, $calendar) AS period_start, count(DISTINCT k.stock_date) AS stock_days
    FROM inventory_known_day k
    JOIN (SELECT i.location_id FROM inventory_day i WHERE i.stock_date >= $from AND i.stock_date < $to GROUP BY 1) asked
      ON asked.location_id = k.location_id
    WHERE k.stock_date >= $from AND k.stock_date < $to
    GROUP BY 1
)
SELECT
    s.period_start,
    period_end(s.period_start, $grain, $calendar) AS period_end,
    s.period_start < $from OR period_end(s.period_start, $grain, $calendar) > least($to, $as_of) AS is_partial_period,
    s.location_id,
    s.location_name,
    s.category_id,
    s.category_name,
    s.days,
    s.cogs,
    k.stock_days,
    s.inventory_cost_days,
    ratio(s.inventory_cost_days, k.stock_days) AS average_inventory_cost,
    ratio(CAST(s.cogs AS DOUBLE) * 365 * k.stock_days, CAST(s.inventory_cost_days AS DOUBLE) * s.days) AS turnover,
    ratio(CAST(s.inventory_cost_days AS DOUBLE) * s.days, CAST(s.cogs AS DOUBLE) * k.stock_days) AS days_inventory,
    reporting_currency() AS currency
FROM (
    SELECT
        period_start(u.day, $grain, $calendar) AS period_start,
        CASE WHEN $level = 'location' THEN member(u.location_id, l.location_id) END AS location_id,
        min(CASE WHEN $level = 'location' THEN member(u.location_id, l.location_name) END) AS location_name,
        CASE WHEN $level = 'category' THEN member(u.product_id, coalesce(p.category_l1_id, p.category_l1_name)) END AS category_id,
        min(CASE WHEN $level = 'category' THEN member(u.product_id, coalesce(p.category_l1_name, p.category_l1_id)) END) AS category_name,
        greatest(
            CAST(min(least(period_end(u.day, $grain, $calendar), CAST($to AS DATE), CAST($as_of AS DATE))) AS INT)
            - CAST(min(greatest(period_start(u.day, $grain, $calendar), CAST($from AS DATE))) AS INT),
            0
        ) AS days,
        -- what was sold without a known cost has none, what was not sold has 0; and stock likewise
        CASE WHEN sum(u.sold) = 0 THEN CAST(0 AS DECIMAL(28,4)) ELSE sum(u.cogs) END AS cogs,
        CASE WHEN sum(u.told) = 0 THEN CAST(0 AS DECIMAL(38,4)) ELSE sum(u.inventory_cost) END AS inventory_cost_days
    FROM (
        SELECT
            e.business_date AS day, e.location_id, e.product_id, e.cost_rc AS cogs, CAST(NULL AS DECIMAL(28,4)) AS inventory_cost,
            CAST(1 AS BIGINT) AS told, CAST(1 AS BIGINT) AS sold
        FROM sales_event e
        WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out'

        UNION ALL

        SELECT
            i.stock_date AS day, i.location_id, i.product_id, CAST(NULL AS DECIMAL(18,4)) AS cogs, i.on_hand_cost_rc AS inventory_cost,
            CAST(1 AS BIGINT) AS told, CAST(0 AS BIGINT) AS sold
        FROM inventory_day i
        WHERE i.stock_date >= $from AND i.stock_date < $to

        UNION ALL

        -- every place that ever had stock, or an article of every top category, in every bucket, on the bucket's first day
        SELECT
            d.date_key AS day, known.location_id, known.product_id, CAST(NULL AS DECIMAL(18,4)) AS cogs,
            CAST(NULL AS DECIMAL(28,4)) AS inventory_cost, CAST(0 AS BIGINT) AS told, CAST(0 AS BIGINT) AS sold
        FROM (
            SELECT a.location_id, CAST(NULL AS VARCHAR) AS product_id
            FROM inventory_day a
            WHERE $level = 'location' AND a.stock_date < $to
            GROUP BY a.location_id
            UNION ALL
            SELECT CAST(NULL AS VARCHAR) AS location_id, min(b.product_id) AS product_id
            FROM product b
            WHERE $level = 'category'
            GROUP BY coalesce(b.category_l1_id, b.category_l1_name)
            UNION ALL
            SELECT CAST(NULL AS VARCHAR) AS location_id, CAST(NULL AS VARCHAR) AS product_id
            FROM calendar o
            WHERE $level = 'total' AND o.date_key = $from
        ) known
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = greatest($from, period_start(d.date_key, $grain, $calendar))
    ) u
    LEFT JOIN location l ON l.location_id = u.location_id
    LEFT JOIN product p ON p.product_id = u.product_id
    GROUP BY 1, 2, 4
) s
LEFT JOIN known k ON k.period_start = s.period_start
ORDER BY s.period_start NULLS LAST, s.location_id NULLS LAST, s.category_id NULLS LAST
