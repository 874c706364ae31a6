-- ---
-- title = { en = "Payments", zh = "支付事件" }
-- about = """One row per payment or attempt: what it brought, gave back or promised. Only successful ones have amounts; tests and tombstones are
-- left out. It tells of money, not of sales: an order that is paid in two ways has two rows, one that is not paid has none."""
-- needs = ["payment"]
-- [columns]
-- payment_kind = "authorization, capture, sale, refund or void"
-- tender_type = "cash, card, invoice …"
-- status = "pending, success, failed or cancelled"
-- captured_rc = "what a successful capture or sale brought, with tax (reporting currency, ≥ 0)"
-- refunded_rc = "what a successful refund gave back, with tax (reporting currency, ≥ 0)"
-- authorized_rc = "what a successful authorization promised (reporting currency, ≥ 0)"
-- is_captured = "of a successful authorization: it was captured"
-- channel_id = "where it was paid or paid back: the channel"
-- location_id = "where it was paid or paid back: the place; NULL = does not apply"
-- region_id = "of the place, else of the delivery; 'UNK' = a place is given but its region is not known"
-- customer_key = "pseudonymous customer; NULL = anonymous"
-- is_staff_order = "bought by staff"
-- business_date = "the day of the payment"
-- ---
SELECT
    p.source_system,
    p.payment_id,
    p.order_id,
    p.payment_kind,
    p.tender_type,
    p.status,
    p.gateway,
    CASE WHEN p.status = 'success' AND p.payment_kind IN ('capture', 'sale') THEN p.amount_rc ELSE CAST(0 AS DECIMAL(18,4)) END AS captured_rc,
    CASE WHEN p.status = 'success' AND p.payment_kind = 'refund' THEN p.amount_rc ELSE CAST(0 AS DECIMAL(18,4)) END AS refunded_rc,
    CASE WHEN p.status = 'success' AND p.payment_kind = 'authorization' THEN p.amount_rc ELSE CAST(0 AS DECIMAL(18,4)) END AS authorized_rc,
    coalesce(p.status = 'success' AND p.payment_kind = 'authorization' AND captured.authorization_id IS NOT NULL, false) AS is_captured,
    p.channel_id,
    p.location_id,
    coalesce(place.region_id, p.ship_region_id, CASE WHEN p.location_id IS NOT NULL THEN 'UNK' END) AS region_id,
    p.customer_key,
    p.is_staff_order,
    p.business_date
FROM base.payment p
LEFT JOIN (
    SELECT c.source_system, c.authorization_id
    FROM base.payment c
    WHERE c.payment_kind = 'capture' AND c.status = 'success' AND c.authorization_id IS NOT NULL AND NOT c.is_deleted
    GROUP BY 1, 2
) captured ON captured.source_system = p.source_system AND captured.authorization_id = p.payment_id
LEFT JOIN location place ON place.location_id = p.location_id
WHERE NOT p.is_deleted
  AND NOT p.is_test
