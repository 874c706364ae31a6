-- ---
-- key = ["period_start"]
-- window = [3, 12]
-- history = 24
-- slice = true
-- set = { months = "12" }
-- ---
WITH monthly AS (
    SELECT CAST(date_trunc('month', business_date) AS DATE) AS period_start, sum(net) AS net_sales
    FROM event
    WHERE business_date >= $from-24m AND business_date < $to AND $slice
    GROUP BY 1
), summed AS (
    SELECT period_start, net_sales, sum(net_sales) OVER (ORDER BY period_start ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS so_far
    FROM monthly
), running AS (
    SELECT period_start, net_sales, so_far - lag(so_far, 12) OVER (ORDER BY period_start) AS mat,
           lag(so_far, 12) OVER (ORDER BY period_start) - lag(so_far, 24) OVER (ORDER BY period_start) AS mat_prev
    FROM summed
)
SELECT period_start, net_sales, mat, mat_prev, CAST(mat - mat_prev AS DOUBLE) / CAST(abs(mat_prev) AS DOUBLE) AS mat_growth
FROM running WHERE period_start >= $from
