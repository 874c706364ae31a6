-- ---
-- key = ["product_id"]
-- window = [1, 24]
-- slice = true
-- set = { n = "10" }
-- ---
WITH summed AS (
    SELECT product_id, sum(gross) AS gross_sales, sum(discount) AS discounts, sum(returned) AS returns, sum(net) AS net_sales,
           sum(units - units_back) AS net_units, sum(CASE WHEN cost IS NOT NULL THEN net END) AS net_sales_with_cost, sum(cost) AS cogs
    FROM event
    WHERE business_date >= $from AND business_date < $to AND $slice
    GROUP BY product_id
), ranked AS (
    SELECT s.product_id AS product_id, p.product_name AS product_name, s.gross_sales AS gross_sales, s.discounts AS discounts, s.returns AS returns,
           s.net_sales AS net_sales, s.net_units AS net_units, coalesce(s.net_sales_with_cost, 0) AS net_sales_with_cost, s.cogs AS cogs,
           row_number() OVER (ORDER BY s.net_sales DESC, s.product_id) AS place,
           row_number() OVER (ORDER BY s.net_sales, s.product_id) AS place_from_below, count(*) OVER () AS ranked
    FROM summed s JOIN product p ON p.product_id = s.product_id
)
SELECT product_id, product_name, gross_sales, discounts, returns, net_sales, net_units, net_sales_with_cost, cogs, place, place_from_below, ranked
FROM ranked WHERE place <= 10 OR place_from_below <= 10
