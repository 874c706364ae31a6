-- ---
-- title = { en = "Stock that can be sent", zh = "可发库存" }
-- about = """What each snapshot says is free to sell per place, product and lot, on hand where it does not tell. Slicers do not enter: what a
-- place can send does not depend on where the goods were sold."""
-- sliced = false
-- needs = ["inventory_snapshot"]
-- [columns]
-- location_id = "the place"
-- product_id = "the product"
-- lot_no = "the lot; '' when untracked"
-- snapshot_date = "close of this day"
-- is_sparse = "the source leaves unchanged products out: absent is not 0"
-- free = "stock units free to sell"
-- ---
SELECT
    s.source_system,
    s.location_id,
    s.product_id,
    s.lot_no,
    s.snapshot_date,
    s.is_sparse,
    coalesce(s.available, s.on_hand) AS free
FROM base.inventory_snapshot s
WHERE NOT s.is_deleted
