-- ---
-- title = { en = "Campaigns", zh = "营销活动" }
-- about = "Searches, social media, newsletters and banners, a campaign per quarter and means. Budgets in the reporting currency."
-- source_system = "masterdata"
-- order = 2
-- [read]
-- path = "dimensions/campaigns.csv"
-- format = "csv"
-- ---

-- into = "campaign"
SELECT campaign_id,
       name AS campaign_name,
       means AS marketing_channel,
       instant(starts_at) AS starts_at,
       instant(ends_at) AS ends_at,
       objective,
       CAST(budget AS DECIMAL(18,4)) AS budget_rc
FROM   raw;
