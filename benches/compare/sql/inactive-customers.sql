-- ---
-- key = ["customer_key"]
-- as_of = 12
-- slice = true
-- choices = { days = [90, 120, 180, 240] }
-- set = { limit = "100" }
-- ---
WITH orders AS (
    SELECT customer_key, order_id, max(CASE WHEN order_id IS NOT NULL THEN business_date END) AS order_date, sum(gross - discount) AS sold,
           sum(returned) AS returned, sum(net) AS net
    FROM event
    WHERE business_date < $as_of AND customer_key IS NOT NULL AND $slice
    GROUP BY customer_key, order_id
), numbered AS (
    SELECT customer_key, order_id, order_date, sold, returned, net,
           row_number() OVER (PARTITION BY customer_key ORDER BY order_date DESC NULLS LAST, order_id DESC NULLS LAST) AS newest
    FROM orders
), silent AS (
    SELECT customer_key, min(order_date) AS first_order_date, max(order_date) AS last_order_date,
           max(CASE WHEN newest = 1 THEN order_id END) AS last_order_id, max(CASE WHEN newest = 1 THEN sold END) AS last_order_sales,
           count(order_id) AS orders, sum(sold) AS sales_before_returns, sum(returned) AS returns, sum(net) AS net_sales
    FROM numbered GROUP BY customer_key
)
SELECT customer_key, first_order_date, last_order_date, last_order_id, last_order_sales, orders, sales_before_returns, returns, net_sales
FROM silent
WHERE orders >= 1 AND $days($as_of, last_order_date) >= $days
ORDER BY net_sales DESC, customer_key
LIMIT 100
