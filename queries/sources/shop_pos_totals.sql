-- ---
-- title = { en = "Shop tickets: daily totals", zh = "门店小票日结总数" }
-- about = "What the tills say they sent, one row per shop and business day, for the reconciliation with shop_pos_sales."
-- source_system = "shop_pos"
-- order = 35
-- [read]
-- path = "control/pos_*.csv"
-- format = "csv"
-- delimiter = ";"
-- [defaults]
-- channel_id = "pos"
-- ---
--
--   * Every ticket that the till made on the business day, voided and training tickets too, lines as last corrected.
--   * `total` is what the lines cost with tax, after all discounts; weighed articles are not rounded to the cent.
--   * Counts and units carry no currency: a shop has one.

-- into = "source_control_total"
SELECT date_of(day, '%Y-%m-%d') AS total_date,
       store AS location_id,
       zone AS tz,
       'order_count' AS metric,
       CAST(tickets AS DECIMAL(18,4)) AS value
FROM   raw;

-- into = "source_control_total"
SELECT date_of(day, '%Y-%m-%d') AS total_date,
       store AS location_id,
       zone AS tz,
       'line_count' AS metric,
       CAST(lines AS DECIMAL(18,4)) AS value
FROM   raw;

-- into = "source_control_total"
SELECT date_of(day, '%Y-%m-%d') AS total_date,
       store AS location_id,
       zone AS tz,
       'units' AS metric,
       CAST(units AS DECIMAL(18,4)) AS value
FROM   raw;

-- into = "source_control_total"
SELECT date_of(day, '%Y-%m-%d') AS total_date,
       store AS location_id,
       zone AS tz,
       'total_amount' AS metric,
       CAST(total AS DECIMAL(18,4)) AS value,
       currency
FROM   raw;
