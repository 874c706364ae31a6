-- ---
-- title = { en = "Order desk: steps of orders", zh = "订单中心：状态变更" }
-- about = "When each order of web shop, marketplaces and ERP went from one status to the next."
-- source_system = "order_desk"
-- order = 22
-- [read]
-- path = "orders/steps_*.csv"
-- format = "csv"
-- ---
--
--   * A step belongs to the system that sold the order, as its lines do. `seq` numbers the steps of an order in order of time.
--   * A step whose instant was wrong comes again with a higher `rev`.

-- into = "order_status_event"
SELECT order_id,
       order_id AS source_record_id,
       CASE system WHEN 'web' THEN 'shop_web' ELSE system END AS source_system,
       seq AS status_seq,
       CAST(rev AS BIGINT) AS source_version,
       zone AS tz,
       "from" AS from_status,
       "to" AS to_status,
       instant("at") AS changed_at,
       actor
FROM   raw;
