-- ---
-- title = { en = "Suppliers", zh = "供应商" }
-- about = "Who delivers, and how many days they usually take."
-- source_system = "masterdata"
-- order = 1
-- [read]
-- path = "dimensions/suppliers.csv"
-- format = "csv"
-- ---

-- into = "supplier"
SELECT supplier_id,
       CAST(rev AS BIGINT) AS source_version,
       name AS supplier_name,
       country,
       terms AS payment_terms,
       CAST(lead_days AS DECIMAL(18,8)) AS default_lead_time_days
FROM   raw;
