-- ---
-- title = { en = "Stock counts", zh = "库存快照" }
-- about = """Stock at the close of a day per place, product and lot, as the snapshots give it. Semi-additive: add it over places and
-- products, never over days; the stock at a date is the last snapshot day before it (report stock-on-hand)."""
-- needs = ["inventory_snapshot"]
-- [columns]
-- snapshot_date = "close of this day"
-- business_date = "the same day"
-- location_id = "the place"
-- product_id = "the product"
-- region_id = "the region of the place; 'UNK' = the place is not in the dimension"
-- lot_no = "the lot; '' when untracked"
-- on_hand = "stock units on hand; may be below 0"
-- available = "stock units free to sell"
-- committed = "stock units promised to orders"
-- reserved = "stock units set aside"
-- incoming = "stock units ordered and not received"
-- in_transit = "stock units between places"
-- damaged = "stock units not sellable"
-- quality_hold = "stock units waiting for a check"
-- on_hand_cost_rc = "on_hand × unit cost (reporting currency)"
-- retail_value_rc = "on_hand × selling price (reporting currency)"
-- expiry_date = "best before"
-- is_ranged = "the product is supposed to be there"
-- is_sparse = "the source leaves unchanged products out: absent is not 0"
-- ---
SELECT
    s.source_system,
    s.snapshot_date,
    s.business_date,
    s.location_id,
    s.product_id,
    coalesce(place.region_id, 'UNK') AS region_id,
    s.lot_no,
    s.on_hand,
    s.available,
    s.committed,
    s.reserved,
    s.incoming,
    s.in_transit,
    s.damaged,
    s.quality_hold,
    s.on_hand_cost_rc,
    s.retail_value_rc,
    s.expiry_date,
    s.is_ranged,
    s.is_tracked,
    s.is_sparse
FROM base.inventory_snapshot s
LEFT JOIN location place ON place.location_id = s.location_id
WHERE NOT s.is_deleted
