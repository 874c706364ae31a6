-- ---
-- title = { en = "Return lag", zh = "退货时滞" }
-- about = """How late do goods come back? Returned lines of the asked days, by the days from the sale to the refund: up to 30, 31 to 60, 61
-- to 90, 91 to 120, more. Refunds that are dated before their sale (lag -1) are errors of the data and shown as such. Returns whose sale is
-- not known (yet), and those without an order, have no lag: they are rows of their own, so that all rows together are all returns.
-- mean_days is over the returned lines whose sale is known. Reversals of cancelled sales and adjustments are no returns of goods and not in
-- it. The report sets return_basis itself: it counts on the day of the refund."""
-- key = ["period_start", "lag_no"]
-- needs = ["return_line"]
--
-- [fixed]
-- return_basis = "return_date"
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per lag and such bucket; all = one row per lag." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = true, about = "Lags without a return are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["return_lines", "units_returned", "returns", "mean_days"]
--
-- [chart]
-- kind = "bar"
-- x = "lag"
-- y = ["return_lines"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- lag_no = "order of the lags; -1 = before the sale, 6 = sale not known, 7 = without an order"
-- lag = "0-30, 31-60, 61-90, 91-120, >120 (days), before the sale, sale not known, no order"
-- return_lines = "returned lines"
-- units_returned = "stock units"
-- returns = "refunds (money)"
-- lag_lines = "the returned lines whose lag is known"
-- lag_days = "days from sale to refund, added up over them; empty where none is known"
-- mean_days = "lag_days / lag_lines (days)"
-- return_lines_all = "returned lines of the bucket over all rows, before any limit"
-- line_share = "return_lines / return_lines_all (share)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "bands add up to the total"
-- params = { totals = "true" }
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN return_lines END) = sum(CASE WHEN row_kind = 'total' THEN return_lines END)",
--     "sum(CASE WHEN row_kind = 'row' THEN returns END) = sum(CASE WHEN row_kind = 'total' THEN returns END)",
-- ]
--
-- [[tests]]
-- name = "what it says of all is the sum of its rows"
-- each = ["lag_lines <= return_lines"]
-- all = ["sum(return_lines) = max(return_lines_all)"]
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.lag_no,
    CASE s.lag_no WHEN -1 THEN 'before the sale' WHEN 1 THEN '0-30' WHEN 2 THEN '31-60' WHEN 3 THEN '61-90' WHEN 4 THEN '91-120'
                  WHEN 5 THEN '>120' WHEN 6 THEN 'sale not known' WHEN 7 THEN 'no order' END AS lag,
    s.return_lines,
    s.units_returned,
    s.returns,
    s.lag_lines,
    s.lag_days,
    ratio(s.lag_days, s.lag_lines) AS mean_days,
    sum(s.return_lines) OVER (PARTITION BY s.period_start) AS return_lines_all,
    ratio(s.return_lines, sum(s.return_lines) OVER (PARTITION BY s.period_start)) AS line_share,
    reporting_currency() AS currency
FROM (
    SELECT
        e.period_start,
        e.lag_no,
        sum(e.line) AS return_lines,
        sum(e.units_returned) AS units_returned,
        sum(e.returns) AS returns,
        sum(CASE WHEN e.days IS NOT NULL THEN e.line ELSE 0 END) AS lag_lines,
        sum(e.days) AS lag_days
    FROM (
        SELECT
            r.period_start,
            CASE WHEN r.is_blind THEN 7 WHEN NOT r.is_sale_known THEN 6 WHEN r.days < 0 THEN -1 WHEN r.days <= 30 THEN 1
                 WHEN r.days <= 60 THEN 2 WHEN r.days <= 90 THEN 3 WHEN r.days <= 120 THEN 4 ELSE 5 END AS lag_no,
            1 AS line,
            r.units_returned,
            r.returns,
            CASE WHEN r.is_sale_known AND NOT r.is_blind THEN r.days END AS days
        FROM (
            SELECT
                CASE WHEN $grain = 'all' THEN $from ELSE period_start(v.business_date, $grain, $calendar) END AS period_start,
                v.units_returned,
                v.returns,
                v.is_blind,
                v.is_sale_known,
                CAST(v.business_date AS INT) - CAST(v.order_business_date AS INT) AS days
            FROM sales_event v
            WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out' AND v.event_kind IN ('return', 'exchange_in')
        ) r

        UNION ALL

        -- every lag of known days in every bucket
        SELECT
            CASE WHEN $grain = 'all' THEN $from ELSE period_start(d.date_key, $grain, $calendar) END AS period_start,
            d.day_of_month AS lag_no,
            0 AS line,
            CAST(0 AS DECIMAL(18,3)) AS units_returned,
            CAST(0 AS DECIMAL(18,4)) AS returns,
            CAST(0 AS INT) AS days
        FROM (
            SELECT b.date_key, n.day_of_month
            FROM calendar b
            -- 1 to 5
            CROSS JOIN (SELECT day_of_month FROM calendar WHERE day_of_month <= 5 GROUP BY 1) n
            WHERE $include_zero AND b.date_key >= $from AND b.date_key < $to
              AND b.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(b.date_key, $grain, $calendar)) END
        ) d
    ) e
    GROUP BY 1, 2
) s
ORDER BY s.period_start NULLS LAST, s.lag_no NULLS LAST
