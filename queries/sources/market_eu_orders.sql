-- ---
-- title = { en = "German marketplace orders", zh = "德国电商平台订单" }
-- about = "The platform's report: one row per line of an order, German dates and decimal commas, Berlin time, prices with tax, in euros."
-- source_system = "market_eu"
-- order = 12
-- [read]
-- path = "market_eu/*.csv"
-- format = "csv"
-- delimiter = ";"
-- [defaults]
-- channel_id = "market_eu"
-- tz = "Europe/Berlin"
-- price_includes_tax = true
-- cost_method = "standard"
-- ---
--
--   * `Bestellt` is when the order became a sale (confirmed = created), unless it is still open (`Offen`): then it is no sale yet.
--   * `Geändert` orders the versions of a row: its digits are the version. A cancelled order comes again with all its rows.
--   * Prices, `Rabatt` and `Gutscheinanteil` (the line's share of the voucher) include tax.
--   * Shipping without tax, its tax, and the platform's commission (our cost) stand on the order's first row only: charges.
--   * The platform numbers its orders one after the other (the digits of the order's id): what is missing was not delivered.
--   * The ERP repeats some of these orders; this report counts (is_primary), the ERP's copy does not.

-- into = "order_line"
SELECT "Bestellnummer" AS order_id,
       "Bestellnummer" AS source_record_id,
       CAST(regexp_replace("Bestellnummer", '[^0-9]', '', 'g') AS BIGINT) AS source_seq,
       CAST(regexp_replace("Geändert", '[^0-9]', '', 'g') AS BIGINT) AS source_version,
       local_time("Bestellt", '%d.%m.%Y %H:%M:%S') AS created_at,
       local_time("Bezahlt", '%d.%m.%Y %H:%M:%S') AS paid_at,
       local_time("Storniert", '%d.%m.%Y %H:%M:%S') AS cancelled_at,
       CASE "Status" WHEN 'Offen' THEN 'created' WHEN 'Angenommen' THEN 'confirmed' WHEN 'Bezahlt' THEN 'paid' WHEN 'Versendet' THEN 'fulfilled'
                     WHEN 'Abgeschlossen' THEN 'completed' WHEN 'Storniert' THEN 'cancelled' ELSE "Status" END AS order_status,
       CASE "Test" WHEN 'ja' THEN true WHEN 'nein' THEN false ELSE CAST("Test" AS BOOLEAN) END AS is_test,
       CASE "Mitarbeiter" WHEN 'ja' THEN true WHEN 'nein' THEN false ELSE CAST("Mitarbeiter" AS BOOLEAN) END AS is_staff_order,
       "Käufer" AS customer_key,
       "Lieferregion" AS ship_region_id,
       "Lieferregion" AS bill_region_id,
       "Währung" AS currency,
       "Position" AS order_line_id,
       CAST("Position" AS INT) AS line_no,
       "SKU" AS sku,
       "Einheit" AS uom,
       CAST(replace("USt-Satz", ',', '.') AS DECIMAL(18,8)) AS tax_rate,
       CAST(replace("Stückkosten", ',', '.') AS DECIMAL(18,4)) AS unit_cost,
       CAST(replace("Einzelpreis", ',', '.') AS DECIMAL(18,4)) AS unit_price,
       CAST(replace("Menge", ',', '.') AS DECIMAL(18,3)) AS quantity,
       CAST(replace("Rabatt", ',', '.') AS DECIMAL(18,4)) AS line_discount_amount,
       CAST(replace("Gutscheinanteil", ',', '.') AS DECIMAL(18,4)) AS order_discount_allocated
FROM   raw;

-- into = "order_charge"
SELECT "Bestellnummer" AS order_id,
       "Bestellnummer" AS source_record_id,
       CAST(regexp_replace("Geändert", '[^0-9]', '', 'g') AS BIGINT) AS source_version,
       local_time("Bestellt", '%d.%m.%Y %H:%M:%S') AS created_at,
       local_time("Bezahlt", '%d.%m.%Y %H:%M:%S') AS paid_at,
       local_time("Storniert", '%d.%m.%Y %H:%M:%S') AS cancelled_at,
       CASE "Status" WHEN 'Offen' THEN 'created' WHEN 'Angenommen' THEN 'confirmed' WHEN 'Bezahlt' THEN 'paid' WHEN 'Versendet' THEN 'fulfilled'
                     WHEN 'Abgeschlossen' THEN 'completed' WHEN 'Storniert' THEN 'cancelled' ELSE "Status" END AS order_status,
       CASE "Test" WHEN 'ja' THEN true WHEN 'nein' THEN false ELSE CAST("Test" AS BOOLEAN) END AS is_test,
       CASE "Mitarbeiter" WHEN 'ja' THEN true WHEN 'nein' THEN false ELSE CAST("Mitarbeiter" AS BOOLEAN) END AS is_staff_order,
       "Käufer" AS customer_key,
       "Lieferregion" AS ship_region_id,
       "Lieferregion" AS bill_region_id,
       "Währung" AS currency,
       'shipping' AS charge_seq,
       'shipping' AS charge_type,
       CAST(replace("Versand netto", ',', '.') AS DECIMAL(18,4)) AS amount
FROM   raw
WHERE  "Versand netto" IS NOT NULL;

-- into = "order_charge"
SELECT "Bestellnummer" AS order_id,
       "Bestellnummer" AS source_record_id,
       CAST(regexp_replace("Geändert", '[^0-9]', '', 'g') AS BIGINT) AS source_version,
       local_time("Bestellt", '%d.%m.%Y %H:%M:%S') AS created_at,
       local_time("Bezahlt", '%d.%m.%Y %H:%M:%S') AS paid_at,
       local_time("Storniert", '%d.%m.%Y %H:%M:%S') AS cancelled_at,
       CASE "Status" WHEN 'Offen' THEN 'created' WHEN 'Angenommen' THEN 'confirmed' WHEN 'Bezahlt' THEN 'paid' WHEN 'Versendet' THEN 'fulfilled'
                     WHEN 'Abgeschlossen' THEN 'completed' WHEN 'Storniert' THEN 'cancelled' ELSE "Status" END AS order_status,
       CASE "Test" WHEN 'ja' THEN true WHEN 'nein' THEN false ELSE CAST("Test" AS BOOLEAN) END AS is_test,
       CASE "Mitarbeiter" WHEN 'ja' THEN true WHEN 'nein' THEN false ELSE CAST("Mitarbeiter" AS BOOLEAN) END AS is_staff_order,
       "Käufer" AS customer_key,
       "Lieferregion" AS ship_region_id,
       "Lieferregion" AS bill_region_id,
       "Währung" AS currency,
       'shipping_tax' AS charge_seq,
       'tax' AS charge_type,
       CAST(replace("Versand USt", ',', '.') AS DECIMAL(18,4)) AS amount
FROM   raw
WHERE  "Versand USt" IS NOT NULL;

-- into = "order_charge"
SELECT "Bestellnummer" AS order_id,
       "Bestellnummer" AS source_record_id,
       CAST(regexp_replace("Geändert", '[^0-9]', '', 'g') AS BIGINT) AS source_version,
       local_time("Bestellt", '%d.%m.%Y %H:%M:%S') AS created_at,
       local_time("Bezahlt", '%d.%m.%Y %H:%M:%S') AS paid_at,
       local_time("Storniert", '%d.%m.%Y %H:%M:%S') AS cancelled_at,
       CASE "Status" WHEN 'Offen' THEN 'created' WHEN 'Angenommen' THEN 'confirmed' WHEN 'Bezahlt' THEN 'paid' WHEN 'Versendet' THEN 'fulfilled'
                     WHEN 'Abgeschlossen' THEN 'completed' WHEN 'Storniert' THEN 'cancelled' ELSE "Status" END AS order_status,
       CASE "Test" WHEN 'ja' THEN true WHEN 'nein' THEN false ELSE CAST("Test" AS BOOLEAN) END AS is_test,
       CASE "Mitarbeiter" WHEN 'ja' THEN true WHEN 'nein' THEN false ELSE CAST("Mitarbeiter" AS BOOLEAN) END AS is_staff_order,
       "Käufer" AS customer_key,
       "Lieferregion" AS ship_region_id,
       "Lieferregion" AS bill_region_id,
       "Währung" AS currency,
       'commission' AS charge_seq,
       'platform_commission' AS charge_type,
       CAST(replace("Provision", ',', '.') AS DECIMAL(18,4)) AS amount
FROM   raw
WHERE  "Provision" IS NOT NULL;
