-- ---
-- title = { en = "Stock movements", zh = "库存流水" }
-- about = """What moved in and out of places, signed: opening stock + movements = closing stock per place and product. Additive over days,
-- places and products; a transfer is two movements, one in each place."""
-- needs = ["inventory_movement"]
-- [columns]
-- movement_type = "receipt, sale, sale_return, transfer_out, transfer_in, adjust_up, adjust_down, damage, theft, write_off, count, production_in, production_out or supplier_return"
-- business_date = "the local day"
-- location_id = "the place"
-- product_id = "the product"
-- region_id = "the region of the place; 'UNK' = the place is not in the dimension"
-- quantity = "stock units, below 0 = out of the place"
-- cost_amount_rc = "quantity × unit cost, signed as quantity (reporting currency)"
-- ---
SELECT
    m.source_system,
    m.movement_id,
    m.movement_type,
    m.event_time,
    m.business_date,
    m.location_id,
    m.counterparty_location_id,
    m.product_id,
    coalesce(place.region_id, 'UNK') AS region_id,
    m.lot_no,
    m.quantity,
    m.cost_amount_rc,
    m.ref_type,
    m.ref_id,
    m.reason_code
FROM base.inventory_movement m
LEFT JOIN location place ON place.location_id = m.location_id
WHERE NOT m.is_deleted
