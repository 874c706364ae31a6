-- ---
-- title = { en = "Stock movements", zh = "库存流水" }
-- about = "The ledger of the places: receipts, sales, transfers, losses, counts; from 2026-06-10 on."
-- source_system = "warehouse"
-- order = 31
-- [read]
-- path = "movements/*.csv"
-- format = "csv"
-- delimiter = ";"
-- ---
--
--   * `qty` is signed: above 0 into the place. A count's is what the count changed.
--   * Movements are told late and put right later: the greatest `rev` counts.
--   * Times are the place's own.

-- into = "inventory_movement"
SELECT movement AS movement_id,
       CAST(rev AS BIGINT) AS source_version,
       local_time(moved_at, '%Y-%m-%d %H:%M:%S') AS moved_at,
       zone AS tz,
       CASE type WHEN 'GR' THEN 'receipt' WHEN 'SO' THEN 'sale' WHEN 'RT' THEN 'sale_return' WHEN 'TI' THEN 'transfer_in'
                 WHEN 'TO' THEN 'transfer_out' WHEN 'AU' THEN 'adjust_up' WHEN 'AD' THEN 'adjust_down' WHEN 'DM' THEN 'damage'
                 WHEN 'TH' THEN 'theft' WHEN 'WO' THEN 'write_off' WHEN 'CN' THEN 'count' ELSE type END AS movement_type,
       place AS location_id,
       other_place AS counterparty_location_id,
       sku,
       CAST(qty AS DECIMAL(18,3)) AS quantity,
       CAST(unit_cost AS DECIMAL(18,4)) AS unit_cost,
       currency,
       CASE WHEN ref <> '' THEN 'purchase_order' END AS ref_type,
       ref AS ref_id,
       reason AS reason_code
FROM   raw;
