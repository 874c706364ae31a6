-- ---
-- title = { en = "Stock at the close of day", zh = "日终库存" }
-- about = "Pieces per place and article: every day of the last five weeks, month ends before."
-- source_system = "warehouse"
-- order = 30
-- [read]
-- path = "stock/*.parquet"
-- format = "parquet"
-- [defaults]
-- tz = "Europe/London"
-- ---
--
--   * A place that tells anything for a day tells all of it: an article of its range that is missing has 0 (not sparse).
--   * Stock may be below 0: sold before it was booked in.

-- into = "inventory_snapshot"
SELECT date_of(stock_date, '%Y-%m-%d') AS snapshot_date,
       place AS location_id,
       sku,
       CAST(on_hand AS DECIMAL(18,3)) AS on_hand,
       CAST(available AS DECIMAL(18,3)) AS available,
       CAST(unit_cost AS DECIMAL(18,4)) AS unit_cost,
       CAST(unit_retail AS DECIMAL(18,4)) AS unit_retail,
       currency,
       CAST(ranged AS BOOLEAN) AS is_ranged
FROM   raw;
