-- ---
-- title = { en = "Sales by product", zh = "商品销售" }
-- about = """Which products sell? Sales, units, price, margin and return rate per article (level sku) or per style over its variants (level
-- product), with the share of net sales of everything that the filters leave. Charges such as shipping belong to no product and are not
-- in it; adjustments are the row N/A, articles that the product table does not know the row UNK. asp = net_sales / net_units."""
-- key = ["period_start", "product_id"]
-- spine = ["product"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- level = { type = "text", default = "sku", values = ["sku", "product"], about = "Articles, or styles: an article without a style is its own." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per product and such bucket; all = one row per product." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Products without any event are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["gross_sales", "returns", "net_sales", "net_units", "asp", "gross_profit"]
--
-- [chart]
-- kind = "hbar"
-- x = "product_name"
-- y = ["net_sales"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- product_id = "the article, or the style; UNK = not in the product table, N/A = no product"
-- sku = "the seller's article number; empty at level product"
-- product_name = "name of the article, or of the style"
-- gross_sales = "before discounts and returns (money)"
-- discounts = "line and order discounts (money)"
-- returns = "refunds, reversals, negative adjustments (money)"
-- net_sales = "gross_sales − discounts − returns (money)"
-- units_sold = "stock units"
-- units_returned = "stock units"
-- net_units = "units_sold − units_returned (stock units)"
-- asp = "net_sales / net_units (money per unit)"
-- sales_before_returns = "gross_sales − discounts (money)"
-- asp_before_returns = "sales_before_returns / units_sold (money per unit)"
-- net_sales_with_cost = "net sales whose cost is known (money)"
-- cogs = "cost of those goods, less cost returned to stock (money)"
-- gross_profit = "net_sales_with_cost − cogs (money)"
-- gross_margin_pct = "gross_profit / net_sales_with_cost (share)"
-- return_rate_value = "returns / sales_before_returns (share)"
-- return_rate_units = "units_returned / units_sold (share)"
-- net_sales_all = "net sales of the bucket over all rows, before any limit (money)"
-- share = "net_sales / net_sales_all"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "articles add up to the total"
-- params = { totals = "true" }
-- each = ["net_sales = gross_sales - discounts - returns"]
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN net_sales END) = sum(CASE WHEN row_kind = 'total' THEN net_sales END)",
--     "sum(CASE WHEN row_kind = 'row' THEN gross_sales END) = sum(CASE WHEN row_kind = 'total' THEN gross_sales END)",
--     "sum(CASE WHEN row_kind = 'row' THEN units_sold END) = sum(CASE WHEN row_kind = 'total' THEN units_sold END)",
-- ]
--
-- [[tests]]
-- name = "also as styles"
-- params = { level = "product" }
-- each = ["net_units = units_sold - units_returned", "gross_profit = net_sales_with_cost - cogs"]
-- all = ["sum(net_sales) = max(net_sales_all)"]
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.product_id,
    s.sku,
    s.product_name,
    s.gross_sales,
    s.discounts,
    s.returns,
    s.net_sales,
    s.units_sold,
    s.units_returned,
    s.units_sold - s.units_returned AS net_units,
    ratio(s.net_sales, s.units_sold - s.units_returned) AS asp,
    s.gross_sales - s.discounts AS sales_before_returns,
    ratio(s.gross_sales - s.discounts, s.units_sold) AS asp_before_returns,
    s.net_sales_with_cost,
    s.cogs,
    s.net_sales_with_cost - s.cogs AS gross_profit,
    ratio(s.net_sales_with_cost - s.cogs, s.net_sales_with_cost) AS gross_margin_pct,
    ratio(s.returns, s.gross_sales - s.discounts) AS return_rate_value,
    ratio(s.units_returned, s.units_sold) AS return_rate_units,
    sum(s.net_sales) OVER (PARTITION BY s.period_start) AS net_sales_all,
    ratio(s.net_sales, sum(s.net_sales) OVER (PARTITION BY s.period_start)) AS share,
    reporting_currency() AS currency
FROM (
    SELECT
        e.period_start,
        member(e.product_id, CASE WHEN $level = 'product' THEN coalesce(p.parent_product_id, p.product_id) ELSE p.product_id END) AS product_id,
        CASE WHEN $level = 'sku' THEN member(e.product_id, p.sku) END AS sku,
        member(e.product_id, CASE WHEN $level = 'product' THEN coalesce(style.product_name, p.parent_product_id, p.product_name)
                                  ELSE p.product_name END) AS product_name,
        sum(e.gross_sales) AS gross_sales,
        sum(e.discounts) AS discounts,
        sum(e.returns) AS returns,
        sum(e.net_sales) AS net_sales,
        sum(e.units_sold) AS units_sold,
        sum(e.units_returned) AS units_returned,
        sum(e.net_sales_with_cost) AS net_sales_with_cost,
        sum(e.cogs) AS cogs
    FROM (
        -- added up per article first: all measures are additive, and names join to few rows
        SELECT
            CASE WHEN $grain = 'all' THEN $from ELSE period_start(v.business_date, $grain, $calendar) END AS period_start,
            v.product_id,
            sum(v.gross_sales) AS gross_sales,
            sum(v.discounts) AS discounts,
            sum(v.returns) AS returns,
            sum(v.net_rc) AS net_sales,
            sum(v.units_sold) AS units_sold,
            sum(v.units_returned) AS units_returned,
            sum(CASE WHEN v.cost_rc IS NOT NULL THEN v.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales_with_cost,
            sum(coalesce(v.cost_rc, CAST(0 AS DECIMAL(18,4)))) AS cogs
        FROM sales_event v
        WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out'
        GROUP BY 1, 2

        UNION ALL

        -- every product in every bucket, on the bucket's first day
        SELECT
            CASE WHEN $grain = 'all' THEN $from ELSE period_start(d.date_key, $grain, $calendar) END AS period_start,
            known.product_id, CAST(0 AS DECIMAL(28,4)) AS gross_sales, CAST(0 AS DECIMAL(28,4)) AS discounts,
            CAST(0 AS DECIMAL(28,4)) AS returns, CAST(0 AS DECIMAL(28,4)) AS net_sales, CAST(0 AS DECIMAL(28,3)) AS units_sold,
            CAST(0 AS DECIMAL(28,3)) AS units_returned, CAST(0 AS DECIMAL(28,4)) AS net_sales_with_cost,
            CAST(0 AS DECIMAL(28,4)) AS cogs
        FROM product known
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) e
    LEFT JOIN product p ON p.product_id = e.product_id
    -- not `product`: slicers narrow that one, and a style may lie outside the slice of its variants
    LEFT JOIN (SELECT product_id, product_name FROM product_history WHERE is_current) style ON style.product_id = p.parent_product_id
    GROUP BY 1, 2, 3, 4
) s
ORDER BY s.period_start NULLS LAST, s.net_sales DESC NULLS LAST, s.product_id NULLS LAST
