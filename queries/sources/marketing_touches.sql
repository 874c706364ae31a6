-- ---
-- title = { en = "Contacts of marketing", zh = "营销触点" }
-- about = "Clicks, banners, mails, issued coupons: one row per contact with a customer, or a visitor who is not recognised."
-- source_system = "crm_mail"
-- order = 42
-- [read]
-- path = "marketing/touches_*.csv"
-- format = "csv"
-- [defaults]
-- tz = "Europe/London"
-- ---
--
--   * A contact without a cost of its own has none; what a campaign cost as a whole is in the spend.

-- into = "marketing_touch"
SELECT id AS touch_id,
       id AS source_record_id,
       type AS touch_type,
       instant("at") AS touched_at,
       customer AS customer_key,
       visitor AS anonymous_id,
       campaign AS campaign_id,
       means AS marketing_channel,
       promotion AS promotion_id,
       coupon AS coupon_code_hash,
       CAST(cost AS DECIMAL(18,4)) AS cost,
       currency
FROM   raw;
