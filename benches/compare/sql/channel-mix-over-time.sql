-- ---
-- key = ["period_start", "channel_id"]
-- window = [3, 24]
-- choices = { grain = ["month", "week", "quarter"] }
-- set = { include_zero = "false" }
-- ---
WITH summed AS (
    SELECT $bucket(business_date) AS period_start, channel_id, sum(net) AS net_sales, count(DISTINCT order_id) AS orders
    FROM event
    WHERE business_date >= $from AND business_date < $to
    GROUP BY 1, 2
)
SELECT s.period_start AS period_start, CASE WHEN s.channel_id IS NULL THEN 'N/A' ELSE coalesce(c.channel_id, 'UNK') END AS channel_id,
       s.net_sales AS net_sales, s.orders AS orders,
       CAST(s.net_sales AS DOUBLE) / CAST(sum(s.net_sales) OVER (PARTITION BY s.period_start) AS DOUBLE) AS share
FROM summed s LEFT JOIN channel c ON c.channel_id = s.channel_id
