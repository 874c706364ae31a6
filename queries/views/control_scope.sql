-- ---
-- title = { en = "What sources total", zh = "来源控制总数范围" }
-- about = """Which source systems send which control totals for which channels, since when, and how finely. Slicers do not enter: whether
-- a source tells places does not depend on the place that is asked for."""
-- sliced = false
-- [columns]
-- first_day = "the first business date that it ever totalled: from then on a total is expected for every day with sales"
-- by_location = "it totals places; else the channel as a whole"
-- by_currency = "it totals currencies; else all of them together (counts only)"
-- ---
SELECT
    c.source_system,
    c.channel_id,
    c.metric,
    min(c.business_date) AS first_day,
    bool_or(c.location_id IS NOT NULL) AS by_location,
    bool_or(c.currency IS NOT NULL) AS by_currency
FROM base.source_control_total c
WHERE NOT c.is_deleted
GROUP BY c.source_system, c.channel_id, c.metric
