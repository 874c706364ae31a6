-- ---
-- title = { en = "Returns desk", zh = "退货台" }
-- about = "Returned lines of everything that shops, web shop and marketplaces sold; refunds include tax."
-- source_system = "shop_returns"
-- order = 20
-- [read]
-- path = "returns/*.csv"
-- format = "csv"
-- [defaults]
-- price_includes_tax = true
-- ---
--
--   * The desk is one system, but a return belongs to the system that sold: its source_system is the sale's, so that the sale is found by
--     (source_system, order_id). A return without an order (blind) keeps the desk's own.
--   * Only refunded lines count, on the local day of `refunded_at`; requested, received and rejected ones land and wait.
--   * `channel` and `place` say where it came back, which may be another channel than the one that sold it: web orders come back to shops.
--   * `refund` includes tax at rate `vat`; `refund_shipping` is without tax. `stock_cost` is the cost of what went back to stock.
--   * An exchange is a return here and a ticket of type X at the till, linked by the exchange group.
--   * Places close their books at midnight here: the desk of a shop at night is open by day.

-- into = "return_line"
SELECT return_id,
       return_id AS source_record_id,
       line AS return_line_id,
       CASE WHEN order_system IS NULL THEN 'shop_returns' WHEN order_system = 'pos' THEN 'shop_pos' WHEN order_system = 'web' THEN 'shop_web'
            ELSE order_system END AS source_system,
       CAST(rev AS BIGINT) AS source_version,
       zone AS tz,
       order_id,
       order_line AS order_line_id,
       type AS return_type,
       status AS return_status,
       instant(requested_at) AS requested_at,
       instant(received_at) AS received_at,
       instant(refunded_at) AS refunded_at,
       channel AS channel_id,
       place AS return_location_id,
       sku,
       CAST(vat AS DECIMAL(18,8)) AS tax_rate,
       currency,
       CAST(qty AS DECIMAL(18,3)) AS quantity,
       CAST(refund AS DECIMAL(18,4)) AS refund_net_amount,
       CAST(refund_shipping AS DECIMAL(18,4)) AS refund_shipping_amount,
       CAST(stock_cost AS DECIMAL(18,4)) AS cost_amount,
       reason AS reason_code,
       note AS reason_note,
       restock AS restock_type,
       member AS customer_key,
       CASE staff WHEN 'Y' THEN true WHEN 'N' THEN false ELSE CAST(staff AS BOOLEAN) END AS is_staff_order,
       CASE training WHEN 'Y' THEN true WHEN 'N' THEN false ELSE CAST(training AS BOOLEAN) END AS is_test,
       CASE WHEN exchange_group IS NOT NULL THEN '{"exchange_group_id":"' || exchange_group || '"}' END AS ext
FROM   raw;
