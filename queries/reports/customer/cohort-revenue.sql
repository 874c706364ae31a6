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
    -- what each cohort's customers did in each period
    SELECT
        period_start(f.first_date, $grain, $calendar) AS cohort,
        period_start(e.business_date, $grain, $calendar) AS first_day,
        count(DISTINCT e.buyer_key) AS active,
        sum(e.net_rc) AS net_sales,
        sum(CASE WHEN e.cost_rc IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales_with_cost,
        sum(coalesce(e.cost_rc, CAST(0 AS DECIMAL(18,4)))) AS cogs
    FROM sales_event e
    JOIN first_purchase f ON f.customer_key = e.customer_key
    WHERE e.business_date < $as_of AND e.flow <> 'sell_out'
      AND f.first_date >= period_start($from, $grain, $calendar)
    GROUP BY 1, 2
)
SELECT
    c.first_day AS period_start,
    period_end(c.first_day, $grain, $calendar) AS period_end,
    period_end(p.first_day, $grain, $calendar) > $as_of AS is_partial_period,
    p.no - c.no AS period_no,
    p.first_day AS activity_start,
    coalesce(born.active, 0) AS cohort_size,
    CASE WHEN period_end(p.first_day, $grain, $calendar) <= $as_of THEN coalesce(a.net_sales, CAST(0 AS DECIMAL(28,4))) END AS net_sales,
    CASE WHEN period_end(p.first_day, $grain, $calendar) <= $as_of THEN coalesce(a.net_sales_with_cost, CAST(0 AS DECIMAL(28,4))) END AS net_sales_with_cost,
    CASE WHEN period_end(p.first_day, $grain, $calendar) <= $as_of THEN coalesce(a.cogs, CAST(0 AS DECIMAL(28,4))) END AS cogs,
    CASE WHEN period_end(p.first_day, $grain, $calendar) <= $as_of THEN 
        sum(coalesce(a.net_sales, CAST(0 AS DECIMAL(28,4)))) OVER (PARTITION BY c.first_day ORDER BY p.no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) END AS net_sales_so_far,
    CASE WHEN period_end(p.first_day, $grain, $calendar) <= $as_of THEN 
        sum(coalesce(a.net_sales_with_cost - a.cogs, CAST(0 AS DECIMAL(28,4)))) OVER (PARTITION BY c.first_day ORDER BY p.no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) END AS gross_profit_so_far,
    CASE WHEN period_end(p.first_day, $grain, $calendar) <= $as_of THEN 
        ratio(sum(coalesce(a.net_sales, CAST(0 AS DECIMAL(28,4)))) OVER (PARTITION BY c.first_day ORDER BY p.no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW), born.active) END AS net_sales_per_customer,
    CASE WHEN period_end(p.first_day, $grain, $calendar) <= $as_of THEN 
        ratio(sum(coalesce(a.net_sales_with_cost - a.cogs, CAST(0 AS DECIMAL(28,4)))) OVER (PARTITION BY c.first_day ORDER BY p.no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW), born.active) END AS gross_profit_per_customer,
    reporting_currency() AS currency
FROM bucket c
JOIN bucket p ON p.no >= c.no AND p.no <= c.no + $periods
LEFT JOIN cell born ON born.cohort = c.first_day AND born.first_day = c.first_day
LEFT JOIN cell a ON a.cohort = c.first_day AND a.first_day = p.first_day
WHERE c.first_day < $to AND ($include_zero OR born.active > 0)
ORDER BY period_start NULLS LAST, period_no NULLS LAST
