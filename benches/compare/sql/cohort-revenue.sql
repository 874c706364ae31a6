-- ---
-- key = ["period_start", "period_no"]
-- window = [6, 18]
-- slice = true
-- set = { periods = "12" }
-- nonzero = "net_sales"
-- ---
WITH first_bought AS (
    SELECT customer_key, min(business_date) AS first_date FROM sale WHERE customer_key IS NOT NULL GROUP BY customer_key
), cell AS (
    SELECT CAST(date_trunc('month', f.first_date) AS DATE) AS cohort, CAST(date_trunc('month', e.business_date) AS DATE) AS activity,
           count(DISTINCT e.buyer) AS active, sum(e.net) AS net_sales, sum(CASE WHEN e.cost IS NOT NULL THEN e.net END) AS with_cost, sum(e.cost) AS cogs
    FROM event e JOIN first_bought f ON f.customer_key = e.customer_key
    WHERE f.first_date >= $from AND f.first_date < $to AND e.business_date < $today AND $slice
    GROUP BY 1, 2
), numbered AS (
    SELECT cohort, activity, net_sales, with_cost, cogs,
           12 * (extract(YEAR FROM activity) - extract(YEAR FROM cohort)) + extract(MONTH FROM activity) - extract(MONTH FROM cohort) AS period_no
    FROM cell
), running AS (
    SELECT cohort, activity, period_no, net_sales, with_cost, cogs,
           sum(net_sales) OVER (PARTITION BY cohort ORDER BY activity ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS so_far
    FROM numbered
)
SELECT a.cohort AS period_start, a.period_no AS period_no, a.activity AS activity_start, coalesce(b.active, 0) AS cohort_size,
       a.net_sales AS net_sales, coalesce(a.with_cost, 0) AS net_sales_with_cost, coalesce(a.cogs, 0) AS cogs, a.so_far AS net_sales_so_far
FROM running a LEFT JOIN cell b ON b.cohort = a.cohort AND b.activity = a.cohort
WHERE a.period_no <= 12
