-- ---
-- title = { en = "Sales summary", zh = "销售概览" }
-- about = """How did we do? Gross, discounts, returns, net and total sales, orders, customers, baskets and margin of a span of days, in one
-- row or one per grain. net_sales = gross_sales − discounts − returns, tax excluded; total_sales = net_sales + tax + charges (shipping,
-- duties, fees, each net of what was refunded). aov = (gross_sales − discounts) / orders. The margin is over the sales whose cost is
-- known; cost_coverage says what part that is of all goods that were sold or taken back. It is a share of amounts without their signs, for
-- a return of unknown cost must not make up for a sale, and adjustments, which never have a cost, are not in it. Orders without a customer
-- count in orders and in anonymous_orders, not in customers."""
-- key = ["period_start"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per such bucket; all = one row." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = true, about = "Buckets without any event are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["gross_sales", "discounts", "returns", "net_sales", "total_sales", "net_units", "orders", "aov", "customers", "gross_profit"]
--
-- [chart]
-- kind = "kpi"
-- x = "period_start"
-- y = ["net_sales", "orders", "aov", "gross_margin_pct", "return_rate_value"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- gross_sales = "before discounts and returns (money)"
-- discounts = "line and order discounts (money)"
-- returns = "refunds, reversals, negative adjustments (money)"
-- net_sales = "gross_sales − discounts − returns (money)"
-- tax = "tax on lines, net of refunded tax (money)"
-- charges = "shipping, duties, fees and order taxes, net of refunded shipping (money)"
-- total_sales = "net_sales + tax + charges (money)"
-- units_sold = "stock units"
-- units_returned = "stock units"
-- net_units = "units_sold − units_returned (stock units)"
-- orders = "distinct orders"
-- anonymous_orders = "distinct orders without a known customer"
-- customers = "distinct customers"
-- sales_before_returns = "gross_sales − discounts (money)"
-- aov = "sales_before_returns / orders (money per order)"
-- units_per_order = "units_sold / orders"
-- net_sales_with_cost = "net sales whose cost is known (money)"
-- cogs = "cost of those goods, less cost returned to stock (money)"
-- gross_profit = "net_sales_with_cost − cogs (money)"
-- gross_margin_pct = "gross_profit / net_sales_with_cost (share)"
-- goods_amount = "goods sold plus goods taken back (refunds, reversals), without adjustments (money)"
-- goods_amount_with_cost = "the part of goods_amount whose cost is known (money)"
-- cost_coverage = "goods_amount_with_cost / goods_amount (share, 0 to 1)"
-- discount_rate = "discounts / gross_sales (share)"
-- return_rate_value = "returns / sales_before_returns (share)"
-- return_rate_units = "units_returned / units_sold (share)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "the parts make the whole"
-- each = [
--     "net_sales = gross_sales - discounts - returns",
--     "total_sales = net_sales + tax + charges",
--     "gross_profit = net_sales_with_cost - cogs",
--     "net_units = units_sold - units_returned",
-- ]
-- all = ["count(*) = 1"]
--
-- [[tests]]
-- name = "the same as all regions"
-- same_sums = { report = "sales-by-region", columns = ["net_sales"] }
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.gross_sales,
    s.discounts,
    s.returns,
    s.net_sales,
    s.tax,
    s.charges,
    s.net_sales + s.tax + s.charges AS total_sales,
    s.units_sold,
    s.units_returned,
    s.units_sold - s.units_returned AS net_units,
    s.orders,
    s.anonymous_orders,
    s.customers,
    s.gross_sales - s.discounts AS sales_before_returns,
    ratio(s.gross_sales - s.discounts, s.orders) AS aov,
    ratio(s.units_sold, s.orders) AS units_per_order,
    s.net_sales_with_cost,
    s.cogs,
    s.net_sales_with_cost - s.cogs AS gross_profit,
    ratio(s.net_sales_with_cost - s.cogs, s.net_sales_with_cost) AS gross_margin_pct,
    s.goods_amount,
    s.goods_amount_with_cost,
    ratio(s.goods_amount_with_cost, s.goods_amount) AS cost_coverage,
    ratio(s.discounts, s.gross_sales) AS discount_rate,
    ratio(s.returns, s.gross_sales - s.discounts) AS return_rate_value,
    ratio(s.units_returned, s.units_sold) AS return_rate_units,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
        sum(e.gross_sales) AS gross_sales,
        sum(e.discounts) AS discounts,
        sum(e.returns) AS returns,
        sum(e.net_rc) AS net_sales,
        sum(e.tax_rc) AS tax,
        sum(e.charge_rc) AS charges,
        sum(e.units_sold) AS units_sold,
        sum(e.units_returned) AS units_returned,
        count(DISTINCT e.sale_order_id) AS orders,
        count(DISTINCT CASE WHEN e.buyer_key IS NULL THEN e.sale_order_id END) AS anonymous_orders,
        count(DISTINCT e.buyer_key) AS customers,
        sum(CASE WHEN e.cost_rc IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales_with_cost,
        sum(coalesce(e.cost_rc, CAST(0 AS DECIMAL(18,4)))) AS cogs,
        sum(CASE WHEN e.is_goods THEN abs(e.net_rc) ELSE CAST(0 AS DECIMAL(18,4)) END) AS goods_amount,
        sum(CASE WHEN e.cost_rc IS NOT NULL THEN abs(e.net_rc) ELSE CAST(0 AS DECIMAL(18,4)) END) AS goods_amount_with_cost
    FROM (
        SELECT
            v.business_date, v.gross_sales, v.discounts, v.returns, v.net_rc, v.tax_rc, v.cost_rc, v.is_goods,
            v.units_sold, v.units_returned, v.sale_order_id, v.buyer_key, CAST(0 AS DECIMAL(18,4)) AS charge_rc
        FROM sales_event v
        WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out'

        UNION ALL

        SELECT
            c.business_date, CAST(0 AS DECIMAL(18,4)) AS gross_sales, CAST(0 AS DECIMAL(18,4)) AS discounts,
            CAST(0 AS DECIMAL(18,4)) AS returns, CAST(0 AS DECIMAL(18,4)) AS net_rc, CAST(0 AS DECIMAL(18,4)) AS tax_rc,
            CAST(NULL AS DECIMAL(18,4)) AS cost_rc, false AS is_goods, CAST(0 AS DECIMAL(18,3)) AS units_sold,
            CAST(0 AS DECIMAL(18,3)) AS units_returned, CAST(NULL AS VARCHAR) AS sale_order_id,
            CAST(NULL AS VARCHAR) AS buyer_key, c.charge_rc
        FROM charge_event c
        WHERE c.business_date >= $from AND c.business_date < $to

        UNION ALL

        SELECT
            d.date_key AS business_date, CAST(0 AS DECIMAL(18,4)) AS gross_sales, CAST(0 AS DECIMAL(18,4)) AS discounts,
            CAST(0 AS DECIMAL(18,4)) AS returns, CAST(0 AS DECIMAL(18,4)) AS net_rc, CAST(0 AS DECIMAL(18,4)) AS tax_rc,
            CAST(NULL AS DECIMAL(18,4)) AS cost_rc, false AS is_goods, CAST(0 AS DECIMAL(18,3)) AS units_sold,
            CAST(0 AS DECIMAL(18,3)) AS units_returned, CAST(NULL AS VARCHAR) AS sale_order_id,
            CAST(NULL AS VARCHAR) AS buyer_key, CAST(0 AS DECIMAL(18,4)) AS charge_rc
        FROM calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
    ) e
    GROUP BY 1
) s
ORDER BY s.period_start NULLS LAST
