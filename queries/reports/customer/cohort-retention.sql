-- ---
-- title = { en = "Cohort retention", zh = "同期群留存" }
-- about = """Do new customers come back? Customers are grouped by the period of their first purchase ever, over all channels and all time
-- (view first_purchase); active_customers are those of the cohort who bought in the k-th period after it, retention = active_customers /
-- cohort_size. A period that is not over at as_of is empty, never 0, or the last diagonal would look like a loss. With slicers a cohort is
-- those who bought in the slice in their first period, and activity is buying in the slice."""
-- key = ["period_start", "period_no"]
-- totals = false
-- needs = ["order_line.customer_key"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- grain = { type = "text", default = "month", values = ["week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "How long a cohort and a period are." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- periods = { type = "int", default = 12, min = 1, max = 60, about = "So many periods after the cohort's own." }
-- include_zero = { type = "bool", default = true, about = "Cohorts without any customer are shown; false leaves them out." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: later periods are empty." }
--
-- [chart]
-- kind = "heat"
-- x = "period_no"
-- y = ["retention"]
-- series = "period_start"
--
-- [columns]
-- period_start = "first day of the cohort: the period of the first purchase"
-- period_end = "first day after it"
-- is_partial_period = "the period of activity is not over"
-- period_no = "0 = the cohort's own period, 1 = the next …"
-- activity_start = "first day of the period of activity"
-- cohort_size = "customers of the cohort"
-- active_customers = "customers of the cohort who bought in the period; empty while it is not over"
-- retention = "active_customers / cohort_size (share)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "nobody comes back who was not there"
-- each = ["active_customers <= cohort_size", "period_no > 0 OR retention = 1"]
--
-- [[tests]]
-- name = "quarters, as many as asked for"
-- params = { grain = "quarter", periods = "4", include_zero = "false" }
-- each = ["retention >= 0 AND retention <= 1", "cohort_size > 0"]
-- all = ["max(period_no) <= 4"]
-- ---
WITH bucket AS (
    -- every period from the first cohort on, numbered
    SELECT b.first_day, CAST(row_number() OVER (ORDER BY b.first_day) AS BIGINT) AS no
    FROM (
        SELECT period_start(d.date_key, $grain, $calendar) AS first_day
        FROM calendar d
        WHERE d.date_key >= period_start($from, $grain, $calendar)
        GROUP BY 1
    ) b
),
cell AS (
    -- how many of each cohort bought in each period; nobody buys before the first purchase, so no day before the first cohort is read
    SELECT
        period_start(f.first_date, $grain, $calendar) AS cohort,
        period_start(e.business_date, $grain, $calendar) AS first_day,
        count(DISTINCT e.buyer_key) AS active
    FROM sales_event e
    JOIN first_purchase f ON f.customer_key = e.buyer_key
    WHERE e.business_date >= period_start($from, $grain, $calendar) AND e.business_date < $as_of AND e.flow <> 'sell_out'
      AND e.event_kind IN ('sale', 'exchange_out') AND e.customer_key IS NOT NULL
      AND f.first_date >= period_start($from, $grain, $calendar)
    GROUP BY 1, 2
)
SELECT
    g.cohort AS period_start,
    period_end(g.cohort, $grain, $calendar) AS period_end,
    g.period_end > $as_of AS is_partial_period,
    g.period_no,
    g.first_day AS activity_start,
    coalesce(g.born, 0) AS cohort_size,
    CASE WHEN g.period_end <= $as_of THEN g.active END AS active_customers,
    CASE WHEN g.period_end <= $as_of THEN ratio(g.active, g.born) END AS retention,
    reporting_currency() AS currency
FROM (
    -- a cohort's size is its activity in its own period
    SELECT
        c.first_day AS cohort,
        p.first_day,
        period_end(p.first_day, $grain, $calendar) AS period_end,
        p.no - c.no AS period_no,
        coalesce(a.active, 0) AS active,
        max(CASE WHEN p.no = c.no THEN a.active END) OVER (PARTITION BY c.first_day) AS born
    FROM bucket c
    JOIN bucket p ON p.no >= c.no AND p.no <= c.no + $periods
    LEFT JOIN cell a ON a.cohort = c.first_day AND a.first_day = p.first_day
    WHERE c.first_day < $to
) g
WHERE $include_zero OR g.born > 0
ORDER BY period_start NULLS LAST, period_no NULLS LAST
