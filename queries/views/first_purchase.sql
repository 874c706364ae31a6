-- ---
-- title = { en = "First purchases", zh = "首次购买" }
-- about = """One row per customer who ever bought: the day of the first purchase, over all time and all channels. Slicers do not enter: a
-- customer of years is not new because a report looks at one shop only. What counts as a purchase, and on which day, is sales_event's
-- matter; sales that a distributor reports (flow sell_out) are none."""
-- sliced = false
-- [columns]
-- customer_key = "pseudonymous customer, unique"
-- first_date = "the business date of the first purchase"
-- ---
SELECT
    e.customer_key,
    min(e.business_date) AS first_date
FROM sales_event e
WHERE e.event_kind IN ('sale', 'exchange_out')
  AND e.flow <> 'sell_out'
  AND e.customer_key IS NOT NULL
GROUP BY e.customer_key
