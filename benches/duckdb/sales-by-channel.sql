WITH sold AS (
    SELECT channel_id, sum(gross) AS gross, sum(discount) AS discount, sum(returned) AS returned, sum(net) AS net, sum(tax) AS tax,
           sum(units) AS units, sum(units_back) AS units_back, count(DISTINCT order_id) AS orders,
           sum(net) FILTER (cost IS NOT NULL) AS net_with_cost, sum(cost) AS cost
    FROM sales
    WHERE business_date >= $from AND business_date < $to
    GROUP BY 1
), charged AS (
    SELECT channel_id, sum(charge) AS charge FROM charges WHERE business_date >= $from AND business_date < $to GROUP BY 1
), shown AS (
    SELECT CASE WHEN k.channel_id IS NULL THEN 'N/A' ELSE coalesce(c.channel_id, 'UNK') END AS channel_id,
           CASE WHEN k.channel_id IS NULL THEN 'N/A' ELSE coalesce(c.channel_type, 'UNK') END AS channel_type,
           CASE WHEN k.channel_id IS NULL THEN 'N/A' ELSE coalesce(c.channel_name, 'UNK') END AS channel_name,
           coalesce(gross, 0) AS gross_sales, coalesce(discount, 0) AS discounts, coalesce(returned, 0) AS returns, coalesce(net, 0) AS net_sales,
           coalesce(tax, 0) AS tax, coalesce(charge, 0) AS charges, coalesce(units, 0) AS units_sold, coalesce(units_back, 0) AS units_returned,
           coalesce(orders, 0) AS orders, coalesce(net_with_cost, 0) AS net_sales_with_cost, coalesce(cost, 0) AS cogs
    FROM (SELECT coalesce(s.channel_id, d.channel_id) AS channel_id, s.* EXCLUDE (channel_id), d.charge
          FROM sold s FULL JOIN charged d ON s.channel_id IS NOT DISTINCT FROM d.channel_id) k
    LEFT JOIN current_channel c ON c.channel_id = k.channel_id
)
SELECT channel_type, channel_id, channel_name, gross_sales, discounts, returns, net_sales, tax, charges,
       net_sales + tax + charges AS total_sales, units_sold, units_returned, units_sold - units_returned AS net_units, orders,
       net_sales_with_cost, cogs, net_sales_with_cost - cogs AS gross_profit,
       (net_sales_with_cost - cogs) / nullif(net_sales_with_cost, 0) AS gross_margin_pct, gross_sales - discounts AS sales_before_returns,
       returns / nullif(gross_sales - discounts, 0) AS return_rate_value, units_returned / nullif(units_sold, 0) AS return_rate_units,
       sum(net_sales) OVER () AS net_sales_all, net_sales / sum(net_sales) OVER () AS share
FROM shown
ORDER BY net_sales DESC, channel_type, channel_id;
