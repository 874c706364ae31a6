-- ---
-- key = ["period_start", "customer_kind"]
-- window = [3, 24]
-- slice = true
-- choices = { grain = ["month", "quarter"] }
-- set = { include_zero = "false" }
-- ---
WITH first_bought AS (
    SELECT customer_key, min(business_date) AS first_date FROM sale WHERE customer_key IS NOT NULL GROUP BY customer_key
), bought AS (
    SELECT $bucket(e.business_date) AS period_start, CASE WHEN e.customer_key IS NULL THEN 'anonymous'
               WHEN $bucket(f.first_date) = $bucket(e.business_date) THEN 'new' ELSE 'returning' END AS customer_kind,
           e.buyer AS buyer, e.order_id AS order_id, e.gross - e.discount AS sold, e.returned AS returned, e.net AS net
    FROM event e LEFT JOIN first_bought f ON f.customer_key = e.customer_key
    WHERE e.business_date >= $from AND e.business_date < $to AND $slice
)
SELECT period_start, customer_kind, count(DISTINCT buyer) AS customers, count(DISTINCT order_id) AS orders, sum(sold) AS sales_before_returns,
       sum(returned) AS returns, sum(net) AS net_sales
FROM bought GROUP BY period_start, customer_kind
