-- ---
-- key = ["period_start", "channel_id"]
-- window = [3, 24]
-- choices = { grain = ["month", "quarter"] }
-- ---
WITH first_bought AS (
    SELECT customer_key, min(business_date) AS first_date FROM sale WHERE customer_key IS NOT NULL GROUP BY customer_key
), orders AS (
    SELECT s.customer_key AS customer_key, f.first_date AS first_date, s.order_id AS order_id, min(s.channel_id) AS channel_id,
           sum(s.gross - s.discount) AS sold
    FROM sale s JOIN first_bought f ON f.customer_key = s.customer_key AND f.first_date = s.business_date
    WHERE f.first_date >= $from AND f.first_date < $to
    GROUP BY s.customer_key, f.first_date, s.order_id
), placed AS (
    SELECT customer_key, first_date, channel_id, sold, row_number() OVER (PARTITION BY customer_key ORDER BY order_id) AS place FROM orders
), born AS (
    SELECT customer_key, first_date, max(CASE WHEN place = 1 THEN channel_id END) AS channel_id, count(*) AS orders, sum(sold) AS sold
    FROM placed GROUP BY customer_key, first_date
)
SELECT $bucket(first_date) AS period_start, channel_id, count(*) AS new_customers, sum(orders) AS first_day_orders, sum(sold) AS first_day_sales
FROM born GROUP BY 1, channel_id
