-- ---
-- title = { en = "Sales by who gets the credit", zh = "销售人员业绩事件" }
-- about = """The events of sales_event with the representative who gets the credit: whoever sold (default), or those who looked after the customer
-- on the day of the sale, by their shares (rep_credit = assigned). Where nobody looked after the customer, the narrowest gets it: whoever
-- sold, else those of the place of sale, else those of the region (by region_basis), else of the nearest region above it. So an event has
-- one set of representatives: a row for each of them, with parts of its amounts that add up to it (D61); orders and customers count whole
-- for each. A return counts for those who had the credit of the sale. Sales that are nobody's have the representative NULL. Sales that a
-- distributor reports are not in it."""
--
-- [params.rep_credit]
-- values = ["seller", "assigned"]
-- default = "seller"
-- about = "Who gets the credit: who sold, or who looked after the customer on the day, else who sold, else who had the place or region."
--
-- [columns]
-- sales_rep_id = "who gets the credit; NULL = nobody"
-- event_kind = "as in sales_event"
-- share = "the representative's share of the event, 0 to 1"
-- gross_sales = "before discounts and returns, the share (reporting currency)"
-- discounts = "line and order discounts, the share (reporting currency)"
-- returns = "refunds, reversals, adjustments below 0, the share (reporting currency)"
-- net_rc = "gross_sales − discounts − returns, the share (reporting currency)"
-- cost_rc = "cost of the goods, the share; NULL = not known (reporting currency)"
-- units_sold = "stock units, the share"
-- units_returned = "stock units, the share"
-- sale_order_id = "the order, on sales only"
-- buyer_key = "the customer, on sales only"
-- ---
SELECT
    s.sales_rep_id,
    s.event_kind,
    s.share,
    s.gross_sales * s.share AS gross_sales,
    s.discounts * s.share AS discounts,
    s.returns * s.share AS returns,
    s.net_rc * s.share AS net_rc,
    s.cost_rc * s.share AS cost_rc,
    s.units_sold * s.share AS units_sold,
    s.units_returned * s.share AS units_returned,
    s.sale_order_id,
    s.buyer_key,
    s.channel_id,
    s.location_id,
    s.return_channel_id,
    s.region_id,
    s.product_id,
    s.customer_key,
    s.is_staff_order,
    s.business_date,
    s.order_business_date
FROM (
    -- a wider set joins only where nothing narrower did, so no event meets two
    SELECT
        e.* EXCLUDE (sales_rep_id),
        coalesce(c.sales_rep_id, e.sales_rep_id, p.sales_rep_id, r.sales_rep_id) AS sales_rep_id,
        coalesce(c.share, p.share, r.share, CAST(1 AS DECIMAL(9,6))) AS share
    FROM sales_event e
    LEFT JOIN rep_share c
      ON $rep_credit = 'assigned' AND c.assigned_type = 'customer' AND c.assigned_id = e.given_customer_key
     AND e.order_business_date >= c.valid_from AND e.order_business_date < coalesce(c.valid_to, DATE '9999-12-31')
    LEFT JOIN rep_share p
      ON $rep_credit = 'assigned' AND coalesce(c.sales_rep_id, e.sales_rep_id) IS NULL
     AND p.assigned_type = 'location' AND p.assigned_id = e.location_id
     AND e.order_business_date >= p.valid_from AND e.order_business_date < coalesce(p.valid_to, DATE '9999-12-31')
    LEFT JOIN rep_region r
      ON $rep_credit = 'assigned' AND coalesce(c.sales_rep_id, e.sales_rep_id, p.sales_rep_id) IS NULL
     AND r.region_id = e.region_id
     AND e.order_business_date >= r.valid_from AND e.order_business_date < coalesce(r.valid_to, DATE '9999-12-31')
    WHERE e.flow <> 'sell_out'
) s
