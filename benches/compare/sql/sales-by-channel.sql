-- ---
-- key = ["channel_id"]
-- window = [1, 24]
-- ---
WITH summed AS (
    SELECT channel_id, sum(gross) AS gross_sales, sum(discount) AS discounts, sum(returned) AS returns, sum(net) AS net_sales, sum(tax) AS tax,
           sum(units) AS units_sold, sum(units_back) AS units_returned, count(DISTINCT order_id) AS orders,
           sum(CASE WHEN cost IS NOT NULL THEN net END) AS net_sales_with_cost, sum(cost) AS cogs
    FROM event
    WHERE business_date >= $from AND business_date < $to
    GROUP BY channel_id
)
SELECT CASE WHEN s.channel_id IS NULL THEN 'N/A' ELSE coalesce(c.channel_id, 'UNK') END AS channel_id,
       CASE WHEN s.channel_id IS NULL THEN 'N/A' ELSE coalesce(c.channel_type, 'UNK') END AS channel_type,
       s.gross_sales AS gross_sales, s.discounts AS discounts, s.returns AS returns, s.net_sales AS net_sales, s.tax AS tax,
       s.units_sold AS units_sold, s.units_returned AS units_returned, s.orders AS orders,
       coalesce(s.net_sales_with_cost, 0) AS net_sales_with_cost, coalesce(s.cogs, 0) AS cogs,
       CAST(s.net_sales AS DOUBLE) / CAST(sum(s.net_sales) OVER () AS DOUBLE) AS share
FROM summed s LEFT JOIN channel c ON c.channel_id = s.channel_id
