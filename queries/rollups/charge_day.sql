-- ---
-- title = { en = "Charges by day, channel and place", zh = "按日、渠道与门店的费用" }
-- about = "Freight, fees, tips and deposits beside the sales: one row for each day, type of charge, channel, place and region."
-- ---
SELECT
    c.business_date,
    c.flow,
    c.charge_type,
    c.channel_id,
    c.location_id,
    c.return_channel_id,
    c.region_id,
    c.is_staff_order,
    c.is_blind,
    count(*) AS events,
    sum(c.charge_rc) AS charge_rc,
    sum(c.charge_tax_rc) AS charge_tax_rc
FROM charge_event c
GROUP BY
    c.business_date, c.flow, c.charge_type, c.channel_id, c.location_id, c.return_channel_id, c.region_id, c.is_staff_order, c.is_blind
