-- ---
-- title = { en = "Product master", zh = "商品主数据" }
-- about = "Articles with brand and three category levels; a row per article and validity."
-- source_system = "masterdata"
-- order = 2
-- [read]
-- path = "dimensions/products.csv"
-- format = "csv"
-- ---
--
--   * An article number is text: its leading zeros belong to it.
--   * An empty `valid_from` means since ever; a later row of the same article (another category, say) holds from that instant.
--   * `rev` counts the versions of the master, from 1: so a row gleaned from a marketplace (version 0) never replaces one of its rows.

-- into = "product"
SELECT sku,
       CAST(rev AS BIGINT) AS source_version,
       instant(valid_from) AS valid_from,
       gtin,
       name AS product_name,
       brand,
       supplier AS supplier_id,
       category1_id AS category_l1_id,
       category1 AS category_l1_name,
       category2_id AS category_l2_id,
       category2 AS category_l2_name,
       category3_id AS category_l3_id,
       category3 AS category_l3_name,
       type AS product_type,
       uom,
       date_of(launched_on, '%Y-%m-%d') AS launch_date,
       CAST(msrp AS DECIMAL(18,4)) AS msrp,
       tax_class AS tax_code,
       CAST(active AS BOOLEAN) AS is_active
FROM   raw;
