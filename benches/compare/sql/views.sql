-- What the questions start from, by the formulas of the domain: of the base tables' active files, what counts of sales and returns. The defaults
-- of sales_event: returns on the day of the refund, cancelled orders left out, region of the place of sale else of the delivery, recognised
-- when confirmed. This lake has no charges, adjustments or fees. One view per paragraph: its name, then its SELECT.

-- view: sale
SELECT o.business_date AS business_date, o.order_business_date AS order_business_date, o.local_minute AS local_minute, o.channel_id AS channel_id,
       o.location_id AS location_id, o.ship_region_id AS ship_region_id, o.product_id AS product_id, o.customer_key AS customer_key,
       o.gross_amount_rc AS gross, o.discount_amount_rc AS discount, o.net_amount_rc AS net, o.tax_amount_rc AS tax, o.cost_amount_rc AS cost,
       o.base_quantity AS units, o.canonical_order_id AS order_id, o.tax_rate AS tax_rate
FROM order_line o
WHERE NOT o.is_deleted AND NOT o.is_test AND o.is_primary AND o.confirmed_at IS NOT NULL AND o.flow <> 'sell_out'
  AND o.order_type NOT IN ('draft', 'quote', 'internal') AND o.line_type IN ('product', 'service', 'bundle_component')
  AND o.line_status NOT IN ('removed', 'cancelled') AND o.order_status <> 'cancelled' AND o.cancelled_business_date IS NULL

-- view: refund
SELECT r.business_date AS business_date, r.order_business_date AS order_business_date, r.local_minute AS local_minute,
       coalesce(r.sale_channel_id, CASE WHEN NOT r.is_sale_known AND NOT r.is_blind THEN 'UNK' END) AS channel_id,
       coalesce(r.sale_location_id, CASE WHEN NOT r.is_sale_known AND NOT r.is_blind THEN 'UNK' END) AS location_id,
       coalesce(r.ship_region_id, CASE WHEN NOT r.is_sale_known AND NOT r.is_blind THEN 'UNK' END) AS ship_region_id,
       r.product_id AS product_id, r.customer_key AS customer_key, r.refund_net_amount_rc AS amount, r.refund_tax_amount_rc AS tax,
       r.cost_amount_rc AS cost, r.quantity AS units, r.tax_rate AS tax_rate, r.return_type AS return_type, r.reason_code AS reason_code,
       r.is_blind AS is_blind, r.is_sale_known AS is_sale_known
FROM return_line r
WHERE NOT r.is_deleted AND NOT r.is_test AND r.is_primary AND r.flow <> 'sell_out' AND r.return_status = 'refunded'
  AND (r.sale_order_type IS NULL OR r.sale_order_type NOT IN ('draft', 'quote', 'internal'))

-- view: event
SELECT business_date AS business_date, order_business_date AS order_business_date, local_minute AS local_minute, channel_id AS channel_id,
       location_id AS location_id, ship_region_id AS ship_region_id, product_id AS product_id, customer_key AS customer_key,
       gross AS gross, discount AS discount, CAST(0 AS DECIMAL(18,4)) AS returned, net AS net, tax AS tax, cost AS cost, units AS units,
       CAST(0 AS DECIMAL(18,3)) AS units_back, order_id AS order_id, customer_key AS buyer, tax_rate AS tax_rate
FROM sale
UNION ALL
SELECT business_date AS business_date, order_business_date AS order_business_date, local_minute AS local_minute, channel_id AS channel_id,
       location_id AS location_id, ship_region_id AS ship_region_id, product_id AS product_id, customer_key AS customer_key,
       CAST(0 AS DECIMAL(18,4)) AS gross, CAST(0 AS DECIMAL(18,4)) AS discount, amount AS returned, CAST(- amount AS DECIMAL(18,4)) AS net,
       CAST(- tax AS DECIMAL(18,4)) AS tax, CAST(- cost AS DECIMAL(18,4)) AS cost, CAST(0 AS DECIMAL(18,3)) AS units, units AS units_back,
       CAST(NULL AS VARCHAR) AS order_id, CAST(NULL AS VARCHAR) AS buyer, tax_rate AS tax_rate
FROM refund
