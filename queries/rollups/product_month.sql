-- ---
-- title = { en = "Sales by month, product and channel", zh = "按月、商品与渠道的销售" }
-- about = "sales_product by whole months. Days at the ends of a range come from sales_product."
-- ---
SELECT
    period_start(e.business_date, 'month', 'iso') AS business_date,
    e.flow,
    e.event_kind,
    e.is_goods,
    e.product_id,
    e.channel_id,
    count(*) AS events,
    sum(e.gross_sales) AS gross_sales,
    sum(e.discounts) AS discounts,
    sum(e.returns) AS returns,
    sum(e.net_rc) AS net_rc,
    sum(e.units_sold) AS units_sold,
    sum(e.units_returned) AS units_returned,
    sum(e.sale_lines) AS sale_lines,
    sum(e.cost_rc) AS cost_rc,
    sum(CASE WHEN e.cost_rc IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_with_cost,
    sum(abs(e.net_rc)) AS amount,
    sum(CASE WHEN e.cost_rc IS NOT NULL THEN abs(e.net_rc) ELSE CAST(0 AS DECIMAL(18,4)) END) AS amount_with_cost
FROM sales_event e
GROUP BY period_start(e.business_date, 'month', 'iso'), e.flow, e.event_kind, e.is_goods, e.product_id, e.channel_id
