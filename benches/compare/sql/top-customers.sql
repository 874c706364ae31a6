-- ---
-- key = ["customer_key"]
-- window = [1, 24]
-- slice = true
-- set = { n = "100" }
-- ---
WITH summed AS (
    SELECT customer_key, count(DISTINCT order_id) AS orders, max(CASE WHEN order_id IS NOT NULL THEN business_date END) AS last_order_date,
           sum(gross - discount) AS sales_before_returns, sum(returned) AS returns, sum(net) AS net_sales,
           sum(CASE WHEN cost IS NOT NULL THEN net END) AS net_sales_with_cost, sum(cost) AS cogs
    FROM event
    WHERE business_date >= $from AND business_date < $to AND $slice
    GROUP BY customer_key
), ranked AS (
    SELECT customer_key, orders, last_order_date, sales_before_returns, returns, net_sales, net_sales_with_cost, cogs,
           row_number() OVER (PARTITION BY customer_key IS NULL ORDER BY net_sales DESC, customer_key) AS place,
           sum(net_sales) OVER (PARTITION BY customer_key IS NULL ORDER BY net_sales DESC, customer_key
                                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS cumulative_net_sales,
           sum(net_sales) OVER () AS net_sales_all
    FROM summed
)
SELECT customer_key, place, orders, last_order_date, sales_before_returns, returns, net_sales, coalesce(net_sales_with_cost, 0) AS net_sales_with_cost,
       coalesce(cogs, 0) AS cogs, cumulative_net_sales, net_sales_all,
       CAST(cumulative_net_sales AS DOUBLE) / CAST(net_sales_all AS DOUBLE) AS cumulative_share
FROM ranked WHERE customer_key IS NOT NULL AND place <= 100
