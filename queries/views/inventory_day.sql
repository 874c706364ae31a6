-- ---
-- title = { en = "Stock of every day", zh = "每日库存" }
-- about = """Stock at the close of every day that is known, per place and product, lots added up: for averages over days and for
-- availability; the stock at a date is read from view stock (report stock-on-hand). A product of the range that a complete count lacks has 0
-- (is_filled); a product that a sparse source leaves out keeps its last count. A day on which a place was not counted at all takes its last
-- count, for at most 7 days and not after the source's last snapshot day (is_carried). Semi-additive: add it over places and products;
-- over days divide by the number of days (view inventory_known_day).
-- A view and no table: it follows tombstones, corrections, replays and known_at by itself, and costs one pass over the snapshots."""
-- needs = ["inventory_snapshot"]
-- [columns]
-- stock_date = "close of this day"
-- location_id = "the place"
-- product_id = "the product"
-- region_id = "the region of the place; 'UNK' = the place is not in the dimension"
-- on_hand = "stock units on hand; may be below 0"
-- available = "stock units free to sell; where the source does not tell, on_hand less what is promised to orders"
-- in_transit = "stock units on their way from another place"
-- on_hand_cost_rc = "on_hand × unit cost (reporting currency)"
-- retail_value_rc = "on_hand × selling price (reporting currency)"
-- is_ranged = "the product is supposed to be there"
-- is_filled = "not counted though the place was: 0, or the last count of a sparse source"
-- is_carried = "the place was not counted on this day: the count of an earlier one"
-- ---
WITH placed AS (
    -- each count of a lot, and the next count of its place that has the lot again
    SELECT
        s.source_system,
        s.location_id,
        s.product_id,
        c.count_no,
        coalesce(
            lead(c.count_no) OVER (PARTITION BY s.source_system, s.location_id, s.product_id, s.lot_no ORDER BY c.count_no),
            CAST(c.counts + 1 AS BIGINT UNSIGNED)
        ) AS next_no,
        s.on_hand,
        coalesce(s.available, CAST(s.on_hand - coalesce(s.committed, CAST(0 AS DECIMAL(18,3))) AS DECIMAL(18,3))) AS available,
        coalesce(s.in_transit, CAST(0 AS DECIMAL(18,3))) AS in_transit,
        s.on_hand_cost_rc,
        s.retail_value_rc,
        s.is_ranged,
        s.is_sparse
    FROM base.inventory_snapshot s
    JOIN inventory_known_day c
      ON c.source_system = s.source_system AND c.location_id = s.location_id AND c.stock_date = s.snapshot_date AND NOT c.is_carried
    WHERE NOT s.is_deleted
),
told AS (
    SELECT
        p.source_system, p.location_id, p.product_id, p.count_no, p.on_hand, p.available, p.in_transit, p.on_hand_cost_rc, p.retail_value_rc, p.is_ranged,
        false AS is_filled
    FROM placed p

    UNION ALL

    SELECT
        p.source_system,
        p.location_id,
        p.product_id,
        c.count_no,
        CASE WHEN p.is_sparse THEN p.on_hand ELSE CAST(0 AS DECIMAL(18,3)) END AS on_hand,
        CASE WHEN p.is_sparse THEN p.available ELSE CAST(0 AS DECIMAL(18,3)) END AS available,
        CASE WHEN p.is_sparse THEN p.in_transit ELSE CAST(0 AS DECIMAL(18,3)) END AS in_transit,
        CASE WHEN p.is_sparse THEN p.on_hand_cost_rc ELSE CAST(0 AS DECIMAL(18,4)) END AS on_hand_cost_rc,
        CASE WHEN p.is_sparse THEN p.retail_value_rc ELSE CAST(0 AS DECIMAL(18,4)) END AS retail_value_rc,
        p.is_ranged,
        true AS is_filled
    FROM placed p
    JOIN inventory_known_day c ON c.source_system = p.source_system AND c.location_id = p.location_id AND NOT c.is_carried
    WHERE p.next_no > p.count_no + 1
      AND (p.is_sparse OR p.is_ranged)
      AND c.count_no > p.count_no
      AND c.count_no < p.next_no
)
SELECT
    t.source_system,
    c.stock_date,
    t.location_id,
    t.product_id,
    c.region_id,
    sum(t.on_hand) AS on_hand,
    sum(t.available) AS available,
    sum(t.in_transit) AS in_transit,
    sum(t.on_hand_cost_rc) AS on_hand_cost_rc,
    sum(t.retail_value_rc) AS retail_value_rc,
    bool_or(t.is_ranged) AS is_ranged,
    bool_and(t.is_filled) AS is_filled,
    c.is_carried
FROM told t
JOIN inventory_known_day c ON c.source_system = t.source_system AND c.location_id = t.location_id AND c.count_no = t.count_no
GROUP BY 1, 2, 3, 4, 5, 13
