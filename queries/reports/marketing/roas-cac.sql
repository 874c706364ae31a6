-- ---
-- title = { en = "Marketing efficiency", zh = "营销投入产出" }
-- about = """What does marketing bring for what it costs? Per marketing channel and bucket the spend, the sales that are attributed to it, and the
-- customers it won: roas = attributed_sales / spend, cac = spend / attributed_new_customers
-- (same channel, same bucket). Which contact gets an order is policy attribution's matter (view attributed_sale): sales are after discounts and
-- before returns, of customers whose clicks lie up to 30 days before, or to whom a banner was shown up to one day before. Orders without such
-- a contact are the row (unattributed), so attributed sales add up to all sales (D57). mer = all_sales / spend_all of the bucket: what all of
-- marketing brings, whoever gets the credit. What platforms claim is not in it. Spend is not of a shop, article or customer: no slicer fits."""
-- key = ["period_start", "marketing_channel"]
-- totals = false
-- needs = ["order_line", "marketing_cost"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- grain = { type = "text", default = "month", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per channel and such bucket; all = one row per channel." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Marketing channels of listed campaigns are shown with 0 where they have neither spend nor sales." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["spend", "attributed_sales", "attributed_new_customers"]
--
-- [chart]
-- kind = "line"
-- x = "period_start"
-- y = ["roas"]
-- series = "marketing_channel"
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- marketing_channel = "the channel; UNK = spend of a campaign that the list does not have, (unattributed) = no contact"
-- spend = "what was spent (money)"
-- attributed_sales = "gross_sales − discounts that are attributed to the channel (money)"
-- attributed_orders = "orders, or parts of them"
-- attributed_new_customers = "customers whose first order ever it was, or parts of them"
-- roas = "attributed_sales / spend; empty without spend"
-- cac = "spend / attributed_new_customers (money per customer)"
-- spend_all = "spend of the bucket over all channels (money)"
-- all_sales = "gross_sales − discounts of the bucket over all channels, attributed or not (money)"
-- mer = "all_sales / spend_all"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "channels add up to what it says of all"
-- params = { grain = "all" }
-- each = ["attributed_new_customers <= attributed_orders"]
-- all = ["sum(spend) = max(spend_all)", "sum(attributed_sales) = max(all_sales)"]
--
-- [[tests]]
-- name = "whoever gets the credit, all sales are there"
-- params = { attribution = "linear" }
-- each = ["attributed_orders >= 0"]
-- same_sums = { columns = ["attributed_sales", "spend"] }
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.marketing_channel,
    s.spend,
    s.attributed_sales,
    s.attributed_orders,
    s.attributed_new_customers,
    ratio(s.attributed_sales, s.spend) AS roas,
    ratio(s.spend, s.attributed_new_customers) AS cac,
    sum(s.spend) OVER (PARTITION BY s.period_start) AS spend_all,
    sum(s.attributed_sales) OVER (PARTITION BY s.period_start) AS all_sales,
    ratio(sum(s.attributed_sales) OVER (PARTITION BY s.period_start), sum(s.spend) OVER (PARTITION BY s.period_start)) AS mer,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
        e.marketing_channel,
        sum(e.spend_rc) AS spend,
        sum(e.credit_rc) AS attributed_sales,
        sum(e.credit_orders) AS attributed_orders,
        sum(e.credit_new) AS attributed_new_customers
    FROM (
        SELECT
            a.business_date, coalesce(a.marketing_channel, '(unattributed)') AS marketing_channel, CAST(0 AS DECIMAL(18,4)) AS spend_rc,
            a.credit_rc, a.credit_orders, a.credit_new
        FROM attributed_sale a
        WHERE a.business_date >= $from AND a.business_date < $to

        UNION ALL

        SELECT
            m.business_date, member(m.campaign_id, c.marketing_channel) AS marketing_channel, m.spend_rc,
            CAST(0 AS DECIMAL(18,4)) AS credit_rc, CAST(0 AS DECIMAL(18,6)) AS credit_orders, CAST(0 AS DECIMAL(18,6)) AS credit_new
        FROM marketing_spend m
        LEFT JOIN campaign c ON c.campaign_id = m.campaign_id
        WHERE m.business_date >= $from AND m.business_date < $to

        UNION ALL

        -- every channel of the campaigns in every bucket, on the bucket's first day
        SELECT
            d.date_key AS business_date, known.marketing_channel, CAST(0 AS DECIMAL(18,4)) AS spend_rc,
            CAST(0 AS DECIMAL(18,4)) AS credit_rc, CAST(0 AS DECIMAL(18,6)) AS credit_orders, CAST(0 AS DECIMAL(18,6)) AS credit_new
        FROM (SELECT k.marketing_channel FROM campaign k WHERE k.marketing_channel IS NOT NULL GROUP BY 1) known
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) e
    GROUP BY 1, 2
) s
ORDER BY s.period_start NULLS LAST, s.marketing_channel NULLS LAST
