-- ---
-- title = { en = "Stock and sales of every day", zh = "每日库存与销售" }
-- about = """What each product in a place had at the close of a day, and what that place sold of it on the day: how much sells while there is
-- something to sell. Only days on which the place's stock is known (view inventory_day), and only sales of places that keep stock: those
-- without a place, or on days without a count, are in sales_event alone. Sales of flow sell_out are left out."""
-- [columns]
-- stock_date = "the day"
-- location_id = "the place"
-- product_id = "the product"
-- region_id = "the region of the place; 'UNK' = the place is not in the dimension"
-- on_hand = "stock units on hand at its close; may be below 0"
-- available = "stock units free to sell at its close"
-- in_transit = "stock units on their way from another place"
-- on_hand_cost_rc = "on_hand × unit cost (reporting currency)"
-- is_ranged = "the product is supposed to be there"
-- is_carried = "the place was not counted on this day: the count of an earlier one"
-- net_units = "units sold less units returned on the day (stock units)"
-- net_rc = "net sales of the day (reporting currency)"
-- ---
SELECT
    t.stock_date,
    t.location_id,
    t.product_id,
    t.region_id,
    t.on_hand,
    t.available,
    t.in_transit,
    t.on_hand_cost_rc,
    t.is_ranged,
    t.is_carried,
    coalesce(d.net_units, CAST(0 AS DECIMAL(28,3))) AS net_units,
    coalesce(d.net_rc, CAST(0 AS DECIMAL(28,4))) AS net_rc
FROM (
    -- a place that two systems tell of has what both say
    SELECT
        i.stock_date,
        i.location_id,
        i.product_id,
        i.region_id,
        sum(i.on_hand) AS on_hand,
        sum(i.available) AS available,
        sum(i.in_transit) AS in_transit,
        sum(i.on_hand_cost_rc) AS on_hand_cost_rc,
        bool_or(i.is_ranged) AS is_ranged,
        bool_and(i.is_carried) AS is_carried
    FROM inventory_day i
    GROUP BY 1, 2, 3, 4
) t
LEFT JOIN (
    SELECT
        e.business_date,
        e.location_id,
        e.product_id,
        sum(e.units_sold - e.units_returned) AS net_units,
        sum(e.net_rc) AS net_rc
    FROM sales_event e
    WHERE e.flow <> 'sell_out' AND e.location_id IS NOT NULL AND e.product_id IS NOT NULL
    GROUP BY 1, 2, 3
) d ON d.business_date = t.stock_date AND d.location_id = t.location_id AND d.product_id = t.product_id
