-- ---
-- title = { en = "Customer feedback", zh = "客户反馈" }
-- about = "What customers of web shop, app and live stream said: reviews, survey answers, complaints and tickets, one row per version."
-- source_system = "shop_feedback"
-- order = 41
-- [read]
-- path = "feedback/*.csv"
-- format = "csv"
-- [defaults]
-- tz = "Europe/London"
-- ---
--
--   * `score` is a rating of at most `scale`, but for nps, where it is the score from 0 to 10.
--   * Complaints and tickets are told when they are opened and again, with the next `rev`, when they are answered or settled.
--   * `order` is the web shop's order number. What customers wrote stays at the desk.

-- into = "feedback"
SELECT id AS feedback_id,
       id AS source_record_id,
       CAST(rev AS BIGINT) AS source_version,
       type AS feedback_type,
       CASE WHEN type <> 'nps' THEN CAST(score AS DECIMAL(18,8)) END AS rating,
       CAST(scale AS INT) AS rating_scale,
       CASE WHEN type = 'nps' THEN CAST(score AS INT) END AS nps_score,
       topic AS topic_code,
       severity,
       sku AS product_id,
       "order" AS order_id,
       customer AS customer_key,
       channel AS channel_id,
       instant(opened_at) AS opened_at,
       instant(first_reply_at) AS first_response_at,
       instant(resolved_at) AS resolved_at,
       CASE first_contact WHEN 'Y' THEN true WHEN 'N' THEN false ELSE CAST(first_contact AS BOOLEAN) END AS is_first_contact_resolved
FROM   raw;
