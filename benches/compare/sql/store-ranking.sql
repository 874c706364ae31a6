-- ---
-- key = ["location_id"]
-- window = [1, 24]
-- ---
WITH summed AS (
    SELECT location_id, sum(gross) AS gross_sales, sum(discount) AS discounts, sum(returned) AS returns, sum(net) AS net_sales,
           sum(units) AS units_sold, sum(units_back) AS units_returned, count(DISTINCT order_id) AS orders,
           sum(CASE WHEN cost IS NOT NULL THEN net END) AS net_sales_with_cost, sum(cost) AS cogs
    FROM event
    WHERE business_date >= $from AND business_date < $to AND location_id IS NOT NULL
    GROUP BY location_id
)
SELECT s.location_id AS location_id, l.region_id AS peer_group, row_number() OVER (ORDER BY s.net_sales DESC, s.location_id) AS place,
       row_number() OVER (PARTITION BY l.region_id ORDER BY s.net_sales DESC, s.location_id) AS place_in_peers,
       count(*) OVER (PARTITION BY l.region_id) AS peer_count,
       s.gross_sales AS gross_sales, s.discounts AS discounts, s.returns AS returns, s.net_sales AS net_sales, s.units_sold AS units_sold,
       s.units_returned AS units_returned, s.orders AS orders, coalesce(s.net_sales_with_cost, 0) AS net_sales_with_cost, coalesce(s.cogs, 0) AS cogs,
       CAST(s.gross_sales - s.discounts AS DOUBLE) / nullif(s.orders, 0) AS aov,
       CAST(s.net_sales AS DOUBLE) / CAST(l.selling_area_sqm AS DOUBLE) AS sales_per_sqm
FROM summed s JOIN location l ON l.location_id = s.location_id
