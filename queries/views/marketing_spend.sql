-- ---
-- title = { en = "Marketing spend", zh = "营销花费" }
-- about = """What campaigns cost per day and platform, with what the platforms show and claim. Claims of several platforms are about the same
-- orders and are never added up (D58). What single contacts cost is not in it. No slicer fits: spend is not of a shop, article or customer."""
-- needs = ["marketing_cost"]
-- [columns]
-- business_date = "the day"
-- campaign_id = "the campaign"
-- ad_platform = "where it ran"
-- spend_rc = "what was spent (reporting currency)"
-- impressions = "how often it was shown"
-- clicks = "how often it was clicked"
-- ---
SELECT
    c.source_system,
    c.cost_date AS business_date,
    c.campaign_id,
    c.ad_platform,
    c.spend_rc,
    coalesce(c.impressions, CAST(0 AS BIGINT)) AS impressions,
    coalesce(c.clicks, CAST(0 AS BIGINT)) AS clicks,
    c.platform_conversions,
    c.platform_revenue_rc
FROM base.marketing_cost c
WHERE NOT c.is_deleted
