-- ---
-- title = { en = "Sales events in the region of their place", zh = "按门店所属区域的销售事件" }
-- about = """sales_event with region_id as the place of sale lies now, or as it lay on the day of the order (policy attribute_basis), so that a
-- shop that was given to another region keeps its history there. A return goes where its sale went."""
--
-- [params.attribute_basis]
-- values = ["as_is", "as_was"]
-- default = "as_is"
-- about = "The region of the place of sale: as it is now, or as it was on the day of the order."
--
-- [params.region_basis]
-- values = ["sold", "ship", "bill"]
-- default = "sold"
-- about = "region_id: of the place of sale (else of the delivery), of the delivery, or of the invoice."
--
-- [columns]
-- region_id = "by the policies region_basis and attribute_basis; UNK = of a place or sale that is not known"
-- ---
SELECT
    e.* EXCLUDE (region_id),
    coalesce(past.region_id, e.region_id) AS region_id
FROM sales_event e
-- not in the plan where nothing is asked about the past
LEFT JOIN (
    SELECT
        h.location_id,
        h.region_id,
        lake_date(h.valid_from) AS first_day,
        coalesce(lake_date(h.valid_to), DATE '9999-12-31') AS end_day
    FROM location_history h
    WHERE $attribute_basis = 'as_was' AND $region_basis = 'sold'
) past ON past.location_id = e.location_id AND past.first_day <= e.order_business_date AND e.order_business_date < past.end_day
