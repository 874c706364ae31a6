-- ---
-- title = { en = "Shops and warehouses", zh = "门店与仓库" }
-- about = "Places with their region, zone, currency and the time at which their business day ends."
-- source_system = "masterdata"
-- order = 1
-- [read]
-- path = "dimensions/locations.csv"
-- format = "csv"
-- ---
--
--   * `day_close` is the time of night that still belongs to the day before: 00:00 for most, 04:00 for the shops at night.
--   * A shop is comparable from the day on which it opened.

-- into = "location"
SELECT location_id,
       name AS location_name,
       type AS location_type,
       region_id,
       country,
       city,
       tz,
       currency,
       CAST(split_part(day_close, ':', 1) AS INT) * 60 + CAST(split_part(day_close, ':', 2) AS INT) AS day_cutoff_minutes,
       date_of(opened_on, '%Y-%m-%d') AS opened_on,
       date_of(closed_on, '%Y-%m-%d') AS closed_on,
       date_of(opened_on, '%Y-%m-%d') AS comp_open_date,
       CAST(area_sqm AS DECIMAL(18,8)) AS selling_area_sqm
FROM   raw;
