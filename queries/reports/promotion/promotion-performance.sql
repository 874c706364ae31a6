-- ---
-- title = { en = "Promotions", zh = "促销表现" }
-- about = """What does each promotion sell? The lines that a promotion reduced, with their orders, customers, margin and what the promotion
-- took off them: order_share = orders with such a line / all orders, discount_depth = promotion_discounts / gross_sales. Net sales are
-- after returns of those lines, each on its own day. new_customers are those whose first purchase ever, over all channels and all time, was
-- with the promotion. A line that two promotions reduced counts in both, so rows do not add up; promotion_discounts are each promotion's
-- own. Promotions without a sale are shown with include_zero alone; one that the list does not have is the row UNK. What would have been
-- sold without the promotion is another question."""
-- key = ["period_start", "promotion_id"]
-- totals = false
-- needs = ["order_line_discount.promotion_id", "promotion"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- promotion = { type = "list<text>", optional = true, values = "SELECT promotion_id FROM promotion ORDER BY 1", about = "Only these promotions." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per promotion and such bucket; all = one row per promotion." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Promotions without any event are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["net_sales", "orders", "promotion_discounts", "gross_profit"]
--
-- [chart]
-- kind = "bar"
-- x = "promotion_name"
-- y = ["net_sales", "promotion_discounts"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- promotion_id = "the promotion; UNK = not in the list"
-- promotion_name = "its name"
-- promotion_type = "price_off, percent_off, coupon, points …"
-- funded_by = "who bears it"
-- orders = "distinct orders with a line that it reduced"
-- orders_all = "distinct orders of all sales of the bucket"
-- order_share = "orders / orders_all"
-- customers = "distinct customers who bought such a line"
-- new_customers = "those of them whose first purchase it was"
-- gross_sales = "of those lines, before discounts (money)"
-- discounts = "all discounts of those lines (money)"
-- promotion_discounts = "what the promotion took off (money)"
-- discount_depth = "promotion_discounts / gross_sales (share)"
-- returns = "of those lines (money)"
-- net_sales = "gross_sales − discounts − returns (money)"
-- net_sales_all = "net sales of all sales of the bucket (money)"
-- share = "net_sales / net_sales_all"
-- units_sold = "stock units"
-- units_returned = "stock units"
-- net_units = "units_sold − units_returned (stock units)"
-- net_sales_with_cost = "net sales whose cost is known (money)"
-- cogs = "cost of those goods, less cost returned to stock (money)"
-- gross_profit = "net_sales_with_cost − cogs (money)"
-- gross_margin_pct = "gross_profit / net_sales_with_cost (share)"
-- fixed_cost = "what the promotion costs beside its discounts, whatever the days (money)"
-- budget = "what it may cost (money)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "promoted sales are part of all"
-- each = [
--     "orders <= orders_all",
--     "new_customers <= customers",
--     "net_units = units_sold - units_returned",
--     "gross_profit = net_sales_with_cost - cogs",
-- ]
--
-- [[tests]]
-- name = "all sales are those of all channels"
-- params = { return_basis = "sale_date" }
-- each = ["promotion_id <> 'N/A'"]
-- all = ["max(net_sales_all) = (SELECT sum(w.net_sales) FROM report('sales-by-channel', 'return_basis=sale_date') w)"]
-- ---
WITH taken AS (
    -- a row per line and promotion as it is shown
    SELECT
        d.source_system, d.order_id, d.order_line_id, member(d.promotion_id, p.promotion_id) AS promotion_id, sum(d.amount_rc) AS amount_rc
    FROM line_discount d
    LEFT JOIN promotion p ON p.promotion_id = d.promotion_id
    WHERE d.promotion_id IS NOT NULL
    GROUP BY 1, 2, 3, 4
),
whole AS (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
        count(DISTINCT e.sale_order_id) AS orders,
        sum(e.net_rc) AS net_sales
    FROM sales_event e
    WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out'
    GROUP BY 1
)
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.promotion_id,
    coalesce(p.promotion_name, s.promotion_id) AS promotion_name,
    p.promotion_type,
    p.funded_by,
    s.orders,
    coalesce(w.orders, 0) AS orders_all,
    ratio(s.orders, w.orders) AS order_share,
    s.customers,
    s.new_customers,
    s.gross_sales,
    s.discounts,
    s.promotion_discounts,
    ratio(s.promotion_discounts, s.gross_sales) AS discount_depth,
    s.returns,
    s.net_sales,
    coalesce(w.net_sales, CAST(0 AS DECIMAL(28,4))) AS net_sales_all,
    ratio(s.net_sales, w.net_sales) AS share,
    s.units_sold,
    s.units_returned,
    s.units_sold - s.units_returned AS net_units,
    s.net_sales_with_cost,
    s.cogs,
    s.net_sales_with_cost - s.cogs AS gross_profit,
    ratio(s.net_sales_with_cost - s.cogs, s.net_sales_with_cost) AS gross_margin_pct,
    p.fixed_cost_rc AS fixed_cost,
    p.budget_rc AS budget,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
        e.promotion_id,
        count(DISTINCT e.sale_order_id) AS orders,
        count(DISTINCT e.buyer_key) AS customers,
        count(DISTINCT e.new_key) AS new_customers,
        sum(e.gross_sales) AS gross_sales,
        sum(e.discounts) AS discounts,
        sum(e.taken) AS promotion_discounts,
        sum(e.returns) AS returns,
        sum(e.net_rc) AS net_sales,
        sum(e.units_sold) AS units_sold,
        sum(e.units_returned) AS units_returned,
        sum(CASE WHEN e.cost_rc IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales_with_cost,
        sum(coalesce(e.cost_rc, CAST(0 AS DECIMAL(18,4)))) AS cogs
    FROM (
        SELECT
            v.business_date, t.promotion_id, v.sale_order_id, v.buyer_key,
            CASE WHEN f.first_date = v.business_date THEN v.buyer_key END AS new_key,
            v.gross_sales, v.discounts,
            CASE WHEN v.event_kind IN ('sale', 'exchange_out') THEN t.amount_rc ELSE CAST(0 AS DECIMAL(28,4)) END AS taken,
            v.returns, v.net_rc, v.units_sold, v.units_returned, v.cost_rc
        FROM sales_event v
        JOIN taken t ON t.source_system = v.line_source AND t.order_id = v.line_order_id AND t.order_line_id = v.line_id
        LEFT JOIN first_purchase f ON f.customer_key = v.buyer_key
        WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out'

        UNION ALL

        -- every promotion in every bucket, on the bucket's first day
        SELECT
            d.date_key AS business_date, known.promotion_id, CAST(NULL AS VARCHAR) AS sale_order_id, CAST(NULL AS VARCHAR) AS buyer_key,
            CAST(NULL AS VARCHAR) AS new_key, CAST(0 AS DECIMAL(18,4)) AS gross_sales, CAST(0 AS DECIMAL(18,4)) AS discounts,
            CAST(0 AS DECIMAL(28,4)) AS taken, CAST(0 AS DECIMAL(18,4)) AS returns, CAST(0 AS DECIMAL(18,4)) AS net_rc,
            CAST(0 AS DECIMAL(18,3)) AS units_sold, CAST(0 AS DECIMAL(18,3)) AS units_returned, CAST(NULL AS DECIMAL(18,4)) AS cost_rc
        FROM promotion known
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) e
    WHERE $promotion IS NULL OR array_has($promotion, e.promotion_id)
    GROUP BY 1, 2
) s
LEFT JOIN whole w ON w.period_start = s.period_start
LEFT JOIN promotion p ON p.promotion_id = s.promotion_id
ORDER BY s.period_start NULLS LAST, s.net_sales DESC NULLS LAST, s.promotion_id NULLS LAST
