-- ---
-- title = { en = "Cancelled orders", zh = "取消订单分析" }
-- about = """Why and when are orders cancelled? cancel_rate = cancelled_orders / created_orders. Orders of the asked days of which all lines are
-- cancelled by now, by the reason that their header tells (N/A: none is told), by the stage that they had reached, or by channel; beside them
-- the orders created in the same bucket: of the channel at level channel, else of all. Orders that were never confirmed and not cancelled
-- either are created ones. A cancelled order counts on its own day, not on that of its cancellation."""
-- key = ["period_start", "group_id"]
-- totals = false
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- level = { type = "text", default = "reason", values = ["reason", "stage", "channel"], about = "One row per reason, stage or channel." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per such bucket; all = one for all days." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Reasons, stages or channels that had orders before `to` are shown in every bucket, with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["cancelled_orders", "created_orders", "cancelled_value"]
--
-- [chart]
-- kind = "bar"
-- x = "group_name"
-- y = ["cancelled_orders"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- group_id = "the reason (N/A = none is told), the stage (created, confirmed, paid, partially_fulfilled, fulfilled, completed), or the channel"
-- group_name = "the channel's name; else the same"
-- cancelled_orders = "orders of which all lines are cancelled"
-- created_orders = "all orders of the bucket, at level channel of the channel"
-- cancel_rate = "cancelled_orders / created_orders (share)"
-- cancelled_orders_all = "cancelled orders of the bucket over all rows, before any limit"
-- cancel_share = "cancelled_orders / cancelled_orders_all (share)"
-- cancelled_value = "net amount of the cancelled orders (money)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "reasons add up to all that is cancelled"
-- each = ["cancelled_orders <= created_orders", "cancelled_orders > 0"]
-- all = ["sum(cancelled_orders) = max(cancelled_orders_all)"]
--
-- [[tests]]
-- name = "channels add up to reasons"
-- params = { level = "channel" }
-- each = ["cancelled_orders <= created_orders"]
-- same_sums = { columns = ["cancelled_orders", "cancelled_value"] }
-- ---
WITH made AS (
    -- earlier ones tell which groups there are
    SELECT
        o.business_date,
        CASE $level WHEN 'channel' THEN member(o.channel_id, c.channel_id)
                    WHEN 'stage' THEN o.cancel_stage
                    ELSE CASE WHEN o.is_cancelled THEN coalesce(o.cancel_reason, 'N/A') END END AS group_id,
        CASE $level WHEN 'channel' THEN member(o.channel_id, c.channel_name)
                    WHEN 'stage' THEN o.cancel_stage
                    ELSE CASE WHEN o.is_cancelled THEN coalesce(o.cancel_reason, 'N/A') END END AS group_name,
        o.is_cancelled,
        o.order_value_rc
    FROM order_now o
    LEFT JOIN channel c ON c.channel_id = o.channel_id
    WHERE (o.business_date >= $from OR $include_zero) AND o.business_date < $to
)
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.group_id,
    s.group_name,
    s.cancelled_orders,
    s.created_orders,
    ratio(s.cancelled_orders, s.created_orders) AS cancel_rate,
    s.cancelled_orders_all,
    ratio(s.cancelled_orders, s.cancelled_orders_all) AS cancel_share,
    s.cancelled_value,
    reporting_currency() AS currency
FROM (
    SELECT
        g.period_start,
        g.group_id,
        g.group_name,
        g.cancelled_orders,
        CASE WHEN $level = 'channel' THEN g.orders ELSE sum(g.orders) OVER (PARTITION BY g.period_start) END AS created_orders,
        sum(g.cancelled_orders) OVER (PARTITION BY g.period_start) AS cancelled_orders_all,
        g.cancelled_value
    FROM (
        SELECT
            CASE WHEN $grain = 'all' THEN $from ELSE period_start(o.business_date, $grain, $calendar) END AS period_start,
            o.group_id,
            min(o.group_name) AS group_name,
            sum(CASE WHEN o.is_cancelled THEN 1 ELSE 0 END) AS cancelled_orders,
            sum(o.orders) AS orders,
            sum(CASE WHEN o.is_cancelled THEN o.order_value_rc ELSE CAST(0 AS DECIMAL(28,4)) END) AS cancelled_value
        FROM (
            SELECT m.business_date, m.group_id, m.group_name, m.is_cancelled, m.order_value_rc, CAST(1 AS BIGINT) AS orders
            FROM made m
            WHERE m.business_date >= $from

            UNION ALL

            -- every group in every bucket, on the bucket's first day
            SELECT
                d.date_key AS business_date, known.group_id, known.group_name, false AS is_cancelled,
                CAST(NULL AS DECIMAL(28,4)) AS order_value_rc, CAST(0 AS BIGINT) AS orders
            FROM (SELECT group_id, group_name FROM made WHERE group_id IS NOT NULL GROUP BY 1, 2) known
            CROSS JOIN calendar d
            WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
              AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
        ) o
        GROUP BY 1, 2
    ) g
) s
-- orders that are not cancelled have no reason and no stage: they only count among the created ones
WHERE s.group_id IS NOT NULL
ORDER BY s.period_start NULLS LAST, s.cancelled_orders DESC NULLS LAST, s.group_id NULLS LAST
