-- ---
-- title = { en = "Order cycle time", zh = "订单各环节时长" }
-- about = """How long does each step take? Hours from one status of an order to a later one, by the orders' steps: created → paid, paid →
-- fulfilled (all of it shipped), fulfilled → completed (all had arrived and was paid), and all of it together, created → completed.
-- p50_hours and p90_hours are the median and the 90th percentile by nearest rank, over the orders that did the step: half, or nine of
-- ten, took no longer. An order that has begun the step and not done it is counted apart, as open or cancelled, for leaving it out
-- unsaid would make steps look shorter than they are; so is one that did them the other way round, as an invoice is paid after the
-- goods were shipped. Orders count in the bucket of their own day; those without steps, such as tickets of tills, are not in it."""
-- key = ["period_start", "channel_id", "step_no"]
-- totals = false
-- needs = ["order_header", "order_status_event"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- level = { type = "text", default = "all", values = ["all", "channel"], about = "All channels together, or one row per channel and step." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per step and such bucket; all = one row per step." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Steps that were begun before `to` are shown in every bucket, with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [chart]
-- kind = "box"
-- x = "step"
-- y = ["p50_hours", "p90_hours"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- channel_id = "the channel; empty at level all; UNK = not in the channel table"
-- channel_name = "its name"
-- step_no = "1 to 3, 4 = all of it"
-- step = "created → paid, paid → fulfilled, fulfilled → completed, created → completed"
-- step_orders = "orders that have begun the step"
-- orders_done = "of these, those that have done it"
-- orders_open = "those that have not, and are not cancelled"
-- orders_cancelled = "those that have not, and are cancelled"
-- orders_reversed = "those that did the later first"
-- hours_all = "hours of the orders that have done it, added up"
-- mean_hours = "hours_all / orders_done"
-- p50_hours = "half of them took no longer (hours)"
-- p90_hours = "nine of ten took no longer (hours)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "an order that began a step did it, does it, or never will"
-- each = ["step_orders = orders_done + orders_open + orders_cancelled + orders_reversed", "p50_hours <= p90_hours"]
--
-- [[tests]]
-- name = "channels add up to all"
-- params = { level = "channel" }
-- each = ["channel_id IS NOT NULL"]
-- same_sums = { columns = ["step_orders", "orders_done"] }
-- ---
WITH begun AS (
    -- a row per order and step that it has begun; earlier ones tell which there are
    SELECT
        o.business_date,
        CASE WHEN $level = 'channel' THEN member(o.channel_id, c.channel_id) END AS channel_id,
        CASE WHEN $level = 'channel' THEN member(o.channel_id, c.channel_name) END AS channel_name,
        o.source_system,
        o.source_order_id,
        o.is_cancelled,
        k.step_no,
        CASE k.step_no WHEN 1 THEN CAST(w.paid_at AS BIGINT) - CAST(w.created_at AS BIGINT)
                       WHEN 2 THEN CAST(w.fulfilled_at AS BIGINT) - CAST(w.paid_at AS BIGINT)
                       WHEN 3 THEN CAST(w.completed_at AS BIGINT) - CAST(w.fulfilled_at AS BIGINT)
                       ELSE CAST(w.completed_at AS BIGINT) - CAST(w.created_at AS BIGINT) END AS micros
    FROM order_now o
    JOIN order_step w ON w.source_system = o.source_system AND w.source_order_id = o.source_order_id
    -- 1 to 4
    CROSS JOIN (SELECT day_of_month AS step_no FROM calendar WHERE day_of_month <= 4 GROUP BY 1) k
    LEFT JOIN channel c ON c.channel_id = o.channel_id
    WHERE (o.business_date >= $from OR $include_zero) AND o.business_date < $to
      AND CASE k.step_no WHEN 2 THEN w.paid_at WHEN 3 THEN w.fulfilled_at ELSE w.created_at END IS NOT NULL
)
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.channel_id,
    s.channel_name,
    s.step_no,
    CASE s.step_no WHEN 1 THEN 'created → paid' WHEN 2 THEN 'paid → fulfilled' WHEN 3 THEN 'fulfilled → completed'
                   WHEN 4 THEN 'created → completed' END AS step,
    s.step_orders,
    s.orders_done,
    s.orders_open,
    s.orders_cancelled,
    s.orders_reversed,
    ratio(s.micros, 3600000000) AS hours_all,
    ratio(ratio(s.micros, 3600000000), s.orders_done) AS mean_hours,
    ratio(s.p50, 3600000000) AS p50_hours,
    ratio(s.p90, 3600000000) AS p90_hours,
    reporting_currency() AS currency
FROM (
    SELECT
        n.period_start,
        n.channel_id,
        n.channel_name,
        n.step_no,
        sum(CASE WHEN n.is_order THEN 1 ELSE 0 END) AS step_orders,
        sum(CASE WHEN n.micros >= 0 THEN 1 ELSE 0 END) AS orders_done,
        sum(CASE WHEN n.micros IS NULL AND NOT n.is_cancelled THEN 1 ELSE 0 END) AS orders_open,
        sum(CASE WHEN n.micros IS NULL AND n.is_cancelled THEN 1 ELSE 0 END) AS orders_cancelled,
        sum(CASE WHEN n.micros < 0 THEN 1 ELSE 0 END) AS orders_reversed,
        sum(CASE WHEN n.micros >= 0 THEN CAST(n.micros AS DECIMAL(20,0)) END) AS micros,
        max(CASE WHEN n.micros >= 0 AND 2 * n.place >= n.done AND 2 * (n.place - 1) < n.done THEN n.micros END) AS p50,
        max(CASE WHEN n.micros >= 0 AND 10 * n.place >= 9 * n.done AND 10 * (n.place - 1) < 9 * n.done THEN n.micros END) AS p90
    FROM (
        SELECT
            t.period_start, t.channel_id, t.channel_name, t.step_no, true AS is_order, t.micros, t.is_cancelled,
            -- those that have done the step come first, the quickest of them first of all
            CAST(row_number() OVER (
                PARTITION BY t.period_start, t.channel_id, t.step_no
                ORDER BY CASE WHEN t.micros >= 0 THEN t.micros END NULLS LAST, t.source_system NULLS LAST, t.source_order_id NULLS LAST
            ) AS BIGINT) AS place,
            sum(CASE WHEN t.micros >= 0 THEN 1 ELSE 0 END) OVER (PARTITION BY t.period_start, t.channel_id, t.step_no) AS done
        FROM (
            SELECT
                CASE WHEN $grain = 'all' THEN $from ELSE period_start(b.business_date, $grain, $calendar) END AS period_start,
                b.channel_id, b.channel_name, b.source_system, b.source_order_id, b.is_cancelled, b.step_no, b.micros
            FROM begun b
            WHERE b.business_date >= $from
        ) t

        UNION ALL

        -- every step in every bucket
        SELECT
            CASE WHEN $grain = 'all' THEN $from ELSE period_start(d.date_key, $grain, $calendar) END AS period_start,
            known.channel_id, known.channel_name, known.step_no, false AS is_order, CAST(NULL AS BIGINT) AS micros,
            CAST(NULL AS BOOLEAN) AS is_cancelled, CAST(NULL AS BIGINT) AS place, CAST(NULL AS BIGINT) AS done
        FROM (SELECT channel_id, channel_name, step_no FROM begun GROUP BY 1, 2, 3) known
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) n
    GROUP BY 1, 2, 3, 4
) s
ORDER BY s.period_start NULLS LAST, s.channel_id NULLS LAST, s.step_no NULLS LAST
