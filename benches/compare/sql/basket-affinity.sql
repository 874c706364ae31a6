-- ---
-- key = ["a_id", "b_id"]
-- window = [1, 12]
-- slice = true
-- set = { level = "category", min_orders = "5" }
-- ---
WITH basket AS (
    SELECT DISTINCT s.order_id AS order_id, p.category_l1_id AS item_id
    FROM sale s JOIN product p ON p.product_id = s.product_id
    WHERE s.business_date >= $from AND s.business_date < $to AND $slice
), item AS (
    SELECT item_id, count(*) AS orders FROM basket GROUP BY item_id
), pair AS (
    SELECT x.item_id AS a_id, y.item_id AS b_id, count(*) AS pair_orders
    FROM basket x JOIN basket y ON y.order_id = x.order_id
    WHERE x.item_id < y.item_id
    GROUP BY x.item_id, y.item_id
), whole AS (
    SELECT count(DISTINCT order_id) AS orders FROM basket
)
SELECT q.a_id AS a_id, q.b_id AS b_id, q.pair_orders AS pair_orders, a.orders AS a_orders, b.orders AS b_orders, w.orders AS all_orders,
       CAST(q.pair_orders AS DOUBLE) / w.orders AS support, CAST(q.pair_orders AS DOUBLE) / a.orders AS confidence_a_b
FROM pair q JOIN item a ON a.item_id = q.a_id JOIN item b ON b.item_id = q.b_id CROSS JOIN whole w
WHERE q.pair_orders >= 5
