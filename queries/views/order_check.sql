-- ---
-- title = { en = "Orders told and orders landed", zh = "订单核对" }
-- about = """One row per order of the systems that tell of orders as a whole: what its header says beside what its lines add up to. It is about
-- delivery, not about sales: tests, drafts and copies too; only tombstones, and lines that were struck off, are left out. Orders from before
-- the system's first header are not in it. What the buyer is billed is lines and charges with tax, adjustments apart; the retailer's own
-- costs are not billed."""
-- needs = ["order_header"]
--
-- [columns]
-- source_system = "the system that has the order"
-- order_id = "its id there"
-- source_currency = "the currency of the amounts"
-- is_told = "it has a header"
-- is_landed = "it has lines"
-- told_amount = "the header's total (source currency); 0 without a header"
-- landed_amount = "lines and billed charges with tax (source currency); 0 without lines"
-- order_lines = "its lines"
-- is_same_status = "header and lines agree on status, channel and the day of the cancellation (V21); true where one of them is missing"
-- is_copy = "another system's order counts in its place"
-- possible_copies = "orders of other systems that may be the same, and of which nobody has decided"
-- business_date = "the day of the order: of its confirmation, else of its creation"
-- channel_id = "where sold: the channel"
-- location_id = "where sold: the place; NULL = does not apply"
-- customer_key = "pseudonymous customer; NULL = anonymous"
-- sales_rep_id = "who sold it; NULL = nobody"
-- is_staff_order = "bought by staff"
-- ---
SELECT
    coalesce(h.source_system, l.source_system) AS source_system,
    coalesce(h.order_id, l.order_id) AS order_id,
    coalesce(h.currency, l.currency) AS source_currency,
    h.order_id IS NOT NULL AS is_told,
    l.order_id IS NOT NULL AS is_landed,
    coalesce(h.order_total_amount, CAST(0 AS DECIMAL(18,4))) AS told_amount,
    CAST(coalesce(l.amount, CAST(0 AS DECIMAL(28,4))) + coalesce(c.amount, CAST(0 AS DECIMAL(28,4))) AS DECIMAL(18,4)) AS landed_amount,
    coalesce(l.lines, CAST(0 AS BIGINT)) AS order_lines,
    coalesce(h.order_id IS NULL OR l.order_id IS NULL
        OR h.order_status = l.order_status AND h.channel_id = l.channel_id AND h.currency = l.currency
           AND h.cancelled_business_date IS NOT DISTINCT FROM l.cancelled_business_date, false) AS is_same_status,
    NOT coalesce(l.is_primary, h.is_primary, true) AS is_copy,
    coalesce(asked.pairs, CAST(0 AS BIGINT)) AS possible_copies,
    coalesce(l.business_date, h.order_business_date) AS business_date,
    coalesce(l.channel_id, h.channel_id) AS channel_id,
    coalesce(l.location_id, h.location_id) AS location_id,
    coalesce(l.customer_key, h.customer_key) AS customer_key,
    coalesce(l.sales_rep_id, h.sales_rep_id) AS sales_rep_id,
    coalesce(l.is_staff_order, h.is_staff_order, false) AS is_staff_order
FROM (
    SELECT k.*
    FROM base.order_header k
    WHERE NOT k.is_deleted
) h
FULL JOIN (
    SELECT
        o.source_system,
        o.order_id,
        min(o.currency) AS currency,
        sum(o.net_amount + o.tax_amount) AS amount,
        count(*) AS lines,
        min(o.order_status) AS order_status,
        min(o.cancelled_business_date) AS cancelled_business_date,
        bool_and(o.is_primary) AS is_primary,
        min(o.order_business_date) AS business_date,
        min(o.channel_id) AS channel_id,
        min(o.location_id) AS location_id,
        min(o.customer_key) AS customer_key,
        min(o.sales_rep_id) AS sales_rep_id,
        bool_or(o.is_staff_order) AS is_staff_order
    FROM base.order_line o
    JOIN (
        SELECT s.source_system, min(s.order_business_date) AS first_day
        FROM base.order_header s
        WHERE NOT s.is_deleted
        GROUP BY 1
    ) since ON since.source_system = o.source_system AND o.order_business_date >= since.first_day
    WHERE NOT o.is_deleted AND o.line_status <> 'removed'
    GROUP BY 1, 2
) l ON l.source_system = h.source_system AND l.order_id = h.order_id
LEFT JOIN (
    SELECT g.source_system, g.order_id, sum(g.amount) AS amount
    FROM base.order_charge g
    WHERE NOT g.is_deleted AND g.charge_type IN ('shipping', 'shipping_discount', 'tax', 'duty', 'fee', 'tip', 'rounding')
    GROUP BY 1, 2
) c ON c.source_system = coalesce(h.source_system, l.source_system) AND c.order_id = coalesce(h.order_id, l.order_id)
LEFT JOIN (
    SELECT q.source_system, q.order_id, count(*) AS pairs
    FROM (
        SELECT x.source_system, x.order_id FROM order_alias_candidate x
        UNION ALL
        SELECT y.other_source_system AS source_system, y.other_order_id AS order_id FROM order_alias_candidate y
    ) q
    GROUP BY 1, 2
) asked ON asked.source_system = coalesce(h.source_system, l.source_system) AND asked.order_id = coalesce(h.order_id, l.order_id)
