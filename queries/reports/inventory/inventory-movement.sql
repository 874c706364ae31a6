-- ---
-- title = { en = "Inventory movement", zh = "库存收发存" }
-- about = """How did stock come from what it was to what it is? Opening stock, what moved by type of movement, what is left unexplained, and closing
-- stock, over everything, per place, top category or article: opening + movements + unexplained = closing, in stock units and at cost. Opening
-- and closing are the last counts before `from` and before `to` (report stock-on-hand); a count that is some days older leaves the days
-- between unexplained, as does what the ledger does not tell. Unexplained cost is also what the same goods cost more or less at the end. Over
-- several places a transfer within them is in it twice, once out and once in. A type of movement without one has no row."""
-- key = ["location_id", "category_id", "product_id", "step_no"]
-- totals = false
--
-- [params]
-- from = { type = "date", default = "start of month - 1 month", about = "First day, included: opening stock is of its beginning." }
-- to = { type = "date", default = "start of month", about = "First day that is not included: closing stock is of its beginning." }
-- level = { type = "text", default = "total", values = ["total", "location", "category", "product"], about = "Over everything, or per place, top category or article." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a period that ends later is partial." }
--
-- [chart]
-- kind = "waterfall"
-- x = "step"
-- y = ["quantity"]
--
-- [columns]
-- period_start = "the first day asked for"
-- period_end = "the first day that is not"
-- is_partial_period = "to is after as_of: the period is not over"
-- location_id = "the place; empty unless level location; UNK = not in the location table"
-- location_name = "its name"
-- category_id = "the top category; empty unless level category; UNK = not known"
-- category_name = "its name"
-- product_id = "the article; empty unless level product; UNK = not in the product table"
-- sku = "the seller's article number"
-- product_name = "its name"
-- step_no = "1 = opening, 2 to 15 = movements, 16 = unexplained, 17 = closing"
-- step = "opening, the type of movement, unexplained, or closing"
-- quantity = "stock units; of a movement below 0 where stock becomes less"
-- cost = "at cost, where it is known (money)"
-- movements = "how many movements; empty on opening, unexplained and closing"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "opening, movements and what is unexplained make the closing stock"
-- each = ["step_no >= 1", "step_no <= 17"]
-- all = ["sum(CASE WHEN step_no < 17 THEN quantity END) = sum(CASE WHEN step_no = 17 THEN quantity END)"]
--
-- [[tests]]
-- name = "places add up to all"
-- params = { level = "location" }
-- each = ["location_id IS NOT NULL"]
-- all = ["sum(CASE WHEN step_no < 17 THEN quantity END) = sum(CASE WHEN step_no = 17 THEN quantity END)"]
-- same_sums = { columns = ["quantity", "movements"] }
-- ---
SELECT
    $from AS period_start,
    $to AS period_end,
    $to > $as_of AS is_partial_period,
    s.location_id,
    s.location_name,
    s.category_id,
    s.category_name,
    s.product_id,
    s.sku,
    s.product_name,
    s.step_no,
    s.step,
    s.quantity,
    s.cost,
    CASE WHEN s.step_no BETWEEN 2 AND 15 THEN s.movements END AS movements,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $level = 'location' THEN member(u.location_id, l.location_id) END AS location_id,
        min(CASE WHEN $level = 'location' THEN member(u.location_id, l.location_name) END) AS location_name,
        CASE WHEN $level = 'category' THEN member(u.product_id, coalesce(p.category_l1_id, p.category_l1_name)) END AS category_id,
        min(CASE WHEN $level = 'category' THEN member(u.product_id, coalesce(p.category_l1_name, p.category_l1_id)) END) AS category_name,
        CASE WHEN $level = 'product' THEN member(u.product_id, p.product_id) END AS product_id,
        min(CASE WHEN $level = 'product' THEN member(u.product_id, p.sku) END) AS sku,
        min(CASE WHEN $level = 'product' THEN member(u.product_id, p.product_name) END) AS product_name,
        -- each figure twice: as itself, and in what it leaves unexplained
        CASE WHEN part.no = 0 THEN u.step_no ELSE CAST(16 AS BIGINT) END AS step_no,
        CASE WHEN part.no = 0 THEN u.step ELSE 'unexplained' END AS step,
        sum(CASE WHEN part.no = 0 OR u.step_no = 17 THEN u.quantity ELSE - u.quantity END) AS quantity,
        sum(CASE WHEN part.no = 0 OR u.step_no = 17 THEN u.cost ELSE - u.cost END) AS cost,
        count(*) AS movements
    FROM (
        SELECT
            i.location_id,
            i.product_id,
            edge.step_no,
            CASE WHEN edge.step_no = 1 THEN 'opening' ELSE 'closing' END AS step,
            i.on_hand AS quantity,
            i.on_hand_cost_rc AS cost
        FROM inventory_day i
        JOIN (
            -- the last day before each edge on which a place's stock is known
            SELECT k.location_id, e.step_no, max(k.stock_date) AS last_day
            FROM inventory_known_day k
            CROSS JOIN (VALUES (CAST(1 AS BIGINT)), (CAST(17 AS BIGINT))) AS e(step_no)
            WHERE k.stock_date < CASE WHEN e.step_no = 1 THEN CAST($from AS DATE) ELSE CAST($to AS DATE) END
            GROUP BY 1, 2
        ) edge ON edge.location_id = i.location_id AND edge.last_day = i.stock_date

        UNION ALL

        SELECT
            m.location_id,
            m.product_id,
            CASE m.movement_type
                WHEN 'receipt' THEN CAST(2 AS BIGINT) WHEN 'production_in' THEN CAST(3 AS BIGINT) WHEN 'transfer_in' THEN CAST(4 AS BIGINT)
                WHEN 'sale_return' THEN CAST(5 AS BIGINT) WHEN 'adjust_up' THEN CAST(6 AS BIGINT) WHEN 'count' THEN CAST(7 AS BIGINT)
                WHEN 'sale' THEN CAST(8 AS BIGINT) WHEN 'transfer_out' THEN CAST(9 AS BIGINT) WHEN 'production_out' THEN CAST(10 AS BIGINT)
                WHEN 'supplier_return' THEN CAST(11 AS BIGINT) WHEN 'adjust_down' THEN CAST(12 AS BIGINT) WHEN 'damage' THEN CAST(13 AS BIGINT)
                WHEN 'theft' THEN CAST(14 AS BIGINT) ELSE CAST(15 AS BIGINT) END AS step_no,
            m.movement_type AS step,
            m.quantity,
            m.cost_amount_rc AS cost
        FROM stock_movement m
        WHERE m.business_date >= $from AND m.business_date < $to
    ) u
    CROSS JOIN (VALUES (0), (1)) AS part(no)
    LEFT JOIN location l ON l.location_id = u.location_id
    LEFT JOIN product p ON p.product_id = u.product_id
    GROUP BY 1, 3, 5, 8, 9
) s
ORDER BY s.location_id NULLS LAST, s.category_id NULLS LAST, s.product_id NULLS LAST, s.step_no NULLS LAST
