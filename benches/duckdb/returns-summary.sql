WITH by_refund AS (
    SELECT date_trunc('month', business_date)::DATE AS period_start, coalesce(sum(returned), 0) AS returns,
           coalesce(sum(units_back), 0) AS units_returned, count(*) FILTER (kind IN ('return', 'exchange')) AS return_lines,
           coalesce(sum(returned) FILTER (kind = 'exchange'), 0) AS exchange_returns, sum(gross) - sum(discount) AS sales_before_returns,
           sum(units) AS units_sold
    FROM sales
    WHERE business_date >= $from AND business_date < $to
    GROUP BY 1
), by_sale AS (
    SELECT date_trunc('month', order_business_date)::DATE AS period_start, coalesce(sum(returned), 0) AS returns,
           coalesce(sum(units_back), 0) AS units_returned, count(*) FILTER (kind IN ('return', 'exchange')) AS return_lines,
           coalesce(sum(returned) FILTER (kind = 'exchange'), 0) AS exchange_returns, sum(gross) - sum(discount) AS sales_before_returns,
           sum(units) AS units_sold
    FROM sales
    WHERE order_business_date >= $from AND order_business_date < $to
    GROUP BY 1
)
SELECT period_start, r.returns, r.units_returned, r.return_lines, r.exchange_returns, r.exchange_returns / r.returns AS exchange_share,
       r.sales_before_returns, r.units_sold, r.returns / r.sales_before_returns AS return_rate_value,
       r.units_returned / r.units_sold AS return_rate_units, s.returns AS returns_by_sale_date, s.units_returned AS units_returned_by_sale_date,
       s.return_lines AS return_lines_by_sale_date, s.exchange_returns AS exchange_returns_by_sale_date,
       s.exchange_returns / s.returns AS exchange_share_by_sale_date, s.sales_before_returns AS sales_before_returns_by_sale_date,
       s.units_sold AS units_sold_by_sale_date, s.returns / s.sales_before_returns AS return_rate_value_by_sale_date,
       s.units_returned / s.units_sold AS return_rate_units_by_sale_date
FROM by_refund r JOIN by_sale s USING (period_start)
ORDER BY 1;
