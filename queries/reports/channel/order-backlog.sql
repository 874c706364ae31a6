-- ---
-- title = { en = "Order backlog", zh = "未发货订单" }
-- about = """What is ordered and not sent yet, and what of it is overdue? Goods of confirmed orders that had not left at the beginning of as_of, by
-- channel, by the place that is to send them, or by article: stock units, their share of the lines' net amount, and the part that was
-- promised for an earlier day. fillable_units = the open units that the place's free stock covers, as it was counted last before as_of:
-- per place and article the lesser of both, so levels location and product only, and nothing of what no place is to send yet. Parts that
-- were cancelled or lost, and orders that are completed, closed, or were cancelled before as_of, are not open. Earlier days are told as
-- the lake knows them now: what has left since counts as open until it left, but a part that never left and is done with does not."""
-- key = ["group_id"]
-- needs = ["order_line"]
--
-- [params]
-- as_of = { type = "date", default = "today", about = "What was open at the beginning of this day." }
-- level = { type = "text", default = "channel", values = ["channel", "location", "product"], about = "One row per channel, per place that is to send, or per article." }
--
-- [chart]
-- kind = "table"
-- x = "group_name"
-- y = ["open_units", "overdue_units"]
--
-- [columns]
-- period_start = "the day of the oldest open order in the row"
-- period_end = "as_of"
-- is_partial_period = "always false: it is the state at one moment"
-- group_id = "the channel, place or article; N/A = no place is to send it yet; UNK = not in its table"
-- group_name = "its name"
-- open_orders = "orders with something open"
-- open_lines = "their lines with something open"
-- open_units = "stock units that have not left"
-- open_value = "their share of the lines' net amount (money)"
-- overdue_orders = "orders with something open that was promised for a day before as_of"
-- overdue_units = "those stock units"
-- overdue_value = "their share of the lines' net amount (money)"
-- overdue_share = "overdue_units / open_units"
-- oldest_promise = "the earliest day for which something open was promised"
-- days_overdue = "days from oldest_promise to as_of; empty where nothing is overdue"
-- fillable_units = "open units that are in stock where they are to be sent from; empty at level channel"
-- fillable_share = "fillable_units / open_units"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "what is overdue is open"
-- each = ["overdue_orders <= open_orders", "overdue_units <= open_units", "open_orders <= open_lines", "days_overdue > 0"]
--
-- [[tests]]
-- name = "articles add up to channels, and stock covers no more than is open"
-- params = { level = "product" }
-- each = ["fillable_units >= 0", "fillable_units <= open_units"]
-- same_sums = { columns = ["open_units", "overdue_units"] }
-- ---
SELECT
    s.period_start,
    $as_of AS period_end,
    false AS is_partial_period,
    s.group_id,
    CASE WHEN s.group_id IS NOT NULL THEN s.group_name END AS group_name,
    s.open_orders,
    s.open_lines,
    s.open_units,
    s.open_value,
    s.overdue_orders,
    s.overdue_units,
    s.overdue_value,
    ratio(s.overdue_units, s.open_units) AS overdue_share,
    s.oldest_promise,
    CASE WHEN s.oldest_promise < $as_of THEN CAST(CAST($as_of AS DATE) AS INT) - CAST(s.oldest_promise AS INT) END AS days_overdue,
    s.fillable_units,
    ratio(s.fillable_units, s.open_units) AS fillable_share,
    reporting_currency() AS currency
FROM (
    SELECT
        g.group_id,
        min(g.group_name) AS group_name,
        min(g.oldest_order) AS period_start,
        count(DISTINCT g.order_id) AS open_orders,
        count(DISTINCT g.line_key) AS open_lines,
        sum(g.units) AS open_units,
        sum(g.value) AS open_value,
        count(DISTINCT CASE WHEN g.is_overdue THEN g.order_id END) AS overdue_orders,
        sum(CASE WHEN g.is_overdue THEN g.units ELSE CAST(0 AS DECIMAL(18,3)) END) AS overdue_units,
        sum(CASE WHEN g.is_overdue THEN g.value ELSE CAST(0 AS DECIMAL(18,4)) END) AS overdue_value,
        min(g.promised_date) AS oldest_promise,
        -- the first part of each place and article carries what is in stock for all of them
        CASE WHEN $level <> 'channel'
             THEN sum(CASE WHEN g.place_in_item = 1 THEN least(g.units_of_item, coalesce(g.free, CAST(0 AS DECIMAL(28,3))))
                           ELSE CAST(0 AS DECIMAL(28,3)) END) END AS fillable_units
    FROM (
        SELECT
            CASE $level WHEN 'channel' THEN member(v.channel_id, c.channel_id)
                        WHEN 'location' THEN member(v.fulfil_location_id, p.location_id)
                        ELSE member(v.product_id, a.product_id) END AS group_id,
            CASE $level WHEN 'channel' THEN member(v.channel_id, c.channel_name)
                        WHEN 'location' THEN member(v.fulfil_location_id, p.location_name)
                        ELSE member(v.product_id, a.product_name) END AS group_name,
            v.order_id,
            concat(v.source_system, ':', v.order_id, ':', v.order_line_id) AS line_key,
            v.quantity AS units,
            v.value_rc AS value,
            v.promised_date,
            coalesce(v.promised_date < $as_of, false) AS is_overdue,
            v.business_date AS oldest_order,
            row_number() OVER (
                PARTITION BY v.fulfil_location_id, v.product_id ORDER BY v.source_system NULLS LAST, v.order_id NULLS LAST, v.order_line_id NULLS LAST
            ) AS place_in_item,
            sum(v.quantity) OVER (PARTITION BY v.fulfil_location_id, v.product_id) AS units_of_item,
            stocked.free
        FROM fulfilment_part v
        LEFT JOIN channel c ON c.channel_id = v.channel_id
        LEFT JOIN location p ON p.location_id = v.fulfil_location_id
        LEFT JOIN product a ON a.product_id = v.product_id
        LEFT JOIN (
            -- free per place and article at its last count before as_of; what a later whole count of the place lacks is gone
            SELECT f.location_id, f.product_id, greatest(sum(f.free), CAST(0 AS DECIMAL(28,3))) AS free
            FROM stock_free f
            JOIN (
                SELECT source_system, location_id, product_id, lot_no, max(snapshot_date) AS last_day
                FROM stock_free
                WHERE snapshot_date < $as_of
                GROUP BY 1, 2, 3, 4
            ) newest
              ON newest.source_system = f.source_system AND newest.location_id = f.location_id AND newest.product_id = f.product_id
             AND newest.lot_no = f.lot_no AND newest.last_day = f.snapshot_date
            LEFT JOIN (
                SELECT location_id, max(snapshot_date) AS last_day
                FROM stock_count_day
                WHERE snapshot_date < $as_of
                GROUP BY 1
            ) whole ON whole.location_id = f.location_id
            WHERE f.is_sparse OR f.snapshot_date >= coalesce(whole.last_day, f.snapshot_date)
            GROUP BY 1, 2
        ) stocked ON stocked.location_id = v.fulfil_location_id AND stocked.product_id = v.product_id
        WHERE v.business_date < $as_of
          AND (v.shipped_date IS NULL OR v.shipped_date >= $as_of)
          AND CASE WHEN v.is_cancelled THEN v.cancelled_date >= $as_of
                   WHEN v.shipped_date IS NOT NULL THEN true
                   ELSE v.part_status NOT IN ('cancelled', 'lost') AND v.order_status NOT IN ('completed', 'closed') END
    ) g
    GROUP BY 1
) s
ORDER BY s.open_units DESC NULLS LAST, s.group_id NULLS LAST
