-- ---
-- title = { en = "Versions of articles", zh = "商品历史版本" }
-- about = """What groups and names an article, every version, with the days on which it holds: from first_day on, before end_day. Versions of one
-- article never overlap; the first holds since ever."""
--
-- [columns]
-- product_version = "the version: the article's id and since when it holds"
-- product_id = "the article"
-- first_day = "first day on which it holds"
-- end_day = "first day on which it holds no more; NULL = it still holds"
-- ---
SELECT
    concat(h.product_id, ' ', CAST(h.valid_from AS VARCHAR)) AS product_version,
    h.product_id,
    h.parent_product_id,
    h.product_name,
    h.brand,
    h.category_l1_id,
    h.category_l1_name,
    h.category_l2_id,
    h.category_l2_name,
    h.category_l3_id,
    h.category_l3_name,
    h.category_l4_id,
    h.category_l4_name,
    h.category_l5_id,
    h.category_l5_name,
    lake_date(h.valid_from) AS first_day,
    lake_date(h.valid_to) AS end_day
FROM product_history h
