-- ---
-- title = { en = "Lines of orders and where they stand", zh = "订单行当前状态" }
-- about = """One row per line of an order, whatever became of it, with the order's status as the lake knows it now: also orders that are not
-- confirmed yet, and cancelled ones. Tests, tombstones, drafts, quotes, internal orders, copies of an order from a second source, orders that a
-- distributor reports (flow sell_out), gift cards, deposits, tips, fees, bundle parents and removed lines are not in it, as in sales_event."""
-- needs = ["order_line"]
--
-- [params.region_basis]
-- values = ["sold", "ship", "bill"]
-- default = "sold"
-- about = "region_id: of the place of sale (else of the delivery), of the delivery, or of the invoice."
--
-- [columns]
-- order_id = "the order over all sources"
-- order_status = "created, confirmed, paid, partially_fulfilled, fulfilled, completed, closed or cancelled"
-- is_cancelled = "the line or its order is cancelled"
-- is_confirmed = "the order is confirmed: its lines are sales"
-- line_value_rc = "net amount, before returns (reporting currency)"
-- business_date = "the day of the order: of its confirmation, else of its creation"
-- channel_id = "where sold: the channel"
-- location_id = "where sold: the place; NULL = does not apply"
-- region_id = "by region_basis; 'UNK' = a place is given but its region is not known"
-- product_id = "the product"
-- customer_key = "pseudonymous customer; NULL = anonymous"
-- is_staff_order = "bought by staff"
-- ---
SELECT
    o.canonical_order_id AS order_id,
    o.order_status,
    (o.line_status = 'cancelled' OR o.order_status = 'cancelled' OR o.cancelled_business_date IS NOT NULL) AS is_cancelled,
    o.confirmed_at IS NOT NULL AS is_confirmed,
    o.net_amount_rc AS line_value_rc,
    o.order_business_date AS business_date,
    o.channel_id,
    o.location_id,
    CASE
        WHEN $region_basis = 'ship' THEN o.ship_region_id
        WHEN $region_basis = 'bill' THEN o.bill_region_id
        ELSE coalesce(place.region_id, o.ship_region_id, CASE WHEN o.location_id IS NOT NULL THEN 'UNK' END)
    END AS region_id,
    o.product_id,
    o.customer_key,
    o.is_staff_order
FROM base.order_line o
LEFT JOIN location place ON place.location_id = o.location_id
WHERE NOT o.is_deleted
  AND NOT o.is_test
  AND o.is_primary
  AND o.flow <> 'sell_out'
  AND o.order_type NOT IN ('draft', 'quote', 'internal')
  AND o.line_type IN ('product', 'service', 'bundle_component')
  AND o.line_status <> 'removed'
