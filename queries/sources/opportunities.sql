-- ---
-- title = { en = "Opportunities", zh = "销售商机" }
-- about = "Deals that may be made, a row per step: every `rev` is kept, the last one is how the deal stands."
-- source_system = "crm"
-- order = 41
-- [read]
-- path = "people/opportunities_*.csv"
-- format = "csv"
-- [defaults]
-- tz = "Europe/London"
-- ---

-- into = "opportunity"
SELECT id AS opportunity_id,
       id AS source_record_id,
       CAST(rev AS BIGINT) AS source_version,
       stage,
       CAST(stage_no AS INT) AS stage_order,
       status,
       CAST(amount AS DECIMAL(18,4)) AS amount,
       currency,
       CAST(probability AS DECIMAL(9,6)) AS probability,
       owner AS owner_rep_id,
       lead AS lead_source,
       campaign AS campaign_id,
       instant(created) AS created_at,
       instant(entered) AS stage_entered_at,
       instant(closed) AS closed_at,
       lost_reason
FROM   raw;
