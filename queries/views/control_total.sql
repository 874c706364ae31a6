-- ---
-- title = { en = "Control totals", zh = "来源控制总数" }
-- about = "What sources say they have sent, one row per day, channel, place, metric and currency. Tombstones are left out."
-- needs = ["source_control_total"]
-- [columns]
-- location_id = "the place; NULL = the channel as a whole"
-- region_id = "the region of the place; 'UNK' = the place is not in the dimension; NULL = no place"
-- currency = "of amounts; of counts NULL = over all currencies"
-- control_value = "what the source says: a count, units, or an amount in currency"
-- ---
SELECT
    c.source_system,
    c.business_date,
    c.channel_id,
    c.location_id,
    CASE WHEN c.location_id IS NOT NULL THEN coalesce(place.region_id, 'UNK') END AS region_id,
    c.metric,
    c.currency,
    c.value AS control_value,
    c.received_at
FROM base.source_control_total c
LEFT JOIN location place ON place.location_id = c.location_id
WHERE NOT c.is_deleted
