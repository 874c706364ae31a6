-- ---
-- title = { en = "Exchange rates", zh = "汇率" }
-- about = "Closing rates on weekdays, both ways; a day without a rate takes the one before."
-- source_system = "treasury"
-- order = 3
-- [read]
-- path = "dimensions/fx_rates.csv"
-- format = "csv"
-- ---

-- into = "fx_rate"
SELECT date_of(date, '%Y-%m-%d') AS rate_date,
       base AS base_currency,
       quote AS quote_currency,
       CAST(rate AS DECIMAL(18,8)) AS rate
FROM   raw;
