-- ---
-- key = ["period_start"]
-- window = [3, 24]
-- slice = true
-- choices = { grain = ["month", "week", "quarter", "day"] }
-- ---
SELECT $bucket(business_date) AS period_start, sum(gross) AS gross_sales, sum(discount) AS discounts, sum(returned) AS returns, sum(net) AS net_sales,
       sum(units) AS units_sold, sum(units_back) AS units_returned, count(DISTINCT order_id) AS orders,
       CAST(sum(gross) - sum(discount) AS DOUBLE) / count(DISTINCT order_id) AS aov
FROM event
WHERE business_date >= $from AND business_date < $to AND $slice
GROUP BY 1
