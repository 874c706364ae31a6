-- ---
-- title = { en = "Customers across channels", zh = "跨渠道客户" }
-- about = """Who buys where? Customers by the set of channels, or kinds of channel (level type), in which they bought in the asked days:
-- only here, only there, or both, each customer in exactly one row. Beside them orders, sales and net sales per customer, so that those of
-- one channel can be compared with those of several. Orders without a customer are the row anonymous: nobody can say where else they
-- bought. Customers whose only events are returns are the row none. One customer of several channels is one where the sources tell the same
-- customer_key, or identifiers by which its keys are one (customer_identity)."""
-- key = ["channels"]
-- needs = ["order_line.customer_key"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- level = { type = "text", default = "channel", values = ["type", "channel"], about = "Kinds of channel, or channels." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a period that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- measures = ["customers", "orders", "net_sales"]
--
-- [chart]
-- kind = "matrix"
-- x = "channels"
-- y = ["customers", "net_sales_per_customer"]
--
-- [columns]
-- period_start = "the first day asked for"
-- period_end = "the first day that is not"
-- is_partial_period = "to is after as_of: the period is not over"
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
-- net_sales_all = "net sales of all rows (money)"
-- share = "net_sales / net_sales_all"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "groups add up to the total"
-- params = { totals = "true" }
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
    $from AS period_start,
    $to AS period_end,
    $to > $as_of AS is_partial_period,
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
    sum(s.net_sales) OVER () AS net_sales_all,
    ratio(s.net_sales, sum(s.net_sales) OVER ()) AS share,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN e.customer_key IS NULL THEN 'anonymous' ELSE coalesce(h.channels, 'none') END AS channels,
        CASE WHEN e.customer_key IS NOT NULL THEN coalesce(h.channel_count, 0) END AS channel_count,
        count(DISTINCT e.buyer_key) AS customers,
        count(DISTINCT e.sale_order_id) AS orders,
        sum(e.gross_sales - e.discounts) AS sales_before_returns,
        sum(e.returns) AS returns,
        sum(e.net_rc) AS net_sales
    FROM sales_event e
    LEFT JOIN (
        SELECT w.customer_key, string_agg(w.channel, ' + ' ORDER BY w.channel) AS channels, count(*) AS channel_count
        FROM (
            SELECT v.customer_key, CASE WHEN $level = 'type' THEN member(v.channel_id, c.channel_type) ELSE member(v.channel_id, c.channel_name) END AS channel
            FROM sales_event v
            LEFT JOIN channel c ON c.channel_id = v.channel_id
            WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out' AND v.event_kind IN ('sale', 'exchange_out')
              AND v.customer_key IS NOT NULL
            GROUP BY 1, 2
        ) w
        GROUP BY 1
    ) h ON h.customer_key = e.customer_key
    WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out'
    GROUP BY 1, 2
) s
ORDER BY s.net_sales DESC NULLS LAST, s.channels NULLS LAST
