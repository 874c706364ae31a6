-- ---
-- title = { en = "Rows and when they landed", zh = "已入湖的行与入湖时间" }
-- about = """One row per row of every table of events, in its current version, whatever it says: when it happened, on which business date,
-- and when it landed. Tests, cancelled orders and copies are in it; tombstones are not. late_days counts from the business date to the day
-- (UTC) on which the row landed: a row that a newer version has replaced landed when that version did."""
-- [columns]
-- source_system = "the system that the row came from"
-- table_name = "the table that it landed in"
-- event_time = "when it happened at the source"
-- business_date = "its local day"
-- ingested_at = "when it landed"
-- late_days = "days from business_date to the UTC day of ingested_at"
-- channel_id = "the channel that told it; NULL = does not apply"
-- location_id = "the place that told it; NULL = does not apply"
-- ---
SELECT
    r.source_system,
    r.table_name,
    r.event_time,
    r.business_date,
    r.ingested_at,
    CAST(CAST(r.ingested_at AS DATE) AS INT) - CAST(r.business_date AS INT) AS late_days,
    r.channel_id,
    r.location_id
FROM (
    SELECT l.source_system, 'order_line' AS table_name, l.event_time, l.business_date, l.ingested_at, l.channel_id, l.location_id
    FROM base.order_line l
    WHERE NOT l.is_deleted

    UNION ALL

    SELECT c.source_system, 'order_charge' AS table_name, c.event_time, c.business_date, c.ingested_at, c.channel_id, c.location_id
    FROM base.order_charge c
    WHERE NOT c.is_deleted

    UNION ALL

    SELECT b.source_system, 'return_line' AS table_name, b.event_time, b.business_date, b.ingested_at, b.channel_id,
           b.return_location_id AS location_id
    FROM base.return_line b
    WHERE NOT b.is_deleted

    UNION ALL

    SELECT s.source_system, 'inventory_snapshot' AS table_name, s.event_time, s.business_date, s.ingested_at,
           CAST(NULL AS VARCHAR) AS channel_id, s.location_id
    FROM base.inventory_snapshot s
    WHERE NOT s.is_deleted

    UNION ALL

    SELECT e.source_system, 'customer_event' AS table_name, e.event_time, e.business_date, e.ingested_at, e.channel_id, e.location_id
    FROM base.customer_event e
    WHERE NOT e.is_deleted

    UNION ALL

    SELECT f.source_system, 'feedback' AS table_name, f.event_time, f.business_date, f.ingested_at, f.channel_id,
           CAST(NULL AS VARCHAR) AS location_id
    FROM base.feedback f
    WHERE NOT f.is_deleted

    UNION ALL

    SELECT t.source_system, 'source_control_total' AS table_name, t.event_time, t.business_date, t.ingested_at, t.channel_id, t.location_id
    FROM base.source_control_total t
    WHERE NOT t.is_deleted

    UNION ALL

    SELECT d.source_system, 'order_line_discount' AS table_name, d.event_time, d.business_date, d.ingested_at, CAST(NULL AS VARCHAR) AS channel_id,
           CAST(NULL AS VARCHAR) AS location_id
    FROM base.order_line_discount d
    WHERE NOT d.is_deleted

    UNION ALL

    SELECT h.source_system, 'order_header' AS table_name, h.event_time, h.business_date, h.ingested_at, h.channel_id,
           h.location_id
    FROM base.order_header h
    WHERE NOT h.is_deleted

    UNION ALL

    SELECT o.source_system, 'order_status_event' AS table_name, o.event_time, o.business_date, o.ingested_at, CAST(NULL AS VARCHAR) AS channel_id,
           CAST(NULL AS VARCHAR) AS location_id
    FROM base.order_status_event o
    WHERE NOT o.is_deleted

    UNION ALL

    SELECT p.source_system, 'fulfilment_line' AS table_name, p.event_time, p.business_date, p.ingested_at, CAST(NULL AS VARCHAR) AS channel_id,
           p.fulfil_location_id AS location_id
    FROM base.fulfilment_line p
    WHERE NOT p.is_deleted

    UNION ALL

    SELECT m.source_system, 'payment' AS table_name, m.event_time, m.business_date, m.ingested_at, m.channel_id,
           m.location_id
    FROM base.payment m
    WHERE NOT m.is_deleted

    UNION ALL

    SELECT i.source_system, 'inventory_movement' AS table_name, i.event_time, i.business_date, i.ingested_at, CAST(NULL AS VARCHAR) AS channel_id,
           i.location_id
    FROM base.inventory_movement i
    WHERE NOT i.is_deleted

    UNION ALL

    SELECT u.source_system, 'purchase_order_line' AS table_name, u.event_time, u.business_date, u.ingested_at, CAST(NULL AS VARCHAR) AS channel_id,
           u.location_id
    FROM base.purchase_order_line u
    WHERE NOT u.is_deleted

    UNION ALL

    SELECT k.source_system, 'marketing_touch' AS table_name, k.event_time, k.business_date, k.ingested_at, CAST(NULL AS VARCHAR) AS channel_id,
           CAST(NULL AS VARCHAR) AS location_id
    FROM base.marketing_touch k
    WHERE NOT k.is_deleted

    UNION ALL

    SELECT g.source_system, 'marketing_cost' AS table_name, g.event_time, g.business_date, g.ingested_at, CAST(NULL AS VARCHAR) AS channel_id,
           CAST(NULL AS VARCHAR) AS location_id
    FROM base.marketing_cost g
    WHERE NOT g.is_deleted

    UNION ALL

    SELECT a.source_system, 'sales_activity' AS table_name, a.event_time, a.business_date, a.ingested_at, CAST(NULL AS VARCHAR) AS channel_id,
           a.location_id
    FROM base.sales_activity a
    WHERE NOT a.is_deleted

    UNION ALL

    SELECT n.source_system, 'opportunity' AS table_name, n.event_time, n.business_date, n.ingested_at, CAST(NULL AS VARCHAR) AS channel_id,
           CAST(NULL AS VARCHAR) AS location_id
    FROM base.opportunity n
    WHERE NOT n.is_deleted
) r
