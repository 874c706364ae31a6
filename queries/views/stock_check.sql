-- ---
-- title = { en = "Counts beside what moved", zh = "盘点与流水核对" }
-- about = """One row per count of a lot with the count before it and what moved since: closing = opening + moved (V15). Only where the place has a
-- ledger in the same system: counts since the day of the place's first movement, whose own movements may be half a day's."""
-- sliced = false
-- needs = ["inventory_snapshot", "inventory_movement"]
--
-- [columns]
-- location_id = "the place"
-- product_id = "the product"
-- lot_no = "the lot; '' when untracked"
-- opening_date = "close of the day of the count before"
-- closing_date = "close of the day of the count"
-- opening = "stock units at the count before"
-- moved = "stock units that moved in between, signed"
-- closing = "stock units at the count"
-- ---
SELECT
    c.source_system,
    c.location_id,
    c.product_id,
    c.lot_no,
    c.opening_date,
    c.day AS closing_date,
    c.opening,
    c.moved_until - c.moved_before AS moved,
    c.counted AS closing
FROM (
    SELECT
        r.source_system, r.location_id, r.product_id, r.lot_no, r.day, r.counted, r.moved_until,
        lag(r.day) OVER (PARTITION BY r.source_system, r.location_id, r.product_id, r.lot_no ORDER BY r.day) AS opening_date,
        lag(r.counted) OVER (PARTITION BY r.source_system, r.location_id, r.product_id, r.lot_no ORDER BY r.day) AS opening,
        lag(r.moved_until) OVER (PARTITION BY r.source_system, r.location_id, r.product_id, r.lot_no ORDER BY r.day) AS moved_before
    FROM (
        -- running totals of the movements, read off at the counts: cheaper than to look up the days between two of them
        SELECT
            d.source_system, d.location_id, d.product_id, d.lot_no, d.day, d.counted,
            sum(d.moved) OVER (
                PARTITION BY d.source_system, d.location_id, d.product_id, d.lot_no
                ORDER BY d.day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
            ) AS moved_until
        FROM (
            SELECT e.source_system, e.location_id, e.product_id, e.lot_no, e.day, max(e.counted) AS counted, sum(e.moved) AS moved
            FROM (
                SELECT
                    s.source_system, s.location_id, s.product_id, s.lot_no, s.snapshot_date AS day, s.on_hand AS counted,
                    CAST(0 AS DECIMAL(18,3)) AS moved
                FROM base.inventory_snapshot s
                WHERE NOT s.is_deleted

                UNION ALL

                SELECT
                    m.source_system, m.location_id, m.product_id, m.lot_no, m.business_date AS day, CAST(NULL AS DECIMAL(18,3)) AS counted,
                    m.quantity AS moved
                FROM base.inventory_movement m
                WHERE NOT m.is_deleted
            ) e
            GROUP BY 1, 2, 3, 4, 5
        ) d
    ) r
    WHERE r.counted IS NOT NULL
) c
JOIN (
    SELECT m.source_system, m.location_id, min(m.business_date) AS first_day
    FROM base.inventory_movement m
    WHERE NOT m.is_deleted
    GROUP BY 1, 2
) ledger ON ledger.source_system = c.source_system AND ledger.location_id = c.location_id AND c.opening_date >= ledger.first_day
