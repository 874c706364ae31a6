-- ---
-- title = { en = "Sales events", zh = "销售事件" }
-- about = """Every business event of sales, one row each: sales, returns, cancellations and adjustments, in the reporting currency, tax
-- exclusive. Tests, tombstones, drafts, quotes, internal orders, copies of an order from a second source, unconfirmed orders, gift cards,
-- deposits, tips, fees and bundle parents are never in it. Nor is the return of a draft, quote or internal order: what an order is decides
-- about its returns too, and when a draft becomes a sale they begin to count. How far an order has come does not: the return of one that is
-- not confirmed (yet), or not known, counts, for the money has gone back. Sales that a distributor reports (flow sell_out) fill only the
-- sell_out columns."""
-- needs = ["order_line"]
--
-- [params.return_basis]
-- values = ["return_date", "sale_date"]
-- default = "return_date"
-- about = "A return's business_date: the day of the refund, or the day of the sale that it undoes."
--
-- [params.cancel_policy]
-- values = ["exclude", "sale_then_reversal", "include_gross"]
-- default = "exclude"
-- about = "A cancelled order: left out, sold and taken back on the day of the cancellation, or counted as sold."
--
-- [params.region_basis]
-- values = ["sold", "ship", "bill"]
-- default = "sold"
-- about = "region_id: of the place of sale (else of the delivery), of the delivery, or of the invoice."
--
-- [params.recognition_basis]
-- values = ["confirmed", "paid", "shipped", "delivered"]
-- default = "confirmed"
-- about = """A sale's business_date: when it was confirmed, fully paid, or when the last part of the line was shipped or delivered; what
-- has not come so far is then left out. Parts that were cancelled are not waited for. Of a line without parts, services and what was
-- sold at a place are handed over when they are confirmed; other lines are not. An adjustment counts with the first part of its order."""
--
-- [params.fx_mode]
-- values = ["transaction", "period_average", "constant"]
-- default = "transaction"
-- about = """The rates at which amounts are in the reporting currency: those of their days, as they landed; the average of the calendar month
-- that the event counts in; or the newest for all periods, so that growth is not that of currencies (see rate_of_mode)."""
--
-- [columns]
-- event_kind = "sale, return, cancel, exchange_out (goods given in exchange), exchange_in (goods taken back), adjustment"
-- flow = "own, sell_in (sold to a distributor) or sell_out (a distributor's own sale)"
-- gross_sales = "unit price × quantity before discounts; adjustments above 0 (reporting currency, ≥ 0)"
-- discounts = "line and order discounts (reporting currency, ≥ 0)"
-- returns = "refunds, reversals of cancelled sales, adjustments below 0 (reporting currency, ≥ 0)"
-- net_rc = "gross_sales − discounts − returns (reporting currency)"
-- tax_rc = "tax of the row, refunded tax below 0 (reporting currency)"
-- tax_rate = "that tax as a share of the net amount, as the source gives it; NULL = not given, always so for adjustments"
-- cost_rc = "cost of the goods sold, cost returned to stock below 0; NULL = not known, always so for adjustments (reporting currency)"
-- is_goods = "goods or services, which can have a cost; false on adjustments and their cancellations, which belong to no product"
-- units_sold = "sold stock units"
-- units_returned = "returned or reversed stock units"
-- sale_lines = "1 on a sale, else 0"
-- sale_order_id = "the order over all sources, on sales only: COUNT(DISTINCT) is the number of orders"
-- buyer_key = "the customer, on sales only: COUNT(DISTINCT) is the number of customers; NULL = anonymous"
-- line_source = "the order line that the event is about, sold, cancelled or returned: its source system; NULL on adjustments"
-- line_order_id = "its order's id at the source; NULL on adjustments and returns without an order"
-- line_id = "its id in that order"
-- sell_out_rc = "net amount of flow sell_out (reporting currency, signed)"
-- sell_out_units = "stock units of flow sell_out (signed)"
-- channel_id = "where sold: the channel; 'UNK' = return of a sale that is not known, NULL = return without an order"
-- location_id = "where sold: the place; NULL = does not apply"
-- return_channel_id = "where returned: the channel; NULL on rows that are not returns"
-- region_id = "by region_basis; 'UNK' = a place is given but its region is not known"
-- product_id = "the product; NULL on adjustments"
-- customer_key = "pseudonymous customer; NULL = anonymous"
-- sales_rep_id = "who sold it"
-- is_staff_order = "bought by staff"
-- is_blind = "a return without an order"
-- is_sale_known = "false on a return whose sale is not known (yet), or that has none"
-- reason_code = "why it was returned, 'unknown' included; NULL on rows that are not returns"
-- local_minute = "minute of the local day of the event, 0..1439"
-- business_date = "the day that counts, by recognition_basis, return_basis and cancel_policy"
-- order_business_date = "the day of the sale, whatever the policies"
-- ---
WITH sent AS (
    -- lines with parts: since when all of each has been handed over, if it has
    SELECT
        f.source_system,
        f.order_id,
        f.order_line_id,
        sum(f.quantity) AS quantity,
        bool_and(f.status = 'cancelled' OR (CASE WHEN $recognition_basis = 'delivered' THEN f.delivered_business_date
                                                 ELSE f.shipped_business_date END) IS NOT NULL) AS is_whole,
        max(CASE WHEN $recognition_basis = 'delivered' THEN f.delivered_business_date ELSE f.shipped_business_date END) AS day
    FROM base.fulfilment_line f
    WHERE NOT f.is_deleted AND $recognition_basis IN ('shipped', 'delivered')
    GROUP BY 1, 2, 3
),
begun AS (
    -- orders with parts: since when any of each has been handed over
    SELECT
        f.source_system,
        f.order_id,
        min(CASE WHEN $recognition_basis = 'delivered' THEN f.delivered_business_date ELSE f.shipped_business_date END) AS day
    FROM base.fulfilment_line f
    WHERE NOT f.is_deleted AND $recognition_basis IN ('shipped', 'delivered')
    GROUP BY 1, 2
),
ordered AS (
    -- what was ordered of goods and counts, cancelled or not: the policy decides below
    SELECT
        o.*,
        (o.line_status = 'cancelled' OR o.order_status = 'cancelled' OR o.cancelled_business_date IS NOT NULL) AS is_cancelled
    FROM base.order_line o
    WHERE NOT o.is_deleted
      AND NOT o.is_test
      AND o.is_primary
      AND o.confirmed_at IS NOT NULL
      AND o.order_type NOT IN ('draft', 'quote', 'internal')
      AND o.line_type IN ('product', 'service', 'bundle_component')
      AND o.line_status <> 'removed'
),
line AS (
    -- the same once it is recognised, and since when; unless that is when it is handed over, nothing is sent
    SELECT
        o.*,
        CASE
            WHEN $recognition_basis = 'confirmed' THEN o.business_date
            WHEN $recognition_basis = 'paid' THEN o.paid_business_date
            ELSE coalesce(s.day, o.business_date)
        END AS recognised_date
    FROM ordered o
    LEFT JOIN sent s ON s.source_system = o.source_system AND s.order_id = o.order_id AND s.order_line_id = o.order_line_id
    WHERE CASE
        WHEN $recognition_basis = 'confirmed' THEN true
        WHEN $recognition_basis = 'paid' THEN o.paid_business_date IS NOT NULL
        WHEN s.order_id IS NULL THEN o.location_id IS NOT NULL OR o.line_type = 'service'
        ELSE s.is_whole AND s.day IS NOT NULL AND s.quantity >= o.base_quantity
    END
),
changed AS (
    -- changes of value of the same orders
    SELECT o.*, (o.order_status = 'cancelled' OR o.cancelled_business_date IS NOT NULL) AS is_cancelled
    FROM base.order_charge o
    WHERE o.charge_type = 'adjustment'
      AND NOT o.is_deleted
      AND NOT o.is_test
      AND o.is_primary
      AND o.confirmed_at IS NOT NULL
      AND o.order_type NOT IN ('draft', 'quote', 'internal')
),
adjustment AS (
    SELECT
        o.*,
        CASE
            WHEN $recognition_basis = 'confirmed' THEN o.business_date
            WHEN $recognition_basis = 'paid' THEN o.paid_business_date
            ELSE coalesce(s.day, o.business_date)
        END AS recognised_date
    FROM changed o
    LEFT JOIN begun s ON s.source_system = o.source_system AND s.order_id = o.order_id
    WHERE CASE
        WHEN $recognition_basis = 'confirmed' THEN true
        WHEN $recognition_basis = 'paid' THEN o.paid_business_date IS NOT NULL
        WHEN s.order_id IS NULL THEN o.location_id IS NOT NULL
        ELSE s.day IS NOT NULL
    END
)
SELECT
    u.event_kind,
    u.flow,
    CASE WHEN u.flow = 'sell_out' THEN CAST(0 AS DECIMAL(18,4)) ELSE u.gross END AS gross_sales,
    CASE WHEN u.flow = 'sell_out' THEN CAST(0 AS DECIMAL(18,4)) ELSE u.discount END AS discounts,
    CASE WHEN u.flow = 'sell_out' THEN CAST(0 AS DECIMAL(18,4)) ELSE u.returned END AS returns,
    CASE WHEN u.flow = 'sell_out' THEN CAST(0 AS DECIMAL(18,4)) ELSE u.net END AS net_rc,
    CASE WHEN u.flow = 'sell_out' THEN CAST(0 AS DECIMAL(18,4)) ELSE u.tax END AS tax_rc,
    CASE WHEN u.flow = 'sell_out' THEN CAST(NULL AS DECIMAL(18,4)) ELSE u.cost END AS cost_rc,
    u.is_goods,
    CASE WHEN u.flow = 'sell_out' THEN CAST(0 AS DECIMAL(18,3)) ELSE u.units_out END AS units_sold,
    CASE WHEN u.flow = 'sell_out' THEN CAST(0 AS DECIMAL(18,3)) ELSE u.units_in END AS units_returned,
    CASE WHEN u.flow = 'sell_out' THEN CAST(0 AS BIGINT) ELSE u.sale_line END AS sale_lines,
    CASE WHEN u.flow = 'sell_out' THEN NULL ELSE u.sold_order_id END AS sale_order_id,
    CASE WHEN u.flow = 'sell_out' THEN NULL ELSE u.buyer END AS buyer_key,
    u.line_source,
    u.line_order_id,
    u.line_id,
    CASE WHEN u.flow = 'sell_out' THEN u.net ELSE CAST(0 AS DECIMAL(18,4)) END AS sell_out_rc,
    CASE WHEN u.flow = 'sell_out' THEN CAST(u.units_out - u.units_in AS DECIMAL(18,3)) ELSE CAST(0 AS DECIMAL(18,3)) END AS sell_out_units,
    u.channel_id,
    u.location_id,
    u.return_channel_id,
    CASE
        WHEN $region_basis = 'ship' THEN u.ship_region_id
        WHEN $region_basis = 'bill' THEN u.bill_region_id
        ELSE coalesce(place.region_id, u.ship_region_id, CASE WHEN u.location_id IS NOT NULL THEN 'UNK' END)
    END AS region_id,
    u.product_id,
    u.customer_key,
    u.given_customer_key,
    u.sales_rep_id,
    u.is_staff_order,
    u.is_blind,
    u.is_sale_known,
    u.reason_code,
    u.tax_rate,
    u.local_minute,
    u.business_date,
    u.order_business_date
FROM (
    -- the amounts at the rates of fx_mode
    SELECT
        e.* EXCLUDE (gross, discount, returned, net, tax, cost),
        CASE WHEN $fx_mode = 'transaction' THEN e.gross ELSE coalesce(prorated(e.gross, x.rate, e.fx_rate), e.gross) END AS gross,
        CASE WHEN $fx_mode = 'transaction' THEN e.discount ELSE coalesce(prorated(e.discount, x.rate, e.fx_rate), e.discount) END AS discount,
        CASE WHEN $fx_mode = 'transaction' THEN e.returned ELSE coalesce(prorated(e.returned, x.rate, e.fx_rate), e.returned) END AS returned,
        CASE WHEN $fx_mode = 'transaction' THEN e.tax ELSE coalesce(prorated(e.tax, x.rate, e.fx_rate), e.tax) END AS tax,
        CASE WHEN $fx_mode = 'transaction' THEN e.cost ELSE coalesce(prorated(e.cost, x.rate, e.fx_rate), e.cost) END AS cost,
        CASE
            WHEN $fx_mode = 'transaction' THEN e.net
            ELSE CAST(coalesce(prorated(e.gross, x.rate, e.fx_rate), e.gross)
                - coalesce(prorated(e.discount, x.rate, e.fx_rate), e.discount)
                - coalesce(prorated(e.returned, x.rate, e.fx_rate), e.returned) AS DECIMAL(18,4))
        END AS net
    FROM (
        -- sales: lines of orders that count
        SELECT
            CASE WHEN l.order_type = 'exchange' THEN 'exchange_out' ELSE 'sale' END AS event_kind,
            l.flow,
            l.gross_amount_rc AS gross,
            l.discount_amount_rc AS discount,
            CAST(0 AS DECIMAL(18,4)) AS returned,
            l.net_amount_rc AS net,
            l.tax_amount_rc AS tax,
            l.cost_amount_rc AS cost,
            true AS is_goods,
            l.base_quantity AS units_out,
            CAST(0 AS DECIMAL(18,3)) AS units_in,
            CAST(1 AS BIGINT) AS sale_line,
            l.canonical_order_id AS sold_order_id,
            l.customer_key AS buyer,
            l.source_system AS line_source,
            l.order_id AS line_order_id,
            l.order_line_id AS line_id,
            l.channel_id,
            l.location_id,
            CAST(NULL AS VARCHAR) AS return_channel_id,
            l.ship_region_id,
            l.bill_region_id,
            l.product_id,
            l.customer_key,
            coalesce(l.customer_given, l.customer_key) AS given_customer_key,
            l.sales_rep_id,
            l.is_staff_order,
            false AS is_blind,
            true AS is_sale_known,
            CAST(NULL AS VARCHAR) AS reason_code,
            l.tax_rate,
            l.local_minute,
            l.recognised_date AS business_date,
            l.order_business_date,
            l.currency,
            l.fx_rate
        FROM line l
        WHERE $cancel_policy <> 'exclude' OR NOT l.is_cancelled

        UNION ALL

        -- cancellations: the same lines taken back on the day of the cancellation
        SELECT
            'cancel' AS event_kind,
            l.flow,
            CAST(0 AS DECIMAL(18,4)) AS gross,
            CAST(0 AS DECIMAL(18,4)) AS discount,
            l.net_amount_rc AS returned,
            - l.net_amount_rc AS net,
            - l.tax_amount_rc AS tax,
            - l.cost_amount_rc AS cost,
            true AS is_goods,
            CAST(0 AS DECIMAL(18,3)) AS units_out,
            l.base_quantity AS units_in,
            CAST(0 AS BIGINT) AS sale_line,
            CAST(NULL AS VARCHAR) AS sold_order_id,
            CAST(NULL AS VARCHAR) AS buyer,
            l.source_system AS line_source,
            l.order_id AS line_order_id,
            l.order_line_id AS line_id,
            l.channel_id,
            l.location_id,
            CAST(NULL AS VARCHAR) AS return_channel_id,
            l.ship_region_id,
            l.bill_region_id,
            l.product_id,
            l.customer_key,
            coalesce(l.customer_given, l.customer_key) AS given_customer_key,
            l.sales_rep_id,
            l.is_staff_order,
            false AS is_blind,
            true AS is_sale_known,
            CAST(NULL AS VARCHAR) AS reason_code,
            l.tax_rate,
            l.local_minute,
            coalesce(l.cancelled_business_date, l.recognised_date) AS business_date,
            l.order_business_date,
            l.currency,
            l.fx_rate
        FROM line l
        WHERE $cancel_policy = 'sale_then_reversal' AND l.is_cancelled

        UNION ALL

        -- returns: refunded lines; keys of a sale that is not known (yet) are 'UNK', of a return without an order NULL
        SELECT
            CASE WHEN r.return_type = 'exchange' THEN 'exchange_in' ELSE 'return' END AS event_kind,
            r.flow,
            CAST(0 AS DECIMAL(18,4)) AS gross,
            CAST(0 AS DECIMAL(18,4)) AS discount,
            r.refund_net_amount_rc AS returned,
            - r.refund_net_amount_rc AS net,
            - r.refund_tax_amount_rc AS tax,
            - r.cost_amount_rc AS cost,
            true AS is_goods,
            CAST(0 AS DECIMAL(18,3)) AS units_out,
            r.quantity AS units_in,
            CAST(0 AS BIGINT) AS sale_line,
            CAST(NULL AS VARCHAR) AS sold_order_id,
            CAST(NULL AS VARCHAR) AS buyer,
            r.source_system AS line_source,
            r.order_id AS line_order_id,
            r.order_line_id AS line_id,
            coalesce(r.sale_channel_id, CASE WHEN NOT r.is_sale_known AND NOT r.is_blind THEN 'UNK' END) AS channel_id,
            coalesce(r.sale_location_id, CASE WHEN NOT r.is_sale_known AND NOT r.is_blind THEN 'UNK' END) AS location_id,
            r.channel_id AS return_channel_id,
            coalesce(r.ship_region_id, CASE WHEN NOT r.is_sale_known AND NOT r.is_blind THEN 'UNK' END) AS ship_region_id,
            coalesce(r.bill_region_id, CASE WHEN NOT r.is_sale_known AND NOT r.is_blind THEN 'UNK' END) AS bill_region_id,
            r.product_id,
            r.customer_key,
            coalesce(r.customer_given, r.customer_key) AS given_customer_key,
            coalesce(r.sales_rep_id, CASE WHEN NOT r.is_sale_known AND NOT r.is_blind THEN 'UNK' END) AS sales_rep_id,
            r.is_staff_order,
            r.is_blind,
            r.is_sale_known,
            r.reason_code,
            r.tax_rate,
            r.local_minute,
            CASE WHEN $return_basis = 'sale_date' THEN r.order_business_date ELSE r.business_date END AS business_date,
            r.order_business_date,
            r.currency,
            r.fx_rate
        FROM base.return_line r
        WHERE NOT r.is_deleted
          AND NOT r.is_test
          AND r.is_primary
          AND r.return_status = 'refunded'
          AND (r.sale_order_type IS NULL OR r.sale_order_type NOT IN ('draft', 'quote', 'internal'))

        UNION ALL

        -- adjustments: changes of an order's value that belong to no line
        SELECT
            'adjustment' AS event_kind,
            c.flow,
            CASE WHEN c.amount_rc > 0 THEN c.amount_rc ELSE CAST(0 AS DECIMAL(18,4)) END AS gross,
            CAST(0 AS DECIMAL(18,4)) AS discount,
            CASE WHEN c.amount_rc < 0 THEN - c.amount_rc ELSE CAST(0 AS DECIMAL(18,4)) END AS returned,
            c.amount_rc AS net,
            CAST(0 AS DECIMAL(18,4)) AS tax,
            CAST(NULL AS DECIMAL(18,4)) AS cost,
            false AS is_goods,
            CAST(0 AS DECIMAL(18,3)) AS units_out,
            CAST(0 AS DECIMAL(18,3)) AS units_in,
            CAST(0 AS BIGINT) AS sale_line,
            CAST(NULL AS VARCHAR) AS sold_order_id,
            CAST(NULL AS VARCHAR) AS buyer,
            CAST(NULL AS VARCHAR) AS line_source,
            CAST(NULL AS VARCHAR) AS line_order_id,
            CAST(NULL AS VARCHAR) AS line_id,
            c.channel_id,
            c.location_id,
            CAST(NULL AS VARCHAR) AS return_channel_id,
            c.ship_region_id,
            c.bill_region_id,
            CAST(NULL AS VARCHAR) AS product_id,
            c.customer_key,
            coalesce(c.customer_given, c.customer_key) AS given_customer_key,
            c.sales_rep_id,
            c.is_staff_order,
            false AS is_blind,
            true AS is_sale_known,
            CAST(NULL AS VARCHAR) AS reason_code,
            CAST(NULL AS DECIMAL(18,8)) AS tax_rate,
            c.local_minute,
            c.recognised_date AS business_date,
            c.order_business_date,
            c.currency,
            c.fx_rate
        FROM adjustment c
        WHERE $cancel_policy <> 'exclude' OR NOT c.is_cancelled

        UNION ALL

        -- cancellations of those adjustments, with the sign turned
        SELECT
            'cancel' AS event_kind,
            c.flow,
            CASE WHEN c.amount_rc < 0 THEN - c.amount_rc ELSE CAST(0 AS DECIMAL(18,4)) END AS gross,
            CAST(0 AS DECIMAL(18,4)) AS discount,
            CASE WHEN c.amount_rc > 0 THEN c.amount_rc ELSE CAST(0 AS DECIMAL(18,4)) END AS returned,
            - c.amount_rc AS net,
            CAST(0 AS DECIMAL(18,4)) AS tax,
            CAST(NULL AS DECIMAL(18,4)) AS cost,
            false AS is_goods,
            CAST(0 AS DECIMAL(18,3)) AS units_out,
            CAST(0 AS DECIMAL(18,3)) AS units_in,
            CAST(0 AS BIGINT) AS sale_line,
            CAST(NULL AS VARCHAR) AS sold_order_id,
            CAST(NULL AS VARCHAR) AS buyer,
            CAST(NULL AS VARCHAR) AS line_source,
            CAST(NULL AS VARCHAR) AS line_order_id,
            CAST(NULL AS VARCHAR) AS line_id,
            c.channel_id,
            c.location_id,
            CAST(NULL AS VARCHAR) AS return_channel_id,
            c.ship_region_id,
            c.bill_region_id,
            CAST(NULL AS VARCHAR) AS product_id,
            c.customer_key,
            coalesce(c.customer_given, c.customer_key) AS given_customer_key,
            c.sales_rep_id,
            c.is_staff_order,
            false AS is_blind,
            true AS is_sale_known,
            CAST(NULL AS VARCHAR) AS reason_code,
            CAST(NULL AS DECIMAL(18,8)) AS tax_rate,
            c.local_minute,
            coalesce(c.cancelled_business_date, c.recognised_date) AS business_date,
            c.order_business_date,
            c.currency,
            c.fx_rate
        FROM adjustment c
        WHERE $cancel_policy = 'sale_then_reversal' AND c.is_cancelled
    ) e
    LEFT JOIN rate_of_mode x ON x.currency = e.currency
        AND x.rate_month = CASE WHEN $fx_mode = 'period_average' THEN to_char(e.business_date, '%Y-%m') ELSE 'all' END
) u
LEFT JOIN location place ON place.location_id = u.location_id
