-- ---
-- title = { en = "Activities of representatives", zh = "销售活动" }
-- about = "Calls, visits, mails and meetings as the CRM has them; told in the evening of the day."
-- source_system = "crm"
-- order = 41
-- [read]
-- path = "people/activities_*.csv"
-- format = "csv"
-- [defaults]
-- tz = "Europe/London"
-- ---
--
--   * `outcome` missed: planned, and not done. A newer `rev` replaces an older one.

-- into = "sales_activity"
SELECT id AS activity_id,
       id AS source_record_id,
       CAST(rev AS BIGINT) AS source_version,
       type AS activity_type,
       rep AS sales_rep_id,
       customer AS customer_key,
       instant(planned) AS planned_at,
       instant(started) AS started_at,
       instant(ended) AS ended_at,
       outcome
FROM   raw;
