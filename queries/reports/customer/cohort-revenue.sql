-- ---
-- title = { en = "Cohort revenue", zh = "同期群累计收入" }
-- about = """What does a new customer bring over time? Customers are grouped by the period of their first purchase ever, over all channels
-- and all time (view first_purchase); net sales and gross profit of the cohort in the k-th period after it, and added up since its first
-- period, per customer of the cohort: net_sales_per_customer = net_sales_so_far / cohort_size. Returns count on their own day. Profit is
-- over the events whose cost is known. A period that is not over at as_of is empty, never 0. With slicers a cohort is those who bought in
-- the slice in their first period."""
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
-- kind = "line"
-- x = "period_no"
-- y = ["net_sales_per_customer"]
-- series = "period_start"
--
-- [columns]
-- period_start = "first day of the cohort: the period of the first purchase"
-- period_end = "first day after it"
-- is_partial_period = "the period of activity is not over"
-- period_no = "0 = the cohort's own period, 1 = the next …"
-- activity_start = "first day of the period of activity"
-- cohort_size = "customers of the cohort"
-- net_sales = "of the cohort in the period; empty while it is not over (money)"
-- net_sales_with_cost = "the part whose cost is known (money)"
-- cogs = "cost of those goods, less cost returned to stock (money)"
-- net_sales_so_far = "net sales of the cohort up to the end of the period (money)"
-- gross_profit_so_far = "net_sales_with_cost − cogs up to the end of the period (money)"
-- net_sales_per_customer = "net_sales_so_far / cohort_size (money per customer)"
-- gross_profit_per_customer = "gross_profit_so_far / cohort_size (money per customer)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "sums begin with the cohort"
-- each = ["period_no > 0 OR net_sales_so_far = net_sales"]
--
-- [[tests]]
-- name = "as many periods as asked for, nothing of those not over"
-- params = { periods = "3" }
-- each = ["NOT is_partial_period OR net_sales IS NULL"]
-- all = ["max(period_no) <= 3"]
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
    -- what each cohort's customers did in each period, from the first cohort's on
    SELECT
        period_start(f.first_date, $grain, $calendar) AS cohort,
        period_start(e.business_date, $grain, $calendar) AS first_day,
        count(DISTINCT e.buyer_key) AS active,
        sum(e.net_rc) AS net_sales,
        sum(CASE WHEN e.cost_rc IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales_with_cost,
        sum(coalesce(e.cost_rc, CAST(0 AS DECIMAL(18,4)))) AS cogs
    FROM sales_event e
    JOIN first_purchase f ON f.customer_key = e.customer_key
    WHERE e.business_date >= period_start($from, $grain, $calendar) AND e.business_date < $as_of AND e.flow <> 'sell_out'
      AND e.customer_key IS NOT NULL
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
    CASE WHEN g.period_end <= $as_of THEN g.net_sales END AS net_sales,
    CASE WHEN g.period_end <= $as_of THEN g.net_sales_with_cost END AS net_sales_with_cost,
    CASE WHEN g.period_end <= $as_of THEN g.cogs END AS cogs,
    CASE WHEN g.period_end <= $as_of THEN g.net_sales_so_far END AS net_sales_so_far,
    CASE WHEN g.period_end <= $as_of THEN g.gross_profit_so_far END AS gross_profit_so_far,
    CASE WHEN g.period_end <= $as_of THEN ratio(g.net_sales_so_far, g.born) END AS net_sales_per_customer,
    CASE WHEN g.period_end <= $as_of THEN ratio(g.gross_profit_so_far, g.born) END AS gross_profit_per_customer,
    reporting_currency() AS currency
FROM (
    -- a cohort's size is its activity in its own period
    SELECT
        c.first_day AS cohort,
        p.first_day,
        period_end(p.first_day, $grain, $calendar) AS period_end,
        p.no - c.no AS period_no,
        coalesce(a.net_sales, CAST(0 AS DECIMAL(28,4))) AS net_sales,
        coalesce(a.net_sales_with_cost, CAST(0 AS DECIMAL(28,4))) AS net_sales_with_cost,
        coalesce(a.cogs, CAST(0 AS DECIMAL(28,4))) AS cogs,
        max(CASE WHEN p.no = c.no THEN a.active END) OVER (PARTITION BY c.first_day) AS born,
        sum(coalesce(a.net_sales, CAST(0 AS DECIMAL(28,4)))) OVER so_far AS net_sales_so_far,
        sum(coalesce(a.net_sales_with_cost - a.cogs, CAST(0 AS DECIMAL(28,4)))) OVER so_far AS gross_profit_so_far
    FROM bucket c
    JOIN bucket p ON p.no >= c.no AND p.no <= c.no + $periods
    LEFT JOIN cell a ON a.cohort = c.first_day AND a.first_day = p.first_day
    WHERE c.first_day < $to
    WINDOW so_far AS (PARTITION BY c.first_day ORDER BY p.no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
) g
WHERE $include_zero OR g.born > 0
ORDER BY period_start NULLS LAST, period_no NULLS LAST
