-- ---
-- title = { en = "German marketplace: daily totals", zh = "德国电商平台日结总数" }
-- about = "What the platform says it sent, one row per day and currency, for the reconciliation with market_eu_orders."
-- source_system = "market_eu"
-- order = 35
-- [read]
-- path = "control/market_eu_*.csv"
-- format = "csv"
-- delimiter = ";"
-- [defaults]
-- channel_id = "market_eu"
-- tz = "Europe/Berlin"
-- ---
--
--   * Every order of the day, whatever became of it; a German day and decimal commas, as in the orders.
--   * `Warenwert netto` is price × quantity without tax, before discounts; `Summe` what the lines cost with tax after discounts.
--   * The platform counts per currency, so counts carry it, too.

-- into = "source_control_total"
SELECT date_of("Tag", '%d.%m.%Y') AS total_date,
       'order_count' AS metric,
       CAST(replace("Bestellungen", ',', '.') AS DECIMAL(18,4)) AS value,
       "Währung" AS currency
FROM   raw;

-- into = "source_control_total"
SELECT date_of("Tag", '%d.%m.%Y') AS total_date,
       'line_count' AS metric,
       CAST(replace("Positionen", ',', '.') AS DECIMAL(18,4)) AS value,
       "Währung" AS currency
FROM   raw;

-- into = "source_control_total"
SELECT date_of("Tag", '%d.%m.%Y') AS total_date,
       'units' AS metric,
       CAST(replace("Menge", ',', '.') AS DECIMAL(18,4)) AS value,
       "Währung" AS currency
FROM   raw;

-- into = "source_control_total"
SELECT date_of("Tag", '%d.%m.%Y') AS total_date,
       'gross_amount' AS metric,
       CAST(replace("Warenwert netto", ',', '.') AS DECIMAL(18,4)) AS value,
       "Währung" AS currency
FROM   raw;

-- into = "source_control_total"
SELECT date_of("Tag", '%d.%m.%Y') AS total_date,
       'total_amount' AS metric,
       CAST(replace("Summe", ',', '.') AS DECIMAL(18,4)) AS value,
       "Währung" AS currency
FROM   raw;
