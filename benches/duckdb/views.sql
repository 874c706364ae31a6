-- What every report starts from, in DuckDB's words: the default policies of sales_event and charge_event (returns on the day of the
-- refund, cancelled orders left out, region of the place of sale, recognised when confirmed). `<table>_file` = the table's active files.

CREATE VIEW current_product AS
    FROM product_file QUALIFY row_number() OVER (PARTITION BY product_id ORDER BY valid_from DESC) = 1;
CREATE VIEW current_location AS
    FROM location_file QUALIFY row_number() OVER (PARTITION BY location_id ORDER BY valid_from DESC) = 1;
CREATE VIEW current_region AS
    FROM region_file QUALIFY row_number() OVER (PARTITION BY region_id ORDER BY valid_from DESC) = 1;
CREATE VIEW current_channel AS
    FROM channel_file QUALIFY row_number() OVER (PARTITION BY channel_id ORDER BY valid_from DESC) = 1;

CREATE VIEW order_line AS
    FROM order_line_file
    WHERE NOT is_deleted AND NOT is_test AND is_primary AND confirmed_at IS NOT NULL AND flow <> 'sell_out'
      AND order_type NOT IN ('draft', 'quote', 'internal') AND line_status NOT IN ('removed', 'cancelled')
      AND order_status IS DISTINCT FROM 'cancelled' AND cancelled_business_date IS NULL;
CREATE VIEW order_charge AS
    FROM order_charge_file
    WHERE NOT is_deleted AND NOT is_test AND is_primary AND confirmed_at IS NOT NULL AND flow <> 'sell_out'
      AND order_type NOT IN ('draft', 'quote', 'internal')
      AND order_status IS DISTINCT FROM 'cancelled' AND cancelled_business_date IS NULL;
CREATE VIEW return_line AS
    FROM return_line_file
    WHERE NOT is_deleted AND NOT is_test AND is_primary AND flow <> 'sell_out' AND return_status = 'refunded'
      AND coalesce(sale_order_type, 'sale') NOT IN ('draft', 'quote', 'internal');

-- Goods sold, goods that came back, and amounts given or taken beside the goods.
CREATE VIEW sales AS
    SELECT 'sale' AS kind, business_date, order_business_date, channel_id, location_id, ship_region_id, product_id,
           gross_amount_rc AS gross, discount_amount_rc AS discount, NULL AS returned, net_amount_rc AS net, tax_amount_rc AS tax,
           cost_amount_rc AS cost, base_quantity AS units, NULL AS units_back, canonical_order_id AS order_id, customer_key AS buyer
    FROM order_line
    WHERE line_type IN ('product', 'service', 'bundle_component')
    UNION ALL
    SELECT if(return_type = 'exchange', 'exchange', 'return'), business_date, order_business_date,
           if(is_sale_known OR is_blind, sale_channel_id, coalesce(sale_channel_id, 'UNK')),
           if(is_sale_known OR is_blind, sale_location_id, coalesce(sale_location_id, 'UNK')),
           if(is_sale_known OR is_blind, ship_region_id, coalesce(ship_region_id, 'UNK')), product_id,
           NULL, NULL, refund_net_amount_rc, -refund_net_amount_rc, -refund_tax_amount_rc,
           -cost_amount_rc, NULL, quantity, NULL, NULL
    FROM return_line
    UNION ALL
    SELECT 'adjustment', business_date, order_business_date, channel_id, location_id, ship_region_id, NULL,
           greatest(amount_rc, 0), NULL, greatest(-amount_rc, 0), amount_rc, NULL,
           NULL, NULL, NULL, NULL, NULL
    FROM order_charge
    WHERE charge_type = 'adjustment';

-- What buyers are billed beside the goods.
CREATE VIEW charges AS
    SELECT business_date, channel_id, amount_rc AS charge
    FROM order_charge
    WHERE charge_type IN ('shipping', 'shipping_discount', 'tax', 'duty', 'fee')
    UNION ALL
    SELECT business_date, channel_id, net_amount_rc + tax_amount_rc FROM order_line WHERE line_type = 'fee'
    UNION ALL
    SELECT business_date, if(is_sale_known OR is_blind, sale_channel_id, coalesce(sale_channel_id, 'UNK')), -refund_shipping_amount_rc
    FROM return_line
    WHERE refund_shipping_amount_rc <> 0;
