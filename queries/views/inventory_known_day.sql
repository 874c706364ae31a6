-- ---
-- title = { en = "Days on which stock is known", zh = "库存已知日" }
-- about = """The days of each place on which its stock is known, and by which count: its own, or the last one before it, for at most 7 days
-- and not after the source's last snapshot day. By how many days an average over days divides. Slicers by product do not enter: what else was
-- counted decides what is known."""
-- sliced = false
-- needs = ["inventory_snapshot"]
-- [columns]
-- stock_date = "the day"
-- location_id = "the place"
-- region_id = "the region of the place; 'UNK' = the place is not in the dimension"
-- snapshot_date = "the day of the count that holds"
-- count_no = "the how-manieth count of the place that is"
-- counts = "how many counts the place has"
-- is_carried = "the place was not counted on this day"
-- ---
SELECT
    c.source_system,
    CAST(CAST(c.snapshot_date AS INT) + k.later AS DATE) AS stock_date,
    c.location_id,
    coalesce(place.region_id, 'UNK') AS region_id,
    c.snapshot_date,
    c.count_no,
    c.counts,
    k.later > 0 AS is_carried
FROM (
    SELECT
        d.source_system,
        d.location_id,
        d.snapshot_date,
        row_number() OVER (PARTITION BY d.source_system, d.location_id ORDER BY d.snapshot_date) AS count_no,
        count(*) OVER (PARTITION BY d.source_system, d.location_id) AS counts,
        least(
            CAST(d.snapshot_date AS INT) + 8,
            coalesce(
                CAST(lead(d.snapshot_date) OVER (PARTITION BY d.source_system, d.location_id ORDER BY d.snapshot_date) AS INT),
                CAST(max(d.snapshot_date) OVER (PARTITION BY d.source_system) AS INT) + 1
            )
        ) AS end_day
    FROM (SELECT DISTINCT source_system, location_id, snapshot_date FROM base.inventory_snapshot WHERE NOT is_deleted) d
) c
CROSS JOIN (VALUES (0), (1), (2), (3), (4), (5), (6), (7)) AS k(later)
LEFT JOIN location place ON place.location_id = c.location_id
WHERE CAST(c.snapshot_date AS INT) + k.later < c.end_day
