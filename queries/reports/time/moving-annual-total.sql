-- ---
-- title = { en = "Moving annual total", zh = "移动年度总额" }
-- about = """What do twelve months bring, month by month? Net sales of each month that the asked days touch, and of the `months` whole
-- months that end with it (mat), beside the same total twelve months earlier: mat_growth = (mat − mat_prev) / abs(mat_prev). Months without
-- sales are 0. A month that is not over at as_of has no total. The months before `from` that the first totals need are read too;
-- months_with_sales says how many of the months had an event, for a total over a time before the lake's first data is not yet a whole one,
-- nor is the growth against it."""
-- key = ["period_start"]
-- totals = false
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- months = { type = "int", default = 12, min = 2, max = 60, about = "How many months a total is over." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [chart]
-- kind = "line"
-- x = "period_start"
-- y = ["mat"]
--
-- [columns]
-- period_start = "first day of the month"
-- period_end = "first day of the next month"
-- is_partial_period = "the month is not over"
-- net_sales = "gross sales − discounts − returns of the month (money)"
-- mat = "net sales of the months that end with it; empty while the month is not over (money)"
-- mat_prev = "the same twelve months earlier (money)"
-- mat_growth = "(mat − mat_prev) / abs(mat_prev) (share)"
-- months_with_sales = "of those months, how many had an event"
-- months_with_sales_prev = "the same twelve months earlier"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "a sum of at most twelve months"
-- each = ["months_with_sales >= 0 AND months_with_sales <= 12"]
--
-- [[tests]]
-- name = "a sum of at most two months"
-- params = { months = "2" }
-- each = ["months_with_sales >= 0 AND months_with_sales <= 2", "months_with_sales > 0 OR mat IS NULL OR mat = 0"]
-- ---
WITH monthly AS (
    SELECT
        d.month_start,
        12 * d.year + d.month AS month_no,
        sum(e.net_rc) AS net_sales,
        max(e.is_event) AS has_event
    FROM (
        SELECT v.business_date, v.net_rc, 1 AS is_event
        FROM sales_event v
        WHERE v.flow <> 'sell_out'

        UNION ALL

        SELECT c.date_key AS business_date, CAST(0 AS DECIMAL(18,4)) AS net_rc, 0 AS is_event
        FROM calendar c
        WHERE c.day_of_month = 1
    ) e
    JOIN calendar d ON d.date_key = e.business_date
    WHERE 12 * d.year + d.month >= 12 * extract(YEAR FROM $from) + extract(MONTH FROM $from) - $months - 12
      AND d.month_start < $to
    GROUP BY 1, 2
),
running AS (
    SELECT
        m.month_start,
        m.month_no,
        m.net_sales,
        sum(m.net_sales) OVER (ORDER BY m.month_no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS so_far,
        sum(m.has_event) OVER (ORDER BY m.month_no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS events_so_far
    FROM monthly m
)
SELECT
    a.month_start AS period_start,
    period_end(a.month_start, 'month', 'iso') AS period_end,
    period_end(a.month_start, 'month', 'iso') > $as_of AS is_partial_period,
    a.net_sales,
    CASE WHEN period_end(a.month_start, 'month', 'iso') <= $as_of THEN a.so_far - b.so_far END AS mat,
    CASE WHEN period_end(a.month_start, 'month', 'iso') <= $as_of THEN p.so_far - q.so_far END AS mat_prev,
    CASE WHEN period_end(a.month_start, 'month', 'iso') <= $as_of THEN growth(a.so_far - b.so_far, p.so_far - q.so_far) END AS mat_growth,
    a.events_so_far - b.events_so_far AS months_with_sales,
    p.events_so_far - q.events_so_far AS months_with_sales_prev,
    reporting_currency() AS currency
FROM running a
JOIN running b ON b.month_no = a.month_no - $months
JOIN running p ON p.month_no = a.month_no - 12
JOIN running q ON q.month_no = a.month_no - 12 - $months
WHERE period_end(a.month_start, 'month', 'iso') > $from
ORDER BY period_start NULLS LAST
