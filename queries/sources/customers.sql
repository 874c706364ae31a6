-- ---
-- title = { en = "Customers", zh = "客户" }
-- about = "Pseudonymous customers: consumers (C…) and businesses (B…). No personal data."
-- source_system = "masterdata"
-- order = 2
-- [read]
-- path = "dimensions/customers.csv"
-- format = "csv"
-- ---

-- into = "customer"
SELECT customer_key,
       type AS customer_type,
       instant(acquired_at) AS acquired_at,
       acquisition_channel AS acquisition_channel_id,
       home_region AS home_region_id,
       "group" AS customer_group,
       tier AS membership_tier,
       CAST(birth_year AS INT) AS birth_year,
       CAST(consent_email AS BOOLEAN) AS consent_marketing_email,
       CAST(consent_profiling AS BOOLEAN) AS consent_marketing_profiling
FROM   raw;
