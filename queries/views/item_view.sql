-- ---
-- title = { en = "Views of articles and whether they could be had", zh = "商品浏览与库存状态" }
-- about = """Views of an article's page (event view_item) that tell whether the article could be had; bots and tombstones are left out."""
-- needs = ["customer_event"]
-- [columns]
-- business_date = "the local day"
-- channel_id = "the channel"
-- location_id = "the place; NULL = does not apply"
-- region_id = "the visitor's region"
-- product_id = "the article"
-- is_out = "it was out of stock"
-- ---
SELECT
    e.business_date,
    e.channel_id,
    e.location_id,
    e.region_id,
    e.product_id,
    e.inventory_status IN ('out_of_stock', 'sold_out') AS is_out
FROM base.customer_event e
WHERE NOT e.is_deleted
  AND NOT e.is_bot
  AND e.event_name = 'view_item'
  AND e.product_id IS NOT NULL
  AND e.inventory_status IS NOT NULL
