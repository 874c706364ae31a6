-- ---
-- title = { en = "Order desk: parcels", zh = "订单中心：包裹" }
-- about = "What of each order line is sent in which parcel, when it was to arrive, when it left and arrived."
-- source_system = "order_desk"
-- order = 23
-- [read]
-- path = "orders/parcels_*.csv"
-- format = "csv"
-- ---
--
--   * A parcel belongs to the system that sold the order, as its lines do. A line that is sent in two parcels is in both.
--   * `rev` orders the versions: 1 as it was planned, 2 as it is in the end. The older one may come last, and the newer one never.
--   * `qty` counts stock units (pieces, where the ERP sells cases). `cost` is what sending costs the retailer, on the parcel's first line.

-- into = "fulfilment_line"
SELECT parcel AS fulfilment_id,
       parcel AS source_record_id,
       line AS fulfilment_line_id,
       CASE system WHEN 'web' THEN 'shop_web' ELSE system END AS source_system,
       CAST(rev AS BIGINT) AS source_version,
       zone AS tz,
       order_id,
       order_line AS order_line_id,
       place AS fulfil_location_id,
       method,
       carrier,
       status,
       CAST(qty AS DECIMAL(18,3)) AS quantity,
       instant(planned) AS planned_at,
       instant(promised) AS promised_at,
       instant(shipped) AS shipped_at,
       instant(delivered) AS delivered_at,
       currency,
       CAST(cost AS DECIMAL(18,4)) AS shipping_cost
FROM   raw;
