-- ---
-- title = { en = "Basket affinity", zh = "商品关联" }
-- about = """What sells together? Pairs of articles, styles, brands or top categories (parameter level) that stand in the same order, each
-- pair once (a before b), an article that stands twice in an order once. Of N orders n_a have a, n_b have b, n_ab both: support = n_ab / N,
-- confidence_a_b = n_ab / n_a (who buys a also buys b), confidence_b_a = n_ab / n_b, lift = n_ab · N / (n_a · n_b) (above 1: more often
-- than by chance), leverage = n_ab / N − n_a · n_b / N², conviction_a_b = (1 − n_b / N) / (1 − confidence_a_b) (how many times as often a
-- would be without b by chance). min_orders, min_support and min_lift leave out weak pairs. Only articles of the product table are paired; N
-- counts all orders of the asked days that the filters leave. Slicers by article cut orders down to those articles.
-- Pairs are few in short times: it has no buckets."""
-- key = ["a_id", "b_id"]
-- totals = false
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- level = { type = "text", default = "sku", values = ["sku", "product", "brand", "category"], about = "Articles, styles, brands or top categories." }
-- min_orders = { type = "int", default = 5, min = 1, about = "Pairs of at least so many orders." }
-- min_support = { type = "decimal", default = 0, min = 0, max = 1, about = "Pairs of at least this share of all orders." }
-- min_lift = { type = "decimal", default = 0, min = 0, about = "Pairs of at least this lift." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a period that ends later is partial." }
--
-- [chart]
-- kind = "matrix"
-- x = "a_name"
-- y = ["lift"]
-- series = "b_name"
--
-- [columns]
-- period_start = "the first day asked for"
-- period_end = "the first day that is not"
-- is_partial_period = "to is after as_of: the period is not over"
-- a_id = "the one"
-- a_name = "its name"
-- b_id = "the other"
-- b_name = "its name"
-- pair_orders = "orders with both (n_ab)"
-- a_orders = "orders with the one (n_a)"
-- b_orders = "orders with the other (n_b)"
-- all_orders = "all orders (N)"
-- support = "pair_orders / all_orders"
-- confidence_a_b = "pair_orders / a_orders"
-- confidence_b_a = "pair_orders / b_orders"
-- lift = "pair_orders · all_orders / (a_orders · b_orders)"
-- leverage = "support − (a_orders / all_orders) · (b_orders / all_orders)"
-- conviction_a_b = "(1 − b_orders / all_orders) / (1 − confidence_a_b); empty where a never is without b"
-- conviction_b_a = "(1 − a_orders / all_orders) / (1 − confidence_b_a); empty where b never is without a"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "a pair is in both baskets"
-- each = ["pair_orders <= a_orders AND pair_orders <= b_orders", "a_id < b_id", "pair_orders >= 5"]
--
-- [[tests]]
-- name = "only the lifts asked for"
-- params = { level = "category", min_lift = "0.9" }
-- each = ["lift >= 0.899999"]
-- ---
WITH article AS (
    -- which item each article is, by a number in the order of the ids: numbers are paired faster than texts
    SELECT t.product_id, t.item_id, t.item_name, CAST(dense_rank() OVER (ORDER BY t.item_id) AS BIGINT) AS item_no
    FROM (
        SELECT
            p.product_id,
            CASE $level WHEN 'brand' THEN p.brand
                        WHEN 'category' THEN coalesce(p.category_l1_id, p.category_l1_name)
                        WHEN 'product' THEN coalesce(p.parent_product_id, p.product_id)
                        ELSE p.product_id END AS item_id,
            CASE $level WHEN 'brand' THEN p.brand
                        WHEN 'category' THEN coalesce(p.category_l1_name, p.category_l1_id)
                        WHEN 'product' THEN coalesce(style.product_name, p.parent_product_id, p.product_name)
                        ELSE p.product_name END AS item_name
        FROM product p
        LEFT JOIN (SELECT product_id, product_name FROM product_history WHERE is_current) style ON style.product_id = p.parent_product_id
    ) t
    WHERE t.item_id IS NOT NULL
),
item AS (
    -- the first name that its sold articles give it; which were sold is a question that a rollup answers
    SELECT a.item_no, min(a.item_id) AS item_id, min(a.item_name) AS item_name
    FROM article a
    WHERE a.product_id IN (
        SELECT e.product_id
        FROM sales_event e
        WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out' AND e.event_kind IN ('sale', 'exchange_out')
        GROUP BY 1
    )
    GROUP BY 1
),
pair AS (
    -- every item of an order beside every one from it on, itself too: so the sales are read once, and not joined with themselves
    SELECT x.a_no, x.b_no, count(*) AS orders
    FROM (
        SELECT y.a_no, unnest(y.items) AS b_no
        FROM (
            SELECT unnest(z.items) AS a_no, z.items
            FROM (
                -- each item once per order
                SELECT array_distinct(array_agg(a.item_no)) AS items
                FROM sales_event e
                JOIN article a ON a.product_id = e.product_id
                WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out' AND e.sale_order_id IS NOT NULL
                GROUP BY e.sale_order_id
            ) z
        ) y
    ) x
    WHERE x.a_no <= x.b_no
    GROUP BY 1, 2
    HAVING count(*) >= $min_orders
)
SELECT
    $from AS period_start,
    $to AS period_end,
    $to > $as_of AS is_partial_period,
    a.item_id AS a_id,
    a.item_name AS a_name,
    b.item_id AS b_id,
    b.item_name AS b_name,
    q.pair_orders,
    q.a_orders,
    q.b_orders,
    w.orders AS all_orders,
    ratio(q.pair_orders, w.orders) AS support,
    ratio(q.pair_orders, q.a_orders) AS confidence_a_b,
    ratio(q.pair_orders, q.b_orders) AS confidence_b_a,
    lift(q.pair_orders, q.a_orders, q.b_orders, w.orders) AS lift,
    leverage(q.pair_orders, q.a_orders, q.b_orders, w.orders) AS leverage,
    conviction(q.pair_orders, q.a_orders, q.b_orders, w.orders) AS conviction_a_b,
    conviction(q.pair_orders, q.b_orders, q.a_orders, w.orders) AS conviction_b_a,
    reporting_currency() AS currency
FROM (
    -- an item beside itself stands for all its orders, which are as many as those of any of its pairs, or more: HAVING left it there
    SELECT
        n.a_no,
        n.b_no,
        n.orders AS pair_orders,
        max(CASE WHEN n.a_no = n.b_no THEN n.orders END) OVER (PARTITION BY n.a_no) AS a_orders,
        max(CASE WHEN n.a_no = n.b_no THEN n.orders END) OVER (PARTITION BY n.b_no) AS b_orders
    FROM pair n
) q
JOIN item a ON a.item_no = q.a_no
JOIN item b ON b.item_no = q.b_no
CROSS JOIN (
    SELECT count(DISTINCT e.sale_order_id) AS orders
    FROM sales_event e
    WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out'
) w
WHERE q.a_no < q.b_no
  AND q.pair_orders >= CAST($min_support AS DECIMAL(18,6)) * w.orders
  AND q.pair_orders * w.orders >= CAST($min_lift AS DECIMAL(18,6)) * (q.a_orders * q.b_orders)
ORDER BY q.pair_orders DESC NULLS LAST, a_id NULLS LAST, b_id NULLS LAST
