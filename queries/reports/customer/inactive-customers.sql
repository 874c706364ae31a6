-- ---
-- title = { en = "Inactive customers", zh = "流失客户清单" }
-- about = """Who has stopped buying? Customers whose last order lies `days` days or more before as_of and who had at least min_orders
-- orders until then, over all time: the last order with its day and value, days since, and all that they ever brought. Of several orders on
-- the last day the last by its id is shown. What lies on or after as_of does not exist for the report, so that the same as_of gives the
-- same list tomorrow. Slicers choose which orders are looked at: where.channel=web lists who stopped buying there."""
-- key = ["customer_key"]
-- totals = false
-- needs = ["order_line.customer_key"]
--
-- [params]
-- as_of = { type = "date", default = "today", about = "The list as it was at the beginning of this day." }
-- days = { type = "int", default = 180, min = 1, max = 3650, about = "Silent for at least so many days." }
-- min_orders = { type = "int", default = 1, min = 1, about = "Had at least so many orders." }
--
-- [chart]
-- kind = "table"
-- x = "customer_key"
-- y = ["net_sales", "days_since"]
--
-- [columns]
-- period_start = "the first day on which none of them ordered"
-- period_end = "as_of"
-- is_partial_period = "never: the days before as_of are over"
-- customer_key = "the customer (pseudonym)"
-- customer_type = "consumer or business; UNK = not in the customer table"
-- customer_group = "group"
-- membership_tier = "tier"
-- first_order_date = "the first order"
-- last_order_date = "the last order"
-- days_since = "days from it to as_of"
-- last_order_id = "its id, source:number"
-- last_order_sales = "its gross_sales − discounts (money)"
-- orders = "distinct orders before as_of"
-- sales_before_returns = "gross_sales − discounts before as_of (money)"
-- returns = "refunds, reversals, negative adjustments before as_of (money)"
-- net_sales = "net sales before as_of (money)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "silent for as long as asked"
-- each = ["days_since >= 180", "first_order_date <= last_order_date", "net_sales = sales_before_returns - returns"]
--
-- [[tests]]
-- name = "as many orders as asked"
-- params = { days = "365", min_orders = "3" }
-- each = ["days_since >= 365", "orders >= 3"]
-- ---
SELECT
    CAST(CAST($as_of AS INT) - $days AS DATE) AS period_start,
    $as_of AS period_end,
    false AS is_partial_period,
    s.customer_key,
    member(s.customer_key, k.customer_type) AS customer_type,
    k.customer_group,
    k.membership_tier,
    s.first_order_date,
    s.last_order_date,
    CAST($as_of AS INT) - CAST(s.last_order_date AS INT) AS days_since,
    s.last_order_id,
    s.last_order_sales,
    s.orders,
    s.sales_before_returns,
    s.returns,
    s.net_sales,
    reporting_currency() AS currency
FROM (
    SELECT
        o.customer_key,
        min(o.order_date) AS first_order_date,
        max(o.order_date) AS last_order_date,
        max(CASE WHEN o.newest = 1 THEN o.sale_order_id END) AS last_order_id,
        max(CASE WHEN o.newest = 1 THEN o.sold END) AS last_order_sales,
        count(o.sale_order_id) AS orders,
        sum(o.sold) AS sales_before_returns,
        sum(o.returns) AS returns,
        sum(o.net_sales) AS net_sales
    FROM (
        -- per order, newest first; what belongs to no order (returns, adjustments) is one row without an id, behind them
        SELECT
            e.customer_key,
            e.sale_order_id,
            max(CASE WHEN e.sale_order_id IS NOT NULL THEN e.business_date END) AS order_date,
            sum(e.gross_sales - e.discounts) AS sold,
            sum(e.returns) AS returns,
            sum(e.net_rc) AS net_sales,
            row_number() OVER (PARTITION BY e.customer_key
                               ORDER BY max(CASE WHEN e.sale_order_id IS NOT NULL THEN e.business_date END) DESC NULLS LAST,
                                        e.sale_order_id DESC NULLS LAST) AS newest
        FROM sales_event e
        WHERE e.business_date < $as_of AND e.flow <> 'sell_out' AND e.customer_key IS NOT NULL
        GROUP BY e.customer_key, e.sale_order_id
    ) o
    GROUP BY 1
    HAVING count(o.sale_order_id) >= $min_orders AND CAST($as_of AS INT) - CAST(max(o.order_date) AS INT) >= $days
) s
LEFT JOIN customer_now k ON k.customer_key = s.customer_key
ORDER BY s.net_sales DESC NULLS LAST, s.customer_key NULLS LAST
