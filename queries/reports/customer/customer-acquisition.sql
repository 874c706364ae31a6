-- ---
-- title = { en = "Customer acquisition", zh = "新客获取" }
-- about = """Where do new customers come from? Customers by the period of their first purchase ever, over all channels and all time (view
-- first_purchase), per channel of the first order of that first day (of several the first by its id), with what they ordered on that day.
-- Every new customer counts once, in one channel, so channels and periods add up. first_order_value = first_day_sales / first_day_orders.
-- cac = marketing_spend / new_customers_all: what all of marketing in the bucket cost per new customer, whichever channel sold (report roas-cac
-- asks which contact won them). With slicers only orders of the slice are looked at, and a customer who first bought elsewhere is not new in
-- it; marketing_spend stays whole, for spend is not of a shop or an article."""
-- key = ["period_start", "channel_id"]
-- spine = ["channel"]
-- needs = ["order_line.customer_key"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- grain = { type = "text", default = "month", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per channel and such bucket; all = one row per channel." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Channels without any new customer are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["new_customers", "first_day_orders", "first_day_sales"]
--
-- [chart]
-- kind = "line"
-- x = "period_start"
-- y = ["new_customers"]
-- series = "channel_name"
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- channel_id = "the channel; UNK = not in the channel table, N/A = no channel"
-- channel_name = "its name"
-- new_customers = "customers whose first purchase it was"
-- new_customers_all = "new customers of the bucket over all channels"
-- new_share = "new_customers / new_customers_all"
-- first_day_orders = "their orders on the first day, in any channel"
-- first_day_sales = "gross_sales − discounts of those orders (money)"
-- first_order_value = "first_day_sales / first_day_orders (money per order)"
-- first_day_orders_per_customer = "first_day_orders / new_customers"
-- marketing_spend = "all marketing spend of the bucket, whatever the slicers (money)"
-- cac = "marketing_spend / new_customers_all (money per customer)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "channels and months add up to the total"
-- params = { totals = "true", include_zero = "true" }
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN new_customers END) = sum(CASE WHEN row_kind = 'total' THEN new_customers END)",
--     "sum(CASE WHEN row_kind = 'row' THEN first_day_sales END) = sum(CASE WHEN row_kind = 'total' THEN first_day_sales END)",
-- ]
--
-- [[tests]]
-- name = "each new customer has an order"
-- params = { grain = "all" }
-- each = ["first_day_orders >= new_customers"]
-- all = ["sum(new_customers) = max(new_customers_all)"]
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.channel_id,
    s.channel_name,
    s.new_customers,
    s.new_customers_all,
    ratio(s.new_customers, s.new_customers_all) AS new_share,
    s.first_day_orders,
    s.first_day_sales,
    ratio(s.first_day_sales, s.first_day_orders) AS first_order_value,
    ratio(s.first_day_orders, s.new_customers) AS first_day_orders_per_customer,
    s.marketing_spend,
    ratio(s.marketing_spend, s.new_customers_all) AS cac,
    reporting_currency() AS currency
FROM (
    SELECT
        g.*,
        sum(g.new_customers) OVER (PARTITION BY g.period_start) AS new_customers_all,
        sum(g.spend) OVER (PARTITION BY g.period_start) AS marketing_spend
    FROM (
        SELECT
            CASE WHEN $grain = 'all' THEN $from ELSE period_start(b.first_date, $grain, $calendar) END AS period_start,
            member(b.channel_id, c.channel_id) AS channel_id,
            member(b.channel_id, c.channel_name) AS channel_name,
            sum(b.is_new) AS new_customers,
            sum(b.orders) AS first_day_orders,
            sum(b.sold) AS first_day_sales,
            sum(b.spend) AS spend,
            sum(b.is_listed) AS listed
        FROM (
            SELECT
                o.customer_key,
                o.first_date,
                max(CASE WHEN o.place = 1 THEN o.channel_id END) AS channel_id,
                CAST(1 AS BIGINT) AS is_new,
                count(o.sale_order_id) AS orders,
                sum(o.sold) AS sold,
                CAST(0 AS DECIMAL(18,4)) AS spend,
                CAST(0 AS BIGINT) AS is_listed
            FROM (
                -- the orders of the first day, one row each
                SELECT
                    e.customer_key,
                    f.first_date,
                    e.sale_order_id,
                    min(e.channel_id) AS channel_id,
                    sum(e.gross_sales - e.discounts) AS sold,
                    row_number() OVER (PARTITION BY e.customer_key ORDER BY e.sale_order_id NULLS LAST) AS place
                FROM sales_event e
                JOIN first_purchase f ON f.customer_key = e.customer_key AND f.first_date = e.business_date
                WHERE f.first_date >= $from AND f.first_date < $to AND e.flow <> 'sell_out' AND e.event_kind IN ('sale', 'exchange_out')
                GROUP BY e.customer_key, f.first_date, e.sale_order_id
            ) o
            GROUP BY o.customer_key, o.first_date

            UNION ALL

            -- what marketing cost, beside the channels: it makes no row of its own
            SELECT
                CAST(NULL AS VARCHAR) AS customer_key, m.business_date AS first_date, CAST(NULL AS VARCHAR) AS channel_id, CAST(0 AS BIGINT) AS is_new,
                CAST(0 AS BIGINT) AS orders, CAST(0 AS DECIMAL(38,4)) AS sold, m.spend_rc AS spend, CAST(0 AS BIGINT) AS is_listed
            FROM marketing_spend_day m
            WHERE m.business_date >= $from AND m.business_date < $to

            UNION ALL

            -- every channel in every bucket, on the bucket's first day
            SELECT
                CAST(NULL AS VARCHAR) AS customer_key, d.date_key AS first_date, known.channel_id, CAST(0 AS BIGINT) AS is_new,
                CAST(0 AS BIGINT) AS orders, CAST(0 AS DECIMAL(38,4)) AS sold, CAST(0 AS DECIMAL(18,4)) AS spend,
                CAST(1 AS BIGINT) AS is_listed
            FROM channel known
            CROSS JOIN calendar d
            WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
              AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
        ) b
        LEFT JOIN channel c ON c.channel_id = b.channel_id
        GROUP BY 1, 2, 3
    ) g
) s
WHERE s.new_customers > 0 OR s.listed > 0
ORDER BY s.period_start NULLS LAST, s.new_customers DESC NULLS LAST, s.channel_id NULLS LAST
