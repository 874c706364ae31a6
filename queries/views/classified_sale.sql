-- ---
-- title = { en = "Sales events with their article's attributes", zh = "带商品属性的销售事件" }
-- about = """sales_event with the article's style, name, brand and categories, as they are now or as they were on the day of the order (policy
-- attribute_basis). A return goes where its sale went: what comes back after an article has moved is taken from the category in which it was
-- sold. Empty where there is no article, or one that the product table does not know."""
--
-- [params.attribute_basis]
-- values = ["as_is", "as_was"]
-- default = "as_is"
-- about = """Attributes of the article: as they are now, or as they were on the day of the order. The category and brand slicers go by the
-- same."""
--
-- [columns]
-- known_product_id = "product_id where the product table has the article"
-- product_version = "the version of the article whose attributes these are; product_id where they are those of now"
-- parent_product_id = "the style of a variant"
-- ---
SELECT
    e.*,
    CASE WHEN $attribute_basis = 'as_was' THEN coalesce(v.product_version, e.product_id) ELSE e.product_id END AS product_version,
    CASE WHEN $attribute_basis = 'as_was' THEN v.product_id ELSE p.product_id END AS known_product_id,
    CASE WHEN $attribute_basis = 'as_was' THEN v.parent_product_id ELSE p.parent_product_id END AS parent_product_id,
    CASE WHEN $attribute_basis = 'as_was' THEN v.product_name ELSE p.product_name END AS product_name,
    CASE WHEN $attribute_basis = 'as_was' THEN v.brand ELSE p.brand END AS brand,
    CASE WHEN $attribute_basis = 'as_was' THEN v.category_l1_id ELSE p.category_l1_id END AS category_l1_id,
    CASE WHEN $attribute_basis = 'as_was' THEN v.category_l1_name ELSE p.category_l1_name END AS category_l1_name,
    CASE WHEN $attribute_basis = 'as_was' THEN v.category_l2_id ELSE p.category_l2_id END AS category_l2_id,
    CASE WHEN $attribute_basis = 'as_was' THEN v.category_l2_name ELSE p.category_l2_name END AS category_l2_name,
    CASE WHEN $attribute_basis = 'as_was' THEN v.category_l3_id ELSE p.category_l3_id END AS category_l3_id,
    CASE WHEN $attribute_basis = 'as_was' THEN v.category_l3_name ELSE p.category_l3_name END AS category_l3_name,
    CASE WHEN $attribute_basis = 'as_was' THEN v.category_l4_id ELSE p.category_l4_id END AS category_l4_id,
    CASE WHEN $attribute_basis = 'as_was' THEN v.category_l4_name ELSE p.category_l4_name END AS category_l4_name,
    CASE WHEN $attribute_basis = 'as_was' THEN v.category_l5_id ELSE p.category_l5_id END AS category_l5_id,
    CASE WHEN $attribute_basis = 'as_was' THEN v.category_l5_name ELSE p.category_l5_name END AS category_l5_name
FROM sales_event e
-- of the two joins the one of the chosen basis is left in the plan
LEFT JOIN (SELECT * FROM product WHERE $attribute_basis = 'as_is') p ON p.product_id = e.product_id
LEFT JOIN (SELECT * FROM product_version WHERE $attribute_basis = 'as_was') v
    ON v.product_id = e.product_id AND v.first_day <= e.order_business_date AND e.order_business_date < coalesce(v.end_day, DATE '9999-12-31')
