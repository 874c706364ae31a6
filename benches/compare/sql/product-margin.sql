-- ---
-- key = ["product_id"]
-- window = [1, 24]
-- slice = true
-- ---
WITH summed AS (
    SELECT product_id, sum(net) AS net_sales, sum(units - units_back) AS net_units, sum(CASE WHEN cost IS NOT NULL THEN net END) AS with_cost,
           sum(cost) AS cogs, sum(abs(net)) AS goods_amount, sum(CASE WHEN cost IS NOT NULL THEN abs(net) END) AS goods_with_cost
    FROM event
    WHERE business_date >= $from AND business_date < $to AND $slice
    GROUP BY product_id
)
SELECT s.product_id AS product_id, p.category_l1_id AS category_id,
       row_number() OVER (PARTITION BY p.category_l1_id ORDER BY coalesce(s.with_cost, 0) - s.cogs DESC NULLS LAST, s.product_id) AS place_in_category,
       s.net_sales AS net_sales, s.net_units AS net_units, coalesce(s.with_cost, 0) AS net_sales_with_cost, s.cogs AS cogs,
       coalesce(s.with_cost, 0) - s.cogs AS gross_profit, s.goods_amount AS goods_amount, coalesce(s.goods_with_cost, 0) AS goods_amount_with_cost,
       CAST(s.with_cost - s.cogs AS DOUBLE) / nullif(CAST(s.with_cost AS DOUBLE), 0) AS gross_margin_pct
FROM summed s JOIN product p ON p.product_id = s.product_id
