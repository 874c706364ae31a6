-- ---
-- title = { en = "Order columns beside the header's", zh = "订单列与抬头核对" }
-- about = """One row per line and charge of an order that has a header: whether the columns that it repeats of its order are the header's (V21).
-- Place, regions, representative and customer are compared where the header names one. Lines that were struck off are left out."""
-- sliced = false
-- needs = ["order_header"]
--
-- [columns]
-- table_name = "order_line or order_charge"
-- source_system = "the system that has the order"
-- order_id = "its id there"
-- business_date = "the row's day"
-- is_same = "no column differs"
-- ---
SELECT
    r.table_name,
    r.source_system,
    r.order_id,
    r.business_date,
    h.canonical_order_id = r.canonical_order_id AND h.order_type = r.order_type AND h.flow = r.flow AND h.order_status = r.order_status
        AND h.channel_id = r.channel_id AND h.is_test = r.is_test AND h.is_staff_order = r.is_staff_order AND h.is_primary = r.is_primary
        AND h.order_business_date = r.order_business_date AND h.created_at = r.created_at
        AND h.confirmed_at IS NOT DISTINCT FROM r.confirmed_at
        AND h.paid_at IS NOT DISTINCT FROM r.paid_at
        AND h.cancelled_at IS NOT DISTINCT FROM r.cancelled_at
        AND (h.location_id IS NULL OR h.location_id IS NOT DISTINCT FROM r.location_id)
        AND (h.ship_region_id IS NULL OR h.ship_region_id IS NOT DISTINCT FROM r.ship_region_id)
        AND (h.bill_region_id IS NULL OR h.bill_region_id IS NOT DISTINCT FROM r.bill_region_id)
        AND (h.sales_rep_id IS NULL OR h.sales_rep_id IS NOT DISTINCT FROM r.sales_rep_id)
        AND (h.customer_key IS NULL OR h.customer_key IS NOT DISTINCT FROM r.customer_key) AS is_same
FROM (
    SELECT
        'order_line' AS table_name, o.source_system, o.order_id, o.business_date, o.canonical_order_id, o.order_type, o.flow, o.order_status,
        o.channel_id, o.is_test, o.is_staff_order, o.is_primary, o.order_business_date, o.created_at, o.confirmed_at, o.paid_at, o.cancelled_at,
        o.location_id, o.ship_region_id, o.bill_region_id, o.sales_rep_id, o.customer_key
    FROM base.order_line o
    WHERE NOT o.is_deleted AND o.line_status <> 'removed'

    UNION ALL

    SELECT
        'order_charge' AS table_name, c.source_system, c.order_id, c.business_date, c.canonical_order_id, c.order_type, c.flow, c.order_status,
        c.channel_id, c.is_test, c.is_staff_order, c.is_primary, c.order_business_date, c.created_at, c.confirmed_at, c.paid_at, c.cancelled_at,
        c.location_id, c.ship_region_id, c.bill_region_id, c.sales_rep_id, c.customer_key
    FROM base.order_charge c
    WHERE NOT c.is_deleted
) r
JOIN base.order_header h ON h.source_system = r.source_system AND h.order_id = r.order_id
WHERE NOT h.is_deleted
