-- ---
-- title = { en = "Orders and where they stand", zh = "订单当前状态" }
-- about = """One row per order, whatever became of it, with what its lines and its header tell of it now: the orders of order_line_now, by the
-- same rules. An order without a header has no reason of its cancellation. An order is cancelled when all of its lines are; its value is
-- that of its lines, of cancelled lines only in cancelled orders. The stage is how far a cancelled order had come: the status before
-- the cancellation where the order's steps tell it, else by when it was confirmed and paid."""
-- needs = ["order_header"]
--
-- [params.region_basis]
-- values = ["sold", "ship", "bill"]
-- default = "sold"
-- about = "region_id: of the place of sale (else of the delivery), of the delivery, or of the invoice."
--
-- [columns]
-- source_system = "the system that has the order"
-- source_order_id = "its id there"
-- order_id = "the order over all sources"
-- is_cancelled = "all of its lines are cancelled"
-- cancel_reason = "why it was cancelled; NULL = not cancelled, or not told"
-- cancel_stage = "created, confirmed, paid, partially_fulfilled, fulfilled or completed; NULL = not cancelled"
-- order_value_rc = "net amount of its lines, before returns (reporting currency)"
-- business_date = "the day of the order: of its confirmation, else of its creation"
-- channel_id = "where sold: the channel"
-- location_id = "where sold: the place; NULL = does not apply"
-- region_id = "by region_basis; 'UNK' = a place is given but its region is not known"
-- customer_key = "pseudonymous customer; NULL = anonymous"
-- sales_rep_id = "who sold it; NULL = nobody"
-- is_staff_order = "bought by staff"
-- ---
SELECT
    o.source_system,
    o.source_order_id,
    o.order_id,
    o.is_cancelled,
    CASE WHEN o.is_cancelled THEN h.cancel_reason END AS cancel_reason,
    CASE WHEN o.is_cancelled
         THEN coalesce(step.from_status, CASE WHEN o.paid_at <= coalesce(o.cancelled_at, o.paid_at) THEN 'paid'
                                              WHEN o.confirmed_at IS NOT NULL THEN 'confirmed' ELSE 'created' END) END AS cancel_stage,
    o.order_value_rc,
    o.business_date,
    o.channel_id,
    o.location_id,
    CASE
        WHEN $region_basis = 'ship' THEN o.ship_region_id
        WHEN $region_basis = 'bill' THEN o.bill_region_id
        ELSE coalesce(place.region_id, o.ship_region_id, CASE WHEN o.location_id IS NOT NULL THEN 'UNK' END)
    END AS region_id,
    o.customer_key,
    o.sales_rep_id,
    o.is_staff_order
FROM (
    SELECT
        l.source_system,
        l.order_id AS source_order_id,
        min(l.canonical_order_id) AS order_id,
        bool_and(l.is_cancelled) AS is_cancelled,
        min(l.confirmed_at) AS confirmed_at,
        min(l.paid_at) AS paid_at,
        min(l.cancelled_at) AS cancelled_at,
        CASE WHEN bool_and(l.is_cancelled) THEN sum(l.net_amount_rc)
             ELSE sum(CASE WHEN l.is_cancelled THEN CAST(0 AS DECIMAL(18,4)) ELSE l.net_amount_rc END) END AS order_value_rc,
        min(l.order_business_date) AS business_date,
        min(l.channel_id) AS channel_id,
        min(l.location_id) AS location_id,
        min(l.ship_region_id) AS ship_region_id,
        min(l.bill_region_id) AS bill_region_id,
        min(l.customer_key) AS customer_key,
        min(l.sales_rep_id) AS sales_rep_id,
        bool_or(l.is_staff_order) AS is_staff_order
    FROM (
        SELECT
            b.*,
            (b.line_status = 'cancelled' OR b.order_status = 'cancelled' OR b.cancelled_business_date IS NOT NULL) AS is_cancelled
        FROM base.order_line b
        WHERE NOT b.is_deleted
          AND NOT b.is_test
          AND b.is_primary
          AND b.flow <> 'sell_out'
          AND b.order_type NOT IN ('draft', 'quote', 'internal')
          AND b.line_type IN ('product', 'service', 'bundle_component')
          AND b.line_status <> 'removed'
    ) l
    GROUP BY 1, 2
) o
LEFT JOIN location place ON place.location_id = o.location_id
LEFT JOIN base.order_header h ON h.source_system = o.source_system AND h.order_id = o.source_order_id AND NOT h.is_deleted
LEFT JOIN (
    -- what an order was before it was cancelled
    SELECT s.source_system, s.order_id, max(s.from_status) AS from_status
    FROM base.order_status_event s
    WHERE s.to_status = 'cancelled' AND NOT s.is_deleted
    GROUP BY 1, 2
) step ON step.source_system = o.source_system AND step.order_id = o.source_order_id
