-- ---
-- title = { en = "Marketing spend", zh = "营销花费" }
-- about = "What campaigns cost per day and platform, and what the platforms say it brought; a newer `rev` corrects a day."
-- source_system = "ads"
-- order = 42
-- [read]
-- path = "marketing/spend_*.csv"
-- format = "csv"
-- [defaults]
-- tz = "Europe/London"
-- ---

-- into = "marketing_cost"
SELECT date_of(day, '%Y-%m-%d') AS cost_date,
       campaign AS campaign_id,
       platform AS ad_platform,
       CAST(spend AS DECIMAL(18,4)) AS spend,
       currency,
       CAST(impressions AS BIGINT) AS impressions,
       CAST(clicks AS BIGINT) AS clicks,
       CAST(conversions AS DECIMAL(18,8)) AS platform_conversions,
       CAST(revenue AS DECIMAL(18,4)) AS platform_revenue,
       CAST(rev AS BIGINT) AS source_version
FROM   raw;
