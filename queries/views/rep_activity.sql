-- ---
-- title = { en = "Activities of representatives", zh = "销售活动" }
-- about = "Visits, calls, mails and meetings, one row each; tombstones are left out."
-- needs = ["sales_activity"]
-- [columns]
-- sales_rep_id = "who did it"
-- business_date = "the local day on which it began, else was meant to"
-- activity_type = "visit, call, email, meeting, task, demo or store_audit"
-- outcome = "what came of it"
-- is_done = "it began"
-- ---
SELECT
    a.sales_rep_id,
    a.business_date,
    a.activity_type,
    a.customer_key,
    a.location_id,
    a.outcome,
    a.started_at IS NOT NULL AS is_done
FROM base.sales_activity a
WHERE NOT a.is_deleted
