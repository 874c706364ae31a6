-- ---
-- title = { en = "Price list", zh = "价目表" }
-- about = """Prices of products per channel, every version with the days on which it holds, of a place or a group of customers, or of all that have
-- none of their own (empty). The price on a day: valid_from up to that day, valid_to after it or empty. What was sold has its price on the order
-- line."""
-- [columns]
-- product_id = "the product"
-- channel_id = "where it is offered"
-- location_id = "the place; empty = every place of the channel that has no price of its own"
-- customer_group = "to whom it is offered; empty = every group that has no price of its own"
-- valid_from = "the first day on which it holds"
-- valid_to = "the first day on which it does not hold; NULL = it holds on"
-- currency = "ISO 4217"
-- list_price = "price of a unit (currency)"
-- promo_price = "reduced price of a unit (currency); empty = not reduced"
-- price_includes_tax = "the prices include tax"
-- ---
SELECT
    p.product_id,
    p.channel_id,
    p.location_id,
    p.customer_group,
    p.valid_from,
    p.valid_to,
    p.currency,
    p.list_price,
    p.promo_price,
    p.price_includes_tax
FROM (
    -- a deleted version ends the one before
    SELECT
        b.product_id, b.channel_id, b.location_id, b.customer_group, b.valid_from, b.currency, b.list_price, b.promo_price,
        b.price_includes_tax, b.is_deleted,
        lead(b.valid_from) OVER (
            PARTITION BY b.product_id, b.channel_id, b.location_id, b.customer_group, b.currency ORDER BY b.valid_from
        ) AS valid_to
    FROM base.price_list b
) p
WHERE NOT p.is_deleted
