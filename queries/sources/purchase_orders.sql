-- ---
-- title = { en = "Purchase orders", zh = "采购订单" }
-- about = "Lines ordered from suppliers, one file per month, each line as it stood at the month's end."
-- source_system = "purchasing"
-- order = 32
-- [read]
-- path = "purchasing/*.csv"
-- format = "csv"
-- delimiter = ";"
-- ---
--
--   * A line that was open at a month's end and moved in the next month is told again with a greater `rev`.
--   * CLOSED: less came than was ordered, and nothing more will.

-- into = "purchase_order_line"
SELECT po AS po_id,
       sku AS po_line_id,
       CAST(rev AS BIGINT) AS source_version,
       supplier AS supplier_id,
       sku,
       place AS location_id,
       zone AS tz,
       local_time(ordered_at, '%Y-%m-%d %H:%M:%S') AS ordered_at,
       local_time(expected_at, '%Y-%m-%d %H:%M:%S') AS expected_at,
       local_time(first_received_at, '%Y-%m-%d %H:%M:%S') AS first_received_at,
       local_time(last_received_at, '%Y-%m-%d %H:%M:%S') AS last_received_at,
       CAST(ordered AS DECIMAL(18,3)) AS ordered_qty,
       CAST(confirmed AS DECIMAL(18,3)) AS confirmed_qty,
       CAST(received AS DECIMAL(18,3)) AS received_qty,
       CAST(unit_cost AS DECIMAL(18,4)) AS unit_cost,
       currency,
       CASE status WHEN 'OPEN' THEN 'open' WHEN 'CONFIRMED' THEN 'confirmed' WHEN 'PART' THEN 'partially_received'
                   WHEN 'DONE' THEN 'received' WHEN 'CLOSED' THEN 'closed' WHEN 'CANCELLED' THEN 'cancelled' ELSE status END AS status
FROM   raw;
