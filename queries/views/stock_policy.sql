-- ---
-- title = { en = "How articles are kept in stock", zh = "库存策略" }
-- about = """Lead times, service levels and order rules per article and place, every version: the one with the last valid_from up to a day
-- holds on that day. What is empty was not told."""
-- [columns]
-- product_id = "the product"
-- location_id = "the place"
-- valid_from = "the first day on which it holds"
-- lead_time_days = "mean days from order to receipt"
-- lead_time_sd = "their standard deviation (days)"
-- review_period_days = "days between two looks at the stock; 0 = always"
-- service_level = "share of order cycles without running out"
-- min_order_qty = "least quantity of an order (stock units)"
-- pack_size = "orders are multiples of it (stock units)"
-- max_stock = "most that the place can hold (stock units)"
-- order_cost = "cost of an order, in currency"
-- holding_cost_rate = "cost of holding stock for a year, share of its cost"
-- ---
SELECT
    p.product_id,
    p.location_id,
    p.valid_from,
    p.lead_time_days,
    p.lead_time_sd,
    p.review_period_days,
    p.service_level,
    p.min_order_qty,
    p.pack_size,
    p.max_stock,
    p.min_display_qty,
    p.currency,
    p.order_cost,
    p.holding_cost_rate,
    p.abc_class,
    p.is_ranged
FROM base.product_location_policy p
WHERE NOT p.is_deleted
