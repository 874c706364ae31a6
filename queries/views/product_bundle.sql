-- ---
-- title = { en = "What bundles consist of", zh = "组合商品构成" }
-- about = """The components of bundles with their shares of the revenue, which add up to 1. Sales of a bundle are on the order's lines already, the
-- parent with price 0 and the components with the revenue (trap D37): never multiply them by these rows."""
-- [columns]
-- bundle_product_id = "the bundle"
-- component_product_id = "a product that is part of it"
-- component_qty = "stock units of it in one bundle"
-- revenue_share = "its share of the bundle's revenue, 0 to 1"
-- ---
SELECT
    b.bundle_product_id,
    b.component_product_id,
    b.component_qty,
    b.revenue_share
FROM base.product_bundle b
WHERE NOT b.is_deleted
