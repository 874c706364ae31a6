-- ---
-- title = { en = "Moving average", zh = "移动平均趋势" }
-- about = """How do sales move without the spikes? Net sales of each day, and the mean of the n days that end with it: moving_average =
-- net_sales_window / n, days without sales included, so a day of rest is a 0 and not left out. The days before `from` that the first
-- windows need are read too. A day that is not over has no average. n = 7 takes out the weekday, 28 the month's shape."""
-- key = ["period_start"]
-- totals = false
--
-- [params]
-- from = { type = "date", default = "start of month - 3 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- n = { type = "int", default = 7, min = 2, max = 366, about = "How many days an average is over." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [chart]
-- kind = "line"
-- x = "period_start"
-- y = ["net_sales", "moving_average"]
--
-- [columns]
-- period_start = "the day"
-- period_end = "the day after"
-- is_partial_period = "the day is not over"
-- net_sales = "gross sales − discounts − returns of the day (money)"
-- net_sales_window = "net sales of the n days that end with it; empty while the day is not over (money)"
-- n = "days of the window"
-- moving_average = "net_sales_window / n (money per day)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "seven days"
-- each = ["n = 7"]
--
-- [[tests]]
-- name = "two days"
-- params = { n = "2" }
-- each = ["n = 2", "moving_average IS NULL OR abs(2 * moving_average - CAST(net_sales_window AS DOUBLE)) < 0.001"]
-- ---
WITH daily AS (
    SELECT e.business_date, sum(e.net_rc) AS net_sales
    FROM (
        SELECT v.business_date, v.net_rc
        FROM sales_event v
        WHERE v.business_date >= CAST(CAST(CAST($from AS DATE) AS INT) - $n AS DATE) AND v.business_date < $to AND v.flow <> 'sell_out'

        UNION ALL

        SELECT d.date_key AS business_date, CAST(0 AS DECIMAL(18,4)) AS net_rc
        FROM calendar d
        WHERE d.date_key >= CAST(CAST(CAST($from AS DATE) AS INT) - $n AS DATE) AND d.date_key < $to
    ) e
    GROUP BY 1
),
running AS (
    SELECT x.business_date, x.net_sales, sum(x.net_sales) OVER (ORDER BY x.business_date ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS so_far
    FROM daily x
)
SELECT
    a.business_date AS period_start,
    CAST(a.business_date + INTERVAL '1 day' AS DATE) AS period_end,
    a.business_date >= $as_of AS is_partial_period,
    a.net_sales,
    CASE WHEN a.business_date < $as_of THEN a.so_far - b.so_far END AS net_sales_window,
    $n AS n,
    CASE WHEN a.business_date < $as_of THEN ratio(a.so_far - b.so_far, $n) END AS moving_average,
    reporting_currency() AS currency
FROM running a
JOIN running b ON b.business_date = CAST(CAST(a.business_date AS INT) - $n AS DATE)
WHERE a.business_date >= $from
ORDER BY period_start NULLS LAST
