-- ---
-- title = { en = "Order status", zh = "订单状态漏斗" }
-- about = """Where are the orders? Orders of the asked days by the status that the lake knows now, from created (not confirmed yet, so no
-- sale) to completed, closed and cancelled, alone or with their age (level age): days from the order to as_of of orders that are still
-- under way; those that are done have none. An order whose lines stand differently is where its least advanced line is; it is cancelled
-- when all of its lines are. line_value is the net amount of the lines, of cancelled lines only in cancelled orders, before returns. How
-- orders got there is not told: the lake keeps the status, not its history, so the report cannot be asked for the status of an earlier
-- day."""
-- key = ["status_no", "age_no"]
-- totals = false
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- level = { type = "text", default = "status", values = ["status", "age"], about = "One row per status, or per status and age." }
-- as_of = { type = "date", default = "today", about = "The age is as of the beginning of this day." }
--
-- [chart]
-- kind = "funnel"
-- x = "order_status"
-- y = ["status_orders"]
--
-- [columns]
-- period_start = "the first day asked for"
-- period_end = "the first day that is not"
-- is_partial_period = "to is after as_of: the period is not over"
-- status_no = "1 = created … 8 = cancelled"
-- order_status = "created, confirmed, paid, partially_fulfilled, fulfilled, completed, closed, cancelled"
-- age_no = "order of the ages; 0 = done, empty at level status"
-- age = "0-1, 2-3, 4-7, 8-14, 15-30, >30 (days), done; empty at level status"
-- status_orders = "orders"
-- status_orders_all = "orders of all rows, before any limit"
-- order_share = "status_orders / status_orders_all"
-- reached_orders = "orders that came at least so far and were not cancelled; empty for cancelled and at level age"
-- line_value = "net amount of their lines (money)"
-- line_value_all = "of all rows, before any limit (money)"
-- value_share = "line_value / line_value_all"
-- oldest_date = "the day of the oldest order in the row"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "values add up"
-- each = ["status_orders <= status_orders_all"]
-- all = ["sum(line_value) = max(line_value_all)"]
--
-- [[tests]]
-- name = "also by age"
-- params = { level = "age" }
-- each = ["status_orders <= status_orders_all"]
-- all = ["sum(line_value) = max(line_value_all)"]
-- ---
SELECT
    $from AS period_start,
    $to AS period_end,
    $to > $as_of AS is_partial_period,
    s.status_no,
    CASE s.status_no WHEN 1 THEN 'created' WHEN 2 THEN 'confirmed' WHEN 3 THEN 'paid' WHEN 4 THEN 'partially_fulfilled' WHEN 5 THEN 'fulfilled'
                     WHEN 6 THEN 'completed' WHEN 7 THEN 'closed' WHEN 8 THEN 'cancelled' END AS order_status,
    s.age_no,
    CASE s.age_no WHEN 0 THEN 'done' WHEN 1 THEN '0-1' WHEN 2 THEN '2-3' WHEN 3 THEN '4-7' WHEN 4 THEN '8-14' WHEN 5 THEN '15-30' WHEN 6 THEN '>30'
    END AS age,
    s.status_orders,
    sum(s.status_orders) OVER () AS status_orders_all,
    ratio(s.status_orders, sum(s.status_orders) OVER ()) AS order_share,
    CASE WHEN $level = 'status' AND s.status_no < 8
         THEN sum(CASE WHEN s.status_no < 8 THEN s.status_orders ELSE 0 END)
              OVER (ORDER BY s.status_no DESC NULLS LAST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) END AS reached_orders,
    s.line_value,
    sum(s.line_value) OVER () AS line_value_all,
    ratio(s.line_value, sum(s.line_value) OVER ()) AS value_share,
    s.oldest_date,
    reporting_currency() AS currency
FROM (
    SELECT
        o.status_no,
        CASE WHEN $level = 'age' THEN CASE WHEN o.status_no >= 6 THEN 0 WHEN o.days <= 1 THEN 1 WHEN o.days <= 3 THEN 2 WHEN o.days <= 7 THEN 3 WHEN o.days <= 14 THEN 4
                                       WHEN o.days <= 30 THEN 5 ELSE 6 END END AS age_no,
        count(o.order_id) AS status_orders,
        sum(o.line_value) AS line_value,
        min(o.business_date) AS oldest_date
    FROM (
        SELECT
            e.order_id,
            -- the least advanced of the lines that are not cancelled
            coalesce(min(CASE WHEN e.is_cancelled THEN NULL ELSE e.status_no END), 8) AS status_no,
            min(e.business_date) AS business_date,
            CAST($as_of AS INT) - CAST(min(e.business_date) AS INT) AS days,
            CASE WHEN bool_and(e.is_cancelled) THEN sum(e.line_value_rc)
                 ELSE sum(CASE WHEN e.is_cancelled THEN CAST(0 AS DECIMAL(18,4)) ELSE e.line_value_rc END) END AS line_value
        FROM (
            SELECT
                v.order_id, v.is_cancelled, v.business_date, v.line_value_rc,
                CASE v.order_status WHEN 'created' THEN 1 WHEN 'confirmed' THEN 2 WHEN 'paid' THEN 3 WHEN 'partially_fulfilled' THEN 4
                                    WHEN 'fulfilled' THEN 5 WHEN 'completed' THEN 6 WHEN 'closed' THEN 7 ELSE 8 END AS status_no
            FROM order_line_now v
            WHERE v.business_date >= $from AND v.business_date < $to
        ) e
        GROUP BY e.order_id
    ) o
    GROUP BY 1, 2
) s
ORDER BY s.status_no NULLS LAST, s.age_no NULLS LAST
