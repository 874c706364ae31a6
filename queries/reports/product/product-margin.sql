-- ---
-- title = { en = "Product margin", zh = "商品毛利" }
-- about = """Where is profit made? Net sales, cost, gross profit and margin per article (level sku) or style (level product), with the rank
-- by gross profit among the articles of the same top category. The margin is over the events whose cost is known; cost_coverage says what
-- part that is of all goods that were sold or taken back, by amounts without their signs. min_cost_coverage leaves out articles below it.
-- Where no cost is known, gross profit and margin are empty, never 0, and such articles rank last. Articles that the product table does not
-- know are the row UNK, adjustments the row N/A. profit_share is of the gross profit of all shown rows of the bucket."""
-- key = ["period_start", "product_id"]
-- spine = ["product"]
-- needs = ["order_line.cost_amount"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- level = { type = "text", default = "sku", values = ["sku", "product"], about = "Articles, or styles: an article without a style is its own." }
-- min_cost_coverage = { type = "decimal", default = 0, min = 0, max = 1, about = "Leaves out articles whose cost_coverage is lower." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per article and such bucket; all = one row per article." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Products without any event are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["net_sales", "net_units", "gross_profit"]
--
-- [chart]
-- kind = "scatter"
-- x = "net_sales"
-- y = ["gross_margin_pct"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- product_id = "the article, or the style; UNK = not in the product table, N/A = no product"
-- sku = "the seller's article number; empty at level product"
-- product_name = "name of the article, or of the style"
-- category_id = "its top category today; UNK = not known, N/A = no product"
-- category_name = "its name"
-- place_in_category = "rank by gross profit in the category and bucket, 1 = most; equal ones by product_id; empty in a totals row"
-- net_sales = "gross_sales − discounts − returns (money)"
-- net_units = "units_sold − units_returned (stock units)"
-- net_sales_with_cost = "net sales whose cost is known (money)"
-- cogs = "cost of those goods, less cost returned to stock; empty where no cost is known (money)"
-- gross_profit = "net_sales_with_cost − cogs; empty where no cost is known (money)"
-- gross_margin_pct = "gross_profit / net_sales_with_cost (share)"
-- goods_amount = "goods sold plus goods taken back (refunds, reversals), without adjustments (money)"
-- goods_amount_with_cost = "the part of goods_amount whose cost is known (money)"
-- cost_coverage = "goods_amount_with_cost / goods_amount (share, 0 to 1)"
-- gross_profit_all = "gross profit of the bucket over all rows, before any limit (money)"
-- profit_share = "gross_profit / gross_profit_all"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "articles and months add up to the total"
-- params = { totals = "true", grain = "month", include_zero = "true" }
-- each = ["gross_profit = net_sales_with_cost - cogs"]
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN net_sales END) = sum(CASE WHEN row_kind = 'total' THEN net_sales END)",
--     "sum(CASE WHEN row_kind = 'row' THEN gross_profit END) = sum(CASE WHEN row_kind = 'total' THEN gross_profit END)",
-- ]
--
-- [[tests]]
-- name = "only those with known cost"
-- params = { min_cost_coverage = "0.9" }
-- each = ["cost_coverage >= 0.9"]
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.product_id,
    s.sku,
    s.product_name,
    CASE WHEN s.product_id IS NOT NULL THEN s.category_id END AS category_id,
    CASE WHEN s.product_id IS NOT NULL THEN s.category_name END AS category_name,
    CASE WHEN s.product_id IS NOT NULL
         THEN CAST(row_number() OVER (PARTITION BY s.period_start, s.category_id
                                      ORDER BY s.net_sales_with_cost - s.cogs DESC NULLS LAST, s.product_id NULLS LAST) AS BIGINT)
    END AS place_in_category,
    s.net_sales,
    s.net_units,
    s.net_sales_with_cost,
    s.cogs,
    s.net_sales_with_cost - s.cogs AS gross_profit,
    ratio(s.net_sales_with_cost - s.cogs, s.net_sales_with_cost) AS gross_margin_pct,
    s.goods_amount,
    s.goods_amount_with_cost,
    ratio(s.goods_amount_with_cost, s.goods_amount) AS cost_coverage,
    sum(s.net_sales_with_cost - s.cogs) OVER (PARTITION BY s.period_start) AS gross_profit_all,
    ratio(s.net_sales_with_cost - s.cogs, sum(s.net_sales_with_cost - s.cogs) OVER (PARTITION BY s.period_start)) AS profit_share,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
        member(e.product_id, CASE WHEN $level = 'product' THEN coalesce(p.parent_product_id, p.product_id) ELSE p.product_id END) AS product_id,
        CASE WHEN $level = 'sku' THEN member(e.product_id, p.sku) END AS sku,
        member(e.product_id, CASE WHEN $level = 'product' THEN coalesce(style.product_name, p.parent_product_id, p.product_name)
                                  ELSE p.product_name END) AS product_name,
        -- of a style whose variants lie in several: the first by id
        min(member(e.product_id, coalesce(p.category_l1_id, p.category_l1_name))) AS category_id,
        min(member(e.product_id, coalesce(p.category_l1_name, p.category_l1_id))) AS category_name,
        sum(e.net_rc) AS net_sales,
        sum(e.units_sold - e.units_returned) AS net_units,
        sum(CASE WHEN e.cost_rc IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales_with_cost,
        sum(e.cost_rc) AS cogs,
        sum(CASE WHEN e.is_goods THEN abs(e.net_rc) ELSE CAST(0 AS DECIMAL(18,4)) END) AS goods_amount,
        sum(CASE WHEN e.cost_rc IS NOT NULL THEN abs(e.net_rc) ELSE CAST(0 AS DECIMAL(18,4)) END) AS goods_amount_with_cost
    FROM (
        SELECT v.business_date, v.product_id, v.is_goods, v.net_rc, v.cost_rc, v.units_sold, v.units_returned
        FROM sales_event v
        WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out'

        UNION ALL

        -- every product in every bucket, on the bucket's first day
        SELECT
            d.date_key AS business_date, known.product_id, false AS is_goods, CAST(0 AS DECIMAL(18,4)) AS net_rc,
            CAST(NULL AS DECIMAL(18,4)) AS cost_rc, CAST(0 AS DECIMAL(18,3)) AS units_sold, CAST(0 AS DECIMAL(18,3)) AS units_returned
        FROM product known
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) e
    LEFT JOIN product p ON p.product_id = e.product_id
    LEFT JOIN (SELECT product_id, product_name FROM product_history WHERE is_current) style ON style.product_id = p.parent_product_id
    GROUP BY 1, 2, 3, 4
    HAVING sum(CASE WHEN e.cost_rc IS NOT NULL THEN abs(e.net_rc) ELSE CAST(0 AS DECIMAL(18,4)) END)
        >= $min_cost_coverage * sum(CASE WHEN e.is_goods THEN abs(e.net_rc) ELSE CAST(0 AS DECIMAL(18,4)) END)
) s
ORDER BY s.period_start NULLS LAST, gross_profit DESC NULLS LAST, s.product_id NULLS LAST
