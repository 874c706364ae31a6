WITH sold AS (
    SELECT coalesce(l.region_id, s.ship_region_id, CASE WHEN s.location_id IS NOT NULL THEN 'UNK' END) AS region_id, net, cost, order_id, buyer
    FROM sales s LEFT JOIN current_location l ON l.location_id = s.location_id
    WHERE s.business_date >= $from AND s.business_date < $to
), shown AS (
    SELECT CASE WHEN s.region_id IS NULL THEN 'N/A' ELSE coalesce(r.region_id, 'UNK') END AS region_id,
           CASE WHEN s.region_id IS NULL THEN 'N/A' WHEN r.region_id IS NULL THEN 'UNK' ELSE r.region_name END AS region_name,
           sum(net) AS net_sales, count(DISTINCT order_id) AS orders, count(DISTINCT buyer) AS customers,
           coalesce(sum(net) FILTER (cost IS NOT NULL), 0) AS net_sales_with_cost, coalesce(sum(cost), 0) AS cogs
    FROM sold s LEFT JOIN current_region r ON r.region_id = s.region_id
    GROUP BY 1, 2
)
SELECT region_id, region_name, net_sales, orders, customers, net_sales_with_cost, cogs, net_sales_with_cost - cogs AS gross_profit,
       (net_sales_with_cost - cogs) / nullif(net_sales_with_cost, 0) AS gross_margin_pct, sum(net_sales) OVER () AS net_sales_all,
       net_sales / sum(net_sales) OVER () AS share
FROM shown
ORDER BY net_sales DESC, region_id;
