-- ---
-- title = { en = "Dead and slow stock", zh = "呆滞库存" }
-- about = """What lies there and does not sell? Articles with stock at the beginning of as_of that were first counted `days` days or more
-- before and whose sales in those days, less what came back, are 0 or below: over all places (level product), or article by article in each
-- place that sells by itself (level item: shops, outlets, machines; what a warehouse ships is sold elsewhere). Stock is that of the last
-- snapshot day before as_of (report stock-on-hand); the last sale is looked for over all time before as_of. What came into stock since then
-- is not slow, only new, and not in it."""
-- key = ["location_id", "product_id"]
-- totals = false
--
-- [params]
-- as_of = { type = "date", default = "today", about = "Stock at the beginning of this day; sales of earlier days count." }
-- days = { type = "int", default = 90, min = 1, max = 3650, about = "Not sold for at least so many days." }
-- level = { type = "text", default = "product", values = ["product", "item"], about = "One row per article, or per article in a place." }
--
-- [chart]
-- kind = "table"
-- x = "product_name"
-- y = ["on_hand", "on_hand_cost"]
--
-- [columns]
-- period_start = "the first of the days without a sale"
-- period_end = "as_of"
-- is_partial_period = "never: the days before as_of are over"
-- location_id = "the place; empty at level product"
-- location_name = "its name"
-- product_id = "the article; UNK = not in the product table"
-- sku = "the seller's article number"
-- product_name = "its name"
-- snapshot_day = "the latest snapshot day in the row"
-- first_stock_day = "the day of its first snapshot"
-- on_hand = "stock units"
-- on_hand_cost = "at cost, where it is known (money)"
-- retail_value = "at selling price, where it is known (money)"
-- units_sold = "in the days without net sale (stock units)"
-- units_returned = "in the days without net sale (stock units)"
-- last_sale_date = "the last sale before as_of; empty: none"
-- days_since_sale = "days from it to as_of"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "the stock was there before"
-- params = { days = "14" }
-- each = ["first_stock_day <= snapshot_day", "days_since_sale >= 0"]
--
-- [[tests]]
-- name = "per place"
-- params = { level = "item", days = "30" }
-- each = ["first_stock_day <= snapshot_day", "location_id IS NOT NULL"]
-- ---
SELECT
    CAST(CAST($as_of AS INT) - $days AS DATE) AS period_start,
    $as_of AS period_end,
    false AS is_partial_period,
    s.location_id,
    s.location_name,
    s.product_id,
    s.sku,
    s.product_name,
    s.snapshot_day,
    s.first_stock_day,
    s.on_hand,
    s.on_hand_cost,
    s.retail_value,
    s.units_sold,
    s.units_returned,
    s.last_sale_date,
    CAST($as_of AS INT) - CAST(s.last_sale_date AS INT) AS days_since_sale,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $level = 'item' THEN u.location_id END AS location_id,
        CASE WHEN $level = 'item' THEN l.location_name END AS location_name,
        member(u.product_id, p.product_id) AS product_id,
        member(u.product_id, p.sku) AS sku,
        member(u.product_id, p.product_name) AS product_name,
        max(u.shown_day) AS snapshot_day,
        min(u.first_day) AS first_stock_day,
        sum(u.on_hand) AS on_hand,
        sum(u.on_hand_cost) AS on_hand_cost,
        sum(u.retail_value) AS retail_value,
        sum(coalesce(u.units_sold, CAST(0 AS DECIMAL(18,3)))) AS units_sold,
        sum(coalesce(u.units_returned, CAST(0 AS DECIMAL(18,3)))) AS units_returned,
        max(u.sale_date) AS last_sale_date
    FROM (
        SELECT
            h.location_id, h.product_id, h.shown_day, h.first_day, h.on_hand, h.on_hand_cost, h.retail_value,
            CAST(NULL AS DECIMAL(18,3)) AS units_sold, CAST(NULL AS DECIMAL(18,3)) AS units_returned, CAST(NULL AS DATE) AS sale_date
        FROM (
            -- one row per article in a place: each lot at its last count; what a later complete count of the place lacks is gone
            SELECT
                x.location_id,
                x.product_id,
                max(x.shown_day) AS shown_day,
                sum(x.on_hand) AS on_hand,
                sum(x.on_hand_cost_rc) AS on_hand_cost,
                sum(x.retail_value_rc) AS retail_value,
                min(x.first_day) AS first_day
            FROM (
                SELECT
                    k.location_id, k.product_id, k.on_hand, k.on_hand_cost_rc, k.retail_value_rc,
                    CASE WHEN k.snapshot_date < coalesce(whole.last_day, k.snapshot_date) AND NOT k.is_sparse
                         THEN whole.last_day ELSE k.snapshot_date END AS shown_day,
                    k.snapshot_date < coalesce(whole.last_day, k.snapshot_date) AND NOT k.is_sparse AS is_gone,
                    newest.first_day
                FROM stock k
                JOIN (
                    SELECT source_system, location_id, product_id, lot_no, max(snapshot_date) AS last_day, min(snapshot_date) AS first_day
                    FROM stock
                    WHERE snapshot_date < $as_of
                    GROUP BY 1, 2, 3, 4
                ) newest
                  ON newest.source_system = k.source_system AND newest.location_id = k.location_id AND newest.product_id = k.product_id
                 AND newest.lot_no = k.lot_no AND newest.last_day = k.snapshot_date
                LEFT JOIN (
                    SELECT location_id, max(snapshot_date) AS last_day
                    FROM stock_count_day
                    WHERE snapshot_date < $as_of
                    GROUP BY 1
                ) whole ON whole.location_id = k.location_id
            ) x
            WHERE NOT x.is_gone
            GROUP BY 1, 2
        ) h

        UNION ALL

        SELECT
            v.location_id, v.product_id, CAST(NULL AS DATE) AS shown_day, CAST(NULL AS DATE) AS first_day, CAST(NULL AS DECIMAL(28,3)) AS on_hand,
            CAST(NULL AS DECIMAL(28,4)) AS on_hand_cost, CAST(NULL AS DECIMAL(28,4)) AS retail_value,
            CASE WHEN CAST(v.business_date AS INT) >= CAST($as_of AS INT) - $days THEN v.units_sold END AS units_sold,
            CASE WHEN CAST(v.business_date AS INT) >= CAST($as_of AS INT) - $days THEN v.units_returned END AS units_returned,
            CASE WHEN v.event_kind IN ('sale', 'exchange_out') THEN v.business_date END AS sale_date
        FROM sales_event v
        WHERE v.business_date < $as_of AND v.flow <> 'sell_out' AND v.product_id IS NOT NULL
    ) u
    LEFT JOIN location l ON l.location_id = u.location_id
    LEFT JOIN product p ON p.product_id = u.product_id
    WHERE $level = 'product' OR l.location_type IN ('store', 'outlet', 'vending')
    GROUP BY 1, 2, 3, 4, 5
    HAVING sum(u.on_hand) > 0
       AND sum(coalesce(u.units_sold, CAST(0 AS DECIMAL(18,3)))) <= sum(coalesce(u.units_returned, CAST(0 AS DECIMAL(18,3))))
       AND CAST(min(u.first_day) AS INT) <= CAST($as_of AS INT) - $days
) s
ORDER BY s.on_hand_cost DESC NULLS LAST, s.location_id NULLS LAST, s.product_id NULLS LAST
