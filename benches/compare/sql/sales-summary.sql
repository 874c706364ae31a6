-- ---
-- key = ["period_start"]
-- window = [1, 24]
-- slice = true
-- ---
SELECT $from AS period_start, sum(gross) AS gross_sales, sum(discount) AS discounts, sum(returned) AS returns, sum(net) AS net_sales, sum(tax) AS tax,
       sum(units) AS units_sold, sum(units_back) AS units_returned, count(DISTINCT order_id) AS orders,
       count(DISTINCT CASE WHEN buyer IS NULL THEN order_id END) AS anonymous_orders, count(DISTINCT buyer) AS customers,
       sum(CASE WHEN cost IS NOT NULL THEN net END) AS net_sales_with_cost, sum(cost) AS cogs,
       sum(abs(net)) AS goods_amount, sum(CASE WHEN cost IS NOT NULL THEN abs(net) END) AS goods_amount_with_cost,
       CAST(sum(gross) - sum(discount) AS DOUBLE) / count(DISTINCT order_id) AS aov,
       CAST(sum(returned) AS DOUBLE) / CAST(sum(gross) - sum(discount) AS DOUBLE) AS return_rate_value
FROM event
WHERE business_date >= $from AND business_date < $to AND $slice
