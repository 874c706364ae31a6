-- ---
-- title = { en = "Tax summary", zh = "税额汇总" }
-- about = """How much tax is due where, by which code and rate? Goods and what is billed beside them, refunds taken off: taxable_base = net_sales +
-- charges − charge_tax, tax_amount = tax + charge_tax, and the sum of both is total_sales of other reports. The jurisdiction is the one
-- that the source tells of a tax, else the top level of the region (policy region_basis); the code is the article's, of charges the one
-- that the source tells; the rate is that of the line. Charges that are taxed apart, such as shipping, have no rate of their own: their row
-- without a rate holds them and their tax, and effective_rate = tax_amount / taxable_base says what it comes to. The days are those of the
-- sale and of the refund (policies recognition_basis, return_basis): what is due when is for a jurisdiction's law to say."""
-- key = ["period_start", "jurisdiction_id", "tax_code", "rate"]
-- needs = ["order_line"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- level = { type = "text", default = "rate", values = ["jurisdiction", "code", "rate"], about = "One row per jurisdiction, per code in it, or per rate of that." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per such bucket; all = one for all days." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Jurisdictions, codes and rates that had sales before `to` are shown in every bucket, with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["taxable_base", "tax_amount"]
--
-- [chart]
-- kind = "table"
-- x = "jurisdiction_name"
-- y = ["taxable_base", "tax_amount"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- jurisdiction_id = "whose tax; UNK = the region is not in the table, N/A = no region"
-- jurisdiction_name = "its name"
-- tax_code = "which tax; empty at level jurisdiction; UNK = the article is not known or has no code, N/A = told of no article or charge"
-- rate = "tax as a share of the net amount; empty at levels jurisdiction and code, and where the line has none"
-- net_sales = "net amount of goods, refunds taken off (money)"
-- tax = "their tax, refunded tax taken off (money)"
-- charges = "shipping, duties, fees and their taxes, refunds taken off (money)"
-- charge_tax = "the part of charges that is tax (money)"
-- taxable_base = "net_sales + charges − charge_tax (money)"
-- tax_amount = "tax + charge_tax (money)"
-- effective_rate = "tax_amount / taxable_base (share)"
-- returns = "what of net_sales was taken off for returns, reversals and adjustments below 0 (money)"
-- refunded_tax = "what of tax was taken off with them (money)"
-- tax_amount_all = "tax_amount of the bucket over all rows, before any limit (money)"
-- tax_share = "tax_amount / tax_amount_all"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "rates add up to the total"
-- params = { totals = "true" }
-- each = ["taxable_base = net_sales + charges - charge_tax", "tax_amount = tax + charge_tax"]
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN net_sales END) = sum(CASE WHEN row_kind = 'total' THEN net_sales END)",
--     "sum(CASE WHEN row_kind = 'row' THEN tax_amount END) = sum(CASE WHEN row_kind = 'total' THEN tax_amount END)",
-- ]
--
-- [[tests]]
-- name = "the same sales as in all regions"
-- params = { level = "code" }
-- each = ["tax_code IS NOT NULL"]
-- all = ["sum(tax_amount) = max(tax_amount_all)"]
-- same_sums = { report = "sales-by-region", columns = ["net_sales"] }
-- ---
WITH taxed AS (
    -- earlier ones tell which taxes there are
    SELECT
        e.business_date,
        coalesce(e.tax_jurisdiction, member(e.region_id, coalesce(r.level1_id, r.region_id))) AS jurisdiction_id,
        coalesce(e.tax_jurisdiction, member(e.region_id, coalesce(r.level1_name, r.level1_id, r.region_name))) AS jurisdiction_name,
        CASE WHEN $level <> 'jurisdiction' THEN coalesce(e.tax_code, member(e.product_id, p.tax_code)) END AS tax_code,
        CASE WHEN $level = 'rate' THEN e.tax_rate END AS rate,
        e.net_rc,
        e.tax_rc,
        e.charge_rc,
        e.charge_tax_rc,
        e.returns,
        e.refunded_tax
    FROM (
        SELECT
            v.business_date, v.region_id, v.product_id, CAST(NULL AS VARCHAR) AS tax_jurisdiction, CAST(NULL AS VARCHAR) AS tax_code, v.tax_rate,
            v.net_rc, v.tax_rc, CAST(0 AS DECIMAL(18,4)) AS charge_rc, CAST(0 AS DECIMAL(18,4)) AS charge_tax_rc, v.returns,
            CASE WHEN v.tax_rc < 0 THEN - v.tax_rc ELSE CAST(0 AS DECIMAL(18,4)) END AS refunded_tax
        FROM sales_event v
        WHERE (v.business_date >= $from OR $include_zero) AND v.business_date < $to AND v.flow <> 'sell_out'

        UNION ALL

        SELECT
            k.business_date, k.region_id, k.product_id, k.tax_jurisdiction, k.tax_code, k.tax_rate, CAST(0 AS DECIMAL(18,4)) AS net_rc,
            CAST(0 AS DECIMAL(18,4)) AS tax_rc, k.charge_rc, k.charge_tax_rc, CAST(0 AS DECIMAL(18,4)) AS returns,
            CAST(0 AS DECIMAL(18,4)) AS refunded_tax
        FROM charge_event k
        WHERE (k.business_date >= $from OR $include_zero) AND k.business_date < $to
    ) e
    LEFT JOIN region r ON r.region_id = e.region_id
    LEFT JOIN product p ON p.product_id = e.product_id
)
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.jurisdiction_id,
    s.jurisdiction_name,
    s.tax_code,
    s.rate,
    s.net_sales,
    s.tax,
    s.charges,
    s.charge_tax,
    s.net_sales + s.charges - s.charge_tax AS taxable_base,
    s.tax + s.charge_tax AS tax_amount,
    ratio(s.tax + s.charge_tax, s.net_sales + s.charges - s.charge_tax) AS effective_rate,
    s.returns,
    s.refunded_tax,
    sum(s.tax + s.charge_tax) OVER (PARTITION BY s.period_start) AS tax_amount_all,
    ratio(s.tax + s.charge_tax, sum(s.tax + s.charge_tax) OVER (PARTITION BY s.period_start)) AS tax_share,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
        e.jurisdiction_id,
        e.jurisdiction_name,
        e.tax_code,
        e.rate,
        sum(e.net_rc) AS net_sales,
        sum(e.tax_rc) AS tax,
        sum(e.charge_rc) AS charges,
        sum(e.charge_tax_rc) AS charge_tax,
        sum(e.returns) AS returns,
        sum(e.refunded_tax) AS refunded_tax
    FROM (
        SELECT
            t.business_date, t.jurisdiction_id, t.jurisdiction_name, t.tax_code, t.rate, t.net_rc, t.tax_rc, t.charge_rc, t.charge_tax_rc,
            t.returns, t.refunded_tax
        FROM taxed t
        WHERE t.business_date >= $from

        UNION ALL

        -- every tax in every bucket, on the bucket's first day
        SELECT
            d.date_key AS business_date, known.jurisdiction_id, known.jurisdiction_name, known.tax_code, known.rate,
            CAST(0 AS DECIMAL(18,4)) AS net_rc, CAST(0 AS DECIMAL(18,4)) AS tax_rc, CAST(0 AS DECIMAL(18,4)) AS charge_rc,
            CAST(0 AS DECIMAL(18,4)) AS charge_tax_rc, CAST(0 AS DECIMAL(18,4)) AS returns, CAST(0 AS DECIMAL(18,4)) AS refunded_tax
        FROM (SELECT jurisdiction_id, jurisdiction_name, tax_code, rate FROM taxed GROUP BY 1, 2, 3, 4) known
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) e
    GROUP BY 1, 2, 3, 4, 5
) s
ORDER BY s.period_start NULLS LAST, s.jurisdiction_id NULLS LAST, s.tax_code NULLS LAST, s.rate NULLS LAST
