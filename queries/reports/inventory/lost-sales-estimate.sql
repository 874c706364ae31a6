-- ---
-- title = { en = "Lost sales estimate", zh = "缺货损失估算" }
-- about = """What did being out of stock cost? For each article in a place that sells by itself (shops, outlets, machines): net units of the days
-- on which it was available / those days × the days on which it was not (lost_units), at its average net price (lost_sales). An article with
-- fewer than min_in_stock_days such days has no estimate: it is counted in items_without_estimate and adds nothing. One that did not sell while
-- it was there lost nothing. Days without a count take the last one for at most seven days; longer unknown days are left out, so where only
-- month ends are counted an estimate needs several months. Rows without a day out of stock are left out."""
-- key = ["location_id", "category_id", "product_id"]
-- totals = false
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- min_in_stock_days = { type = "int", default = 21, min = 1, max = 1000, about = "Days on which an article has to have been available." }
-- level = { type = "text", default = "category", values = ["location", "category", "product", "item"], about = "One row per place, top category, article, or article in a place." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a period that ends later is partial." }
--
-- [chart]
-- kind = "bar"
-- x = "category_name"
-- y = ["lost_sales"]
--
-- [columns]
-- period_start = "the first day asked for"
-- period_end = "the first day that is not"
-- is_partial_period = "to is after as_of: the period is not over"
-- location_id = "the place; empty at levels category and product"
-- location_name = "its name"
-- category_id = "the top category; empty unless level category; UNK = not known"
-- category_name = "its name"
-- product_id = "the article; empty at levels location and category; UNK = not in the product table"
-- sku = "the seller's article number"
-- product_name = "its name"
-- items = "articles in places with a day out of stock"
-- items_without_estimate = "those of them with too few days in stock"
-- in_stock_days = "days of the items on which they were available"
-- out_days = "days on which they were not"
-- net_units = "units sold less units returned on the days in stock (stock units)"
-- net_sales = "net sales of those days (money)"
-- lost_units = "estimated (stock units)"
-- lost_sales = "estimated (money)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "only what was out of stock"
-- each = ["out_days > 0", "items_without_estimate <= items", "lost_units >= 0"]
--
-- [[tests]]
-- name = "places add up to categories"
-- params = { level = "location" }
-- each = ["location_id IS NOT NULL"]
-- same_sums = { columns = ["items", "out_days", "net_units"] }
-- ---
SELECT
    $from AS period_start,
    $to AS period_end,
    $to > $as_of AS is_partial_period,
    s.location_id,
    s.location_name,
    s.category_id,
    s.category_name,
    s.product_id,
    s.sku,
    s.product_name,
    s.items,
    s.items_without_estimate,
    s.in_stock_days,
    s.out_days,
    s.net_units,
    s.net_sales,
    CAST(s.lost_units AS DOUBLE) AS lost_units,
    CAST(s.lost_sales AS DOUBLE) AS lost_sales,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $level IN ('location', 'item') THEN member(i.location_id, l.location_id) END AS location_id,
        min(CASE WHEN $level IN ('location', 'item') THEN member(i.location_id, l.location_name) END) AS location_name,
        CASE WHEN $level = 'category' THEN member(i.product_id, coalesce(p.category_l1_id, p.category_l1_name)) END AS category_id,
        min(CASE WHEN $level = 'category' THEN member(i.product_id, coalesce(p.category_l1_name, p.category_l1_id)) END) AS category_name,
        CASE WHEN $level IN ('product', 'item') THEN member(i.product_id, p.product_id) END AS product_id,
        min(CASE WHEN $level IN ('product', 'item') THEN member(i.product_id, p.sku) END) AS sku,
        min(CASE WHEN $level IN ('product', 'item') THEN member(i.product_id, p.product_name) END) AS product_name,
        count(*) AS items,
        count(CASE WHEN i.in_stock_days < $min_in_stock_days THEN 1 END) AS items_without_estimate,
        sum(i.in_stock_days) AS in_stock_days,
        sum(i.out_days) AS out_days,
        sum(i.net_units) AS net_units,
        sum(i.net_sales) AS net_sales,
        -- decimals, so that a sum of them does not depend on the order in which it is made
        sum(CASE WHEN i.in_stock_days < $min_in_stock_days THEN CAST(NULL AS DECIMAL(38,18))
                 WHEN i.net_units <= 0 THEN CAST(0 AS DECIMAL(38,18))
                 ELSE CAST(ratio(i.net_units * i.out_days, i.in_stock_days) AS DECIMAL(38,18)) END) AS lost_units,
        sum(CASE WHEN i.in_stock_days < $min_in_stock_days THEN CAST(NULL AS DECIMAL(38,18))
                 WHEN i.net_units <= 0 THEN CAST(0 AS DECIMAL(38,18))
                 ELSE CAST(ratio(i.net_sales * i.out_days, i.in_stock_days) AS DECIMAL(38,18)) END) AS lost_sales
    FROM (
        SELECT
            t.location_id,
            t.product_id,
            count(CASE WHEN t.available > 0 THEN 1 END) AS in_stock_days,
            count(CASE WHEN t.available <= 0 THEN 1 END) AS out_days,
            sum(CASE WHEN t.available > 0 THEN t.net_units ELSE CAST(0 AS DECIMAL(28,3)) END) AS net_units,
            sum(CASE WHEN t.available > 0 THEN t.net_rc ELSE CAST(0 AS DECIMAL(28,4)) END) AS net_sales
        FROM stock_sales_day t
        WHERE t.stock_date >= $from AND t.stock_date < $to AND t.is_ranged
        GROUP BY 1, 2
        HAVING count(CASE WHEN t.available <= 0 THEN 1 END) > 0
    ) i
    JOIN location l ON l.location_id = i.location_id
    LEFT JOIN product p ON p.product_id = i.product_id
    WHERE l.location_type IN ('store', 'outlet', 'vending')
    GROUP BY 1, 3, 5
) s
ORDER BY lost_sales DESC NULLS LAST, s.location_id NULLS LAST, s.category_id NULLS LAST, s.product_id NULLS LAST
