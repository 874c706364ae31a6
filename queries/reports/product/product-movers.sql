-- ---
-- title = { en = "Product movers", zh = "涨跌商品" }
-- about = """What rises, what falls? Net sales, after returns, of the asked days beside those of earlier days, per article, style, brand or
-- top category (parameter level): the change in money, the growth, and the contribution to all growth, which adds up over the rows where a
-- growth does not. The earlier days are the same dates a year before, or as many days right before (whole months, where the asked days are
-- whole months). new had no event then, lost has none now; their growth is empty, their contribution is not. min_base leaves out what had
-- less net sales, with either sign, in the earlier days. UNK and N/A are rows as everywhere. Two spans are
-- compared, so it has no buckets."""
-- key = ["item_id"]
-- totals = false
--
-- [params]
-- from = { type = "date", default = "start of month - 1 month", about = "First day, included." }
-- to = { type = "date", default = "start of month", about = "First day that is not included." }
-- against = { type = "text", default = "previous_year", values = ["previous_year", "previous_period"], about = "The same dates a year before, or as many days or whole months right before." }
-- level = { type = "text", default = "sku", values = ["sku", "product", "brand", "category"], about = "Articles, styles, brands or top categories." }
-- min_base = { type = "decimal", default = 0, min = 0, about = "Leaves out what had less net sales in the earlier days." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a period that ends later is partial." }
--
-- [chart]
-- kind = "hbar"
-- x = "item_name"
-- y = ["change"]
--
-- [columns]
-- period_start = "the first day asked for"
-- period_end = "the first day that is not"
-- is_partial_period = "to is after as_of: the period is not over"
-- item_id = "the article, style, brand or category; UNK = not known, N/A = no article"
-- item_name = "its name"
-- direction = "up, down, same, new or lost"
-- net_sales = "gross sales − discounts − returns of the asked days (money)"
-- net_sales_prev = "the same of the days before (money)"
-- change = "net_sales − net_sales_prev (money)"
-- net_sales_growth = "change / abs(net_sales_prev); empty where that is 0, or the period is not over (share)"
-- net_sales_all = "net sales of all rows (money)"
-- net_sales_all_prev = "net_sales_prev of all rows (money)"
-- contribution = "change / abs(net_sales_all_prev): the part of all growth that the row brings; the rows add up to it; empty where the period is not over"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "changes are differences"
-- each = ["change = net_sales - net_sales_prev"]
-- all = ["sum(net_sales) = max(net_sales_all)"]
--
-- [[tests]]
-- name = "also of brands against the days before"
-- params = { against = "previous_period", level = "brand" }
-- each = ["change = net_sales - net_sales_prev"]
-- all = ["sum(net_sales) = max(net_sales_all)"]
-- ---
WITH base AS (
    -- the days beside which the asked ones stand: a year before, or as many days or whole months right before
    SELECT min(d.date_key) AS first_day, max(d.date_key) AS last_day
    FROM calendar d
    WHERE CASE
        WHEN $against = 'previous_year'
            THEN d.date_key >= CAST($from - INTERVAL '1 year' AS DATE) AND d.date_key < CAST($to - INTERVAL '1 year' AS DATE)
        WHEN extract(DAY FROM $from) = 1 AND extract(DAY FROM $to) = 1
            THEN d.date_key < $from
                 AND 12 * d.year + d.month >= 24 * extract(YEAR FROM $from) + 2 * extract(MONTH FROM $from) - 12 * extract(YEAR FROM $to)
                                              - extract(MONTH FROM $to)
        ELSE d.date_key < $from AND CAST(d.date_key AS INT) >= 2 * CAST($from AS INT) - CAST($to AS INT)
    END
)
SELECT
    $from AS period_start,
    $to AS period_end,
    $to > $as_of AS is_partial_period,
    s.item_id,
    CASE WHEN s.item_id IS NOT NULL THEN s.item_name END AS item_name,
    CASE WHEN s.events_before = 0 THEN 'new' WHEN s.events = 0 THEN 'lost' WHEN s.net_sales > s.net_sales_prev THEN 'up'
         WHEN s.net_sales < s.net_sales_prev THEN 'down' ELSE 'same' END AS direction,
    s.net_sales,
    s.net_sales_prev,
    s.net_sales - s.net_sales_prev AS change,
    CASE WHEN $to <= $as_of THEN growth(s.net_sales, s.net_sales_prev) END AS net_sales_growth,
    s.net_sales_all,
    s.net_sales_all_prev,
    CASE WHEN $to <= $as_of THEN ratio(s.net_sales - s.net_sales_prev, abs(s.net_sales_all_prev)) END AS contribution,
    reporting_currency() AS currency
FROM (
    SELECT
        t.*,
        sum(t.net_sales) OVER () AS net_sales_all,
        sum(t.net_sales_prev) OVER () AS net_sales_all_prev
    FROM (
        SELECT
            CASE $level WHEN 'brand' THEN member(e.product_id, e.brand)
                        WHEN 'category' THEN member(e.product_id, coalesce(e.category_l1_id, e.category_l1_name))
                        WHEN 'product' THEN member(e.product_id, coalesce(e.parent_product_id, e.known_product_id))
                        ELSE member(e.product_id, e.known_product_id) END AS item_id,
            min(CASE $level WHEN 'brand' THEN member(e.product_id, e.brand)
                            WHEN 'category' THEN member(e.product_id, coalesce(e.category_l1_name, e.category_l1_id))
                            WHEN 'product' THEN member(e.product_id, coalesce(style.product_name, e.parent_product_id, e.product_name))
                            ELSE member(e.product_id, e.product_name) END) AS item_name,
            count(CASE WHEN e.business_date >= $from AND e.business_date < $to THEN 1 END) AS events,
            count(CASE WHEN e.business_date >= b.first_day AND e.business_date <= b.last_day THEN 1 END) AS events_before,
            sum(CASE WHEN e.business_date >= $from AND e.business_date < $to THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales,
            sum(CASE WHEN e.business_date >= b.first_day AND e.business_date <= b.last_day THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END)
                AS net_sales_prev
        FROM classified_sale e
        CROSS JOIN base b
        LEFT JOIN (SELECT product_id, product_name FROM product_history WHERE is_current) style ON style.product_id = e.parent_product_id
        WHERE e.flow <> 'sell_out'
          AND ((e.business_date >= $from AND e.business_date < $to) OR (e.business_date >= b.first_day AND e.business_date <= b.last_day))
        GROUP BY 1
    ) t
) s
WHERE abs(s.net_sales_prev) >= $min_base
ORDER BY change DESC NULLS LAST, s.item_id NULLS LAST
