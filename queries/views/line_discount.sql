-- ---
-- title = { en = "Reductions of order lines", zh = "订单行折扣明细" }
-- about = """Why order lines are reduced, one row per line and reason. A line with two reasons has two rows: bring them to one row per line,
-- or per line and promotion, before they meet the lines of sales_event (line_source, line_order_id, line_id), or the line counts twice
-- (D07). Slicers do not enter: a reduction is looked at with its line."""
-- sliced = false
-- needs = ["order_line_discount"]
-- [columns]
-- source_system = "the system that sold"
-- order_id = "the order's id at the source"
-- order_line_id = "the line's id in its order"
-- discount_seq = "the reduction's id in its line"
-- promotion_id = "the promotion; NULL = none"
-- coupon_code_hash = "the coupon's code, hashed; NULL = no coupon"
-- discount_type = "manual, coupon, auto, bundle, loyalty, markdown or staff"
-- funded_by = "who bears it: merchant, platform or supplier"
-- amount_rc = "the reduction, tax exclusive (reporting currency); each is rounded by itself, so a line's may differ from its discounts in the last place"
-- ---
SELECT
    d.source_system,
    d.order_id,
    d.order_line_id,
    d.discount_seq,
    d.promotion_id,
    d.coupon_code_hash,
    d.discount_type,
    d.funded_by,
    d.amount_rc
FROM base.order_line_discount d
WHERE NOT d.is_deleted
