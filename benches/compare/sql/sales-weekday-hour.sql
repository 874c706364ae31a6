-- ---
-- key = ["weekday", "hour"]
-- window = [1, 24]
-- slice = true
-- set = { include_zero = "false" }
-- ---
SELECT $weekday(business_date) AS weekday, CAST(floor(CAST(local_minute AS DOUBLE) / 60) AS INT) AS hour, sum(net) AS net_sales,
       count(DISTINCT order_id) AS orders, sum(gross - discount) AS sales_before_returns
FROM event
WHERE business_date >= $from AND business_date < $to AND $slice
GROUP BY 1, 2
