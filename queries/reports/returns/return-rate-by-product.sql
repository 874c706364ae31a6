-- ---
-- title = { en = "Return rate by product", zh = "商品退货率" }
-- about = """Which articles come back? Units and value returned against units and value sold per article (level sku) or style (level
-- product). By default returns count on the day of the refund, so a rate may exceed 1 where they are of earlier sales, and it is not
-- clamped; return_basis = sale_date puts each return beside its own sale. Few units say little: min_units leaves out what sold less, and
-- the Wilson interval (95 %, z = 1.959964) says between what bounds the unit rate lies; the rank is by its lower bound, so that one of one
-- returned does not lead. It is empty where more came back than was sold. Events without an article are not in it; reversals of cancelled
-- sales count as returns where cancel_policy says so."""
-- key = ["product_id"]
-- needs = ["return_line"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- level = { type = "text", default = "sku", values = ["sku", "product"], about = "Articles, or styles: an article without a style is its own." }
-- min_units = { type = "decimal", default = 10, min = 0, about = "Leaves out what sold fewer stock units." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a period that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- measures = ["units_sold", "units_returned", "return_rate_units", "returns", "return_rate_value"]
--
-- [chart]
-- kind = "hbar"
-- x = "product_name"
-- y = ["return_rate_units"]
--
-- [columns]
-- period_start = "the first day asked for"
-- period_end = "the first day that is not"
-- is_partial_period = "to is after as_of: the period is not over"
-- product_id = "the article, or the style; UNK = not in the product table"
-- sku = "the seller's article number; empty at level product"
-- product_name = "its name"
-- place = "rank by rate_lower, 1 = highest; then by return_rate_units, then by product_id; empty in a totals row"
-- units_sold = "stock units"
-- units_returned = "stock units"
-- return_rate_units = "units_returned / units_sold (share)"
-- rate_lower = "lower bound of the Wilson interval of return_rate_units (share)"
-- rate_upper = "upper bound (share)"
-- return_lines = "returned lines"
-- sales_before_returns = "gross_sales − discounts (money)"
-- returns = "refunds and reversals (money)"
-- return_rate_value = "returns / sales_before_returns (share)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "intervals hold their rate"
-- each = ["rate_lower <= return_rate_units + 0.000001 AND return_rate_units <= rate_upper + 0.000001", "units_sold >= 10"]
--
-- [[tests]]
-- name = "only articles that sold enough"
-- params = { min_units = "100" }
-- each = ["units_sold >= 100"]
-- ---
SELECT
    $from AS period_start,
    $to AS period_end,
    $to > $as_of AS is_partial_period,
    w.product_id,
    w.sku,
    w.product_name,
    CASE WHEN w.product_id IS NOT NULL
         THEN CAST(row_number() OVER (ORDER BY w.rate_lower DESC NULLS LAST, w.return_rate_units DESC NULLS LAST, w.product_id NULLS LAST) AS BIGINT)
    END AS place,
    w.units_sold,
    w.units_returned,
    w.return_rate_units,
    w.rate_lower,
    w.rate_upper,
    w.return_lines,
    w.sales_before_returns,
    w.returns,
    ratio(w.returns, w.sales_before_returns) AS return_rate_value,
    reporting_currency() AS currency
FROM (
    SELECT
        s.product_id,
        s.sku,
        s.product_name,
        s.units_sold,
        s.units_returned,
        s.return_lines,
        s.sales_before_returns,
        s.returns,
        ratio(s.units_returned, s.units_sold) AS return_rate_units,
        wilson_lower(s.units_returned, s.units_sold, 0.95) AS rate_lower,
        wilson_upper(s.units_returned, s.units_sold, 0.95) AS rate_upper
    FROM (
        SELECT
            member(e.product_id, CASE WHEN $level = 'product' THEN coalesce(p.parent_product_id, p.product_id) ELSE p.product_id END) AS product_id,
            CASE WHEN $level = 'sku' THEN member(e.product_id, p.sku) END AS sku,
            member(e.product_id, CASE WHEN $level = 'product' THEN coalesce(style.product_name, p.parent_product_id, p.product_name)
                                      ELSE p.product_name END) AS product_name,
            sum(e.units_sold) AS units_sold,
            sum(e.units_returned) AS units_returned,
            sum(CASE WHEN e.event_kind IN ('return', 'exchange_in') THEN 1 ELSE 0 END) AS return_lines,
            sum(e.gross_sales - e.discounts) AS sales_before_returns,
            sum(e.returns) AS returns
        FROM sales_event e
        LEFT JOIN product p ON p.product_id = e.product_id
        LEFT JOIN (SELECT product_id, product_name FROM product_history WHERE is_current) style ON style.product_id = p.parent_product_id
        WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out' AND e.product_id IS NOT NULL
        GROUP BY 1, 2, 3
        HAVING sum(e.units_sold) >= $min_units
    ) s
) w
ORDER BY place NULLS LAST, w.product_id NULLS LAST
