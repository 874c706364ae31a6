-- ---
-- key = ["brand"]
-- window = [1, 24]
-- slice = true
-- ---
WITH summed AS (
    SELECT p.brand AS brand, sum(e.gross) AS gross_sales, sum(e.discount) AS discounts, sum(e.returned) AS returns, sum(e.net) AS net_sales,
           sum(e.units) AS units_sold, sum(e.units_back) AS units_returned, count(DISTINCT e.order_id) AS orders,
           sum(CASE WHEN e.cost IS NOT NULL THEN e.net END) AS net_sales_with_cost, sum(e.cost) AS cogs
    FROM event e JOIN product p ON p.product_id = e.product_id
    WHERE e.business_date >= $from AND e.business_date < $to AND $slice
    GROUP BY p.brand
)
SELECT brand, row_number() OVER (ORDER BY net_sales DESC, brand) AS place, gross_sales, discounts, returns, net_sales, units_sold, units_returned, orders,
       coalesce(net_sales_with_cost, 0) AS net_sales_with_cost, coalesce(cogs, 0) AS cogs,
       CAST(net_sales AS DOUBLE) / CAST(sum(net_sales) OVER () AS DOUBLE) AS share
FROM summed
