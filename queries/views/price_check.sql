-- ---
-- title = { en = "Prices beside those of the 90 days before", zh = "价格与近90天对比" }
-- about = """One row per article, currency, day and price of a stock unit at which it was sold on lines of type product, with what its lines of
-- the 90 days before say of it (V14). A price is far off below a fifth of the price that 1 % of them do not exceed, or above five times the
-- one that 99 % do not. Tests, lines that were struck off and prices of 0 are left out."""
-- needs = ["order_line"]
--
-- [columns]
-- product_id = "the article"
-- currency = "the currency of the price"
-- business_date = "the day"
-- unit_price = "the price of a stock unit (currency)"
-- lines = "lines of the day with this price"
-- past_lines = "lines of the 90 days before, at any price; 0 = nothing to compare with"
-- is_far = "the price is far off those"
-- ---
WITH priced AS (
    SELECT g.product_id, g.currency, g.business_date, CAST(g.business_date AS INT) AS day_no, g.unit_price, g.lines
    FROM (
        SELECT o.product_id, o.currency, o.business_date, prorated(o.unit_price, o.quantity, o.base_quantity) AS unit_price, count(*) AS lines
        FROM base.order_line o
        WHERE NOT o.is_deleted AND NOT o.is_test AND o.line_type = 'product' AND o.line_status <> 'removed' AND o.unit_price > 0
        GROUP BY 1, 2, 3, 4
    ) g
)
SELECT
    x.product_id,
    x.currency,
    x.business_date,
    x.unit_price,
    x.lines,
    x.past_lines,
    -- the 1 % price lies above 5 × the price if less than 1 % of the lines are at that or below; the 99 % price likewise
    x.doubted_id IS NOT NULL AND x.past_lines > 0
        AND (100 * sum(CASE WHEN h.unit_price <= 5 * x.unit_price THEN h.lines ELSE 0 END) < x.past_lines
             OR 100 * sum(CASE WHEN 5 * h.unit_price < x.unit_price THEN h.lines ELSE 0 END) >= 99 * x.past_lines) AS is_far
FROM (
    -- only a price that is far off one that the article ever had can be far off its past: others meet no history
    SELECT
        w.product_id, w.currency, w.business_date, w.day_no, w.unit_price, w.lines,
        coalesce(w.past_lines, CAST(0 AS BIGINT)) AS past_lines,
        CASE WHEN w.unit_price > 5 * w.lowest OR 5 * w.unit_price < w.highest THEN w.product_id END AS doubted_id
    FROM (
        SELECT
            p.product_id, p.currency, p.business_date, p.day_no, p.unit_price, p.lines,
            min(p.unit_price) OVER (PARTITION BY p.product_id, p.currency) AS lowest,
            max(p.unit_price) OVER (PARTITION BY p.product_id, p.currency) AS highest,
            sum(p.lines) OVER (
                PARTITION BY p.product_id, p.currency
                ORDER BY p.day_no RANGE BETWEEN 90 PRECEDING AND 1 PRECEDING
            ) AS past_lines
        FROM priced p
    ) w
) x
LEFT JOIN priced h
  ON h.product_id = x.doubted_id AND h.currency = x.currency
 AND h.day_no < x.day_no AND h.day_no >= x.day_no - 90
GROUP BY x.product_id, x.currency, x.business_date, x.unit_price, x.lines, x.past_lines, x.doubted_id
