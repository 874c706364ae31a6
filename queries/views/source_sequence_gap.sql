-- ---
-- title = { en = "Gaps in running numbers", zh = "来源流水号缺口" }
-- about = """Each run of numbers that a source must have given and that has not landed: lost on the way, still to come, or in quarantine
-- (view quarantine). A gap closes by itself when its records land."""
-- [columns]
-- business_date = "the business date of the first number after the gap"
-- location_id = "the place whose sequence it is; NULL = the source's own"
-- region_id = "the region of the place; 'UNK' = the place is not in the dimension; NULL = no place"
-- first_missing = "the first number that is missing"
-- last_missing = "the last one"
-- missing = "how many are missing"
-- ---
SELECT
    s.source_system,
    s.business_date,
    s.channel_id,
    s.location_id,
    s.region_id,
    s.first_missing,
    s.last_missing,
    s.missing
FROM source_sequence s
WHERE s.missing > 0
