-- ---
-- title = { en = "Whom representatives look after", zh = "客户分配" }
-- about = "Businesses and their representatives with shares; the rows of one day replace those of the day before."
-- source_system = "crm"
-- order = 3
-- [read]
-- path = "people/assignments.csv"
-- format = "csv"
-- ---

-- into = "rep_assignment"
SELECT kind AS assigned_type,
       id AS assigned_id,
       rep AS sales_rep_id,
       CAST(share AS DECIMAL(9,6)) AS share,
       date_of(since, '%Y-%m-%d') AS valid_from,
       CAST(rev AS BIGINT) AS source_version
FROM   raw;
