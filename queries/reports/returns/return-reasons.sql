-- ---
-- title = { en = "Return reasons", zh = "退货原因" }
-- about = """Why do goods come back? Returned lines, units and money per reason as the source gives it (unknown is shown, not left out),
-- alone or within channels, top categories or articles (parameter level), each with its share of everything that the filters leave and
-- within its group. Each return counts where the goods were sold. Reversals of cancelled sales and adjustments have no reason and are not
-- in it, so the sum may be less than the returns of other reports."""
-- key = ["period_start", "group_id", "reason_code"]
-- needs = ["return_line"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- level = { type = "text", default = "reason", values = ["reason", "channel", "category", "product"], about = "Reasons alone, or reasons within channels, top categories or articles." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per reason and such bucket; all = one row per reason." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Reasons of the group that were ever given before `to` are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["return_lines", "units_returned", "returns"]
--
-- [chart]
-- kind = "pareto"
-- x = "reason_code"
-- y = ["returns"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- group_id = "the channel, category or article; empty at level reason; UNK = not known, N/A = none"
-- group_name = "its name"
-- reason_code = "the reason; unknown = the source does not know it"
-- return_lines = "returned lines"
-- units_returned = "stock units"
-- returns = "refunds (money)"
-- returns_group = "returns of the bucket and group (money)"
-- group_share = "returns / returns_group"
-- returns_all = "returns of the bucket over all rows, before any limit (money)"
-- returns_share = "returns / returns_all"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "reasons add up to the total"
-- params = { totals = "true" }
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN returns END) = sum(CASE WHEN row_kind = 'total' THEN returns END)",
--     "sum(CASE WHEN row_kind = 'row' THEN return_lines END) = sum(CASE WHEN row_kind = 'total' THEN return_lines END)",
-- ]
--
-- [[tests]]
-- name = "also within channels"
-- params = { level = "channel", include_zero = "true" }
-- each = ["returns <= returns_group"]
-- all = ["sum(returns) = max(returns_all)"]
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.group_id,
    CASE WHEN s.group_id IS NOT NULL THEN s.group_name END AS group_name,
    s.reason_code,
    s.return_lines,
    s.units_returned,
    s.returns,
    sum(s.returns) OVER (PARTITION BY s.period_start, s.group_id) AS returns_group,
    ratio(s.returns, sum(s.returns) OVER (PARTITION BY s.period_start, s.group_id)) AS group_share,
    sum(s.returns) OVER (PARTITION BY s.period_start) AS returns_all,
    ratio(s.returns, sum(s.returns) OVER (PARTITION BY s.period_start)) AS returns_share,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
        CASE $level WHEN 'channel' THEN member(e.channel_id, c.channel_id)
                    WHEN 'category' THEN member(e.product_id, coalesce(p.category_l1_id, p.category_l1_name))
                    WHEN 'product' THEN member(e.product_id, p.product_id) END AS group_id,
        min(CASE $level WHEN 'channel' THEN member(e.channel_id, c.channel_name)
                        WHEN 'category' THEN member(e.product_id, coalesce(p.category_l1_name, p.category_l1_id))
                        WHEN 'product' THEN member(e.product_id, p.product_name) END) AS group_name,
        coalesce(e.reason_code, 'unknown') AS reason_code,
        count(e.event_kind) AS return_lines,
        sum(e.units_returned) AS units_returned,
        sum(e.returns) AS returns
    FROM (
        SELECT v.business_date, v.channel_id, v.product_id, v.reason_code, v.event_kind, v.units_returned, v.returns
        FROM sales_event v
        WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out' AND v.event_kind IN ('return', 'exchange_in')

        UNION ALL

        -- every reason that was ever given, in every bucket, on the bucket's first day: no line
        SELECT
            d.date_key AS business_date, known.channel_id, known.product_id, known.reason_code, CAST(NULL AS VARCHAR) AS event_kind,
            CAST(0 AS DECIMAL(18,3)) AS units_returned, CAST(0 AS DECIMAL(18,4)) AS returns
        FROM (
            SELECT
                CASE WHEN $level = 'channel' THEN o.channel_id END AS channel_id,
                CASE WHEN $level IN ('category', 'product') THEN o.product_id END AS product_id,
                o.reason_code
            FROM sales_event o
            WHERE o.business_date < $to AND o.flow <> 'sell_out' AND o.event_kind IN ('return', 'exchange_in')
            GROUP BY 1, 2, 3
        ) known
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) e
    LEFT JOIN channel c ON c.channel_id = e.channel_id
    LEFT JOIN product p ON p.product_id = e.product_id
    GROUP BY 1, 2, 4
) s
ORDER BY s.period_start NULLS LAST, s.returns DESC NULLS LAST, s.group_id NULLS LAST, s.reason_code NULLS LAST
