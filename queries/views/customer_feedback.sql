-- ---
-- title = { en = "Customer feedback", zh = "客户反馈" }
-- about = """What customers said, one row per review, survey answer, complaint or ticket, in its current version; tests and tombstones are not in
-- it. What they wrote is nowhere in the lake."""
-- needs = ["feedback"]
-- [columns]
-- feedback_id = "the feedback's id at the source"
-- feedback_type = "review, rating, complaint, ticket, nps, csat, survey or return_note"
-- rating_of_five = "points given, on a scale up to five"
-- is_satisfied = "at least four of five points"
-- nps_score = "would recommend us, 0 to 10"
-- topic_code = "what it is about"
-- severity = "how bad it is, in the source's words"
-- product_id = "the product; NULL = about none"
-- order_id = "the order's id at the system that sold"
-- customer_key = "pseudonymous customer; NULL = anonymous"
-- channel_id = "the channel that it is about"
-- opened_at = "when it was given or opened"
-- business_date = "its local day"
-- is_answered = "it was answered"
-- is_resolved = "it was settled"
-- is_first_contact_resolved = "the first answer settled it; NULL = not told"
-- response_minutes = "whole minutes from opening to the first answer"
-- resolution_minutes = "whole minutes from opening to its settlement"
-- ---
SELECT
    f.source_system,
    f.feedback_id,
    f.feedback_type,
    CAST(round(ratio(5 * f.rating, f.rating_scale), 4) AS DECIMAL(18,4)) AS rating_of_five,
    5 * f.rating >= 4 * f.rating_scale AS is_satisfied,
    f.nps_score,
    f.topic_code,
    f.severity,
    f.product_id,
    f.order_id,
    f.customer_key,
    f.channel_id,
    f.opened_at,
    f.business_date,
    f.first_response_at IS NOT NULL AS is_answered,
    f.resolved_at IS NOT NULL AS is_resolved,
    f.is_first_contact_resolved,
    (CAST(f.first_response_at AS BIGINT) - CAST(f.opened_at AS BIGINT)) / 60000000 AS response_minutes,
    (CAST(f.resolved_at AS BIGINT) - CAST(f.opened_at AS BIGINT)) / 60000000 AS resolution_minutes
FROM base.feedback f
WHERE NOT f.is_deleted
  AND NOT f.is_test
