-- ---
-- title = { en = "Returns summary", zh = "退货概览" }
-- about = """How large are returns? The same returns twice, side by side: by the day of the refund (columns without a suffix: what finance
-- books) and by the day of the sale that they undo (columns ending in _by_sale_date: how good those sales were; recent sales have not
-- seen all their returns yet). Rates are against sales before returns of the same days; over all time both sides agree. Returns hold
-- refunds, reversals of cancelled sales and negative adjustments. The report sets return_basis itself."""
-- key = ["period_start"]
-- needs = ["return_line"]
--
-- [fixed]
-- return_basis = "return_date"
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- grain = { type = "text", default = "month", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per such bucket; all = one row." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = true, about = "Buckets without any event are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["returns", "units_returned", "return_rate_value", "returns_by_sale_date", "return_rate_value_by_sale_date", "exchange_share"]
--
-- [chart]
-- kind = "line"
-- x = "period_start"
-- y = ["return_rate_value", "return_rate_value_by_sale_date"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- returns = "refunded in the bucket (money)"
-- units_returned = "refunded in the bucket (stock units)"
-- return_lines = "returned lines refunded in the bucket"
-- exchange_returns = "the part of returns that was exchanged for other goods (money)"
-- exchange_share = "exchange_returns / returns (share)"
-- sales_before_returns = "gross sales − discounts of the bucket (money)"
-- units_sold = "stock units sold in the bucket"
-- return_rate_value = "returns / sales_before_returns (share)"
-- return_rate_units = "units_returned / units_sold (share)"
-- returns_by_sale_date = "refunds of sales of the bucket, whenever refunded (money)"
-- units_returned_by_sale_date = "refunds of sales of the bucket, whenever refunded (stock units)"
-- return_lines_by_sale_date = "returned lines of sales of the bucket, whenever refunded"
-- exchange_returns_by_sale_date = "the part of returns_by_sale_date that was exchanged for other goods (money)"
-- exchange_share_by_sale_date = "exchange_returns_by_sale_date / returns_by_sale_date (share)"
-- sales_before_returns_by_sale_date = "gross sales − discounts by the day of the order (money)"
-- units_sold_by_sale_date = "stock units by the day of the order"
-- return_rate_value_by_sale_date = "returns_by_sale_date / sales_before_returns_by_sale_date (share)"
-- return_rate_units_by_sale_date = "units_returned_by_sale_date / units_sold_by_sale_date (share)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "months add up to the total"
-- params = { totals = "true" }
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN returns END) = sum(CASE WHEN row_kind = 'total' THEN returns END)",
--     "sum(CASE WHEN row_kind = 'row' THEN return_lines END) = sum(CASE WHEN row_kind = 'total' THEN return_lines END)",
--     "sum(CASE WHEN row_kind = 'row' THEN returns_by_sale_date END) = sum(CASE WHEN row_kind = 'total' THEN returns_by_sale_date END)",
-- ]
--
-- [[tests]]
-- name = "an exchange is a return"
-- params = { grain = "all" }
-- each = ["exchange_returns <= returns", "units_returned >= 0"]
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.returns,
    s.units_returned,
    s.return_lines,
    s.exchange_returns,
    ratio(s.exchange_returns, s.returns) AS exchange_share,
    s.sales_before_returns,
    s.units_sold,
    ratio(s.returns, s.sales_before_returns) AS return_rate_value,
    ratio(s.units_returned, s.units_sold) AS return_rate_units,
    s.returns_by_sale_date,
    s.units_returned_by_sale_date,
    s.return_lines_by_sale_date,
    s.exchange_returns_by_sale_date,
    ratio(s.exchange_returns_by_sale_date, s.returns_by_sale_date) AS exchange_share_by_sale_date,
    s.sales_before_returns_by_sale_date,
    s.units_sold_by_sale_date,
    ratio(s.returns_by_sale_date, s.sales_before_returns_by_sale_date) AS return_rate_value_by_sale_date,
    ratio(s.units_returned_by_sale_date, s.units_sold_by_sale_date) AS return_rate_units_by_sale_date,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.day, $grain, $calendar) END AS period_start,
        CAST(sum(e.returns) AS DECIMAL(28,4)) AS returns,
        CAST(sum(e.units_returned) AS DECIMAL(28,3)) AS units_returned,
        sum(e.return_lines) AS return_lines,
        CAST(sum(e.exchange_returns) AS DECIMAL(28,4)) AS exchange_returns,
        CAST(sum(e.sold) AS DECIMAL(29,4)) AS sales_before_returns,
        CAST(sum(e.units_sold) AS DECIMAL(28,3)) AS units_sold,
        CAST(sum(e.returns_by_sale_date) AS DECIMAL(28,4)) AS returns_by_sale_date,
        CAST(sum(e.units_returned_by_sale_date) AS DECIMAL(28,3)) AS units_returned_by_sale_date,
        sum(e.return_lines_by_sale_date) AS return_lines_by_sale_date,
        CAST(sum(e.exchange_returns_by_sale_date) AS DECIMAL(28,4)) AS exchange_returns_by_sale_date,
        CAST(sum(e.sold_by_sale_date) AS DECIMAL(29,4)) AS sales_before_returns_by_sale_date,
        CAST(sum(e.units_sold_by_sale_date) AS DECIMAL(28,3)) AS units_sold_by_sale_date
    FROM (
        -- the same rows twice: once on the day that counts in the books, once on the day of their sale; added up by day before
        -- they meet, so that few rows do, and a rollup can answer the first half. Sums of sums are wider: hence the casts above
        SELECT
            v.business_date AS day,
            sum(v.returns) AS returns,
            sum(v.units_returned) AS units_returned,
            sum(CASE WHEN v.event_kind IN ('return', 'exchange_in') THEN 1 ELSE 0 END) AS return_lines,
            sum(CASE WHEN v.event_kind = 'exchange_in' THEN v.returns ELSE CAST(0 AS DECIMAL(18,4)) END) AS exchange_returns,
            sum(v.gross_sales) - sum(v.discounts) AS sold,
            sum(v.units_sold) AS units_sold,
            0 AS returns_by_sale_date,
            0 AS units_returned_by_sale_date,
            0 AS return_lines_by_sale_date,
            0 AS exchange_returns_by_sale_date,
            0 AS sold_by_sale_date,
            0 AS units_sold_by_sale_date
        FROM sales_event v
        WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out'
        GROUP BY 1

        UNION ALL

        SELECT
            w.order_business_date AS day,
            0 AS returns,
            0 AS units_returned,
            0 AS return_lines,
            0 AS exchange_returns,
            0 AS sold,
            0 AS units_sold,
            sum(w.returns) AS returns_by_sale_date,
            sum(w.units_returned) AS units_returned_by_sale_date,
            sum(CASE WHEN w.event_kind IN ('return', 'exchange_in') THEN 1 ELSE 0 END) AS return_lines_by_sale_date,
            sum(CASE WHEN w.event_kind = 'exchange_in' THEN w.returns ELSE CAST(0 AS DECIMAL(18,4)) END) AS exchange_returns_by_sale_date,
            sum(w.gross_sales) - sum(w.discounts) AS sold_by_sale_date,
            sum(w.units_sold) AS units_sold_by_sale_date
        FROM sales_event w
        WHERE w.order_business_date >= $from AND w.order_business_date < $to AND w.flow <> 'sell_out'
        GROUP BY 1

        UNION ALL

        SELECT d.date_key AS day, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
        FROM calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
    ) e
    GROUP BY 1
) s
ORDER BY s.period_start NULLS LAST
