-- ---
-- title = { en = "Campaigns", zh = "营销活动表现" }
-- about = """What did each campaign cost and bring? Spend, impressions and clicks as the platforms tell them, visits that name the campaign
-- (utm_campaign at the first event that tells one), and the orders that are attributed to it: ctr = clicks / impressions, roas = attributed_sales
-- / spend, cac = spend / attributed_new_customers, new_share = attributed_new_customers / attributed_orders. Which contact gets an order is
-- policy attribution's matter (view attributed_sale); sales are after discounts and before returns. Orders that no contact led to are not in
-- it. What platforms claim is not in it, for several claim the same order (D58). A campaign that the list does not have is the row UNK. Spend
-- is not of a shop, article or customer: no slicer fits."""
-- key = ["period_start", "campaign_id"]
-- needs = ["marketing_cost", "marketing_touch"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- means = { type = "text", optional = true, values = "SELECT DISTINCT marketing_channel FROM campaign ORDER BY 1", about = "Only campaigns of this marketing channel." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per campaign and such bucket; all = one row per campaign." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Campaigns without any event are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["spend", "clicks", "visits", "attributed_sales"]
--
-- [chart]
-- kind = "table"
-- x = "campaign_name"
-- y = ["spend", "roas"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- campaign_id = "the campaign; UNK = not in the list, N/A = contacts without one"
-- campaign_name = "its name"
-- marketing_channel = "by which means"
-- spend = "what was spent (money)"
-- impressions = "how often it was shown"
-- clicks = "how often it was clicked"
-- ctr = "clicks / impressions (share)"
-- cost_per_click = "spend / clicks (money)"
-- visits = "visits that name the campaign"
-- attributed_orders = "orders, or parts of them"
-- attributed_sales = "gross_sales − discounts of them (money)"
-- attributed_new_customers = "customers whose first order ever it was, or parts of them"
-- new_share = "attributed_new_customers / attributed_orders"
-- roas = "attributed_sales / spend"
-- cac = "spend / attributed_new_customers (money per customer)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "campaigns add up to the total"
-- params = { totals = "true" }
-- each = ["attributed_new_customers <= attributed_orders"]
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN spend END) = sum(CASE WHEN row_kind = 'total' THEN spend END)",
--     "sum(CASE WHEN row_kind = 'row' THEN clicks END) = sum(CASE WHEN row_kind = 'total' THEN clicks END)",
--     "sum(CASE WHEN row_kind = 'row' THEN attributed_sales END) = sum(CASE WHEN row_kind = 'total' THEN attributed_sales END)",
-- ]
--
-- [[tests]]
-- name = "the spend of all marketing"
-- each = ["visits >= 0"]
-- same_sums = { report = "roas-cac", params = { grain = "all" }, columns = ["spend"] }
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.campaign_id,
    s.campaign_name,
    s.marketing_channel,
    s.spend,
    s.impressions,
    s.clicks,
    ratio(s.clicks, s.impressions) AS ctr,
    ratio(s.spend, s.clicks) AS cost_per_click,
    s.visits,
    s.attributed_orders,
    s.attributed_sales,
    s.attributed_new_customers,
    ratio(s.attributed_new_customers, s.attributed_orders) AS new_share,
    ratio(s.attributed_sales, s.spend) AS roas,
    ratio(s.spend, s.attributed_new_customers) AS cac,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
        member(e.campaign_id, c.campaign_id) AS campaign_id,
        member(e.campaign_id, c.campaign_name) AS campaign_name,
        member(e.campaign_id, c.marketing_channel) AS marketing_channel,
        sum(e.spend_rc) AS spend,
        sum(e.impressions) AS impressions,
        sum(e.clicks) AS clicks,
        sum(e.is_visit) AS visits,
        sum(e.credit_orders) AS attributed_orders,
        sum(e.credit_rc) AS attributed_sales,
        sum(e.credit_new) AS attributed_new_customers
    FROM (
        SELECT
            m.business_date, m.campaign_id, m.spend_rc, m.impressions, m.clicks, CAST(0 AS BIGINT) AS is_visit,
            CAST(0 AS DECIMAL(18,6)) AS credit_orders, CAST(0 AS DECIMAL(18,4)) AS credit_rc, CAST(0 AS DECIMAL(18,6)) AS credit_new
        FROM marketing_spend m
        WHERE m.business_date >= $from AND m.business_date < $to

        UNION ALL

        SELECT
            v.business_date, v.campaign_id, CAST(0 AS DECIMAL(18,4)) AS spend_rc, CAST(0 AS BIGINT) AS impressions,
            CAST(0 AS BIGINT) AS clicks, CAST(1 AS BIGINT) AS is_visit,
            CAST(0 AS DECIMAL(18,6)) AS credit_orders, CAST(0 AS DECIMAL(18,4)) AS credit_rc, CAST(0 AS DECIMAL(18,6)) AS credit_new
        FROM session_funnel v
        WHERE v.business_date >= $from AND v.business_date < $to AND v.campaign_id IS NOT NULL

        UNION ALL

        SELECT
            a.business_date, a.campaign_id, CAST(0 AS DECIMAL(18,4)) AS spend_rc, CAST(0 AS BIGINT) AS impressions,
            CAST(0 AS BIGINT) AS clicks, CAST(0 AS BIGINT) AS is_visit, a.credit_orders, a.credit_rc, a.credit_new
        FROM attributed_sale a
        WHERE a.business_date >= $from AND a.business_date < $to AND a.touches > 0

        UNION ALL

        -- every campaign in every bucket, on the bucket's first day
        SELECT
            d.date_key AS business_date, known.campaign_id, CAST(0 AS DECIMAL(18,4)) AS spend_rc, CAST(0 AS BIGINT) AS impressions,
            CAST(0 AS BIGINT) AS clicks, CAST(0 AS BIGINT) AS is_visit,
            CAST(0 AS DECIMAL(18,6)) AS credit_orders, CAST(0 AS DECIMAL(18,4)) AS credit_rc, CAST(0 AS DECIMAL(18,6)) AS credit_new
        FROM campaign known
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) e
    LEFT JOIN campaign c ON c.campaign_id = e.campaign_id
    WHERE $means IS NULL OR c.marketing_channel = $means
    GROUP BY 1, 2, 3, 4
) s
ORDER BY s.period_start NULLS LAST, s.spend DESC NULLS LAST, s.campaign_id NULLS LAST
