-- ---
-- title = { en = "Reductions of order lines", zh = "订单行折扣明细" }
-- about = "The promotion engine's log: why each line is reduced, without tax, in the order's currency."
-- source_system = "promotion_engine"
-- order = 14
-- [read]
-- path = "discounts/*.csv"
-- format = "csv"
-- ---
--
--   * A reduction belongs to the system that sold: its source_system is the order's, so that the line is found by (source_system,
--     order_id, order_line_id).
--   * `applied_at` is a wall-clock time of `zone`, with the place's `day_close`: a reduction has the day, and the rate, of its order.
--   * The reason of some is known later: a newer `rev` replaces an older one.

-- into = "order_line_discount"
SELECT system AS source_system,
       order_id,
       order_id AS source_record_id,
       line AS order_line_id,
       seq AS discount_seq,
       CAST(rev AS BIGINT) AS source_version,
       zone AS tz,
       CAST(split_part(day_close, ':', 1) AS INT) * 60 + CAST(split_part(day_close, ':', 2) AS INT) AS day_cutoff_minutes,
       local_time(applied_at, '%Y-%m-%d %H:%M:%S') AS applied_at,
       promotion AS promotion_id,
       coupon AS coupon_code_hash,
       type AS discount_type,
       funded_by,
       CAST(amount AS DECIMAL(18,4)) AS amount,
       currency
FROM   raw;
