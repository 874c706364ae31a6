-- ---
-- title = { en = "Sales by day, hour and channel", zh = "按日、小时与渠道的销售" }
-- about = "What sales by weekday and hour add up: one row for each day, hour of the local day, flow and channel."
-- once = ["sale_order_id"]
-- ---
SELECT
    e.business_date,
    CAST(floor(e.local_minute / 60.0) AS INT) AS hour,
    e.flow,
    e.channel_id,
    count(*) AS events,
    sum(e.gross_sales) AS gross_sales,
    sum(e.discounts) AS discounts,
    sum(e.returns) AS returns,
    sum(e.net_rc) AS net_rc,
    sum(e.units_sold) AS units_sold,
    sum(e.sale_lines) AS sale_lines,
    count(DISTINCT e.sale_order_id) AS orders
FROM sales_event e
GROUP BY e.business_date, CAST(floor(e.local_minute / 60.0) AS INT), e.flow, e.channel_id
