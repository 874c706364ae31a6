-- ---
-- key = []
-- window = [1, 6]
-- history = 12
-- slice = true
-- pivot = { by = "metric", columns = { "" = "value", "_prev" = "value_prev" } }
-- ---
WITH two AS (
    SELECT business_date >= $from AS is_now, gross, discount, returned, net, cost, units, units_back, order_id, buyer
    FROM event
    WHERE (business_date >= $from AND business_date < $to OR business_date >= $from-1y AND business_date < $to-1y) AND $slice
)
SELECT sum(CASE WHEN is_now THEN gross END) AS gross_sales, sum(CASE WHEN is_now THEN discount END) AS discounts,
       sum(CASE WHEN is_now THEN returned END) AS returns, sum(CASE WHEN is_now THEN net END) AS net_sales,
       sum(CASE WHEN is_now AND cost IS NOT NULL THEN net - cost END) AS gross_profit, sum(CASE WHEN is_now THEN units END) AS units_sold,
       sum(CASE WHEN is_now THEN units_back END) AS units_returned, count(DISTINCT CASE WHEN is_now THEN order_id END) AS orders,
       count(DISTINCT CASE WHEN is_now THEN buyer END) AS customers,
       sum(CASE WHEN NOT is_now THEN gross END) AS gross_sales_prev, sum(CASE WHEN NOT is_now THEN discount END) AS discounts_prev,
       sum(CASE WHEN NOT is_now THEN returned END) AS returns_prev, sum(CASE WHEN NOT is_now THEN net END) AS net_sales_prev,
       sum(CASE WHEN NOT is_now AND cost IS NOT NULL THEN net - cost END) AS gross_profit_prev, sum(CASE WHEN NOT is_now THEN units END) AS units_sold_prev,
       sum(CASE WHEN NOT is_now THEN units_back END) AS units_returned_prev, count(DISTINCT CASE WHEN NOT is_now THEN order_id END) AS orders_prev,
       count(DISTINCT CASE WHEN NOT is_now THEN buyer END) AS customers_prev
FROM two
