-- ---
-- title = { en = "Who looks after which region", zh = "区域负责人有效期" }
-- about = """Representatives of regions with their shares and the days for which they hold, those of the regions above included: a region
-- has its own set from that set's first day on, before it the set of the nearest region above (as the regions lie now) that has one."""
-- [columns]
-- region_id = "the region"
-- sales_rep_id = "who looks after it"
-- share = "share of the credit, 0 to 1; the shares of a region and day add up to 1"
-- valid_from = "first day"
-- valid_to = "first day on which it does not hold; NULL = it holds on"
-- ---
WITH reach AS (
    -- whose sets reach a region: its own, then those of the levels above it
    SELECT DISTINCT o.assigned_id AS region_id, o.assigned_id AS assigned_id, 0 AS distance
    FROM rep_share o
    WHERE o.assigned_type = 'region'

    UNION ALL

    SELECT u.region_id, u.assigned_id, u.distance
    FROM (
        SELECT
            g.region_id,
            CASE n.no WHEN 1 THEN g.level1_id WHEN 2 THEN g.level2_id WHEN 3 THEN g.level3_id WHEN 4 THEN g.level4_id
                      ELSE g.level5_id END AS assigned_id,
            6 - n.no AS distance
        FROM region g
        CROSS JOIN (VALUES (1), (2), (3), (4), (5)) AS n(no)
    ) u
    WHERE u.assigned_id <> u.region_id
)
SELECT
    w.region_id,
    s.sales_rep_id,
    s.share,
    s.valid_from,
    least(s.valid_to, nearer.first_day) AS valid_to
FROM reach w
JOIN rep_share s ON s.assigned_type = 'region' AND s.assigned_id = w.assigned_id
JOIN (
    -- since when a nearer one has a set; sets are replaced, they never end
    SELECT
        b.region_id,
        b.distance,
        min(b.first_day) OVER (PARTITION BY b.region_id ORDER BY b.distance ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS first_day
    FROM (
        SELECT x.region_id, x.distance, min(f.valid_from) AS first_day
        FROM reach x
        JOIN rep_share f ON f.assigned_type = 'region' AND f.assigned_id = x.assigned_id
        GROUP BY 1, 2
    ) b
) nearer ON nearer.region_id = w.region_id AND nearer.distance = w.distance
WHERE nearer.first_day IS NULL OR s.valid_from < nearer.first_day
