-- ---
-- title = { en = "Deliveries on time and in full", zh = "准时足量交付率" }
-- about = """Are orders delivered on time and in full? Parts of orders that were promised for the asked days, by the place that ships, the
-- carrier, the way or the channel. An order is due in a bucket with all of its parts promised there, and on time and in full (OTIF) if
-- every one of them arrived by the day it was promised for. otif_rate = orders_otif / orders_due; the fill rates are shipped / due, by
-- orders of which every part has left, lines, and stock units (K52). What was never sent, or got lost, is due all the same; orders that
-- were cancelled, and what is promised for as_of or later, are not. An order sent from two places is due at each with what that one sends."""
-- key = ["period_start", "group_id"]
-- totals = false
-- needs = ["fulfilment_line"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First promised day, included." }
-- to = { type = "date", default = "today", about = "First promised day that is not included." }
-- level = { type = "text", default = "location", values = ["location", "carrier", "method", "channel"], about = "One row per place that ships, carrier, way to the buyer, or channel." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per such bucket; all = one for all days." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Places, carriers, ways or channels that had something due before `to` are shown in every bucket, with 0." }
-- as_of = { type = "date", default = "today", about = "What is promised for this day or later is not due yet; a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["orders_due", "orders_otif", "otif_rate"]
--
-- [chart]
-- kind = "line"
-- x = "period_start"
-- y = ["otif_rate"]
-- series = "group_name"
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- group_id = "the place, carrier, way or channel; N/A = not planned yet; UNK = not in its table"
-- group_name = "its name"
-- orders_due = "orders with a part promised for the bucket"
-- orders_shipped = "orders of which every such part has left"
-- orders_otif = "orders of which every such part arrived in time"
-- otif_rate = "orders_otif / orders_due (share)"
-- order_fill_rate = "orders_shipped / orders_due (share)"
-- lines_due = "order lines with a part promised for the bucket"
-- lines_shipped = "lines of which every such part has left"
-- lines_on_time = "lines of which every such part arrived in time"
-- line_fill_rate = "lines_shipped / lines_due (share)"
-- units_due = "stock units promised for the bucket"
-- units_shipped = "of these, those that have left"
-- units_on_time = "of these, those that arrived in time"
-- unit_fill_rate = "units_shipped / units_due (share)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "no more arrives than is due"
-- each = [
--     "orders_otif <= orders_due",
--     "orders_shipped <= orders_due",
--     "orders_due <= lines_due",
--     "lines_shipped <= lines_due",
--     "lines_on_time <= lines_due",
--     "units_shipped <= units_due",
--     "units_on_time <= units_due",
-- ]
--
-- [[tests]]
-- name = "channels add up to places"
-- params = { level = "channel" }
-- each = ["group_id IS NOT NULL"]
-- same_sums = { columns = ["units_due", "units_shipped"] }
-- ---
WITH part AS (
    -- earlier ones tell which groups there are
    SELECT
        v.promised_date,
        CASE $level WHEN 'location' THEN member(v.fulfil_location_id, p.location_id)
                    WHEN 'channel' THEN member(v.channel_id, c.channel_id)
                    WHEN 'carrier' THEN coalesce(v.carrier, 'N/A')
                    ELSE coalesce(v.method, 'N/A') END AS group_id,
        CASE $level WHEN 'location' THEN member(v.fulfil_location_id, p.location_name)
                    WHEN 'channel' THEN member(v.channel_id, c.channel_name)
                    WHEN 'carrier' THEN coalesce(v.carrier, 'N/A')
                    ELSE coalesce(v.method, 'N/A') END AS group_name,
        v.order_id,
        v.source_system,
        v.order_line_id,
        v.shipped_date,
        v.delivered_date,
        v.quantity
    FROM fulfilment_part v
    LEFT JOIN location p ON p.location_id = v.fulfil_location_id
    LEFT JOIN channel c ON c.channel_id = v.channel_id
    WHERE (v.promised_date >= $from OR $include_zero) AND v.promised_date < $to AND v.promised_date < $as_of AND NOT v.is_cancelled
)
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.group_id,
    s.group_name,
    s.orders_due,
    s.orders_shipped,
    s.orders_otif,
    ratio(s.orders_otif, s.orders_due) AS otif_rate,
    ratio(s.orders_shipped, s.orders_due) AS order_fill_rate,
    s.lines_due,
    s.lines_shipped,
    s.lines_on_time,
    ratio(s.lines_shipped, s.lines_due) AS line_fill_rate,
    s.units_due,
    s.units_shipped,
    s.units_on_time,
    ratio(s.units_shipped, s.units_due) AS unit_fill_rate,
    reporting_currency() AS currency
FROM (
    SELECT
        o.period_start,
        o.group_id,
        min(o.group_name) AS group_name,
        sum(CASE WHEN o.is_order THEN 1 ELSE 0 END) AS orders_due,
        sum(CASE WHEN o.is_order AND o.lines_shipped = o.lines_due THEN 1 ELSE 0 END) AS orders_shipped,
        sum(CASE WHEN o.is_order AND o.lines_on_time = o.lines_due THEN 1 ELSE 0 END) AS orders_otif,
        sum(o.lines_due) AS lines_due,
        sum(o.lines_shipped) AS lines_shipped,
        sum(o.lines_on_time) AS lines_on_time,
        sum(o.units_due) AS units_due,
        sum(o.units_shipped) AS units_shipped,
        sum(o.units_on_time) AS units_on_time
    FROM (
        -- one row per order and group
        SELECT
            l.period_start,
            l.group_id,
            l.order_id,
            min(l.group_name) AS group_name,
            true AS is_order,
            count(*) AS lines_due,
            sum(CASE WHEN l.is_shipped THEN 1 ELSE 0 END) AS lines_shipped,
            sum(CASE WHEN l.is_on_time THEN 1 ELSE 0 END) AS lines_on_time,
            sum(l.units_due) AS units_due,
            sum(l.units_shipped) AS units_shipped,
            sum(l.units_on_time) AS units_on_time
        FROM (
            -- one row per order line and group
            SELECT
                CASE WHEN $grain = 'all' THEN $from ELSE period_start(v.promised_date, $grain, $calendar) END AS period_start,
                v.group_id,
                v.order_id,
                v.source_system,
                v.order_line_id,
                min(v.group_name) AS group_name,
                bool_and(v.shipped_date IS NOT NULL) AS is_shipped,
                bool_and(v.delivered_date IS NOT NULL AND v.delivered_date <= v.promised_date) AS is_on_time,
                sum(v.quantity) AS units_due,
                sum(CASE WHEN v.shipped_date IS NOT NULL THEN v.quantity ELSE CAST(0 AS DECIMAL(18,3)) END) AS units_shipped,
                sum(CASE WHEN v.delivered_date <= v.promised_date THEN v.quantity ELSE CAST(0 AS DECIMAL(18,3)) END) AS units_on_time
            FROM part v
            WHERE v.promised_date >= $from
            GROUP BY 1, 2, 3, 4, 5
        ) l
        GROUP BY 1, 2, 3

        UNION ALL

        -- every group in every bucket
        SELECT
            CASE WHEN $grain = 'all' THEN $from ELSE period_start(d.date_key, $grain, $calendar) END AS period_start,
            known.group_id, CAST(NULL AS VARCHAR) AS order_id, known.group_name, false AS is_order, CAST(0 AS BIGINT) AS lines_due,
            CAST(0 AS BIGINT) AS lines_shipped, CAST(0 AS BIGINT) AS lines_on_time, CAST(0 AS DECIMAL(28,3)) AS units_due,
            CAST(0 AS DECIMAL(28,3)) AS units_shipped, CAST(0 AS DECIMAL(28,3)) AS units_on_time
        FROM (SELECT group_id, group_name FROM part GROUP BY 1, 2) known
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) o
    GROUP BY 1, 2
) s
ORDER BY s.period_start NULLS LAST, s.orders_due DESC NULLS LAST, s.group_id NULLS LAST
