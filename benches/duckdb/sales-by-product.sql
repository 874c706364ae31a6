WITH sold AS (
    SELECT product_id, coalesce(sum(gross), 0) AS gross_sales, coalesce(sum(discount), 0) AS discounts, coalesce(sum(returned), 0) AS returns,
           sum(net) AS net_sales, coalesce(sum(units), 0) AS units_sold, coalesce(sum(units_back), 0) AS units_returned,
           coalesce(sum(net) FILTER (cost IS NOT NULL), 0) AS net_sales_with_cost, coalesce(sum(cost), 0) AS cogs
    FROM sales
    WHERE business_date >= $from AND business_date < $to
    GROUP BY 1
), named AS (
    SELECT CASE WHEN s.product_id IS NULL THEN 'N/A' ELSE coalesce(p.product_id, 'UNK') END AS product_id,
           CASE WHEN s.product_id IS NULL THEN 'N/A' WHEN p.product_id IS NULL THEN 'UNK' ELSE p.sku END AS sku,
           CASE WHEN s.product_id IS NULL THEN 'N/A' WHEN p.product_id IS NULL THEN 'UNK' ELSE p.product_name END AS product_name,
           sum(gross_sales) AS gross_sales, sum(discounts) AS discounts, sum(returns) AS returns, sum(net_sales) AS net_sales,
           sum(units_sold) AS units_sold, sum(units_returned) AS units_returned, sum(net_sales_with_cost) AS net_sales_with_cost,
           sum(cogs) AS cogs
    FROM sold s LEFT JOIN current_product p ON p.product_id = s.product_id
    GROUP BY 1, 2, 3
)
SELECT product_id, gross_sales, discounts, returns, net_sales, units_sold, units_returned, units_sold - units_returned AS net_units,
       net_sales / nullif(units_sold - units_returned, 0) AS asp, gross_sales - discounts AS sales_before_returns,
       (gross_sales - discounts) / nullif(units_sold, 0) AS asp_before_returns, net_sales_with_cost, cogs,
       net_sales_with_cost - cogs AS gross_profit, (net_sales_with_cost - cogs) / nullif(net_sales_with_cost, 0) AS gross_margin_pct,
       returns / nullif(gross_sales - discounts, 0) AS return_rate_value, units_returned / nullif(units_sold, 0) AS return_rate_units,
       sum(net_sales) OVER () AS net_sales_all, net_sales / sum(net_sales) OVER () AS share, sku, product_name
FROM named
ORDER BY net_sales DESC, product_id;
