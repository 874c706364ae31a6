SELECT date_trunc('month', business_date)::DATE AS period_start, sum(gross) AS gross_sales, sum(discount) AS discounts,
       sum(returned) AS returns, sum(net) AS net_sales, sum(units) AS units_sold, sum(units_back) AS units_returned,
       sum(units) - sum(units_back) AS net_units, count(DISTINCT order_id) AS orders, sum(gross) - sum(discount) AS sales_before_returns,
       (sum(gross) - sum(discount)) / count(DISTINCT order_id) AS aov
FROM sales
WHERE business_date >= $from AND business_date < $to
GROUP BY 1
ORDER BY 1;
