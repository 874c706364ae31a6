-- ---
-- title = { en = "Sales by who gets the credit", zh = "销售人员业绩事件" }
-- about = """The events of sales_event with the representative who gets the credit: whoever sold (default), or those who looked after the customer
-- on the day of the sale, by their shares, where anybody did (rep_credit = assigned). Then an event has a row per representative and its
-- amounts are parts, which add up to it (D61); orders and customers count whole for each. A return counts for those who had the credit of
-- the sale. Sales by nobody, such as those of the web shop, have the representative NULL. Sales that a distributor reports are not in it."""
--
-- [params.rep_credit]
-- values = ["seller", "assigned"]
-- default = "seller"
-- about = "Who gets the credit: who sold, or who looked after the customer on the day of the sale."
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
    coalesce(s.sales_rep_id, e.sales_rep_id) AS sales_rep_id,
    e.event_kind,
    coalesce(s.share, CAST(1 AS DECIMAL(9,6))) AS share,
    e.gross_sales * coalesce(s.share, CAST(1 AS DECIMAL(9,6))) AS gross_sales,
    e.discounts * coalesce(s.share, CAST(1 AS DECIMAL(9,6))) AS discounts,
    e.returns * coalesce(s.share, CAST(1 AS DECIMAL(9,6))) AS returns,
    e.net_rc * coalesce(s.share, CAST(1 AS DECIMAL(9,6))) AS net_rc,
    e.cost_rc * coalesce(s.share, CAST(1 AS DECIMAL(9,6))) AS cost_rc,
    e.units_sold * coalesce(s.share, CAST(1 AS DECIMAL(9,6))) AS units_sold,
    e.units_returned * coalesce(s.share, CAST(1 AS DECIMAL(9,6))) AS units_returned,
    e.sale_order_id,
    e.buyer_key,
    e.channel_id,
    e.location_id,
    e.return_channel_id,
    e.region_id,
    e.product_id,
    e.customer_key,
    e.is_staff_order,
    e.business_date,
    e.order_business_date
FROM sales_event e
LEFT JOIN rep_share s
  ON $rep_credit = 'assigned' AND s.assigned_type = 'customer' AND s.assigned_id = e.given_customer_key
 AND e.order_business_date >= s.valid_from AND e.order_business_date < coalesce(s.valid_to, DATE '9999-12-31')
WHERE e.flow <> 'sell_out'
