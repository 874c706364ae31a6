-- ---
-- title = { en = "Sales by day and channel", zh = "按日与渠道的销售" }
-- about = """What sales-summary and sales by time and channel add up: one row for each day, flow, kind of event and channel. A shorter
-- sales_day, for what asks for no place and no region."""
-- once = ["sale_order_id"]
-- sets = ["buyer_key"]
-- ---
SELECT
    e.business_date,
    e.flow,
    e.event_kind,
    e.is_goods,
    e.channel_id,
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
GROUP BY e.business_date, e.flow, e.event_kind, e.is_goods, e.channel_id, e.buyer_key IS NULL
