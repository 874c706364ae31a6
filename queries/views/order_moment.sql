-- ---
-- title = { en = "When orders were made", zh = "下单时刻" }
-- about = """The instant at which each order became a sale, over all its lines: what a contact must lie before to have led to it. Slicers do not
-- enter: an order is made at one time, whatever part of it is looked at."""
-- sliced = false
-- needs = ["order_line"]
-- [columns]
-- order_id = "the order over all sources, unique"
-- ordered_at = "when it was confirmed, else made"
-- ---
SELECT
    o.canonical_order_id AS order_id,
    min(coalesce(o.confirmed_at, o.created_at)) AS ordered_at
FROM base.order_line o
WHERE NOT o.is_deleted
  AND o.is_primary
GROUP BY o.canonical_order_id
