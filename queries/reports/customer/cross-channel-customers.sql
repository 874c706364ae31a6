-- ---
-- title = { en = "Customers across channels", zh = "跨渠道客户" }
-- about = """Who buys where? Customers by the set of channels, or kinds of channel (level type), in which they bought in the bucket: only
-- here, only there, or both, each customer in exactly one row of it. Beside them orders, sales and net sales per customer, so that those of
-- one channel can be compared with those of several. Orders without a customer are the row anonymous: nobody can say where else they
-- bought. Customers whose only events are returns are the row none. One customer of several channels is one where the sources tell the same
-- customer_key, or identifiers by which its keys are one (customer_identity). There is no include_zero: sets of channels are
-- listed nowhere."""
-- key = ["period_start", "channels"]
-- needs = ["order_line.customer_key"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- level = { type = "text", default = "channel", values = ["type", "channel"], about = "Kinds of channel, or channels." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per set of channels and such bucket; all = one row per set of channels." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
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
-- kind = "matrix"
-- x = "channels"
-- y = ["customers", "net_sales_per_customer"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- channels = "the channels by name, joined by +; anonymous = no customer, none = no purchase"
-- channel_count = "how many; empty for anonymous"
-- customers = "distinct customers who bought"
-- orders = "distinct orders"
-- orders_per_customer = "orders / customers"
-- sales_before_returns = "gross_sales − discounts (money)"
-- aov = "sales_before_returns / orders (money per order)"
-- returns = "refunds, reversals, negative adjustments (money)"
-- net_sales = "gross_sales − discounts − returns (money)"
-- net_sales_per_customer = "net_sales / customers (money per customer)"
-- net_sales_all = "net sales of the bucket over all rows, before any limit (money)"
-- share = "net_sales / net_sales_all"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "groups add up to the total"
-- params = { totals = "true", grain = "month" }
-- each = ["channel_count >= 0"]
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN net_sales END) = sum(CASE WHEN row_kind = 'total' THEN net_sales END)",
--     "sum(CASE WHEN row_kind = 'row' THEN returns END) = sum(CASE WHEN row_kind = 'total' THEN returns END)",
-- ]
--
-- [[tests]]
-- name = "whoever bought ordered"
-- params = { level = "type" }
-- each = ["orders >= customers"]
-- all = ["sum(net_sales) = max(net_sales_all)"]
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.channels,
    s.channel_count,
    s.customers,
    s.orders,
    ratio(s.orders, s.customers) AS orders_per_customer,
    s.sales_before_returns,
    ratio(s.sales_before_returns, s.orders) AS aov,
    s.returns,
    s.net_sales,
    ratio(s.net_sales, s.customers) AS net_sales_per_customer,
    sum(s.net_sales) OVER (PARTITION BY s.period_start) AS net_sales_all,
    ratio(s.net_sales, sum(s.net_sales) OVER (PARTITION BY s.period_start)) AS share,
    reporting_currency() AS currency
FROM (
    SELECT
        e.period_start,
        CASE WHEN e.customer_key IS NULL THEN 'anonymous' ELSE coalesce(h.channels, 'none') END AS channels,
        CASE WHEN e.customer_key IS NOT NULL THEN coalesce(h.channel_count, 0) END AS channel_count,
        count(DISTINCT e.buyer_key) AS customers,
        count(DISTINCT e.sale_order_id) AS orders,
        sum(e.gross_sales - e.discounts) AS sales_before_returns,
        sum(e.returns) AS returns,
        sum(e.net_rc) AS net_sales
    FROM (
        SELECT
            CASE WHEN $grain = 'all' THEN $from ELSE period_start(v.business_date, $grain, $calendar) END AS period_start,
            v.customer_key, v.buyer_key, v.sale_order_id, v.gross_sales, v.discounts, v.returns, v.net_rc
        FROM sales_event v
        WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out'
    ) e
    LEFT JOIN (
        -- as string_agg(… ORDER BY …), which sorts each customer by itself
        SELECT w.period_start, w.customer_key, array_to_string(array_sort(array_agg(w.channel)), ' + ') AS channels, count(*) AS channel_count
        FROM (
            SELECT
                CASE WHEN $grain = 'all' THEN $from ELSE period_start(v.business_date, $grain, $calendar) END AS period_start,
                v.customer_key,
                CASE WHEN $level = 'type' THEN member(v.channel_id, c.channel_type) ELSE member(v.channel_id, c.channel_name) END AS channel
            FROM sales_event v
            LEFT JOIN channel c ON c.channel_id = v.channel_id
            WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out' AND v.event_kind IN ('sale', 'exchange_out')
              AND v.customer_key IS NOT NULL
            GROUP BY 1, 2, 3
        ) w
        GROUP BY 1, 2
    ) h ON h.customer_key = e.customer_key AND h.period_start = e.period_start
    GROUP BY 1, 2, 3
) s
ORDER BY s.period_start NULLS LAST, s.net_sales DESC NULLS LAST, s.channels NULLS LAST
