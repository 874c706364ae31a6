-- ---
-- title = { en = "Sales to date", zh = "本期累计销售" }
-- about = """Where do we stand this month, quarter, year? Net sales day by day, added up from the first day of the period that holds the
-- day before as_of, beside the same number of days of an earlier period: the same period a year before (civil periods on the same dates,
-- weeks and retail periods 364 days before, so that weekdays meet), or the period right before. Both sides hold equally many days, so an
-- unfinished period is never compared with a whole one; where the earlier period is shorter, its total stays what it was on its last day.
-- Days without sales are 0."""
-- key = ["day_no"]
-- totals = false
--
-- [params]
-- as_of = { type = "date", default = "today", about = "First day that is not over; the day before it is the last one shown." }
-- to_date_of = { type = "text", default = "month", values = ["week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "Of which period." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- against = { type = "text", default = "previous_year", values = ["previous_year", "previous_period"], about = "Beside which period." }
--
-- [chart]
-- kind = "area"
-- x = "day"
-- y = ["net_sales_to_date", "net_sales_to_date_prev"]
--
-- [columns]
-- period_start = "first day of the period"
-- period_end = "first day after the period"
-- is_partial_period = "the period is not over"
-- day_no = "1 = its first day"
-- day = "the day"
-- day_prev = "the day of the earlier period beside it; empty where that was over"
-- net_sales = "gross sales − discounts − returns of the day (money)"
-- net_sales_prev = "the same of day_prev (money)"
-- net_sales_to_date = "net sales of the period up to the day (money)"
-- net_sales_to_date_prev = "net sales of the earlier period up to day_prev (money)"
-- net_sales_to_date_growth = "(net_sales_to_date − net_sales_to_date_prev) / abs(net_sales_to_date_prev) (share)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "the sum begins with the first day"
-- each = ["day_no > 1 OR net_sales_to_date = net_sales"]
--
-- [[tests]]
-- name = "a week has seven days"
-- params = { to_date_of = "week" }
-- each = ["day_no >= 1"]
-- all = ["count(*) <= 7"]
-- ---
WITH span AS (
    SELECT
        s.first_day,
        s.end_day,
        s.first_day_prev,
        -- a year of 364 days back is as long as the period itself
        CASE WHEN s.is_aligned THEN CAST(CAST(s.first_day_prev AS INT) + CAST(s.end_day AS INT) - CAST(s.first_day AS INT) AS DATE)
             ELSE period_end(s.first_day_prev, $to_date_of, $calendar) END AS end_day_prev
    FROM (
        SELECT
            f.first_day,
            period_end(f.first_day, $to_date_of, $calendar) AS end_day,
            f.is_aligned,
            CASE WHEN $against = 'previous_period'
                      THEN period_start(CAST(f.first_day - INTERVAL '1 day' AS DATE), $to_date_of, $calendar)
                 WHEN f.is_aligned THEN CAST(f.first_day - INTERVAL '364 days' AS DATE)
                 ELSE CAST(f.first_day - INTERVAL '1 year' AS DATE) END AS first_day_prev
        FROM (
            SELECT
                period_start(CAST($as_of - INTERVAL '1 day' AS DATE), $to_date_of, $calendar) AS first_day,
                $against = 'previous_year'
                    AND ($to_date_of IN ('week', 'fiscal_week') OR ($to_date_of LIKE 'fiscal%' AND $calendar LIKE 'retail%')) AS is_aligned
        ) f
    ) s
),
daily AS (
    SELECT e.day_no, sum(e.now_rc) AS net_sales, sum(e.prev_rc) AS net_sales_prev
    FROM (
        SELECT
            CAST(v.business_date AS INT) - CAST(s.first_day AS INT) AS day_no, v.net_rc AS now_rc, CAST(0 AS DECIMAL(18,4)) AS prev_rc
        FROM sales_event v
        CROSS JOIN span s
        WHERE v.business_date >= s.first_day AND v.business_date < $as_of AND v.flow <> 'sell_out'

        UNION ALL

        SELECT
            CAST(w.business_date AS INT) - CAST(s.first_day_prev AS INT) AS day_no, CAST(0 AS DECIMAL(18,4)) AS now_rc, w.net_rc AS prev_rc
        FROM sales_event w
        CROSS JOIN span s
        WHERE w.business_date >= s.first_day_prev AND w.business_date < s.end_day_prev AND w.flow <> 'sell_out'

        UNION ALL

        SELECT
            CAST(d.date_key AS INT) - CAST(s.first_day AS INT) AS day_no, CAST(0 AS DECIMAL(18,4)) AS now_rc, CAST(0 AS DECIMAL(18,4)) AS prev_rc
        FROM calendar d
        CROSS JOIN span s
        WHERE d.date_key >= s.first_day AND d.date_key < $as_of
    ) e
    GROUP BY 1
)
SELECT
    s.first_day AS period_start,
    s.end_day AS period_end,
    s.end_day > $as_of AS is_partial_period,
    x.day_no + 1 AS day_no,
    d.date_key AS day,
    p.date_key AS day_prev,
    x.net_sales,
    CASE WHEN p.date_key IS NOT NULL THEN x.net_sales_prev END AS net_sales_prev,
    sum(x.net_sales) OVER (ORDER BY x.day_no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS net_sales_to_date,
    sum(x.net_sales_prev) OVER (ORDER BY x.day_no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS net_sales_to_date_prev,
    growth(sum(x.net_sales) OVER (ORDER BY x.day_no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),
           sum(x.net_sales_prev) OVER (ORDER BY x.day_no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)) AS net_sales_to_date_growth,
    reporting_currency() AS currency
FROM daily x
CROSS JOIN span s
-- days of the earlier period beyond as_of's day number have no day here
JOIN calendar d ON d.date_key = CAST(CAST(s.first_day AS INT) + x.day_no AS DATE) AND d.date_key < $as_of
LEFT JOIN calendar p ON p.date_key = CAST(CAST(s.first_day_prev AS INT) + x.day_no AS DATE) AND p.date_key < s.end_day_prev
ORDER BY day_no NULLS LAST
