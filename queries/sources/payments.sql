-- ---
-- title = { en = "Payments", zh = "支付流水" }
-- about = "What tills, payment hub, platforms and bank took and gave back, one row per movement or attempt."
-- source_system = "payments"
-- order = 24
-- [read]
-- path = "payments/*.csv"
-- format = "csv"
-- ---
--
--   * A payment belongs to the system that sold the order. One without an order gives back a blind return.
--   * Web orders are authorized when made and captured when paid (`authorization` names which); the others are paid at once.
--   * A payment that was `pending` comes again with a higher `rev` once it is settled.
--   * `day_close` is the time of night that still belongs to the day before (04:00 in shops at night).

-- into = "payment"
SELECT payment_id,
       payment_id AS source_record_id,
       CASE system WHEN 'pos' THEN 'shop_pos' WHEN 'web' THEN 'shop_web' ELSE system END AS source_system,
       CAST(rev AS BIGINT) AS source_version,
       zone AS tz,
       CAST(split_part(day_close, ':', 1) AS INT) * 60 + CAST(split_part(day_close, ':', 2) AS INT) AS day_cutoff_minutes,
       order_id,
       kind AS payment_kind,
       "authorization" AS authorization_id,
       tender AS tender_type,
       status,
       gateway,
       instant("at") AS processed_at,
       CAST(amount AS DECIMAL(18,4)) AS amount,
       currency,
       channel AS channel_id,
       place AS location_id,
       region AS ship_region_id,
       customer AS customer_key,
       CASE staff WHEN 'Y' THEN true WHEN 'N' THEN false ELSE CAST(staff AS BOOLEAN) END AS is_staff_order,
       CASE test WHEN 'Y' THEN true WHEN 'N' THEN false ELSE CAST(test AS BOOLEAN) END AS is_test
FROM   raw;
