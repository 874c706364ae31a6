-- ---
-- key = ["lag_no"]
-- window = [1, 24]
-- slice = true
-- set = { include_zero = "false" }
-- ---
WITH line AS (
    SELECT $days(business_date, order_business_date) AS days, is_blind, is_sale_known, units, amount
    FROM refund
    WHERE business_date >= $from AND business_date < $to AND $slice
)
SELECT CASE WHEN is_blind THEN 7 WHEN NOT is_sale_known THEN 6 WHEN days < 0 THEN -1 WHEN days <= 30 THEN 1 WHEN days <= 60 THEN 2
            WHEN days <= 90 THEN 3 WHEN days <= 120 THEN 4 ELSE 5 END AS lag_no,
       count(*) AS return_lines, sum(units) AS units_returned, sum(amount) AS returns,
       sum(CASE WHEN is_sale_known AND NOT is_blind THEN days END) AS lag_days
FROM line GROUP BY 1
