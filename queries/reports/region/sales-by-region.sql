-- ---
-- title = { en = "Sales by region", zh = "区域销售" }
-- about = """Where do we sell? Net sales, orders, customers and margin per region, with the share of all. Whose region is the policy
-- region_basis: of the place of sale (default; of the delivery where there is no place), of the delivery, or of the invoice. region_level
-- 0 shows the regions of the facts, 1 to 5 adds them up to that level of the hierarchy (a region that does not reach so deep stays
-- itself); slice by the region above to drill down. Sales without a region are the row N/A, regions that are not known the row UNK.
-- An order of two regions counts in both, and once in the total."""
-- key = ["period_start", "region_id"]
-- spine = ["region"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- region_level = { type = "int", default = 0, min = 0, max = 5, about = "0 = the facts' regions, 1 = top level … 5." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per region and such bucket; all = one row per region." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Regions without any event are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["net_sales", "orders", "customers", "gross_profit"]
--
-- [chart]
-- kind = "map"
-- x = "region_name"
-- y = ["net_sales"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- region_id = "the region; UNK = not in the region table, N/A = no region"
-- region_name = "its name"
-- net_sales = "gross sales − discounts − returns (money)"
-- orders = "distinct orders"
-- customers = "distinct customers"
-- net_sales_with_cost = "net sales whose cost is known (money)"
-- cogs = "cost of those goods, less cost returned to stock (money)"
-- gross_profit = "net_sales_with_cost − cogs (money)"
-- gross_margin_pct = "gross_profit / net_sales_with_cost (share)"
-- net_sales_all = "net sales of the bucket over all rows, before any limit (money)"
-- share = "net_sales / net_sales_all"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "regions add up to the total"
-- params = { totals = "true" }
-- each = ["gross_profit = net_sales_with_cost - cogs"]
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN net_sales END) = sum(CASE WHEN row_kind = 'total' THEN net_sales END)",
--     "sum(CASE WHEN row_kind = 'row' THEN cogs END) = sum(CASE WHEN row_kind = 'total' THEN cogs END)",
-- ]
--
-- [[tests]]
-- name = "countries add up to what it says of all"
-- params = { region_level = "1" }
-- all = ["sum(net_sales) = max(net_sales_all)"]
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.region_id,
    s.region_name,
    s.net_sales,
    s.orders,
    s.customers,
    s.net_sales_with_cost,
    s.cogs,
    s.net_sales_with_cost - s.cogs AS gross_profit,
    ratio(s.net_sales_with_cost - s.cogs, s.net_sales_with_cost) AS gross_margin_pct,
    sum(s.net_sales) OVER (PARTITION BY s.period_start) AS net_sales_all,
    ratio(s.net_sales, sum(s.net_sales) OVER (PARTITION BY s.period_start)) AS share,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
        member(e.region_id, coalesce(CASE $region_level WHEN 1 THEN r.level1_id WHEN 2 THEN r.level2_id WHEN 3 THEN r.level3_id
                                          WHEN 4 THEN r.level4_id WHEN 5 THEN r.level5_id END, r.region_id)) AS region_id,
        member(e.region_id, coalesce(CASE $region_level WHEN 1 THEN coalesce(r.level1_name, r.level1_id)
                                          WHEN 2 THEN coalesce(r.level2_name, r.level2_id)
                                          WHEN 3 THEN coalesce(r.level3_name, r.level3_id)
                                          WHEN 4 THEN coalesce(r.level4_name, r.level4_id)
                                          WHEN 5 THEN coalesce(r.level5_name, r.level5_id) END, r.region_name)) AS region_name,
        sum(e.net_rc) AS net_sales,
        count(DISTINCT e.sale_order_id) AS orders,
        count(DISTINCT e.buyer_key) AS customers,
        sum(CASE WHEN e.cost_rc IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales_with_cost,
        sum(coalesce(e.cost_rc, CAST(0 AS DECIMAL(18,4)))) AS cogs
    FROM (
        SELECT v.business_date, v.region_id, v.net_rc, v.cost_rc, v.sale_order_id, v.buyer_key
        FROM placed_sale v
        WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out'

        UNION ALL

        -- every region in every bucket, on the bucket's first day
        SELECT
            d.date_key AS business_date, known.region_id, CAST(0 AS DECIMAL(18,4)) AS net_rc,
            CAST(NULL AS DECIMAL(18,4)) AS cost_rc, CAST(NULL AS VARCHAR) AS sale_order_id, CAST(NULL AS VARCHAR) AS buyer_key
        FROM region known
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) e
    LEFT JOIN region r ON r.region_id = e.region_id
    GROUP BY 1, 2, 3
) s
ORDER BY s.period_start NULLS LAST, s.net_sales DESC NULLS LAST, s.region_id NULLS LAST
