-- ---
-- title = { en = "Top customers", zh = "大客户排行" }
-- about = """Who are the biggest customers? The n customers with the most net sales of each bucket, with rank, profit, orders, the day of
-- the last order, and how much of all net sales they bring together: cumulative_share = cumulative_net_sales / net_sales_all. All sales are
-- in the denominator, those without a customer too; only known customers are ranked, equal ones in order of customer_key. Keys are
-- pseudonyms; group and tier are those of today. There is no include_zero: who bought nothing is no top customer."""
-- key = ["period_start", "customer_key"]
-- totals = false
-- needs = ["order_line.customer_key"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- n = { type = "int", default = 100, min = 1, max = 100000, about = "So many customers, in each bucket." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "The first of each such bucket; all = of all days." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [chart]
-- kind = "hbar"
-- x = "customer_key"
-- y = ["net_sales"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- customer_key = "the customer (pseudonym)"
-- customer_type = "consumer or business; UNK = not in the customer table"
-- customer_group = "group"
-- membership_tier = "tier"
-- place = "rank by net sales in the bucket, 1 = most"
-- orders = "distinct orders"
-- last_order_date = "the last order of the bucket; empty: only returns"
-- sales_before_returns = "gross_sales − discounts (money)"
-- returns = "refunds, reversals, negative adjustments (money)"
-- net_sales = "gross_sales − discounts − returns (money)"
-- net_sales_with_cost = "net sales whose cost is known (money)"
-- cogs = "cost of those goods, less cost returned to stock (money)"
-- gross_profit = "net_sales_with_cost − cogs (money)"
-- gross_margin_pct = "gross_profit / net_sales_with_cost (share)"
-- cumulative_net_sales = "net sales of this customer and all before, in the bucket (money)"
-- net_sales_all = "net sales of the bucket, of everything that the filters leave (money)"
-- cumulative_share = "cumulative_net_sales / net_sales_all"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "no more than a hundred"
-- each = ["gross_profit = net_sales_with_cost - cogs", "place >= 1"]
-- all = ["count(*) <= 100"]
--
-- [[tests]]
-- name = "as many as asked for, from the first on"
-- params = { n = "10", grain = "month" }
-- each = ["place <= 10"]
-- all = ["count(*) <= 10 * count(DISTINCT period_start)"]
-- ---
SELECT
    r.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(r.period_start, $grain, $calendar) END AS period_end,
    r.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(r.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    r.customer_key,
    member(r.customer_key, k.customer_type) AS customer_type,
    k.customer_group,
    k.membership_tier,
    r.place,
    r.orders,
    r.last_order_date,
    r.sales_before_returns,
    r.returns,
    r.net_sales,
    r.net_sales_with_cost,
    r.cogs,
    r.net_sales_with_cost - r.cogs AS gross_profit,
    ratio(r.net_sales_with_cost - r.cogs, r.net_sales_with_cost) AS gross_margin_pct,
    r.cumulative_net_sales,
    r.net_sales_all,
    ratio(r.cumulative_net_sales, r.net_sales_all) AS cumulative_share,
    reporting_currency() AS currency
FROM (
    SELECT
        s.*,
        CAST(row_number() OVER (PARTITION BY s.period_start, s.customer_key IS NULL
                                ORDER BY s.net_sales DESC NULLS LAST, s.customer_key NULLS LAST) AS BIGINT) AS place,
        sum(s.net_sales) OVER (PARTITION BY s.period_start, s.customer_key IS NULL
                               ORDER BY s.net_sales DESC NULLS LAST, s.customer_key NULLS LAST
                               ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS cumulative_net_sales,
        sum(s.net_sales) OVER (PARTITION BY s.period_start) AS net_sales_all
    FROM (
        SELECT
            CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
            e.customer_key,
            count(DISTINCT e.sale_order_id) AS orders,
            max(CASE WHEN e.event_kind IN ('sale', 'exchange_out') THEN e.business_date END) AS last_order_date,
            sum(e.gross_sales - e.discounts) AS sales_before_returns,
            sum(e.returns) AS returns,
            sum(e.net_rc) AS net_sales,
            sum(CASE WHEN e.cost_rc IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales_with_cost,
            sum(coalesce(e.cost_rc, CAST(0 AS DECIMAL(18,4)))) AS cogs
        FROM sales_event e
        WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out'
        GROUP BY 1, 2
    ) s
) r
LEFT JOIN customer_now k ON k.customer_key = r.customer_key
WHERE r.customer_key IS NOT NULL AND r.place <= $n
ORDER BY r.period_start NULLS LAST, r.place NULLS LAST, r.customer_key NULLS LAST
