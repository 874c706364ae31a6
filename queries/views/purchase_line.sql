-- ---
-- title = { en = "Lines of purchase orders", zh = "采购订单行" }
-- about = """What was ordered from suppliers, as the lake knows it now. Still to come: ordered_qty − received_qty of lines that are open,
-- confirmed or partially received; never below 0."""
-- needs = ["purchase_order_line"]
-- [columns]
-- business_date = "the day of the order"
-- supplier_id = "the supplier"
-- location_id = "the place that it is for"
-- product_id = "the product"
-- region_id = "the region of the place; 'UNK' = the place is not in the dimension"
-- ordered_qty = "ordered (stock units)"
-- confirmed_qty = "confirmed by the supplier (stock units)"
-- received_qty = "received (stock units)"
-- status = "open, confirmed, partially_received, received, closed (nothing more will come) or cancelled"
-- ---
SELECT
    o.source_system,
    o.po_id,
    o.po_line_id,
    o.business_date,
    o.supplier_id,
    o.location_id,
    o.product_id,
    coalesce(place.region_id, 'UNK') AS region_id,
    o.ordered_qty,
    o.confirmed_qty,
    o.received_qty,
    o.currency,
    o.unit_cost AS ordered_unit_cost,
    o.expected_date,
    o.first_received_date,
    o.last_received_date,
    o.status
FROM base.purchase_order_line o
LEFT JOIN location place ON place.location_id = o.location_id
WHERE NOT o.is_deleted
