-- ---
-- title = { en = "Sales of two periods", zh = "销售同环比" }
-- about = """Better or worse than before? One row per metric: its value in the asked days, its value in earlier days, the change, the
-- growth = change / abs(value_prev), and both per day, for periods need not be equally long. The earlier days are the same dates a year
-- before (previous_year), 364 days before, so that weekdays meet (previous_year_aligned), or as many days right before (previous_period;
-- whole months, where the asked days are whole months). With previous_year_holidays a feast, with the days around it that move with it,
-- meets the same days of that feast a year before, and every other day the one 364 days before; where that one was a feast's day, the
-- day that the feast leaves free instead, so that no earlier day counts twice. Then the earlier days need not lie side by side.
-- holidays says whose feasts: western = Easter (Palm Sunday to Easter Monday), Black Friday (Thanksgiving to Cyber Monday), Christmas
-- (18 December to New Year's Day); chinese = Spring Festival (14 days before and after), 18 June (from the 1st), 11 November (from the
-- 1st); islamic = Ramadan (7 days before to its 28th) and Eid al-Fitr (the day before to the third), by the Umm al-Qura calendar. Table
-- holiday_calendar shows which day meets which. A growth is empty where the earlier value is 0 or the asked days are not over.
-- Orders and customers are counted anew in each period. gross_profit is over the events whose cost is known."""
-- key = ["metric"]
-- totals = false
--
-- [params]
-- from = { type = "date", default = "start of month - 1 month", about = "First day, included." }
-- to = { type = "date", default = "start of month", about = "First day that is not included." }
-- against = { type = "text", default = "previous_year", values = ["previous_year", "previous_year_aligned", "previous_year_holidays", "previous_period"], about = "With which earlier days." }
-- holidays = { type = "text", default = "western", values = ["western", "chinese", "islamic"], about = "Whose feasts meet, at previous_year_holidays." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a period that ends later is partial." }
--
-- [chart]
-- kind = "bar"
-- x = "metric"
-- y = ["value", "value_prev"]
--
-- [columns]
-- period_start = "the first day asked for"
-- period_end = "the first day that is not"
-- is_partial_period = "to is after as_of: the period is not over"
-- metric_no = "order of the metrics"
-- metric = "gross_sales, discounts, returns, net_sales, gross_profit (money), units_sold, units_returned (stock units), orders, customers"
-- value = "of the asked days (money, stock units or number)"
-- value_prev = "of the earlier days"
-- change = "value − value_prev"
-- value_growth = "change / abs(value_prev) (share)"
-- days = "asked days"
-- days_prev = "earlier days"
-- value_per_day = "value / days"
-- value_per_day_prev = "value_prev / days_prev"
-- first_day_prev = "the first earlier day"
-- end_day_prev = "the first day after the last of them"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "changes are differences"
-- each = ["change = value - value_prev"]
--
-- [[tests]]
-- name = "weekday beside weekday"
-- params = { against = "previous_year_aligned" }
-- each = ["days = days_prev"]
--
-- [[tests]]
-- name = "feasts beside feasts"
-- params = { against = "previous_year_holidays" }
-- each = ["days = days_prev"]
-- ---
WITH earlier AS (
    -- the days beside which the asked ones stand: a year before, 364 days before, or as many days or whole months right before
    SELECT d.date_key
    FROM calendar d
    WHERE CASE
        WHEN $against = 'previous_year_holidays' THEN false
        WHEN $against = 'previous_year'
            THEN d.date_key >= CAST($from - INTERVAL '1 year' AS DATE) AND d.date_key < CAST($to - INTERVAL '1 year' AS DATE)
        WHEN $against = 'previous_year_aligned'
            THEN d.date_key >= CAST($from - INTERVAL '364 days' AS DATE) AND d.date_key < CAST($to - INTERVAL '364 days' AS DATE)
        WHEN extract(DAY FROM $from) = 1 AND extract(DAY FROM $to) = 1
            THEN d.date_key < $from
                 AND 12 * d.year + d.month >= 24 * extract(YEAR FROM $from) + 2 * extract(MONTH FROM $from) - 12 * extract(YEAR FROM $to)
                                              - extract(MONTH FROM $to)
        ELSE d.date_key < $from AND CAST(d.date_key AS INT) >= 2 * CAST($from AS INT) - CAST($to AS INT)
    END

    UNION ALL

    -- or those of the same feasts
    SELECT h.prev_year_date AS date_key
    FROM holiday_calendar h
    WHERE $against = 'previous_year_holidays' AND h.holiday_set = $holidays AND h.date_key >= $from AND h.date_key < $to
)
SELECT
    $from AS period_start,
    $to AS period_end,
    $to > $as_of AS is_partial_period,
    v.metric_no,
    v.metric,
    v.value,
    v.value_prev,
    v.value - v.value_prev AS change,
    CASE WHEN $to <= $as_of THEN growth(v.value, v.value_prev) END AS value_growth,
    v.days,
    v.days_prev,
    ratio(v.value, v.days) AS value_per_day,
    ratio(v.value_prev, v.days_prev) AS value_per_day_prev,
    v.first_day_prev,
    v.end_day_prev,
    reporting_currency() AS currency
FROM (
    SELECT
        m.metric_no,
        m.metric,
        coalesce(CASE m.metric
                WHEN 'gross_sales' THEN CAST(s.gross_sales AS DECIMAL(28,4)) WHEN 'discounts' THEN CAST(s.discounts AS DECIMAL(28,4))
                WHEN 'returns' THEN CAST(s.returns AS DECIMAL(28,4)) WHEN 'net_sales' THEN CAST(s.net_sales AS DECIMAL(28,4))
                WHEN 'gross_profit' THEN CAST(s.gross_profit AS DECIMAL(28,4)) WHEN 'units_sold' THEN CAST(s.units_sold AS DECIMAL(28,4))
                WHEN 'units_returned' THEN CAST(s.units_returned AS DECIMAL(28,4)) WHEN 'orders' THEN CAST(s.orders AS DECIMAL(28,4))
                WHEN 'customers' THEN CAST(s.customers AS DECIMAL(28,4)) END, CAST(0 AS DECIMAL(28,4))) AS value,
        coalesce(CASE m.metric
                WHEN 'gross_sales' THEN CAST(s.gross_sales_prev AS DECIMAL(28,4)) WHEN 'discounts' THEN CAST(s.discounts_prev AS DECIMAL(28,4))
                WHEN 'returns' THEN CAST(s.returns_prev AS DECIMAL(28,4)) WHEN 'net_sales' THEN CAST(s.net_sales_prev AS DECIMAL(28,4))
                WHEN 'gross_profit' THEN CAST(s.gross_profit_prev AS DECIMAL(28,4)) WHEN 'units_sold' THEN CAST(s.units_sold_prev AS DECIMAL(28,4))
                WHEN 'units_returned' THEN CAST(s.units_returned_prev AS DECIMAL(28,4)) WHEN 'orders' THEN CAST(s.orders_prev AS DECIMAL(28,4))
                WHEN 'customers' THEN CAST(s.customers_prev AS DECIMAL(28,4)) END, CAST(0 AS DECIMAL(28,4))) AS value_prev,
        CAST($to AS INT) - CAST($from AS INT) AS days,
        nullif(w.days, 0) AS days_prev,
        w.first_day AS first_day_prev,
        CAST(w.last_day + INTERVAL '1 day' AS DATE) AS end_day_prev
    FROM (
        SELECT
            sum(CASE WHEN e.business_date >= $from AND e.business_date < $to THEN e.gross_sales ELSE CAST(0 AS DECIMAL(18,4)) END) AS gross_sales,
            sum(CASE WHEN e.business_date >= $from AND e.business_date < $to THEN e.discounts ELSE CAST(0 AS DECIMAL(18,4)) END) AS discounts,
            sum(CASE WHEN e.business_date >= $from AND e.business_date < $to THEN e.returns ELSE CAST(0 AS DECIMAL(18,4)) END) AS returns,
            sum(CASE WHEN e.business_date >= $from AND e.business_date < $to THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales,
            sum(CASE WHEN e.business_date >= $from AND e.business_date < $to AND e.cost_rc IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END)
                - sum(CASE WHEN e.business_date >= $from AND e.business_date < $to THEN coalesce(e.cost_rc, CAST(0 AS DECIMAL(18,4))) ELSE CAST(0 AS DECIMAL(18,4)) END)
                AS gross_profit,
            sum(CASE WHEN e.business_date >= $from AND e.business_date < $to THEN e.units_sold ELSE CAST(0 AS DECIMAL(18,3)) END) AS units_sold,
            sum(CASE WHEN e.business_date >= $from AND e.business_date < $to THEN e.units_returned ELSE CAST(0 AS DECIMAL(18,3)) END) AS units_returned,
            count(DISTINCT CASE WHEN e.business_date >= $from AND e.business_date < $to THEN e.sale_order_id END) AS orders,
            count(DISTINCT CASE WHEN e.business_date >= $from AND e.business_date < $to THEN e.buyer_key END) AS customers,
            sum(CASE WHEN b.date_key IS NOT NULL THEN e.gross_sales ELSE CAST(0 AS DECIMAL(18,4)) END) AS gross_sales_prev,
            sum(CASE WHEN b.date_key IS NOT NULL THEN e.discounts ELSE CAST(0 AS DECIMAL(18,4)) END) AS discounts_prev,
            sum(CASE WHEN b.date_key IS NOT NULL THEN e.returns ELSE CAST(0 AS DECIMAL(18,4)) END) AS returns_prev,
            sum(CASE WHEN b.date_key IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales_prev,
            sum(CASE WHEN b.date_key IS NOT NULL AND e.cost_rc IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END)
                - sum(CASE WHEN b.date_key IS NOT NULL THEN coalesce(e.cost_rc, CAST(0 AS DECIMAL(18,4))) ELSE CAST(0 AS DECIMAL(18,4)) END)
                AS gross_profit_prev,
            sum(CASE WHEN b.date_key IS NOT NULL THEN e.units_sold ELSE CAST(0 AS DECIMAL(18,3)) END) AS units_sold_prev,
            sum(CASE WHEN b.date_key IS NOT NULL THEN e.units_returned ELSE CAST(0 AS DECIMAL(18,3)) END) AS units_returned_prev,
            count(DISTINCT CASE WHEN b.date_key IS NOT NULL THEN e.sale_order_id END) AS orders_prev,
            count(DISTINCT CASE WHEN b.date_key IS NOT NULL THEN e.buyer_key END) AS customers_prev
        FROM sales_event e
        LEFT JOIN (SELECT date_key FROM earlier GROUP BY 1) b ON b.date_key = e.business_date
        WHERE e.flow <> 'sell_out' AND ((e.business_date >= $from AND e.business_date < $to) OR b.date_key IS NOT NULL)
    ) s
    CROSS JOIN (SELECT min(p.date_key) AS first_day, max(p.date_key) AS last_day, count(*) AS days FROM earlier p) w
    CROSS JOIN (
        VALUES (1, 'gross_sales'), (2, 'discounts'), (3, 'returns'), (4, 'net_sales'), (5, 'gross_profit'), (6, 'units_sold'), (7, 'units_returned'),
               (8, 'orders'), (9, 'customers')
    ) AS m (metric_no, metric)
) v
ORDER BY v.metric_no NULLS LAST, v.metric NULLS LAST
