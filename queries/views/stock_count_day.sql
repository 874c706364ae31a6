-- ---
-- title = { en = "Days on which a place was counted whole", zh = "完整盘点日" }
-- about = """The (place, day) pairs with a complete stock snapshot: a product that is absent from such a day has none left. Sources that
-- leave unchanged products out (sparse) make no day complete. Slicers by product do not enter: what else was counted decides completeness."""
-- sliced = false
-- needs = ["inventory_snapshot"]
-- [columns]
-- location_id = "the place"
-- region_id = "the region of the place; 'UNK' = the place is not in the dimension"
-- snapshot_date = "the day; as often as it has rows"
-- ---
SELECT
    s.location_id,
    coalesce(place.region_id, 'UNK') AS region_id,
    s.snapshot_date
FROM base.inventory_snapshot s
LEFT JOIN location place ON place.location_id = s.location_id
WHERE NOT s.is_deleted
  AND NOT s.is_sparse
