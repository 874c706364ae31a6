-- ---
-- title = { en = "Opportunities as they stand", zh = "商机当前状态" }
-- about = "The last version of every opportunity; business_date is the local day of its last step, which closed it if it is won or lost."
-- needs = ["opportunity"]
-- [columns]
-- opportunity_id = "the opportunity, unique with source_system"
-- sales_rep_id = "whose it is"
-- status = "open, won or lost"
-- amount_rc = "what it is worth (reporting currency)"
-- business_date = "the local day of its last step"
-- ---
SELECT
    o.source_system,
    o.opportunity_id,
    o.owner_rep_id AS sales_rep_id,
    o.stage,
    o.stage_order,
    o.status,
    o.amount_rc,
    o.probability,
    o.lead_source,
    o.campaign_id,
    o.business_date
FROM (
    SELECT b.*, max(b.source_version) OVER (PARTITION BY b.source_system, b.opportunity_id) AS last_version
    FROM base.opportunity b
    WHERE NOT b.is_deleted
) o
WHERE o.source_version = o.last_version
