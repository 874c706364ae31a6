-- ---
-- key = ["comp_group"]
-- window = [1, 6]
-- history = 12
-- ---
WITH two AS (
    SELECT location_id, net AS net_now, CAST(0 AS DECIMAL(18,4)) AS net_prev FROM event WHERE business_date >= $from AND business_date < $to
    UNION ALL
    SELECT location_id, CAST(0 AS DECIMAL(18,4)) AS net_now, net AS net_prev FROM event WHERE business_date >= $from-1y AND business_date < $to-1y
)
SELECT CASE WHEN b.location_id IS NULL THEN 'no place' WHEN l.location_id IS NULL THEN 'unknown place' WHEN l.closed_on < $to THEN 'not comparable'
            WHEN coalesce(l.comp_open_date, l.opened_on) IS NULL THEN 'comparable'
            WHEN coalesce(l.comp_open_date, l.opened_on) <= $from-1y THEN 'comparable' ELSE 'not comparable' END AS comp_group,
       count(DISTINCT b.location_id) AS places, sum(b.net_now) AS net_sales, sum(b.net_prev) AS net_sales_prev
FROM two b LEFT JOIN location l ON l.location_id = b.location_id
GROUP BY 1
