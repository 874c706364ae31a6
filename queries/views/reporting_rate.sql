-- ---
-- title = { en = "Rates into the reporting currency", zh = "本位币汇率" }
-- about = """What a unit of each currency is worth in the lake's reporting currency, by the closing rates that have landed; the last one up to a
-- day holds on it. Amounts of events are converted once, when they land: this is for plans."""
-- [columns]
-- currency = "ISO 4217"
-- rate_date = "the day of the rate"
-- rate = "reporting currency per unit"
-- ---
SELECT
    r.base_currency AS currency,
    r.rate_date,
    r.rate
FROM base.fx_rate r
WHERE NOT r.is_deleted
  AND r.rate_type = 'spot_close'
  AND r.quote_currency = reporting_currency()
