-- ---
-- title = { en = "Order desk: orders as a whole", zh = "订单中心：订单总览" }
-- about = "What the order desk knows of each order of web shop, marketplaces and ERP: status, promises, reason of a cancellation, total."
-- source_system = "order_desk"
-- order = 21
-- [read]
-- path = "orders/orders_*.csv"
-- format = "csv"
-- ---
--
--   * The desk is one system, but an order belongs to the system that sold it: its source_system is the sale's, as its lines'.
--   * `rev` orders the versions. An order may be told when it is made, when it is done, or both, and a few never are.
--   * `external_no` is the number under which another system has the order, too; of several the smallest `priority` counts. The ERP's
--     copies of marketplace orders name the original so, and are not primary.
--   * `total` is what the buyer is billed, with tax, to the cent; `money` and `goods` say what became of them.

-- into = "order_header"
SELECT order_id,
       order_id AS source_record_id,
       CASE system WHEN 'web' THEN 'shop_web' ELSE system END AS source_system,
       CAST(rev AS BIGINT) AS source_version,
       zone AS tz,
       external_no AS external_order_no,
       CASE WHEN system = 'erp' AND external_no IS NOT NULL THEN 'market_eu:' || external_no END AS canonical_order_id,
       NOT (system = 'erp' AND external_no IS NOT NULL) AS is_primary,
       CAST(priority AS INT) AS source_priority,
       type AS order_type,
       flow,
       channel AS channel_id,
       status AS order_status,
       money AS financial_status,
       goods AS fulfilment_status,
       instant(placed) AS created_at,
       instant(confirmed) AS confirmed_at,
       instant(paid) AS paid_at,
       instant(cancelled) AS cancelled_at,
       instant(completed) AS completed_at,
       instant(ship_by) AS promised_ship_at,
       instant(deliver_by) AS promised_delivery_at,
       reason AS cancel_reason,
       system <> 'erp' AS price_includes_tax,
       currency,
       CAST(total AS DECIMAL(18,4)) AS order_total_amount,
       customer AS customer_key,
       region AS ship_region_id,
       bill_region AS bill_region_id,
       CASE staff WHEN 'Y' THEN true WHEN 'N' THEN false ELSE CAST(staff AS BOOLEAN) END AS is_staff_order,
       CASE test WHEN 'Y' THEN true WHEN 'N' THEN false ELSE CAST(test AS BOOLEAN) END AS is_test
FROM   raw;
