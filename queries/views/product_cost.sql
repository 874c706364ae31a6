-- ---
-- title = { en = "What products cost", zh = "商品成本" }
-- about = """Unit costs of products, every version with the days on which it holds, of a place (location_id) or of all places that have none of
-- their own (location_id empty). The cost on a day: valid_from up to that day, valid_to after it or empty; the place's own before the general one.
-- What was sold has its cost on the order line, frozen at the sale: this is for what has not been sold."""
-- [columns]
-- product_id = "the product"
-- location_id = "the place; empty = every place that has no cost of its own"
-- valid_from = "the first day on which it holds"
-- valid_to = "the first day on which it does not hold; NULL = it holds on"
-- cost_method = "how it was found: standard, fifo or moving_avg"
-- currency = "ISO 4217"
-- unit_cost = "cost of a stock unit, tax excluded (currency)"
-- ---
SELECT
    c.product_id,
    c.location_id,
    c.valid_from,
    c.valid_to,
    c.cost_method,
    c.currency,
    c.unit_cost
FROM (
    -- a deleted version ends the one before
    SELECT
        b.product_id, b.location_id, b.valid_from, b.cost_method, b.currency, b.unit_cost, b.is_deleted,
        lead(b.valid_from) OVER (PARTITION BY b.product_id, b.location_id ORDER BY b.valid_from) AS valid_to
    FROM base.product_cost b
) c
WHERE NOT c.is_deleted
