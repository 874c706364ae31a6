-- ---
-- title = { en = "Stock on hand", zh = "现有库存" }
-- about = """What is where? Stock per place, product or both at the close of the last snapshot day before as_of, each (place, product, lot) at
-- its own last day, which is shown. A lot that a complete later day of its place lacks has 0 on that day (a sparse source's lot keeps its
-- last count instead). Nothing is added over days. Counts older than 7 days are marked stale. States are parts of on_hand or beside it
-- as the source counts them; an empty state was never given."""
-- key = ["location_id", "product_id"]
--
-- [params]
-- as_of = { type = "date", default = "today", about = "Stock at the beginning of this day: snapshots of earlier days count." }
-- level = { type = "text", default = "location", values = ["location", "product", "item"], about = "One row per place, per product, or per product in a place." }
-- include_zero = { type = "bool", default = false, about = "Also products that a later complete count of their place no longer lists, with 0." }
--
-- [chart]
-- kind = "hbar"
-- x = "location_name"
-- y = ["on_hand"]
--
-- [columns]
-- period_start = "the last day whose close can count: the day before as_of"
-- period_end = "as_of"
-- is_partial_period = "some stock is of an earlier day than that"
-- location_id = "the place; empty at level product; UNK = not in the location table"
-- location_name = "its name"
-- product_id = "the product; empty at level location; UNK = not in the product table"
-- sku = "the seller's article number"
-- product_name = "its name"
-- snapshot_day = "the latest snapshot day in the row"
-- oldest_snapshot_day = "the earliest snapshot day in the row"
-- days_old = "days from oldest_snapshot_day to the day before as_of"
-- is_stale = "days_old is above 7"
-- items = "products in places that the row adds up"
-- on_hand = "stock units"
-- available = "free to sell (stock units)"
-- committed = "promised to orders (stock units)"
-- reserved = "set aside (stock units)"
-- incoming = "ordered and not received (stock units)"
-- in_transit = "between places (stock units)"
-- damaged = "not sellable (stock units)"
-- quality_hold = "waiting for a check (stock units)"
-- on_hand_cost = "at cost, where it is known (money)"
-- retail_value = "at selling price, where it is known (money)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "places add up to the total"
-- params = { totals = "true" }
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN on_hand END) = sum(CASE WHEN row_kind = 'total' THEN on_hand END)",
--     "sum(CASE WHEN row_kind = 'row' THEN on_hand_cost END) = sum(CASE WHEN row_kind = 'total' THEN on_hand_cost END)",
-- ]
--
-- [[tests]]
-- name = "old counts are marked"
-- params = { level = "item", include_zero = "true" }
-- each = ["days_old >= 0", "is_stale = (days_old > 7)"]
-- ---
SELECT
    CAST($as_of - INTERVAL '1 day' AS DATE) AS period_start,
    $as_of AS period_end,
    s.oldest_snapshot_day < CAST($as_of - INTERVAL '1 day' AS DATE) AS is_partial_period,
    s.location_id,
    s.location_name,
    s.product_id,
    s.sku,
    s.product_name,
    s.snapshot_day,
    s.oldest_snapshot_day,
    CAST($as_of AS INT) - CAST(s.oldest_snapshot_day AS INT) - 1 AS days_old,
    CAST($as_of AS INT) - CAST(s.oldest_snapshot_day AS INT) - 1 > 7 AS is_stale,
    s.items,
    s.on_hand,
    s.available,
    s.committed,
    s.reserved,
    s.incoming,
    s.in_transit,
    s.damaged,
    s.quality_hold,
    s.on_hand_cost,
    s.retail_value,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $level <> 'product' THEN member(h.location_id, l.location_id) END AS location_id,
        CASE WHEN $level <> 'product' THEN member(h.location_id, l.location_name) END AS location_name,
        CASE WHEN $level <> 'location' THEN member(h.product_id, p.product_id) END AS product_id,
        CASE WHEN $level <> 'location' THEN member(h.product_id, p.sku) END AS sku,
        CASE WHEN $level <> 'location' THEN member(h.product_id, p.product_name) END AS product_name,
        max(h.shown_day) AS snapshot_day,
        min(h.shown_day) AS oldest_snapshot_day,
        count(*) AS items,
        sum(h.on_hand) AS on_hand,
        sum(h.available) AS available,
        sum(h.committed) AS committed,
        sum(h.reserved) AS reserved,
        sum(h.incoming) AS incoming,
        sum(h.in_transit) AS in_transit,
        sum(h.damaged) AS damaged,
        sum(h.quality_hold) AS quality_hold,
        sum(h.on_hand_cost) AS on_hand_cost,
        sum(h.retail_value) AS retail_value
    FROM (
        -- one row per product in a place; a lot that a later complete count lacks is gone: 0 on the day of that count
        SELECT
            x.location_id,
            x.product_id,
            max(x.shown_day) AS shown_day,
            sum(CASE WHEN x.is_gone THEN CAST(0 AS DECIMAL(18,3)) ELSE x.on_hand END) AS on_hand,
            sum(CASE WHEN x.is_gone AND x.available IS NOT NULL THEN CAST(0 AS DECIMAL(18,3)) ELSE x.available END) AS available,
            sum(CASE WHEN x.is_gone AND x.committed IS NOT NULL THEN CAST(0 AS DECIMAL(18,3)) ELSE x.committed END) AS committed,
            sum(CASE WHEN x.is_gone AND x.reserved IS NOT NULL THEN CAST(0 AS DECIMAL(18,3)) ELSE x.reserved END) AS reserved,
            sum(CASE WHEN x.is_gone AND x.incoming IS NOT NULL THEN CAST(0 AS DECIMAL(18,3)) ELSE x.incoming END) AS incoming,
            sum(CASE WHEN x.is_gone AND x.in_transit IS NOT NULL THEN CAST(0 AS DECIMAL(18,3)) ELSE x.in_transit END) AS in_transit,
            sum(CASE WHEN x.is_gone AND x.damaged IS NOT NULL THEN CAST(0 AS DECIMAL(18,3)) ELSE x.damaged END) AS damaged,
            sum(CASE WHEN x.is_gone AND x.quality_hold IS NOT NULL THEN CAST(0 AS DECIMAL(18,3)) ELSE x.quality_hold END) AS quality_hold,
            sum(CASE WHEN x.is_gone THEN CAST(0 AS DECIMAL(18,4)) ELSE x.on_hand_cost_rc END) AS on_hand_cost,
            sum(CASE WHEN x.is_gone THEN CAST(0 AS DECIMAL(18,4)) ELSE x.retail_value_rc END) AS retail_value
        FROM (
            SELECT
                k.*,
                k.snapshot_date < coalesce(whole.last_day, k.snapshot_date) AND NOT k.is_sparse AS is_gone,
                CASE WHEN k.snapshot_date < coalesce(whole.last_day, k.snapshot_date) AND NOT k.is_sparse
                     THEN whole.last_day ELSE k.snapshot_date END AS shown_day
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
        GROUP BY 1, 2
        HAVING $include_zero OR bool_or(NOT x.is_gone)
    ) h
    LEFT JOIN location l ON l.location_id = h.location_id
    LEFT JOIN product p ON p.product_id = h.product_id
    GROUP BY 1, 2, 3, 4, 5
) s
ORDER BY s.on_hand DESC NULLS LAST, s.location_id NULLS LAST, s.product_id NULLS LAST
