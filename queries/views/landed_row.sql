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
) r
