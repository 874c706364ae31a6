-- ---
-- title = { en = "Charge events", zh = "附加费用事件" }
-- about = """What buyers are billed beside the goods: shipping, duties, fees and taxes that are not on a line, of the orders of
-- sales_event, by the same filters, policies and dates; refunded shipping is below 0. total sales = net_rc + tax_rc + charge_rc.
-- The seller's own costs (platform commission, payment fee), tips and roundings are not in it."""
--
-- [params.return_basis]
-- values = ["return_date", "sale_date"]
-- default = "return_date"
-- about = "The day of refunded shipping: the day of the refund, or the day of the sale that it undoes."
--
-- [params.cancel_policy]
-- values = ["exclude", "sale_then_reversal", "include_gross"]
-- default = "exclude"
-- about = "A cancelled order: left out, charged and taken back on the day of the cancellation, or counted as charged."
--
-- [params.region_basis]
-- values = ["sold", "ship", "bill"]
-- default = "sold"
-- about = "region_id: of the place of sale (else of the delivery), of the delivery, or of the invoice."
--
-- [params.recognition_basis]
-- values = ["confirmed", "paid", "shipped", "delivered"]
-- default = "confirmed"
-- about = """business_date: when the order was confirmed, fully paid, or when its first part was shipped or delivered; orders that have not
-- come so far are then left out. Of an order without parts, what was sold at a place is handed over when it is confirmed."""
--
-- [params.fx_mode]
-- values = ["transaction", "period_average", "constant"]
-- default = "transaction"
-- about = """The rates at which amounts are in the reporting currency: those of their days, as they landed; the average of the calendar month
-- that the charge counts in; or the newest for all periods (see rate_of_mode)."""
--
-- [columns]
-- charge_type = "shipping, shipping_discount, tax, duty or fee"
-- charge_rc = "signed (reporting currency); a fee that is an order line counts with its tax"
-- charge_tax_rc = "the part of charge_rc that is tax: all of a tax, the tax of a fee that is an order line, else 0 (reporting currency)"
-- tax_rate = "of a fee that is an order line: its tax as a share of its net amount; else NULL"
-- tax_code = "of a tax: which one, if the source tells"
-- tax_jurisdiction = "of a tax: whose, if the source tells"
-- channel_id = "where sold: the channel; 'UNK' = return of a sale that is not known, NULL = return without an order"
-- location_id = "where sold: the place; NULL = does not apply"
-- return_channel_id = "where returned: the channel; NULL on rows that are not returns"
-- region_id = "by region_basis; 'UNK' = a place is given but its region is not known"
-- product_id = "always NULL: charges belong to no product"
-- customer_key = "pseudonymous customer; NULL = anonymous"
-- sales_rep_id = "who sold it"
-- is_staff_order = "bought by staff"
-- is_blind = "a return without an order"
-- local_minute = "minute of the local day of the event, 0..1439"
-- business_date = "the day that counts, by recognition_basis, return_basis and cancel_policy"
-- order_business_date = "the day of the sale, whatever the policies"
-- ---
WITH begun AS (
    -- orders with parts: since when any of each has been handed over
    SELECT
        f.source_system,
        f.order_id,
        min(CASE WHEN $recognition_basis = 'delivered' THEN f.delivered_business_date ELSE f.shipped_business_date END) AS day
    FROM base.fulfilment_line f
    WHERE NOT f.is_deleted AND $recognition_basis IN ('shipped', 'delivered')
    GROUP BY 1, 2
),
billed AS (
    -- what was billed and counts, cancelled or not: the policy decides below
    SELECT o.*, (o.order_status = 'cancelled' OR o.cancelled_business_date IS NOT NULL) AS is_cancelled
    FROM base.order_charge o
    WHERE o.charge_type IN ('shipping', 'shipping_discount', 'tax', 'duty', 'fee')
      AND o.flow <> 'sell_out'
      AND NOT o.is_deleted
      AND NOT o.is_test
      AND o.is_primary
      AND o.confirmed_at IS NOT NULL
      AND o.order_type NOT IN ('draft', 'quote', 'internal')
),
charge AS (
    -- the same once it is recognised, and since when
    SELECT
        o.*,
        CASE
            WHEN $recognition_basis = 'confirmed' THEN o.business_date
            WHEN $recognition_basis = 'paid' THEN o.paid_business_date
            ELSE coalesce(s.day, o.business_date)
        END AS recognised_date
    FROM billed o
    LEFT JOIN begun s ON s.source_system = o.source_system AND s.order_id = o.order_id
    WHERE CASE
        WHEN $recognition_basis = 'confirmed' THEN true
        WHEN $recognition_basis = 'paid' THEN o.paid_business_date IS NOT NULL
        WHEN s.order_id IS NULL THEN o.location_id IS NOT NULL
        ELSE s.day IS NOT NULL
    END
),
fee_line AS (
    -- order lines that are fees, of the same orders
    SELECT
        o.*,
        CAST(o.net_amount_rc + o.tax_amount_rc AS DECIMAL(18,4)) AS amount_rc,
        (o.line_status = 'cancelled' OR o.order_status = 'cancelled' OR o.cancelled_business_date IS NOT NULL) AS is_cancelled
    FROM base.order_line o
    WHERE o.line_type = 'fee'
      AND o.flow <> 'sell_out'
      AND NOT o.is_deleted
      AND NOT o.is_test
      AND o.is_primary
      AND o.confirmed_at IS NOT NULL
      AND o.order_type NOT IN ('draft', 'quote', 'internal')
      AND o.line_status <> 'removed'
),
fee AS (
    SELECT
        o.*,
        CASE
            WHEN $recognition_basis = 'confirmed' THEN o.business_date
            WHEN $recognition_basis = 'paid' THEN o.paid_business_date
            ELSE coalesce(s.day, o.business_date)
        END AS recognised_date
    FROM fee_line o
    LEFT JOIN begun s ON s.source_system = o.source_system AND s.order_id = o.order_id
    WHERE CASE
        WHEN $recognition_basis = 'confirmed' THEN true
        WHEN $recognition_basis = 'paid' THEN o.paid_business_date IS NOT NULL
        WHEN s.order_id IS NULL THEN o.location_id IS NOT NULL
        ELSE s.day IS NOT NULL
    END
)
SELECT
    u.charge_type,
    u.charge_rc,
    u.charge_tax_rc,
    u.tax_rate,
    u.tax_code,
    u.tax_jurisdiction,
    u.flow,
    u.channel_id,
    u.location_id,
    u.return_channel_id,
    CASE
        WHEN $region_basis = 'ship' THEN u.ship_region_id
        WHEN $region_basis = 'bill' THEN u.bill_region_id
        ELSE coalesce(place.region_id, u.ship_region_id, CASE WHEN u.location_id IS NOT NULL THEN 'UNK' END)
    END AS region_id,
    CAST(NULL AS VARCHAR) AS product_id,
    u.customer_key,
    u.sales_rep_id,
    u.is_staff_order,
    u.is_blind,
    u.local_minute,
    u.business_date,
    u.order_business_date
FROM (
    -- the amounts at the rates of fx_mode
    SELECT
        e.* EXCLUDE (charge_rc, charge_tax_rc),
        CASE WHEN $fx_mode = 'transaction' THEN e.charge_rc ELSE coalesce(prorated(e.charge_rc, x.rate, e.fx_rate), e.charge_rc) END AS charge_rc,
        CASE WHEN $fx_mode = 'transaction' THEN e.charge_tax_rc ELSE coalesce(prorated(e.charge_tax_rc, x.rate, e.fx_rate), e.charge_tax_rc) END AS charge_tax_rc
    FROM (
        -- charges of orders that count
        SELECT
            c.charge_type,
            c.amount_rc AS charge_rc,
            CASE WHEN c.charge_type = 'tax' THEN c.amount_rc ELSE CAST(0 AS DECIMAL(18,4)) END AS charge_tax_rc,
            CAST(NULL AS DECIMAL(18,8)) AS tax_rate,
            c.tax_code,
            c.tax_jurisdiction,
            c.flow,
            c.channel_id,
            c.location_id,
            CAST(NULL AS VARCHAR) AS return_channel_id,
            c.ship_region_id,
            c.bill_region_id,
            c.customer_key,
            c.sales_rep_id,
            c.is_staff_order,
            false AS is_blind,
            c.local_minute,
            c.recognised_date AS business_date,
            c.order_business_date,
            c.currency,
            c.fx_rate
        FROM charge c
        WHERE $cancel_policy <> 'exclude' OR NOT c.is_cancelled

        UNION ALL

        -- the same, taken back on the day of the cancellation
        SELECT
            c.charge_type,
            - c.amount_rc AS charge_rc,
            CASE WHEN c.charge_type = 'tax' THEN - c.amount_rc ELSE CAST(0 AS DECIMAL(18,4)) END AS charge_tax_rc,
            CAST(NULL AS DECIMAL(18,8)) AS tax_rate,
            c.tax_code,
            c.tax_jurisdiction,
            c.flow,
            c.channel_id,
            c.location_id,
            CAST(NULL AS VARCHAR) AS return_channel_id,
            c.ship_region_id,
            c.bill_region_id,
            c.customer_key,
            c.sales_rep_id,
            c.is_staff_order,
            false AS is_blind,
            c.local_minute,
            coalesce(c.cancelled_business_date, c.recognised_date) AS business_date,
            c.order_business_date,
            c.currency,
            c.fx_rate
        FROM charge c
        WHERE $cancel_policy = 'sale_then_reversal' AND c.is_cancelled

        UNION ALL

        -- fees that come as order lines, with their tax
        SELECT
            'fee' AS charge_type,
            l.amount_rc AS charge_rc,
            l.tax_amount_rc AS charge_tax_rc,
            l.tax_rate,
            CAST(NULL AS VARCHAR) AS tax_code,
            CAST(NULL AS VARCHAR) AS tax_jurisdiction,
            l.flow,
            l.channel_id,
            l.location_id,
            CAST(NULL AS VARCHAR) AS return_channel_id,
            l.ship_region_id,
            l.bill_region_id,
            l.customer_key,
            l.sales_rep_id,
            l.is_staff_order,
            false AS is_blind,
            l.local_minute,
            l.recognised_date AS business_date,
            l.order_business_date,
            l.currency,
            l.fx_rate
        FROM fee l
        WHERE $cancel_policy <> 'exclude' OR NOT l.is_cancelled

        UNION ALL

        -- the same, taken back on the day of the cancellation
        SELECT
            'fee' AS charge_type,
            - l.amount_rc AS charge_rc,
            - l.tax_amount_rc AS charge_tax_rc,
            l.tax_rate,
            CAST(NULL AS VARCHAR) AS tax_code,
            CAST(NULL AS VARCHAR) AS tax_jurisdiction,
            l.flow,
            l.channel_id,
            l.location_id,
            CAST(NULL AS VARCHAR) AS return_channel_id,
            l.ship_region_id,
            l.bill_region_id,
            l.customer_key,
            l.sales_rep_id,
            l.is_staff_order,
            false AS is_blind,
            l.local_minute,
            coalesce(l.cancelled_business_date, l.recognised_date) AS business_date,
            l.order_business_date,
            l.currency,
            l.fx_rate
        FROM fee l
        WHERE $cancel_policy = 'sale_then_reversal' AND l.is_cancelled

        UNION ALL

        -- refunded shipping
        SELECT
            'shipping' AS charge_type,
            - r.refund_shipping_amount_rc AS charge_rc,
            CAST(0 AS DECIMAL(18,4)) AS charge_tax_rc,
            CAST(NULL AS DECIMAL(18,8)) AS tax_rate,
            CAST(NULL AS VARCHAR) AS tax_code,
            CAST(NULL AS VARCHAR) AS tax_jurisdiction,
            r.flow,
            coalesce(r.sale_channel_id, CASE WHEN NOT r.is_sale_known AND NOT r.is_blind THEN 'UNK' END) AS channel_id,
            coalesce(r.sale_location_id, CASE WHEN NOT r.is_sale_known AND NOT r.is_blind THEN 'UNK' END) AS location_id,
            r.channel_id AS return_channel_id,
            coalesce(r.ship_region_id, CASE WHEN NOT r.is_sale_known AND NOT r.is_blind THEN 'UNK' END) AS ship_region_id,
            coalesce(r.bill_region_id, CASE WHEN NOT r.is_sale_known AND NOT r.is_blind THEN 'UNK' END) AS bill_region_id,
            r.customer_key,
            coalesce(r.sales_rep_id, CASE WHEN NOT r.is_sale_known AND NOT r.is_blind THEN 'UNK' END) AS sales_rep_id,
            r.is_staff_order,
            r.is_blind,
            r.local_minute,
            CASE WHEN $return_basis = 'sale_date' THEN r.order_business_date ELSE r.business_date END AS business_date,
            r.order_business_date,
            r.currency,
            r.fx_rate
        FROM base.return_line r
        WHERE r.refund_shipping_amount_rc <> 0
          AND r.flow <> 'sell_out'
          AND NOT r.is_deleted
          AND NOT r.is_test
          AND r.is_primary
          AND r.return_status = 'refunded'
          AND (r.sale_order_type IS NULL OR r.sale_order_type NOT IN ('draft', 'quote', 'internal'))
    ) e
    LEFT JOIN rate_of_mode x ON x.currency = e.currency
        AND x.rate_month = CASE WHEN $fx_mode = 'period_average' THEN to_char(e.business_date, '%Y-%m') ELSE 'all' END
) u
LEFT JOIN location place ON place.location_id = u.location_id
