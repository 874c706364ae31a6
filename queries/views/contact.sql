-- ---
-- title = { en = "Contacts of marketing", zh = "营销触点" }
-- about = "Clicks, shown banners, mails, issued coupons, one row each; tombstones are left out."
-- needs = ["marketing_touch"]
-- [columns]
-- touch_id = "the contact, unique with source_system"
-- touch_type = "impression, click, email_sent …"
-- touched_at = "when it was"
-- business_date = "its local day"
-- customer_key = "pseudonymous customer; NULL = not recognised"
-- campaign_id = "the campaign"
-- marketing_channel = "by which means: paid_search, email …"
-- promotion_id = "of an issued coupon: the promotion"
-- coupon_code_hash = "of an issued coupon: its code, hashed"
-- ---
SELECT
    t.source_system,
    t.touch_id,
    t.touch_type,
    t.touched_at,
    t.business_date,
    t.customer_key,
    t.campaign_id,
    t.marketing_channel,
    t.promotion_id,
    t.coupon_code_hash
FROM base.marketing_touch t
WHERE NOT t.is_deleted
