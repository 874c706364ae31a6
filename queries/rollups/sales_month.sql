-- ---
-- title = { en = "Sales by month, channel and place", zh = "按月、渠道与门店的销售" }
-- about = """sales_day by whole months, for what asks for a year or three: a thirtieth of the rows. Days at the ends of a range come from
-- sales_day."""
-- once = ["sale_order_id"]
-- sets = ["buyer_key"]
-- ---
SELECT
    period_start(e.business_date, 'month', 'iso') AS business_date,
    e.flow,
    e.event_kind,
    e.is_goods,
    e.channel_id,
    e.location_id,
    e.return_channel_id,
    e.region_id,
    e.is_staff_order,
    e.is_blind,
    e.is_sale_known,
    e.buyer_key IS NULL AS is_anonymous,
    count(*) AS events,
    sum(e.gross_sales) AS gross_sales,
    sum(e.discounts) AS discounts,
    sum(e.returns) AS returns,
    sum(e.net_rc) AS net_rc,
    sum(e.tax_rc) AS tax_rc,
    sum(e.units_sold) AS units_sold,
    sum(e.units_returned) AS units_returned,
    sum(e.sale_lines) AS sale_lines,
    sum(e.sell_out_rc) AS sell_out_rc,
    sum(e.sell_out_units) AS sell_out_units,
    sum(e.cost_rc) AS cost_rc,
    sum(CASE WHEN e.cost_rc IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_with_cost,
    sum(abs(e.net_rc)) AS amount,
    sum(CASE WHEN e.cost_rc IS NOT NULL THEN abs(e.net_rc) ELSE CAST(0 AS DECIMAL(18,4)) END) AS amount_with_cost,
    count(DISTINCT e.sale_order_id) AS orders,
    count(DISTINCT e.buyer_key) AS customers
FROM sales_event e
GROUP BY
    period_start(e.business_date, 'month', 'iso'), e.flow, e.event_kind, e.is_goods, e.channel_id, e.location_id, e.return_channel_id,
    e.region_id, e.is_staff_order, e.is_blind, e.is_sale_known, e.buyer_key IS NULL
