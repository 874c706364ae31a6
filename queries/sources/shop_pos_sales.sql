-- ---
-- title = { en = "Shop tickets", zh = "门店销售小票" }
-- about = "The tills' export: one row per line of a ticket, times as the shop's clock shows them, prices with tax."
-- source_system = "shop_pos"
-- order = 10
-- [read]
-- path = "pos/*.csv"
-- format = "csv"
-- delimiter = ";"
-- [defaults]
-- channel_id = "pos"
-- price_includes_tax = true
-- cost_method = "standard"
-- ---
--
--   * Times are wall-clock times of `zone`; `day_close` is the time of night that still belongs to the day before (04:00 in shops at night).
--   * A ticket is paid when it is made, so it is a sale at once. A voided ticket (VOID, a newer `rev`) is a cancelled order.
--   * A corrected line comes again with a higher `rev`; the highest counts, whichever came first.
--   * Type X replaces something that was brought back: an exchange, counted as a return and as a sale, linked by its group.
--   * Kinds of line: P article, G gift card (no sale), F levy on a carrier bag (a fee), D bottle deposit (no sale).
--   * Price, discount and the share of the ticket's discount include tax; the latter was spread over the lines by the till, to the cent.
--   * Training tickets land as test, which is never counted. An empty `member` is an anonymous buyer.

-- into = "order_line"
SELECT ticket AS order_id,
       ticket AS source_record_id,
       line AS order_line_id,
       CAST(line AS INT) AS line_no,
       CAST(rev AS BIGINT) AS source_version,
       store AS location_id,
       zone AS tz,
       CAST(split_part(day_close, ':', 1) AS INT) * 60 + CAST(split_part(day_close, ':', 2) AS INT) AS day_cutoff_minutes,
       local_time(sold_at, '%Y-%m-%d %H:%M:%S') AS created_at,
       local_time(sold_at, '%Y-%m-%d %H:%M:%S') AS paid_at,
       local_time(voided_at, '%Y-%m-%d %H:%M:%S') AS cancelled_at,
       CASE type WHEN 'S' THEN 'sale' WHEN 'X' THEN 'exchange' ELSE type END AS order_type,
       CASE status WHEN 'OK' THEN 'completed' WHEN 'VOID' THEN 'cancelled' ELSE status END AS order_status,
       CASE training WHEN 'Y' THEN true WHEN 'N' THEN false ELSE CAST(training AS BOOLEAN) END AS is_test,
       CASE staff WHEN 'Y' THEN true WHEN 'N' THEN false ELSE CAST(staff AS BOOLEAN) END AS is_staff_order,
       member AS customer_key,
       cashier AS sales_rep_id,
       CASE WHEN exchange_group IS NOT NULL THEN '{"exchange_group_id":"' || exchange_group || '"}' END AS ext,
       CASE kind WHEN 'P' THEN 'product' WHEN 'G' THEN 'gift_card' WHEN 'F' THEN 'fee' WHEN 'D' THEN 'deposit' ELSE kind END AS line_type,
       sku,
       uom,
       CAST(vat AS DECIMAL(18,8)) AS tax_rate,
       currency,
       CAST(cost AS DECIMAL(18,4)) AS unit_cost,
       CAST(price AS DECIMAL(18,4)) AS unit_price,
       CAST(qty AS DECIMAL(18,3)) AS quantity,
       CAST(discount AS DECIMAL(18,4)) AS line_discount_amount,
       CAST(ticket_discount AS DECIMAL(18,4)) AS order_discount_allocated
FROM   raw;
