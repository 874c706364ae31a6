SELECT gross_sales, discounts, returns, net_sales, tax, charges, net_sales + tax + charges AS total_sales, units_sold, units_returned,
       units_sold - units_returned AS net_units, orders, anonymous_orders, customers, gross_sales - discounts AS sales_before_returns,
       (gross_sales - discounts) / orders AS aov, units_sold / orders AS units_per_order, net_sales_with_cost, cogs,
       net_sales_with_cost - cogs AS gross_profit, (net_sales_with_cost - cogs) / net_sales_with_cost AS gross_margin_pct,
       goods_amount, goods_amount_with_cost, goods_amount_with_cost / goods_amount AS cost_coverage, discounts / gross_sales AS discount_rate,
       returns / (gross_sales - discounts) AS return_rate_value, units_returned / units_sold AS return_rate_units
FROM (SELECT sum(gross) AS gross_sales, sum(discount) AS discounts, sum(returned) AS returns, sum(net) AS net_sales, sum(tax) AS tax,
             sum(units) AS units_sold, sum(units_back) AS units_returned, count(DISTINCT order_id) AS orders,
             count(DISTINCT order_id) FILTER (buyer IS NULL) AS anonymous_orders, count(DISTINCT buyer) AS customers,
             sum(net) FILTER (cost IS NOT NULL) AS net_sales_with_cost, sum(cost) AS cogs,
             sum(abs(net)) FILTER (kind <> 'adjustment') AS goods_amount, sum(abs(net)) FILTER (cost IS NOT NULL) AS goods_amount_with_cost
      FROM sales WHERE business_date >= $from AND business_date < $to),
     (SELECT sum(charge) AS charges FROM charges WHERE business_date >= $from AND business_date < $to);
