-- ---
-- title = { en = "Regions", zh = "区域" }
-- about = "Countries (level 1) and the regions in them (level 2)."
-- source_system = "masterdata"
-- order = 0
-- [read]
-- path = "dimensions/regions.csv"
-- format = "csv"
-- ---
--
-- One version of each region: the list has no validity, the latest delivery counts.

-- into = "region"
SELECT region_id,
       name AS region_name,
       CAST(level AS INT) AS region_level,
       parent_id AS parent_region_id,
       country_id AS level1_id,
       country_name AS level1_name,
       CASE WHEN level = '2' THEN region_id END AS level2_id,
       CASE WHEN level = '2' THEN name END AS level2_name,
       CAST(population AS BIGINT) AS population
FROM   raw;
