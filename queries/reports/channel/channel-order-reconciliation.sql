-- ---
-- title = { en = "Orders told and orders landed", zh = "渠道订单对账" }
-- about = """Is any order lost, extra, or there twice? What headers tell of orders beside the orders' lines, order by order, then counted per
-- source system, channel and currency: an order is missing when it has a header and no lines, extra when it has lines and no header; of the
-- others amount_differs counts those whose header's total is further off what the lines and billed charges come to with tax than tolerance
-- per line (V05), and status_differs those whose header says another status, channel, currency or day of cancellation than the lines (V21).
-- copies are orders that another system's order stands for, and that no report counts; open_pairs are orders that may be copies and of which
-- nobody has decided (view order_alias_candidate): they are counted. An order may have several problems. It counts as delivered: tests,
-- drafts and copies too. Amounts are in source_currency. Systems that never told an order as a whole are not shown."""
-- key = ["period_start", "source_system", "channel_id", "source_currency"]
-- totals = false
-- needs = ["order_header"]
--
-- [params]
-- from = { type = "date", default = "today - 14 days", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- source_system = { type = "text", optional = true, about = "Only this source system." }
-- tolerance = { type = "decimal", default = 0.01, min = 0, about = "So much per line a total may be off (in source_currency)." }
-- show = { type = "text", default = "all", values = ["all", "problems"], about = "All rows, or only those with a problem." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per such bucket; all = one for all days." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [chart]
-- kind = "table"
-- x = "source_system"
-- y = ["problems"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- source_system = "the system that has the orders"
-- channel_id = "the channel; UNK = not in the channel table"
-- channel_name = "its name"
-- source_currency = "the currency of the amounts"
-- told_orders = "orders with a header"
-- landed_orders = "orders with lines"
-- matched_orders = "orders with both"
-- missing_orders = "a header, and no lines"
-- extra_orders = "lines, and no header"
-- amount_differs = "both, and the amounts differ beyond the tolerance"
-- status_differs = "both, and status, channel, currency or day of cancellation differ"
-- copies = "orders that another system's order stands for"
-- open_pairs = "orders that may be copies, undecided"
-- problems = "missing_orders + extra_orders + amount_differs + status_differs + open_pairs"
-- told_amount = "totals of the headers (money in source_currency)"
-- landed_amount = "lines and billed charges with tax (money in source_currency)"
-- amount_difference = "landed_amount − told_amount (money in source_currency)"
-- matched_difference = "differences of the orders with both, added up without their signs (money in source_currency)"
-- currency = "the lake's reporting currency; amounts here are in source_currency"
--
-- [[tests]]
-- name = "an order is matched, missing or extra"
-- each = [
--     "told_orders = matched_orders + missing_orders",
--     "landed_orders = matched_orders + extra_orders",
--     "amount_differs <= matched_orders",
--     "status_differs <= matched_orders",
--     "amount_difference = landed_amount - told_amount",
-- ]
--
-- [[tests]]
-- name = "only problems are shown"
-- params = { show = "problems", from = "start of month - 12 months" }
-- each = ["problems > 0", "problems = missing_orders + extra_orders + amount_differs + status_differs + open_pairs"]
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.source_system,
    s.channel_id,
    s.channel_name,
    s.source_currency,
    s.told_orders,
    s.landed_orders,
    s.matched_orders,
    s.told_orders - s.matched_orders AS missing_orders,
    s.landed_orders - s.matched_orders AS extra_orders,
    s.amount_differs,
    s.status_differs,
    s.copies,
    s.open_pairs,
    s.told_orders + s.landed_orders - 2 * s.matched_orders + s.amount_differs + s.status_differs + s.open_pairs AS problems,
    s.told_amount,
    s.landed_amount,
    s.landed_amount - s.told_amount AS amount_difference,
    s.matched_difference,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(o.business_date, $grain, $calendar) END AS period_start,
        o.source_system,
        member(o.channel_id, c.channel_id) AS channel_id,
        member(o.channel_id, c.channel_name) AS channel_name,
        o.source_currency,
        sum(CASE WHEN o.is_told THEN 1 ELSE 0 END) AS told_orders,
        sum(CASE WHEN o.is_landed THEN 1 ELSE 0 END) AS landed_orders,
        sum(CASE WHEN o.is_told AND o.is_landed THEN 1 ELSE 0 END) AS matched_orders,
        sum(CASE WHEN o.is_told AND o.is_landed AND abs(o.landed_amount - o.told_amount) > CAST($tolerance AS DECIMAL(18,4)) * o.order_lines
                 THEN 1 ELSE 0 END) AS amount_differs,
        sum(CASE WHEN o.is_same_status THEN 0 ELSE 1 END) AS status_differs,
        sum(CASE WHEN o.is_copy THEN 1 ELSE 0 END) AS copies,
        sum(CASE WHEN o.possible_copies > 0 THEN 1 ELSE 0 END) AS open_pairs,
        sum(o.told_amount) AS told_amount,
        sum(o.landed_amount) AS landed_amount,
        sum(CASE WHEN o.is_told AND o.is_landed THEN abs(o.landed_amount - o.told_amount) ELSE CAST(0 AS DECIMAL(18,4)) END) AS matched_difference
    FROM order_check o
    LEFT JOIN channel c ON c.channel_id = o.channel_id
    WHERE o.business_date >= $from AND o.business_date < $to AND ($source_system IS NULL OR o.source_system = $source_system)
    GROUP BY 1, 2, 3, 4, 5
) s
WHERE $show = 'all' OR s.told_orders + s.landed_orders - 2 * s.matched_orders + s.amount_differs + s.status_differs + s.open_pairs > 0
ORDER BY s.period_start NULLS LAST, s.source_system NULLS LAST, s.channel_id NULLS LAST, s.source_currency NULLS LAST
