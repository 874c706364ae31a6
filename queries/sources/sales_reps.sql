-- ---
-- title = { en = "Representatives", zh = "销售人员" }
-- about = "Who sells: the ERP's representatives and the staff of tills, names masked; a row per person and validity."
-- source_system = "masterdata"
-- order = 2
-- [read]
-- path = "dimensions/sales_reps.csv"
-- format = "csv"
-- ---

-- into = "sales_rep"
SELECT sales_rep_id,
       CAST(rev AS BIGINT) AS source_version,
       instant(valid_from) AS valid_from,
       name AS name_masked,
       team AS team_id,
       manager AS manager_rep_id,
       region AS region_id,
       date_of(hired_on, '%Y-%m-%d') AS hired_on,
       date_of(left_on, '%Y-%m-%d') AS left_on
FROM   raw;
