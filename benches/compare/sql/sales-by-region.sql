-- ---
-- key = ["region_id"]
-- window = [1, 24]
-- slice = true
-- ---
WITH placed AS (
    SELECT coalesce(p.region_id, e.ship_region_id, CASE WHEN e.location_id IS NOT NULL THEN 'UNK' END) AS region_id, e.net AS net, e.cost AS cost,
           e.order_id AS order_id, e.buyer AS buyer
    FROM event e LEFT JOIN location p ON p.location_id = e.location_id
    WHERE e.business_date >= $from AND e.business_date < $to AND $slice
), summed AS (
    SELECT region_id, sum(net) AS net_sales, count(DISTINCT order_id) AS orders, count(DISTINCT buyer) AS customers,
           sum(CASE WHEN cost IS NOT NULL THEN net END) AS net_sales_with_cost, sum(cost) AS cogs
    FROM placed GROUP BY region_id
)
SELECT CASE WHEN s.region_id IS NULL THEN 'N/A' ELSE coalesce(r.region_id, 'UNK') END AS region_id,
       CASE WHEN s.region_id IS NULL THEN 'N/A' ELSE coalesce(r.region_name, 'UNK') END AS region_name,
       s.net_sales AS net_sales, s.orders AS orders, s.customers AS customers, coalesce(s.net_sales_with_cost, 0) AS net_sales_with_cost,
       coalesce(s.cogs, 0) AS cogs, CAST(s.net_sales AS DOUBLE) / CAST(sum(s.net_sales) OVER () AS DOUBLE) AS share
FROM summed s LEFT JOIN region r ON r.region_id = s.region_id
