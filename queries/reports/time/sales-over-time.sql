-- ---
-- title = { en = "Sales over time", zh = "销售趋势" }
-- about = """How do sales move? Net sales, orders, units and average order value per bucket of time; buckets without any event are shown
-- with 0, so that a line has no holes. net_sales = gross_sales − discounts − returns, tax excluded, each return on the day of its refund
-- (policy return_basis). aov = (gross_sales − discounts) / orders; empty where a bucket has no order."""
-- key = ["period_start"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- grain = { type = "text", default = "month", values = ["day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per such bucket." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = true, about = "Buckets without any event are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["net_sales", "orders", "net_units", "aov"]
--
-- [chart]
-- kind = "line"
-- x = "period_start"
-- y = ["net_sales"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- gross_sales = "before discounts and returns (money)"
-- discounts = "line and order discounts (money)"
-- returns = "refunds, reversals, negative adjustments (money)"
-- net_sales = "gross_sales − discounts − returns (money)"
-- units_sold = "stock units"
-- units_returned = "stock units"
-- net_units = "units_sold − units_returned (stock units)"
-- orders = "distinct orders of the bucket; not to be added over buckets that share an order"
-- sales_before_returns = "gross_sales − discounts (money)"
-- aov = "sales_before_returns / orders (money per order)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "months add up to the total"
-- params = { totals = "true" }
-- each = ["net_sales = gross_sales - discounts - returns"]
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN net_sales END) = sum(CASE WHEN row_kind = 'total' THEN net_sales END)",
--     "sum(CASE WHEN row_kind = 'row' THEN gross_sales END) = sum(CASE WHEN row_kind = 'total' THEN gross_sales END)",
--     "sum(CASE WHEN row_kind = 'row' THEN units_sold END) = sum(CASE WHEN row_kind = 'total' THEN units_sold END)",
-- ]
--
-- [[tests]]
-- name = "one row per day, sold or not"
-- params = { grain = "day", from = "today - 14 days" }
-- each = ["period_end > period_start", "net_units = units_sold - units_returned"]
-- all = ["count(*) = 14"]
-- ---
SELECT
    s.period_start,
    period_end(s.period_start, $grain, $calendar) AS period_end,
    s.period_start < $from OR period_end(s.period_start, $grain, $calendar) > least($to, $as_of) AS is_partial_period,
    s.gross_sales,
    s.discounts,
    s.returns,
    s.net_sales,
    s.units_sold,
    s.units_returned,
    s.units_sold - s.units_returned AS net_units,
    s.orders,
    s.gross_sales - s.discounts AS sales_before_returns,
    ratio(s.gross_sales - s.discounts, s.orders) AS aov,
    reporting_currency() AS currency
FROM (
    SELECT
        period_start(e.business_date, $grain, $calendar) AS period_start,
        sum(e.gross_sales) AS gross_sales,
        sum(e.discounts) AS discounts,
        sum(e.returns) AS returns,
        sum(e.net_rc) AS net_sales,
        sum(e.units_sold) AS units_sold,
        sum(e.units_returned) AS units_returned,
        count(DISTINCT e.sale_order_id) AS orders
    FROM (
        SELECT
            v.business_date, v.gross_sales, v.discounts, v.returns, v.net_rc, v.units_sold, v.units_returned, v.sale_order_id
        FROM sales_event v
        WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out'

        UNION ALL

        SELECT
            d.date_key AS business_date, CAST(0 AS DECIMAL(18,4)) AS gross_sales, CAST(0 AS DECIMAL(18,4)) AS discounts,
            CAST(0 AS DECIMAL(18,4)) AS returns, CAST(0 AS DECIMAL(18,4)) AS net_rc, CAST(0 AS DECIMAL(18,3)) AS units_sold,
            CAST(0 AS DECIMAL(18,3)) AS units_returned, CAST(NULL AS VARCHAR) AS sale_order_id
        FROM calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
    ) e
    GROUP BY 1
) s
ORDER BY s.period_start NULLS LAST
