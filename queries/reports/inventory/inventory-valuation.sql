-- ---
-- title = { en = "Inventory valuation", zh = "库存价值" }
-- about = """What is the stock worth? On hand, at cost and at selling price, per place, top category or article, at the close of the last
-- snapshot day before as_of of each (place, article, lot); a lot that a complete later day of its place lacks is gone. Nothing is added
-- over days. Stock below 0 is an error of the books and no value: it stands apart (negative columns) and is in on_hand and on_hand_cost,
-- too, so that they equal stock-on-hand. Units whose cost the snapshot does not give are counted (units_without_cost) and have no
-- on_hand_cost. on_hand_cost is at the cost that the snapshot gives; how that was found is the source's matter. stock_value is at the cost
-- of cost_method: snapshot, the average of all that came in before as_of (receipts, production, transfers in), or fifo: what is there is
-- what came in last. What the ledger does not tell of, and stock of 0 or below, is at the snapshot's cost (units_at_snapshot_cost); where
-- the snapshot gives none, at the cost that product_cost has for the day before as_of, the place's own before the general one, other
-- currencies at the last rate before as_of (units_at_product_cost). potential_profit = retail_value − on_hand_cost over the items where both are known."""
-- key = ["location_id", "category_id", "product_id"]
-- needs = ["inventory_snapshot"]
--
-- [params]
-- as_of = { type = "date", default = "today", about = "Stock at the beginning of this day: snapshots of earlier days count." }
-- cost_method = { type = "text", default = "snapshot", values = ["snapshot", "average", "fifo"], about = "At which cost stock_value is." }
-- level = { type = "text", default = "location", values = ["location", "category", "product"], about = "One row per place, per top category, or per article." }
--
-- [chart]
-- kind = "line"
-- x = "location_name"
-- y = ["on_hand_cost", "retail_value"]
--
-- [columns]
-- period_start = "the last day whose close can count: the day before as_of"
-- period_end = "as_of"
-- is_partial_period = "some stock is of an earlier day than that"
-- location_id = "the place; empty unless level location; UNK = not in the location table"
-- location_name = "its name"
-- category_id = "the top category; empty unless level category; UNK = not known"
-- category_name = "its name"
-- product_id = "the article; empty unless level product; UNK = not in the product table"
-- sku = "the seller's article number"
-- product_name = "its name"
-- snapshot_day = "the latest snapshot day in the row"
-- oldest_snapshot_day = "the earliest snapshot day in the row"
-- items = "articles in places that the row adds up"
-- on_hand = "stock units, below 0 included"
-- on_hand_cost = "at cost, where it is known (money)"
-- retail_value = "at selling price, where it is known (money)"
-- items_negative = "items whose stock is below 0"
-- on_hand_negative = "their stock (stock units, ≤ 0)"
-- cost_negative = "their on_hand_cost (money, ≤ 0)"
-- units_without_cost = "stock units above 0 whose cost the snapshot does not give"
-- potential_profit = "retail_value − on_hand_cost where both are known (money)"
-- cost_method = "at which cost stock_value is"
-- stock_value = "on_hand at that cost, where it is known (money)"
-- units_at_snapshot_cost = "stock units of it at the snapshot's cost, or without any"
-- units_at_product_cost = "stock units of it at the cost that product_cost has"
-- cost_all = "on_hand_cost over all rows, before any limit (money)"
-- cost_share = "on_hand_cost / cost_all"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "places add up to the total"
-- params = { totals = "true" }
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN on_hand END) = sum(CASE WHEN row_kind = 'total' THEN on_hand END)",
--     "sum(CASE WHEN row_kind = 'row' THEN on_hand_cost END) = sum(CASE WHEN row_kind = 'total' THEN on_hand_cost END)",
--     "sum(CASE WHEN row_kind = 'row' THEN retail_value END) = sum(CASE WHEN row_kind = 'total' THEN retail_value END)",
-- ]
--
-- [[tests]]
-- name = "categories add up to what it says of all"
-- params = { level = "category" }
-- all = ["sum(on_hand_cost) = max(cost_all)"]
-- ---
WITH held AS (
    -- one row per article in a place: each lot at its last count; what a later complete count of the place lacks is gone
    SELECT
        x.location_id,
        x.product_id,
        max(x.shown_day) AS shown_day,
        sum(x.on_hand) AS on_hand,
        sum(CASE WHEN x.on_hand_cost_rc IS NULL THEN x.on_hand END) AS uncosted,
        sum(x.on_hand_cost_rc) AS on_hand_cost,
        sum(x.retail_value_rc) AS retail_value
    FROM (
        SELECT
            k.location_id, k.product_id, k.on_hand, k.on_hand_cost_rc, k.retail_value_rc,
            CASE WHEN k.snapshot_date < coalesce(whole.last_day, k.snapshot_date) AND NOT k.is_sparse
                 THEN whole.last_day ELSE k.snapshot_date END AS shown_day,
            k.snapshot_date < coalesce(whole.last_day, k.snapshot_date) AND NOT k.is_sparse AS is_gone
        FROM stock k
        JOIN (
            SELECT source_system, location_id, product_id, lot_no, max(snapshot_date) AS last_day
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
),
layer AS (
    -- what came in, the last first, with what had come in until then
    SELECT
        m.location_id,
        m.product_id,
        m.quantity,
        m.cost_amount_rc,
        sum(m.quantity) OVER (
            PARTITION BY m.location_id, m.product_id
            ORDER BY m.business_date DESC NULLS LAST, m.event_time DESC NULLS LAST, m.source_system, m.movement_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS quantity_until
    FROM stock_movement m
    WHERE $cost_method <> 'snapshot'
      AND m.business_date < $as_of
      AND m.movement_type IN ('receipt', 'production_in', 'transfer_in')
      AND m.quantity > 0
      AND m.cost_amount_rc IS NOT NULL
),
came AS (
    -- of each article in a place: what of its stock the layers hold, and at which cost
    SELECT
        x.location_id,
        x.product_id,
        sum(x.part) AS units,
        sum(prorated(x.cost_amount_rc, x.part, x.quantity)) AS part_value,
        sum(x.quantity) AS all_units,
        sum(x.cost_amount_rc) AS all_cost
    FROM (
        SELECT
            y.location_id, y.product_id, y.quantity, y.cost_amount_rc,
            least(greatest(CAST(h.on_hand - (y.quantity_until - y.quantity) AS DECIMAL(18,3)), CAST(0 AS DECIMAL(18,3))), y.quantity) AS part
        FROM layer y
        JOIN held h ON h.location_id = y.location_id AND h.product_id = y.product_id
        WHERE h.on_hand > 0
    ) x
    GROUP BY 1, 2
),
cost AS (
    -- what a unit costs at the close of the day before as_of, with the rate into the reporting currency
    SELECT
        k.location_id,
        k.product_id,
        k.unit_cost,
        CASE WHEN k.currency = reporting_currency() THEN CAST(1 AS DECIMAL(18,8)) ELSE w.rate END AS rate
    FROM product_cost k
    LEFT JOIN (
        SELECT r.currency, r.rate
        FROM reporting_rate r
        JOIN (SELECT currency, max(rate_date) AS rate_date FROM reporting_rate WHERE rate_date < $as_of GROUP BY 1) n
          ON n.currency = r.currency AND n.rate_date = r.rate_date
    ) w ON w.currency = k.currency
    WHERE k.valid_from < $as_of
      AND (k.valid_to IS NULL OR k.valid_to >= $as_of)
      AND (k.currency = reporting_currency() OR w.rate IS NOT NULL)
),
costed AS (
    -- what the snapshot gives no cost for, at product_cost: the place's own before the general one
    SELECT
        h.*,
        CASE WHEN own.product_id IS NOT NULL THEN prorated(prorated(own.unit_cost, h.uncosted, 1), own.rate, 1)
             ELSE prorated(prorated(general.unit_cost, h.uncosted, 1), general.rate, 1) END AS product_value
    FROM held h
    LEFT JOIN cost own ON own.location_id = h.location_id AND own.product_id = h.product_id
    LEFT JOIN (SELECT g.product_id, g.unit_cost, g.rate FROM cost g WHERE g.location_id IS NULL) general ON general.product_id = h.product_id
),
based AS (
    -- the value without cost_method: at the snapshot's cost, else at product_cost
    SELECT
        b.*,
        CASE WHEN b.product_value IS NULL THEN b.on_hand_cost
             ELSE CAST(coalesce(b.on_hand_cost, CAST(0 AS DECIMAL(28,4))) + b.product_value AS DECIMAL(28,4)) END AS base_value,
        CASE WHEN b.product_value IS NULL THEN CAST(0 AS DECIMAL(28,3)) ELSE b.uncosted END AS product_units
    FROM costed b
),
split AS (
    -- what the layers do not hold is of both kinds, as all of it is
    SELECT
        h.location_id,
        h.product_id,
        h.shown_day,
        h.on_hand,
        h.on_hand_cost,
        h.retail_value,
        CASE WHEN c.location_id IS NULL THEN h.base_value
             WHEN $cost_method = 'average' THEN prorated(c.all_cost, h.on_hand, c.all_units)
             WHEN c.units < h.on_hand
             THEN CAST(c.part_value + coalesce(prorated(h.base_value, h.on_hand - c.units, h.on_hand), CAST(0 AS DECIMAL(18,4))) AS DECIMAL(28,4))
             ELSE CAST(c.part_value AS DECIMAL(28,4)) END AS stock_value,
        CASE WHEN c.location_id IS NULL THEN h.on_hand
             WHEN $cost_method = 'average' THEN CAST(0 AS DECIMAL(28,3))
             ELSE CAST(h.on_hand - c.units AS DECIMAL(28,3)) END AS base_units,
        CASE WHEN c.location_id IS NULL THEN h.product_units
             WHEN $cost_method = 'average' OR c.units >= h.on_hand THEN CAST(0 AS DECIMAL(28,3))
             ELSE CAST(prorated(h.product_units, h.on_hand - c.units, h.on_hand) AS DECIMAL(28,3)) END AS units_at_product_cost
    FROM based h
    LEFT JOIN came c ON c.location_id = h.location_id AND c.product_id = h.product_id
),
valued AS (
    SELECT s.*, CAST(s.base_units - s.units_at_product_cost AS DECIMAL(28,3)) AS units_at_snapshot_cost
    FROM split s
)
SELECT
    CAST($as_of - INTERVAL '1 day' AS DATE) AS period_start,
    $as_of AS period_end,
    s.oldest_snapshot_day < CAST($as_of - INTERVAL '1 day' AS DATE) AS is_partial_period,
    s.location_id,
    s.location_name,
    s.category_id,
    CASE WHEN s.category_id IS NOT NULL THEN s.category_name END AS category_name,
    s.product_id,
    s.sku,
    s.product_name,
    s.snapshot_day,
    s.oldest_snapshot_day,
    s.items,
    s.on_hand,
    s.on_hand_cost,
    s.retail_value,
    s.items_negative,
    s.on_hand_negative,
    s.cost_negative,
    s.units_without_cost,
    s.potential_profit,
    $cost_method AS cost_method,
    s.stock_value,
    s.units_at_snapshot_cost,
    s.units_at_product_cost,
    sum(s.on_hand_cost) OVER () AS cost_all,
    ratio(s.on_hand_cost, sum(s.on_hand_cost) OVER ()) AS cost_share,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $level = 'location' THEN member(h.location_id, l.location_id) END AS location_id,
        CASE WHEN $level = 'location' THEN member(h.location_id, l.location_name) END AS location_name,
        CASE WHEN $level = 'category' THEN member(h.product_id, coalesce(p.category_l1_id, p.category_l1_name)) END AS category_id,
        min(CASE WHEN $level = 'category' THEN member(h.product_id, coalesce(p.category_l1_name, p.category_l1_id)) END) AS category_name,
        CASE WHEN $level = 'product' THEN member(h.product_id, p.product_id) END AS product_id,
        CASE WHEN $level = 'product' THEN member(h.product_id, p.sku) END AS sku,
        CASE WHEN $level = 'product' THEN member(h.product_id, p.product_name) END AS product_name,
        max(h.shown_day) AS snapshot_day,
        min(h.shown_day) AS oldest_snapshot_day,
        count(*) AS items,
        sum(h.on_hand) AS on_hand,
        sum(h.on_hand_cost) AS on_hand_cost,
        sum(h.retail_value) AS retail_value,
        count(CASE WHEN h.on_hand < 0 THEN 1 END) AS items_negative,
        sum(CASE WHEN h.on_hand < 0 THEN h.on_hand ELSE CAST(0 AS DECIMAL(28,3)) END) AS on_hand_negative,
        sum(CASE WHEN h.on_hand < 0 THEN coalesce(h.on_hand_cost, CAST(0 AS DECIMAL(28,4))) ELSE CAST(0 AS DECIMAL(28,4)) END) AS cost_negative,
        sum(CASE WHEN h.on_hand > 0 AND h.on_hand_cost IS NULL THEN h.on_hand ELSE CAST(0 AS DECIMAL(28,3)) END) AS units_without_cost,
        sum(h.retail_value - h.on_hand_cost) AS potential_profit,
        sum(h.stock_value) AS stock_value,
        sum(h.units_at_snapshot_cost) AS units_at_snapshot_cost,
        sum(h.units_at_product_cost) AS units_at_product_cost
    FROM valued h
    LEFT JOIN location l ON l.location_id = h.location_id
    LEFT JOIN product p ON p.product_id = h.product_id
    GROUP BY 1, 2, 3, 5, 6, 7
) s
ORDER BY s.on_hand_cost DESC NULLS LAST, s.location_id NULLS LAST, s.category_id NULLS LAST, s.product_id NULLS LAST
