-- ---
-- title = { en = "Order lines by the parts in which they are sent", zh = "订单行履约明细" }
-- about = """What of each order line goes to the buyer in one go, and when: one row per fulfilment line of a line that is known, and one for what
-- of a line no fulfilment line covers (status unplanned), as long as its order has a header and is confirmed, paid or partially
-- fulfilled. Only goods of orders that count as in order_line_now and are confirmed; what is handed over at a till has no rows. A part's
-- value is its share of the line's net amount by quantity."""
-- needs = ["order_line"]
--
-- [params.region_basis]
-- values = ["sold", "ship", "bill"]
-- default = "sold"
-- about = "region_id: of the place of sale (else of the delivery), of the delivery, or of the invoice."
--
-- [columns]
-- order_id = "the order over all sources"
-- source_system = "the system that has the order"
-- order_line_id = "the line in its order"
-- quantity = "stock units of the part"
-- value_rc = "the part's share of the line's net amount (reporting currency)"
-- fulfil_location_id = "the place that ships or hands over; NULL = not planned yet"
-- method = "ship, pickup, ship_from_store or dropship"
-- carrier = "who carries it"
-- part_status = "unplanned, planned, picked, shipped, delivered, lost or cancelled"
-- order_status = "the order's status now"
-- is_cancelled = "the line or its order is cancelled"
-- business_date = "the day of the order"
-- cancelled_date = "the day on which the order was cancelled"
-- promised_date = "the day by which it was to arrive"
-- shipped_date = "the day on which it left; NULL = not yet"
-- delivered_date = "the day on which it arrived; NULL = not yet, or not known"
-- channel_id = "where sold: the channel"
-- location_id = "where sold: the place; NULL = does not apply"
-- region_id = "by region_basis; 'UNK' = a place is given but its region is not known"
-- product_id = "the product"
-- customer_key = "pseudonymous customer; NULL = anonymous"
-- sales_rep_id = "who sold it; NULL = nobody"
-- is_staff_order = "bought by staff"
-- ---
WITH line AS (
    SELECT
        o.*,
        (o.line_status = 'cancelled' OR o.order_status = 'cancelled' OR o.cancelled_business_date IS NOT NULL) AS is_cancelled
    FROM base.order_line o
    WHERE NOT o.is_deleted
      AND NOT o.is_test
      AND o.is_primary
      AND o.confirmed_at IS NOT NULL
      AND o.flow <> 'sell_out'
      AND o.order_type NOT IN ('draft', 'quote', 'internal')
      AND o.line_type IN ('product', 'bundle_component')
      AND o.line_status <> 'removed'
)
SELECT
    p.canonical_order_id AS order_id,
    p.source_system,
    p.order_line_id,
    p.quantity,
    -- cut at more digits than are kept, so that the cast rounds as the exact quotient would
    CAST(p.net_amount_rc * p.quantity / nullif(p.base_quantity, CAST(0 AS DECIMAL(18,3))) AS DECIMAL(18,4)) AS value_rc,
    p.fulfil_location_id,
    p.method,
    p.carrier,
    p.part_status,
    p.order_status,
    p.is_cancelled,
    p.order_business_date AS business_date,
    p.cancelled_business_date AS cancelled_date,
    p.promised_date,
    p.shipped_date,
    p.delivered_date,
    p.channel_id,
    p.location_id,
    CASE
        WHEN $region_basis = 'ship' THEN p.ship_region_id
        WHEN $region_basis = 'bill' THEN p.bill_region_id
        ELSE coalesce(place.region_id, p.ship_region_id, CASE WHEN p.location_id IS NOT NULL THEN 'UNK' END)
    END AS region_id,
    p.product_id,
    p.customer_key,
    p.sales_rep_id,
    p.is_staff_order
FROM (
    -- parts of lines
    SELECT
        l.source_system, l.canonical_order_id, l.order_line_id, f.quantity, l.base_quantity, l.net_amount_rc, f.fulfil_location_id, f.method,
        f.carrier, f.status AS part_status, l.order_status, l.is_cancelled, l.order_business_date, l.cancelled_business_date,
        f.promised_business_date AS promised_date, f.shipped_business_date AS shipped_date, f.delivered_business_date AS delivered_date,
        l.channel_id, l.location_id, l.ship_region_id, l.bill_region_id, l.product_id, l.customer_key, l.sales_rep_id, l.is_staff_order
    FROM line l
    JOIN base.fulfilment_line f
      ON f.source_system = l.source_system AND f.order_id = l.order_id AND f.order_line_id = l.order_line_id AND NOT f.is_deleted

    UNION ALL

    -- what no part covers, of orders that somebody follows and that are still under way
    SELECT
        l.source_system, l.canonical_order_id, l.order_line_id,
        CAST(l.base_quantity - coalesce(covered.quantity, CAST(0 AS DECIMAL(28,3))) AS DECIMAL(18,3)) AS quantity, l.base_quantity, l.net_amount_rc,
        CAST(NULL AS VARCHAR) AS fulfil_location_id, CAST(NULL AS VARCHAR) AS method, CAST(NULL AS VARCHAR) AS carrier, 'unplanned' AS part_status,
        l.order_status, l.is_cancelled, l.order_business_date, l.cancelled_business_date, h.promised_date, CAST(NULL AS DATE) AS shipped_date,
        CAST(NULL AS DATE) AS delivered_date, l.channel_id, l.location_id, l.ship_region_id, l.bill_region_id, l.product_id, l.customer_key,
        l.sales_rep_id, l.is_staff_order
    FROM line l
    JOIN (
        SELECT k.source_system, k.order_id, k.promised_business_date AS promised_date
        FROM base.order_header k
        WHERE NOT k.is_deleted
    ) h ON h.source_system = l.source_system AND h.order_id = l.order_id
    LEFT JOIN (
        SELECT f.source_system, f.order_id, f.order_line_id, sum(f.quantity) AS quantity
        FROM base.fulfilment_line f
        WHERE NOT f.is_deleted
        GROUP BY 1, 2, 3
    ) covered ON covered.source_system = l.source_system AND covered.order_id = l.order_id AND covered.order_line_id = l.order_line_id
    WHERE l.order_status IN ('confirmed', 'paid', 'partially_fulfilled')
      AND l.base_quantity > coalesce(covered.quantity, CAST(0 AS DECIMAL(28,3)))
) p
LEFT JOIN location place ON place.location_id = p.location_id
