-- ---
-- title = { en = "Web shop, app and live stream orders", zh = "网店、应用与直播订单" }
-- about = "The shop system's orders: one JSON object per version of an order, with its lines and charges inside, prices with tax."
-- source_system = "shop_web"
-- order = 11
-- [read]
-- path = "web/*.ndjson"
-- format = "ndjson"
-- shape = '{"id":"","rev":"","channel":"","type":"","status":"","placed":"","confirmed":"","paid":"","cancelled":"","currency":"","customer":{"key":""},"session":"","ship":{"region":""},"bill":{"region":""},"test":"","staff":"","note":"","lines":[{"no":"","type":"","sku":"","uom":"","vat":"","cost":"","price":"","qty":"","discount":"","order_discount":"","parent":"","state":""}],"charges":[{"seq":"","type":"","net":""}]}'
-- [defaults]
-- tz = "Europe/London"
-- price_includes_tax = true
-- cost_method = "standard"
-- ---
--
--   * Instants have an offset, that of the buyer; the shop's business day is London's, whoever buys.
--   * An order is a sale once confirmed; one that is only `created` has given up paying. Unpaid orders by invoice have no `paid`.
--   * A changed order comes again, whole, with a higher `rev`. A line struck off stays in it, `state` removed.
--   * Prices and discounts include tax; `order_discount` is the line's share of the coupon, spread by the shop, to the cent.
--     Charges are without tax; the tax on shipping is a charge of its own, adjustments carry their sign.
--   * Gift sets: the set's line has price 0, its components carry the money. Gift cards are no sale, gift wrapping is a service.
--   * An order without a place: online sales have no location (N/A); their region is that of the address.

-- into = "order_line"
SELECT id AS order_id,
       id AS source_record_id,
       CAST(rev AS BIGINT) AS source_version,
       channel AS channel_id,
       type AS order_type,
       status AS order_status,
       instant(placed) AS created_at,
       instant(confirmed) AS confirmed_at,
       instant(paid) AS paid_at,
       instant(cancelled) AS cancelled_at,
       currency,
       customer['key'] AS customer_key,
       ship['region'] AS ship_region_id,
       bill['region'] AS bill_region_id,
       CAST(test AS BOOLEAN) AS is_test,
       CAST(staff AS BOOLEAN) AS is_staff_order,
       CASE WHEN note IS NOT NULL THEN '{"note":"' || replace(note, '"', '\"') || '"}' END AS ext,
       l['no'] AS order_line_id,
       CAST(l['no'] AS INT) AS line_no,
       l['type'] AS line_type,
       l['sku'] AS sku,
       l['uom'] AS uom,
       CAST(l['vat'] AS DECIMAL(18,8)) AS tax_rate,
       CAST(l['cost'] AS DECIMAL(18,4)) AS unit_cost,
       CAST(l['price'] AS DECIMAL(18,4)) AS unit_price,
       CAST(l['qty'] AS DECIMAL(18,3)) AS quantity,
       CAST(l['discount'] AS DECIMAL(18,4)) AS line_discount_amount,
       CAST(l['order_discount'] AS DECIMAL(18,4)) AS order_discount_allocated,
       l['parent'] AS bundle_parent_line_id,
       l['state'] AS line_status
FROM   (SELECT *, unnest(lines) AS l FROM raw);

-- into = "order_charge"
SELECT id AS order_id,
       id AS source_record_id,
       CAST(rev AS BIGINT) AS source_version,
       channel AS channel_id,
       type AS order_type,
       status AS order_status,
       instant(placed) AS created_at,
       instant(confirmed) AS confirmed_at,
       instant(paid) AS paid_at,
       instant(cancelled) AS cancelled_at,
       currency,
       customer['key'] AS customer_key,
       ship['region'] AS ship_region_id,
       bill['region'] AS bill_region_id,
       CAST(test AS BOOLEAN) AS is_test,
       CAST(staff AS BOOLEAN) AS is_staff_order,
       c['seq'] AS charge_seq,
       c['type'] AS charge_type,
       CAST(c['net'] AS DECIMAL(18,4)) AS amount
FROM   (SELECT *, unnest(charges) AS c FROM raw);
