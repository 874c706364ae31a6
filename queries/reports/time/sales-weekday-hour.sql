-- ---
-- title = { en = "Sales by weekday and hour", zh = "星期与时段销售" }
-- about = """When do we sell? Net sales and orders per weekday and hour of the local clock, with the mean per such weekday:
-- net_sales_per_day = net_sales / days, where days is how often the weekday occurs from `from` up to `to` and as_of, days without sales
-- included. The weekday is that of the business date: an hour of the night that still belongs to the day before stands under that day.
-- Returns count in the hour of their refund, so an hour may be below 0. All 168 hours are shown, unless include_zero = false."""
-- key = ["weekday", "hour"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- include_zero = { type = "bool", default = true, about = "Hours without any event are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a period that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- measures = ["net_sales", "net_sales_per_day", "orders"]
--
-- [chart]
-- kind = "heat"
-- x = "hour"
-- y = ["net_sales_per_day"]
-- series = "weekday"
--
-- [columns]
-- period_start = "the first day asked for"
-- period_end = "the first day that is not"
-- is_partial_period = "to is after as_of: the period is not over"
-- weekday = "1 = Monday … 7 = Sunday"
-- hour = "0 … 23"
-- days = "such weekdays in the asked days before as_of"
-- net_sales = "gross_sales − discounts − returns (money)"
-- net_sales_per_day = "net_sales / days (money per day)"
-- orders = "distinct orders"
-- orders_per_day = "orders / days"
-- sales_before_returns = "gross_sales − discounts (money)"
-- aov = "sales_before_returns / orders (money per order)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "hours add up to the total"
-- params = { totals = "true" }
-- all = ["sum(CASE WHEN row_kind = 'row' THEN net_sales END) = sum(CASE WHEN row_kind = 'total' THEN net_sales END)"]
--
-- [[tests]]
-- name = "every hour of a week"
-- params = { include_zero = "true" }
-- each = ["hour >= 0 AND hour <= 23", "weekday >= 1 AND weekday <= 7"]
-- all = ["count(*) = 168"]
-- ---
SELECT
    $from AS period_start,
    $to AS period_end,
    $to > $as_of AS is_partial_period,
    s.weekday,
    s.hour,
    s.days,
    s.net_sales,
    ratio(s.net_sales, s.days) AS net_sales_per_day,
    s.orders,
    ratio(s.orders, s.days) AS orders_per_day,
    s.sales_before_returns,
    ratio(s.sales_before_returns, s.orders) AS aov,
    reporting_currency() AS currency
FROM (
    SELECT
        d.day_of_week AS weekday,
        e.hour,
        count(DISTINCT CASE WHEN d.date_key < $as_of THEN e.business_date END) AS days,
        sum(e.net_rc) AS net_sales,
        count(DISTINCT e.sale_order_id) AS orders,
        sum(e.sold) AS sales_before_returns
    FROM (
        SELECT
            v.business_date, CAST(floor(v.local_minute / 60.0) AS INT) AS hour, v.net_rc, v.sale_order_id, v.gross_sales - v.discounts AS sold,
            1 AS is_event
        FROM sales_event v
        WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out'

        UNION ALL

        -- every day in every hour, for the number of days
        SELECT
            c.date_key AS business_date, h.day_of_month - 1 AS hour, CAST(0 AS DECIMAL(18,4)) AS net_rc, CAST(NULL AS VARCHAR) AS sale_order_id,
            CAST(0 AS DECIMAL(19,4)) AS sold, 0 AS is_event
        FROM calendar c
        CROSS JOIN (SELECT day_of_month FROM calendar WHERE day_of_month <= 24 GROUP BY 1) h
        WHERE c.date_key >= $from AND c.date_key < $to
    ) e
    JOIN calendar d ON d.date_key = e.business_date
    GROUP BY 1, 2
    HAVING $include_zero OR sum(e.is_event) > 0
) s
ORDER BY s.weekday NULLS LAST, s.hour NULLS LAST
