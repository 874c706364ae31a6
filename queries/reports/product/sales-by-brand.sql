-- ---
-- title = { en = "Sales by brand", zh = "品牌销售" }
-- about = """Which brands sell? Sales, units, orders, margin and return rate per brand of the product table, with the rank and the share of net
-- sales of everything that the filters leave. Articles that the table does not know, or without a brand, are the row UNK; adjustments and
-- other events without an article are the row N/A. Charges belong to no product and are not in it. An order of two brands counts in both,
-- and once in the total."""
-- key = ["period_start", "brand"]
-- spine = ["product"]
-- needs = ["order_line", "product.brand"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per brand and such bucket; all = one row per brand." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Brands without any event are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["gross_sales", "returns", "net_sales", "net_units", "orders", "gross_profit"]
--
-- [chart]
-- kind = "bar"
-- x = "brand"
-- y = ["net_sales"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- brand = "the brand; UNK = article not known or without a brand, N/A = no article"
-- place = "1 = most net sales of the bucket; equal ones by name; empty in a totals row"
-- gross_sales = "before discounts and returns (money)"
-- discounts = "line and order discounts (money)"
-- returns = "refunds, reversals, negative adjustments (money)"
-- net_sales = "gross_sales − discounts − returns (money)"
-- units_sold = "stock units"
-- units_returned = "stock units"
-- net_units = "units_sold − units_returned (stock units)"
-- orders = "distinct orders with an article of the brand"
-- net_sales_with_cost = "net sales whose cost is known (money)"
-- cogs = "cost of those goods, less cost returned to stock (money)"
-- gross_profit = "net_sales_with_cost − cogs (money)"
-- gross_margin_pct = "gross_profit / net_sales_with_cost (share)"
-- sales_before_returns = "gross_sales − discounts (money)"
-- return_rate_value = "returns / sales_before_returns (share)"
-- return_rate_units = "units_returned / units_sold (share)"
-- net_sales_all = "net sales of the bucket over all rows, before any limit (money)"
-- share = "net_sales / net_sales_all"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "brands add up to the total"
-- params = { totals = "true" }
-- each = ["net_sales = gross_sales - discounts - returns"]
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN net_sales END) = sum(CASE WHEN row_kind = 'total' THEN net_sales END)",
--     "sum(CASE WHEN row_kind = 'row' THEN gross_sales END) = sum(CASE WHEN row_kind = 'total' THEN gross_sales END)",
--     "sum(CASE WHEN row_kind = 'row' THEN units_sold END) = sum(CASE WHEN row_kind = 'total' THEN units_sold END)",
-- ]
--
-- [[tests]]
-- name = "what it says of all is the sum of its rows"
-- params = { include_zero = "true" }
-- each = ["net_units = units_sold - units_returned"]
-- all = ["sum(net_sales) = max(net_sales_all)"]
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.brand,
    CASE WHEN s.brand IS NOT NULL
         THEN CAST(row_number() OVER (PARTITION BY s.period_start ORDER BY s.net_sales DESC NULLS LAST, s.brand NULLS LAST) AS BIGINT)
    END AS place,
    s.gross_sales,
    s.discounts,
    s.returns,
    s.net_sales,
    s.units_sold,
    s.units_returned,
    s.units_sold - s.units_returned AS net_units,
    s.orders,
    s.net_sales_with_cost,
    s.cogs,
    s.net_sales_with_cost - s.cogs AS gross_profit,
    ratio(s.net_sales_with_cost - s.cogs, s.net_sales_with_cost) AS gross_margin_pct,
    s.gross_sales - s.discounts AS sales_before_returns,
    ratio(s.returns, s.gross_sales - s.discounts) AS return_rate_value,
    ratio(s.units_returned, s.units_sold) AS return_rate_units,
    sum(s.net_sales) OVER (PARTITION BY s.period_start) AS net_sales_all,
    ratio(s.net_sales, sum(s.net_sales) OVER (PARTITION BY s.period_start)) AS share,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
        member(e.product_id, e.brand) AS brand,
        sum(e.gross_sales) AS gross_sales,
        sum(e.discounts) AS discounts,
        sum(e.returns) AS returns,
        sum(e.net_rc) AS net_sales,
        sum(e.units_sold) AS units_sold,
        sum(e.units_returned) AS units_returned,
        count(DISTINCT e.sale_order_id) AS orders,
        sum(CASE WHEN e.cost_rc IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales_with_cost,
        sum(coalesce(e.cost_rc, CAST(0 AS DECIMAL(18,4)))) AS cogs
    FROM (
        SELECT
            v.business_date, v.product_id, v.gross_sales, v.discounts, v.returns, v.net_rc, v.cost_rc, v.units_sold, v.units_returned,
            v.sale_order_id, v.brand
        FROM classified_sale v
        WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out'

        UNION ALL

        -- every article in every bucket, on the bucket's first day: so every brand
        SELECT
            d.date_key AS business_date, known.product_id, CAST(0 AS DECIMAL(18,4)) AS gross_sales, CAST(0 AS DECIMAL(18,4)) AS discounts,
            CAST(0 AS DECIMAL(18,4)) AS returns, CAST(0 AS DECIMAL(18,4)) AS net_rc, CAST(NULL AS DECIMAL(18,4)) AS cost_rc,
            CAST(0 AS DECIMAL(18,3)) AS units_sold, CAST(0 AS DECIMAL(18,3)) AS units_returned, CAST(NULL AS VARCHAR) AS sale_order_id,
            known.brand
        FROM product known
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) e
    GROUP BY 1, 2
) s
ORDER BY s.period_start NULLS LAST, s.net_sales DESC NULLS LAST, s.brand NULLS LAST
