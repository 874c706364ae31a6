-- ---
-- title = { en = "Rates that amounts are restated at", zh = "折算汇率口径" }
-- about = """What a unit of a currency is worth in the reporting currency by fx_mode; no rows where amounts stay at the rates of their days.
-- Where a currency has no such rate, its amounts stay, too."""
-- sliced = false
--
-- [params.fx_mode]
-- values = ["transaction", "period_average", "constant"]
-- default = "transaction"
-- about = """Amounts as they were converted on their days; or at the average of their calendar month (the rate of type monthly_avg, else the
-- mean of the month's closing rates); or all at the newest closing rate, so that growth is not that of currencies."""
--
-- [columns]
-- currency = "ISO 4217"
-- rate_month = "the month for which it holds, YYYY-MM; 'all' = for all"
-- rate = "reporting currency per unit"
-- ---
SELECT
    r.base_currency AS currency,
    to_char(r.rate_date, '%Y-%m') AS rate_month,
    CAST(coalesce(
        avg(CASE WHEN r.rate_type = 'monthly_avg' THEN r.rate END),
        avg(CASE WHEN r.rate_type = 'spot_close' THEN r.rate END)
    ) AS DECIMAL(18,8)) AS rate
FROM base.fx_rate r
WHERE $fx_mode = 'period_average'
  AND NOT r.is_deleted
  AND r.rate_type IN ('monthly_avg', 'spot_close')
  AND r.quote_currency = reporting_currency()
GROUP BY 1, 2

UNION ALL

SELECT
    r.base_currency AS currency,
    'all' AS rate_month,
    CAST(last_value(r.rate ORDER BY r.rate_date) AS DECIMAL(18,8)) AS rate
FROM base.fx_rate r
WHERE $fx_mode = 'constant'
  AND NOT r.is_deleted
  AND r.rate_type = 'spot_close'
  AND r.quote_currency = reporting_currency()
GROUP BY 1
