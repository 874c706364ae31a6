-- ---
-- title = { en = "Running numbers that landed", zh = "已入湖的来源流水号" }
-- about = """Every running number of a source (source_seq) that any of its records landed with, once, and the one before it. A sequence runs
-- per source system and place: a till's receipts are numbered for sales and returns together, and records without a place share one
-- sequence. Tombstones count: they were delivered. Slicers do not enter: what is sliced away is not lost."""
-- sliced = false
-- [columns]
-- location_id = "the place whose sequence it is; NULL = the source's own"
-- channel_id = "the channel of the record (of several the first by name)"
-- business_date = "the first business date on which the number stands"
-- source_seq = "the running number"
-- seq_before = "the greatest smaller number that landed; NULL = none"
-- ---
SELECT
    n.source_system,
    n.location_id,
    n.channel_id,
    n.business_date,
    n.source_seq,
    lag(n.source_seq) OVER (PARTITION BY n.source_system, n.location_id ORDER BY n.source_seq) AS seq_before
FROM (
    SELECT
        r.source_system,
        r.location_id,
        r.source_seq,
        min(r.channel_id) AS channel_id,
        min(r.business_date) AS business_date
    FROM (
        SELECT l.source_system, l.location_id, l.channel_id, l.business_date, l.source_seq
        FROM base.order_line l
        WHERE l.source_seq IS NOT NULL

        UNION ALL

        SELECT c.source_system, c.location_id, c.channel_id, c.business_date, c.source_seq
        FROM base.order_charge c
        WHERE c.source_seq IS NOT NULL

        UNION ALL

        SELECT b.source_system, b.return_location_id AS location_id, b.channel_id, b.business_date, b.source_seq
        FROM base.return_line b
        WHERE b.source_seq IS NOT NULL
    ) r
    GROUP BY r.source_system, r.location_id, r.source_seq
) n
