-- ---
-- title = { en = "ERP documents: telesales and wholesale", zh = "ERP 单据：电话销售与批发" }
-- about = "The ERP's export in Parquet: order lines (record_type L), charges (C) and credit notes (R), prices without tax."
-- source_system = "erp"
-- order = 13
-- [read]
-- path = "erp/*.parquet"
-- format = "parquet"
-- [defaults]
-- price_includes_tax = false
-- cost_method = "standard"
-- ---
--
--   * One table holds three kinds of record; `record_type` routes them. Any other type is taken by no SELECT and quarantined.
--   * The company decides the zone: UK01 London, DE01 Berlin. Instants are in UTC.
--   * A document is a sale from `confirmed_at` on; status 10 has none yet. Quotes (QT) and internal moves (IN) land and are never counted.
--   * `flow` IN is a sale to a distributor (sell-in, which counts), OUT what a distributor says it sold (sell-out, which does not).
--   * Wholesale sells by the case: `quantity` in `uom`, `base_quantity` in pieces; `unit_cost` is per piece.
--   * `net_amount` is the ERP's own; it must be price × quantity less both discounts within a cent (V04).
--   * `origin_order` names the marketplace order that a document repeats: it lands as a copy that is not primary, so it is not counted twice.
--   * A line struck off comes again with status X. A newer `doc_version` replaces an older one.
--   * Credit notes are refunds, in pieces; they name document and line. `stock_cost` is what went back to stock, 0 if nothing did.

-- into = "order_line"
SELECT doc_no AS order_id,
       doc_no AS source_record_id,
       CAST(doc_version AS BIGINT) AS source_version,
       CASE company WHEN 'UK01' THEN 'Europe/London' WHEN 'DE01' THEN 'Europe/Berlin' END AS tz,
       origin_order AS canonical_order_id,
       origin_order IS NULL AS is_primary,
       CASE order_type WHEN 'TA' THEN 'sale' WHEN 'B2' THEN 'b2b' WHEN 'WS' THEN 'wholesale' WHEN 'QT' THEN 'quote' WHEN 'IN' THEN 'internal'
                       ELSE order_type END AS order_type,
       CASE channel WHEN 'TEL' THEN 'tel' WHEN 'B2B' THEN 'b2b' WHEN 'MKT' THEN 'market_eu' ELSE channel END AS channel_id,
       CASE WHEN flow IS NULL THEN 'own' WHEN flow = 'IN' THEN 'sell_in' WHEN flow = 'OUT' THEN 'sell_out' ELSE flow END AS flow,
       CASE status WHEN '10' THEN 'created' WHEN '20' THEN 'confirmed' WHEN '30' THEN 'paid' WHEN '40' THEN 'partially_fulfilled'
                   WHEN '50' THEN 'fulfilled' WHEN '60' THEN 'completed' WHEN '90' THEN 'cancelled' ELSE status END AS order_status,
       instant(created_at) AS created_at,
       instant(confirmed_at) AS confirmed_at,
       instant(paid_at) AS paid_at,
       instant(cancelled_at) AS cancelled_at,
       customer_no AS customer_key,
       rep AS sales_rep_id,
       ship_region AS ship_region_id,
       bill_region AS bill_region_id,
       currency,
       CAST(is_test AS BOOLEAN) AS is_test,
       CAST(is_staff AS BOOLEAN) AS is_staff_order,
       line_no AS order_line_id,
       CAST(line_no AS INT) AS line_no,
       sku,
       uom,
       CAST(quantity AS DECIMAL(18,3)) AS quantity,
       CAST(base_quantity AS DECIMAL(18,3)) AS base_quantity,
       CAST(unit_price AS DECIMAL(18,4)) AS unit_price,
       CAST(line_discount AS DECIMAL(18,4)) AS line_discount_amount,
       CAST(order_discount AS DECIMAL(18,4)) AS order_discount_allocated,
       CAST(net_amount AS DECIMAL(18,4)) AS net_amount,
       CAST(tax_rate AS DECIMAL(18,8)) AS tax_rate,
       CAST(unit_cost AS DECIMAL(18,4)) AS unit_cost,
       fulfil_place AS fulfil_location_id,
       CASE line_status WHEN 'A' THEN 'active' WHEN 'X' THEN 'removed' ELSE line_status END AS line_status
FROM   raw
WHERE  record_type = 'L';

-- into = "order_charge"
SELECT doc_no AS order_id,
       doc_no AS source_record_id,
       CAST(doc_version AS BIGINT) AS source_version,
       CASE company WHEN 'UK01' THEN 'Europe/London' WHEN 'DE01' THEN 'Europe/Berlin' END AS tz,
       origin_order AS canonical_order_id,
       origin_order IS NULL AS is_primary,
       CASE order_type WHEN 'TA' THEN 'sale' WHEN 'B2' THEN 'b2b' WHEN 'WS' THEN 'wholesale' WHEN 'QT' THEN 'quote' WHEN 'IN' THEN 'internal'
                       ELSE order_type END AS order_type,
       CASE channel WHEN 'TEL' THEN 'tel' WHEN 'B2B' THEN 'b2b' WHEN 'MKT' THEN 'market_eu' ELSE channel END AS channel_id,
       CASE WHEN flow IS NULL THEN 'own' WHEN flow = 'IN' THEN 'sell_in' WHEN flow = 'OUT' THEN 'sell_out' ELSE flow END AS flow,
       CASE status WHEN '10' THEN 'created' WHEN '20' THEN 'confirmed' WHEN '30' THEN 'paid' WHEN '40' THEN 'partially_fulfilled'
                   WHEN '50' THEN 'fulfilled' WHEN '60' THEN 'completed' WHEN '90' THEN 'cancelled' ELSE status END AS order_status,
       instant(created_at) AS created_at,
       instant(confirmed_at) AS confirmed_at,
       instant(paid_at) AS paid_at,
       instant(cancelled_at) AS cancelled_at,
       customer_no AS customer_key,
       rep AS sales_rep_id,
       ship_region AS ship_region_id,
       bill_region AS bill_region_id,
       currency,
       CAST(is_test AS BOOLEAN) AS is_test,
       CAST(is_staff AS BOOLEAN) AS is_staff_order,
       line_no AS charge_seq,
       charge_type,
       CAST(charge_amount AS DECIMAL(18,4)) AS amount
FROM   raw
WHERE  record_type = 'C';

-- into = "return_line"
SELECT doc_no AS return_id,
       doc_no AS source_record_id,
       line_no AS return_line_id,
       CAST(doc_version AS BIGINT) AS source_version,
       CASE company WHEN 'UK01' THEN 'Europe/London' WHEN 'DE01' THEN 'Europe/Berlin' END AS tz,
       ref_doc_no AS order_id,
       ref_line_no AS order_line_id,
       CASE channel WHEN 'TEL' THEN 'tel' WHEN 'B2B' THEN 'b2b' WHEN 'MKT' THEN 'market_eu' ELSE channel END AS channel_id,
       CASE WHEN flow IS NULL THEN 'own' WHEN flow = 'IN' THEN 'sell_in' WHEN flow = 'OUT' THEN 'sell_out' ELSE flow END AS flow,
       instant(requested_at) AS requested_at,
       instant(refunded_at) AS refunded_at,
       sku,
       CAST(quantity AS DECIMAL(18,3)) AS quantity,
       CAST(refund_net AS DECIMAL(18,4)) AS refund_net_amount,
       CAST(refund_tax AS DECIMAL(18,4)) AS refund_tax_amount,
       CAST(tax_rate AS DECIMAL(18,8)) AS tax_rate,
       currency,
       CAST(stock_cost AS DECIMAL(18,4)) AS cost_amount,
       reason AS reason_code,
       CASE restock WHEN 'STOCK' THEN 'return_to_stock' WHEN 'DAMAGED' THEN 'damaged' WHEN 'NONE' THEN 'no_restock' ELSE restock END AS restock_type,
       fulfil_place AS return_location_id,
       customer_no AS customer_key,
       CAST(is_test AS BOOLEAN) AS is_test,
       CAST(is_staff AS BOOLEAN) AS is_staff_order
FROM   raw
WHERE  record_type = 'R';
