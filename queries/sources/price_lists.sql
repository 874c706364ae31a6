-- ---
-- title = { en = "Price lists", zh = "价目表" }
-- about = "What articles are offered at in each channel; a row per article, channel, place, group of customers and validity."
-- source_system = "masterdata"
-- order = 3
-- [read]
-- path = "dimensions/price_lists.csv"
-- format = "csv"
-- ---
--
--   * An empty `place` or `customers` means all that have no price of their own.
--   * An empty `valid_from` means since ever; an empty `reduced` is no reduction.

-- into = "price_list"
SELECT sku,
       channel AS channel_id,
       place AS location_id,
       customers AS customer_group,
       CAST(rev AS BIGINT) AS source_version,
       date_of(valid_from, '%Y-%m-%d') AS valid_from,
       CAST(price AS DECIMAL(18,4)) AS list_price,
       CAST(reduced AS DECIMAL(18,4)) AS promo_price,
       currency,
       CAST(with_tax AS BOOLEAN) AS price_includes_tax
FROM   raw;
