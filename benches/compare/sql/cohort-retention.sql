-- ---
-- key = ["period_start", "period_no"]
-- window = [6, 18]
-- slice = true
-- set = { periods = "12" }
-- nonzero = "active_customers"
-- ---
WITH first_bought AS (
    SELECT customer_key, min(business_date) AS first_date FROM sale WHERE customer_key IS NOT NULL GROUP BY customer_key
), cell AS (
    SELECT CAST(date_trunc('month', f.first_date) AS DATE) AS cohort, CAST(date_trunc('month', s.business_date) AS DATE) AS activity,
           count(DISTINCT s.customer_key) AS active
    FROM sale s JOIN first_bought f ON f.customer_key = s.customer_key
    WHERE f.first_date >= $from AND f.first_date < $to AND s.business_date < $today AND $slice
    GROUP BY 1, 2
), numbered AS (
    SELECT cohort, activity, active,
           12 * (extract(YEAR FROM activity) - extract(YEAR FROM cohort)) + extract(MONTH FROM activity) - extract(MONTH FROM cohort) AS period_no
    FROM cell
)
SELECT a.cohort AS period_start, a.period_no AS period_no, a.activity AS activity_start, coalesce(b.active, 0) AS cohort_size,
       a.active AS active_customers
FROM numbered a LEFT JOIN cell b ON b.cohort = a.cohort AND b.activity = a.cohort
WHERE a.period_no <= 12
