-- ---
-- title = { en = "Promotions", zh = "促销" }
-- about = "Sales, offers of a quarter, coupons, points and the marketplaces' vouchers. Budgets in the reporting currency."
-- source_system = "masterdata"
-- order = 2
-- [read]
-- path = "dimensions/promotions.csv"
-- format = "csv"
-- ---

-- into = "promotion"
SELECT promotion_id,
       name AS promotion_name,
       type AS promotion_type,
       instant(starts_at) AS starts_at,
       instant(ends_at) AS ends_at,
       channels AS channel_ids,
       CAST(budget AS DECIMAL(18,4)) AS budget_rc,
       CAST(fixed_cost AS DECIMAL(18,4)) AS fixed_cost_rc,
       funded_by
FROM   raw;
