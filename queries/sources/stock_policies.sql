-- ---
-- title = { en = "Stock policies", zh = "补货策略" }
-- about = "How each place keeps its articles: lead times, service levels, order quantities; a row per place, article and validity."
-- source_system = "masterdata"
-- order = 3
-- [read]
-- path = "dimensions/stock_policies.csv"
-- format = "csv"
-- ---
--
--   * An empty `valid_from` means since ever; a later row of the same place and article holds from that day.
--   * What is left empty is not known: an empty `max_stock` is no limit.

-- into = "product_location_policy"
SELECT place AS location_id,
       sku,
       CAST(rev AS BIGINT) AS source_version,
       date_of(valid_from, '%Y-%m-%d') AS valid_from,
       CAST(lead_days AS DECIMAL(18,8)) AS lead_time_days,
       CAST(lead_sd AS DECIMAL(18,8)) AS lead_time_sd,
       CAST(review_days AS INT) AS review_period_days,
       CAST(service_level AS DECIMAL(9,6)) AS service_level,
       CAST(min_order AS DECIMAL(18,3)) AS min_order_qty,
       CAST(pack AS DECIMAL(18,3)) AS pack_size,
       CAST(max_stock AS DECIMAL(18,3)) AS max_stock,
       CAST(order_cost AS DECIMAL(18,4)) AS order_cost,
       currency,
       CAST(holding_rate AS DECIMAL(9,6)) AS holding_cost_rate
FROM   raw;
