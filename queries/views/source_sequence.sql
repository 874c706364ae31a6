-- ---
-- title = { en = "Running numbers and what is missing before them", zh = "来源流水号连续性" }
-- about = """One row per running number that landed, with how many are missing before it. A gap belongs to the day of the number after it:
-- nothing tells the days of what never came. What is missing before a source's first number, or after its last, is not known."""
-- [columns]
-- location_id = "the place whose sequence it is; NULL = the source's own"
-- region_id = "the region of the place; 'UNK' = the place is not in the dimension; NULL = no place"
-- source_seq = "the running number"
-- missing = "numbers that are missing right before it"
-- first_missing = "the first of them"
-- last_missing = "the last of them"
-- ---
SELECT
    n.source_system,
    n.business_date,
    n.channel_id,
    n.location_id,
    CASE WHEN n.location_id IS NOT NULL THEN coalesce(place.region_id, 'UNK') END AS region_id,
    n.source_seq,
    coalesce(n.source_seq - n.seq_before - 1, CAST(0 AS BIGINT)) AS missing,
    CASE WHEN n.source_seq - n.seq_before > 1 THEN n.seq_before + 1 END AS first_missing,
    CASE WHEN n.source_seq - n.seq_before > 1 THEN n.source_seq - 1 END AS last_missing
FROM source_number n
LEFT JOIN location place ON place.location_id = n.location_id
