-- ---
-- title = { en = "Sell-through", zh = "售罄率" }
-- about = """How much of what there was has been sold? Per bucket of time, added up from the first asked day to the bucket's end, so that a
-- season's progress is a rising line. By variant: amazon = net units / (opening stock + received); ending = net units / (stock at the bucket's
-- end + net units); opening = net units / opening stock. Opening is the stock at the close of the day before `from`, received what came in by
-- receipts, production and transfers less what left by transfer, production or back to a supplier. Stock that is not known on such a day is
-- empty (a count holds for at most seven days). Nothing is cut to 0 or 1: returns, or goods that were never booked in, can lead beyond."""
-- key = ["period_start", "location_id", "category_id", "product_id"]
-- totals = false
-- needs = ["order_line", "inventory_snapshot"]
--
-- [params]
-- from = { type = "date", default = "start of month - 3 months", about = "First day, included: the beginning of the season." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- variant = { type = "text", default = "amazon", values = ["amazon", "ending", "opening"], about = "Of opening stock and receipts, of what is left and sold, or of opening stock." }
-- grain = { type = "text", default = "week", values = ["day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per such bucket." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- level = { type = "text", default = "total", values = ["total", "location", "category", "product"], about = "One row per bucket, or per place, top category or article in it." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [chart]
-- kind = "line"
-- x = "period_start"
-- y = ["sell_through"]
-- series = "category_name"
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- location_id = "the place; empty unless level location; UNK = not in the location table, N/A = sold without a place"
-- location_name = "its name"
-- category_id = "the top category; empty unless level category; UNK = not known"
-- category_name = "its name"
-- product_id = "the article; empty unless level product; UNK = not in the product table"
-- sku = "the seller's article number"
-- product_name = "its name"
-- opening_units = "stock at the beginning of `from` (stock units)"
-- received_units = "received since then (stock units)"
-- units_sold = "sold since then (stock units)"
-- units_returned = "returned since then (stock units)"
-- net_units = "units_sold − units_returned (stock units)"
-- ending_units = "stock at the close of the bucket's last asked day (stock units)"
-- sell_through = "by variant"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "net is sold less returned"
-- each = ["net_units = units_sold - units_returned"]
--
-- [[tests]]
-- name = "categories add up to all"
-- params = { level = "category", variant = "ending" }
-- each = ["category_id IS NOT NULL"]
-- same_sums = { columns = ["ending_units"] }
-- ---
SELECT
    c.period_start,
    period_end(c.period_start, $grain, $calendar) AS period_end,
    c.period_start < $from OR period_end(c.period_start, $grain, $calendar) > least($to, $as_of) AS is_partial_period,
    c.location_id,
    c.location_name,
    c.category_id,
    c.category_name,
    c.product_id,
    c.sku,
    c.product_name,
    c.opening_units,
    c.received_units,
    c.units_sold,
    c.units_returned,
    c.units_sold - c.units_returned AS net_units,
    c.ending_units,
    ratio(
        c.units_sold - c.units_returned,
        CASE WHEN $variant = 'ending' THEN c.ending_units + c.units_sold - c.units_returned
             WHEN $variant = 'opening' THEN c.opening_units
             ELSE c.opening_units + c.received_units END
    ) AS sell_through,
    reporting_currency() AS currency
FROM (
    SELECT
        s.period_start,
        s.location_id,
        s.location_name,
        s.category_id,
        s.category_name,
        s.product_id,
        s.sku,
        s.product_name,
        s.ending_units,
        sum(s.opening_units) OVER (PARTITION BY s.location_id, s.category_id, s.product_id ORDER BY s.period_start) AS opening_units,
        sum(s.received_units) OVER (PARTITION BY s.location_id, s.category_id, s.product_id ORDER BY s.period_start) AS received_units,
        sum(s.units_sold) OVER (PARTITION BY s.location_id, s.category_id, s.product_id ORDER BY s.period_start) AS units_sold,
        sum(s.units_returned) OVER (PARTITION BY s.location_id, s.category_id, s.product_id ORDER BY s.period_start) AS units_returned
    FROM (
        SELECT
            period_start(u.day, $grain, $calendar) AS period_start,
            CASE WHEN $level = 'location' THEN member(u.location_id, l.location_id) END AS location_id,
            min(CASE WHEN $level = 'location' THEN member(u.location_id, l.location_name) END) AS location_name,
            CASE WHEN $level = 'category' THEN member(u.product_id, coalesce(p.category_l1_id, p.category_l1_name)) END AS category_id,
            min(CASE WHEN $level = 'category' THEN member(u.product_id, coalesce(p.category_l1_name, p.category_l1_id)) END) AS category_name,
            CASE WHEN $level = 'product' THEN member(u.product_id, p.product_id) END AS product_id,
            min(CASE WHEN $level = 'product' THEN member(u.product_id, p.sku) END) AS sku,
            min(CASE WHEN $level = 'product' THEN member(u.product_id, p.product_name) END) AS product_name,
            sum(u.opening_units) AS opening_units,
            sum(u.received_units) AS received_units,
            sum(u.units_sold) AS units_sold,
            sum(u.units_returned) AS units_returned,
            sum(u.ending_units) AS ending_units
        FROM (
            SELECT
                e.business_date AS day, e.location_id, e.product_id,
                CAST(NULL AS DECIMAL(28,3)) AS opening_units, CAST(0 AS DECIMAL(18,3)) AS received_units, e.units_sold, e.units_returned,
                CAST(NULL AS DECIMAL(28,3)) AS ending_units
            FROM sales_event e
            WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out' AND e.product_id IS NOT NULL

            UNION ALL

            SELECT
                m.business_date AS day, m.location_id, m.product_id,
                CAST(NULL AS DECIMAL(28,3)) AS opening_units, m.quantity AS received_units,
                CAST(0 AS DECIMAL(18,3)) AS units_sold, CAST(0 AS DECIMAL(18,3)) AS units_returned, CAST(NULL AS DECIMAL(28,3)) AS ending_units
            FROM stock_movement m
            WHERE m.business_date >= $from AND m.business_date < $to
              AND m.movement_type IN ('receipt', 'production_in', 'production_out', 'transfer_in', 'transfer_out', 'supplier_return')

            UNION ALL

            -- the stock before the first asked day, shown with it, and at the end of each bucket
            SELECT
                greatest(i.stock_date, CAST($from AS DATE)) AS day, i.location_id, i.product_id,
                CASE WHEN i.stock_date < $from THEN i.on_hand END AS opening_units, CAST(0 AS DECIMAL(18,3)) AS received_units,
                CAST(0 AS DECIMAL(18,3)) AS units_sold, CAST(0 AS DECIMAL(18,3)) AS units_returned,
                CASE WHEN i.stock_date >= $from THEN i.on_hand END AS ending_units
            FROM inventory_day i
            WHERE i.stock_date < $to
              AND (CAST(i.stock_date AS INT) = CAST(CAST($from AS DATE) AS INT) - 1
                   OR i.stock_date >= $from
                      AND CAST(i.stock_date AS INT) + 1 = CAST(least(period_end(i.stock_date, $grain, $calendar), CAST($to AS DATE)) AS INT))
        ) u
        LEFT JOIN location l ON l.location_id = u.location_id
        LEFT JOIN product p ON p.product_id = u.product_id
        GROUP BY 1, 2, 4, 6
    ) s
) c
ORDER BY c.period_start NULLS LAST, c.location_id NULLS LAST, c.category_id NULLS LAST, c.product_id NULLS LAST
