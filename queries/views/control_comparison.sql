-- ---
-- title = { en = "Control totals beside what landed", zh = "控制总数与入湖对比" }
-- about = """One row per comparison of a source's control total with what landed: per day, channel, place, metric and currency, as finely as
-- the source totals. Either side may be absent."""
-- needs = ["source_control_total"]
-- [columns]
-- business_date = "the day that is totalled"
-- location_id = "the place; NULL = none, or the source totals no places"
-- region_id = "the region of the place; 'UNK' = the place is not in the dimension; NULL = no place"
-- metric = "order_count, line_count, units, gross_amount, net_amount, tax_amount, total_amount"
-- currency = "of an amount; of a count NULL unless the source counts per currency"
-- control = "what the source says it sent; 0 where it says nothing"
-- landed = "what landed; 0 where nothing did"
-- is_told = "the source says something of that day"
-- is_there = "something landed"
-- ---
SELECT
    e.source_system,
    e.business_date,
    e.channel_id,
    e.location_id,
    e.region_id,
    e.metric,
    e.currency,
    sum(e.control) AS control,
    sum(e.landed) AS landed,
    bool_or(e.is_told) AS is_told,
    bool_or(e.is_there) AS is_there
FROM (
    SELECT
        a.source_system, a.business_date, a.channel_id, a.location_id, a.region_id, a.metric, a.currency,
        CAST(0 AS DECIMAL(28,4)) AS control, a.landed_value AS landed, false AS is_told, true AS is_there
    FROM landed_total a

    UNION ALL

    SELECT
        b.source_system, b.business_date, b.channel_id, b.location_id, b.region_id, b.metric, b.currency,
        CAST(b.control_value AS DECIMAL(28,4)) AS control, CAST(0 AS DECIMAL(28,4)) AS landed, true AS is_told, false AS is_there
    FROM control_total b
) e
GROUP BY e.source_system, e.business_date, e.channel_id, e.location_id, e.region_id, e.metric, e.currency
