-- ---
-- title = { en = "New and returning customers", zh = "新老客户" }
-- about = """Who buys: new customers, returning ones, or nobody that we know? A customer is new in the bucket of the first purchase ever,
-- over all time and all channels, whatever the slicers leave (view first_purchase), and returning in every later one. All purchases of the
-- first bucket are the new customer's, also the second one. Customers count once per bucket, so over buckets they do not add up. Sales
-- without a customer are anonymous. A return counts where its customer stands in the bucket of the return; one of a customer whose
-- purchases are not known counts as returning."""
-- key = ["period_start", "customer_kind"]
-- needs = ["order_line.customer_key"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- grain = { type = "text", default = "month", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per kind and such bucket; all = one row per kind." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = true, about = "Kinds without any event are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["customers", "orders", "net_sales"]
--
-- [chart]
-- kind = "stack"
-- x = "period_start"
-- y = ["net_sales"]
-- series = "customer_kind"
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- customer_kind = "new, returning or anonymous"
-- customers = "distinct customers who bought"
-- orders = "distinct orders"
-- sales_before_returns = "gross_sales − discounts (money)"
-- aov = "sales_before_returns / orders (money per order)"
-- returns = "refunds, reversals, negative adjustments (money)"
-- net_sales = "gross_sales − discounts − returns (money)"
-- net_sales_all = "net sales of the bucket over all kinds (money)"
-- share = "net_sales / net_sales_all"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "kinds add up to the total"
-- params = { totals = "true" }
-- each = ["customer_kind <> 'anonymous' OR customers = 0"]
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN net_sales END) = sum(CASE WHEN row_kind = 'total' THEN net_sales END)",
--     "sum(CASE WHEN row_kind = 'row' THEN returns END) = sum(CASE WHEN row_kind = 'total' THEN returns END)",
-- ]
--
-- [[tests]]
-- name = "what it says of all is the sum of its rows"
-- params = { grain = "all" }
-- each = ["net_sales = sales_before_returns - returns"]
-- all = ["sum(net_sales) = max(net_sales_all)"]
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.customer_kind,
    s.customers,
    s.orders,
    s.sales_before_returns,
    ratio(s.sales_before_returns, s.orders) AS aov,
    s.returns,
    s.net_sales,
    sum(s.net_sales) OVER (PARTITION BY s.period_start) AS net_sales_all,
    ratio(s.net_sales, sum(s.net_sales) OVER (PARTITION BY s.period_start)) AS share,
    reporting_currency() AS currency
FROM (
    SELECT
        u.period_start,
        u.customer_kind,
        count(DISTINCT u.buyer_key) AS customers,
        count(DISTINCT u.sale_order_id) AS orders,
        sum(u.sold) AS sales_before_returns,
        sum(u.returns) AS returns,
        sum(u.net_rc) AS net_sales
    FROM (
        SELECT
            e.period_start,
            CASE WHEN e.customer_key IS NULL THEN 'anonymous'
                 WHEN f.first_date >= e.period_start AND f.first_date <= e.business_date THEN 'new'
                 -- bought for the first time later in the bucket: a return of something older
                 WHEN f.first_date >= e.period_start AND CASE WHEN $grain = 'all' THEN f.first_date < $to
                      ELSE period_start(f.first_date, $grain, $calendar) = e.period_start END THEN 'new'
                 ELSE 'returning' END AS customer_kind,
            e.buyer_key, e.sale_order_id, e.sold, e.returns, e.net_rc
        FROM (
            SELECT
                CASE WHEN $grain = 'all' THEN $from ELSE period_start(v.business_date, $grain, $calendar) END AS period_start,
                v.business_date, v.customer_key, v.buyer_key, v.sale_order_id, v.gross_sales - v.discounts AS sold, v.returns, v.net_rc
            FROM sales_event v
            WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out'
        ) e
        LEFT JOIN first_purchase f ON f.customer_key = e.customer_key

        UNION ALL

        SELECT
            CASE WHEN $grain = 'all' THEN $from ELSE period_start(d.date_key, $grain, $calendar) END AS period_start,
            CASE n.day_of_month WHEN 1 THEN 'new' WHEN 2 THEN 'returning' ELSE 'anonymous' END AS customer_kind,
            CAST(NULL AS VARCHAR) AS buyer_key, CAST(NULL AS VARCHAR) AS sale_order_id, CAST(0 AS DECIMAL(19,4)) AS sold,
            CAST(0 AS DECIMAL(18,4)) AS returns, CAST(0 AS DECIMAL(18,4)) AS net_rc
        FROM calendar d
        CROSS JOIN (SELECT day_of_month FROM calendar WHERE day_of_month <= 3 GROUP BY 1) n
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) u
    GROUP BY 1, 2
) s
ORDER BY s.period_start NULLS LAST, s.customer_kind NULLS LAST
