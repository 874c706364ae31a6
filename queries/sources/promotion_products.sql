-- ---
-- title = { en = "What promotions are about", zh = "促销商品" }
-- about = "The categories or articles of each promotion, and those held back for comparison."
-- source_system = "masterdata"
-- order = 3
-- [read]
-- path = "dimensions/promotion_products.csv"
-- format = "csv"
-- ---

-- into = "promotion_product"
SELECT promotion_id,
       sku AS product_id,
       category_id,
       role
FROM   raw;
