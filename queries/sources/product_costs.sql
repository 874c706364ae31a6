-- ---
-- title = { en = "Unit costs", zh = "商品成本" }
-- about = "What articles cost, everywhere or in a place; a row per article, place and validity."
-- source_system = "masterdata"
-- order = 3
-- [read]
-- path = "dimensions/product_costs.csv"
-- format = "csv"
-- ---
--
--   * An empty `place` means every place that has no cost of its own.
--   * An empty `valid_from` means since ever; a later row of the same article and place holds from that day.

-- into = "product_cost"
SELECT sku,
       place AS location_id,
       CAST(rev AS BIGINT) AS source_version,
       date_of(valid_from, '%Y-%m-%d') AS valid_from,
       method AS cost_method,
       CAST(unit_cost AS DECIMAL(18,4)) AS unit_cost,
       currency
FROM   raw;
