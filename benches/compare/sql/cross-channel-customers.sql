-- ---
-- key = ["channels"]
-- window = [1, 24]
-- ---
WITH chosen AS (
    SELECT customer_key, channel_id, buyer, order_id, gross - discount AS sold, returned, net
    FROM event WHERE business_date >= $from AND business_date < $to
), used AS (
    SELECT DISTINCT k.customer_key AS customer_key, c.channel_name AS channel
    FROM chosen k JOIN channel c ON c.channel_id = k.channel_id
    WHERE k.customer_key IS NOT NULL AND k.order_id IS NOT NULL
), sets AS (
    SELECT customer_key, $list(channel) AS channels, count(*) AS channel_count FROM used GROUP BY customer_key
)
SELECT CASE WHEN k.customer_key IS NULL THEN 'anonymous' ELSE coalesce(u.channels, 'none') END AS channels,
       count(DISTINCT k.buyer) AS customers, count(DISTINCT k.order_id) AS orders, sum(k.sold) AS sales_before_returns, sum(k.returned) AS returns,
       sum(k.net) AS net_sales
FROM chosen k LEFT JOIN sets u ON u.customer_key = k.customer_key
GROUP BY 1
