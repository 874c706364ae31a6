-- ---
-- title = { en = "What bundles consist of", zh = "组合商品构成" }
-- about = "The components of each bundle with their shares of its revenue; all rows of a bundle come in one file."
-- source_system = "masterdata"
-- order = 3
-- [read]
-- path = "dimensions/product_bundles.csv"
-- format = "csv"
-- ---

-- into = "product_bundle"
SELECT bundle AS bundle_product_id,
       component AS component_product_id,
       CAST(rev AS BIGINT) AS source_version,
       CAST(quantity AS DECIMAL(18,3)) AS component_qty,
       CAST(share AS DECIMAL(9,6)) AS revenue_share
FROM   raw;
