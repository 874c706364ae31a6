-- ---
-- key = ["group_id", "reason_code"]
-- window = [1, 24]
-- slice = true
-- set = { level = "category" }
-- ---
WITH summed AS (
    SELECT p.category_l1_id AS group_id, r.reason_code AS reason_code, count(*) AS return_lines, sum(r.units) AS units_returned, sum(r.amount) AS returns
    FROM refund r JOIN product p ON p.product_id = r.product_id
    WHERE r.business_date >= $from AND r.business_date < $to AND $slice
    GROUP BY p.category_l1_id, r.reason_code
)
SELECT group_id, reason_code, return_lines, units_returned, returns, sum(returns) OVER (PARTITION BY group_id) AS returns_group,
       CAST(returns AS DOUBLE) / CAST(sum(returns) OVER () AS DOUBLE) AS returns_share
FROM summed
