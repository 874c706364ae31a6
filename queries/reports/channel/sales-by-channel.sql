-- ---
-- title = { en = "Sales by channel", zh = "渠道销售" }
-- about = """What does each channel bring? Sales with charges, orders, margin, return rate and share per kind of channel (level type), per
-- channel, or per channel and place (level outlet; online sales have the place N/A). Each return and refunded charge counts at the
-- channel where the goods were sold. total_sales = net_sales + tax + charges. With include_zero, level outlet lists every channel and
-- place that ever had an event before `to`. An order of two channels counts in both, and once in the total."""
-- key = ["period_start", "channel_type", "channel_id", "location_id"]
-- spine = ["channel"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- level = { type = "text", default = "channel", values = ["type", "channel", "outlet"], about = "Kinds of channel, channels, or channels and places." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per channel and such bucket; all = one row per channel." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Channels without any event are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["gross_sales", "discounts", "returns", "net_sales", "total_sales", "net_units", "orders", "gross_profit"]
--
-- [chart]
-- kind = "stack"
-- x = "channel_name"
-- y = ["net_sales"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- channel_type = "kind of channel; UNK = not in the channel table, N/A = no channel"
-- channel_id = "the channel; empty at level type"
-- channel_name = "its name; empty at level type"
-- location_id = "the place; empty above level outlet"
-- location_name = "its name; empty above level outlet"
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
-- net_sales_with_cost = "net sales whose cost is known (money)"
-- cogs = "cost of those goods, less cost returned to stock (money)"
-- gross_profit = "net_sales_with_cost − cogs (money)"
-- gross_margin_pct = "gross_profit / net_sales_with_cost (share)"
-- sales_before_returns = "gross_sales − discounts (money)"
-- return_rate_value = "returns / sales_before_returns (share)"
-- return_rate_units = "units_returned / units_sold (share)"
-- net_sales_all = "net sales of the bucket over all rows, before any limit (money)"
-- share = "net_sales / net_sales_all"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "channels add up to the total"
-- params = { totals = "true" }
-- each = ["net_sales = gross_sales - discounts - returns"]
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN net_sales END) = sum(CASE WHEN row_kind = 'total' THEN net_sales END)",
--     "sum(CASE WHEN row_kind = 'row' THEN total_sales END) = sum(CASE WHEN row_kind = 'total' THEN total_sales END)",
-- ]
--
-- [[tests]]
-- name = "outlets add up to what it says of all"
-- params = { level = "outlet" }
-- each = ["total_sales = net_sales + tax + charges", "net_units = units_sold - units_returned"]
-- all = ["sum(net_sales) = max(net_sales_all)"]
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.channel_type,
    s.channel_id,
    s.channel_name,
    s.location_id,
    s.location_name,
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
    s.net_sales_with_cost,
    s.cogs,
    s.net_sales_with_cost - s.cogs AS gross_profit,
    ratio(s.net_sales_with_cost - s.cogs, s.net_sales_with_cost) AS gross_margin_pct,
    s.gross_sales - s.discounts AS sales_before_returns,
    ratio(s.returns, s.gross_sales - s.discounts) AS return_rate_value,
    ratio(s.units_returned, s.units_sold) AS return_rate_units,
    sum(s.net_sales) OVER (PARTITION BY s.period_start) AS net_sales_all,
    ratio(s.net_sales, sum(s.net_sales) OVER (PARTITION BY s.period_start)) AS share,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
        member(e.channel_id, c.channel_type) AS channel_type,
        CASE WHEN $level <> 'type' THEN member(e.channel_id, c.channel_id) END AS channel_id,
        CASE WHEN $level <> 'type' THEN member(e.channel_id, c.channel_name) END AS channel_name,
        CASE WHEN $level = 'outlet' THEN member(e.location_id, l.location_id) END AS location_id,
        CASE WHEN $level = 'outlet' THEN member(e.location_id, l.location_name) END AS location_name,
        sum(e.gross_sales) AS gross_sales,
        sum(e.discounts) AS discounts,
        sum(e.returns) AS returns,
        sum(e.net_rc) AS net_sales,
        sum(e.tax_rc) AS tax,
        sum(e.charge_rc) AS charges,
        sum(e.units_sold) AS units_sold,
        sum(e.units_returned) AS units_returned,
        count(DISTINCT e.sale_order_id) AS orders,
        sum(CASE WHEN e.cost_rc IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales_with_cost,
        sum(coalesce(e.cost_rc, CAST(0 AS DECIMAL(18,4)))) AS cogs
    FROM (
        SELECT
            v.business_date, v.channel_id, v.location_id, v.gross_sales, v.discounts, v.returns, v.net_rc, v.tax_rc, v.cost_rc,
            v.units_sold, v.units_returned, v.sale_order_id, CAST(0 AS DECIMAL(18,4)) AS charge_rc
        FROM sales_event v
        WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out'

        UNION ALL

        SELECT
            c.business_date, c.channel_id, c.location_id, CAST(0 AS DECIMAL(18,4)) AS gross_sales,
            CAST(0 AS DECIMAL(18,4)) AS discounts, CAST(0 AS DECIMAL(18,4)) AS returns, CAST(0 AS DECIMAL(18,4)) AS net_rc,
            CAST(0 AS DECIMAL(18,4)) AS tax_rc, CAST(NULL AS DECIMAL(18,4)) AS cost_rc, CAST(0 AS DECIMAL(18,3)) AS units_sold,
            CAST(0 AS DECIMAL(18,3)) AS units_returned, CAST(NULL AS VARCHAR) AS sale_order_id, c.charge_rc
        FROM charge_event c
        WHERE c.business_date >= $from AND c.business_date < $to

        UNION ALL

        -- every member in every bucket, on the bucket's first day
        SELECT
            d.date_key AS business_date, known.channel_id, known.location_id, CAST(0 AS DECIMAL(18,4)) AS gross_sales,
            CAST(0 AS DECIMAL(18,4)) AS discounts, CAST(0 AS DECIMAL(18,4)) AS returns, CAST(0 AS DECIMAL(18,4)) AS net_rc,
            CAST(0 AS DECIMAL(18,4)) AS tax_rc, CAST(NULL AS DECIMAL(18,4)) AS cost_rc, CAST(0 AS DECIMAL(18,3)) AS units_sold,
            CAST(0 AS DECIMAL(18,3)) AS units_returned, CAST(NULL AS VARCHAR) AS sale_order_id,
            CAST(0 AS DECIMAL(18,4)) AS charge_rc
        FROM (
            SELECT k.channel_id, CAST(NULL AS VARCHAR) AS location_id FROM channel k WHERE $level <> 'outlet'
            UNION ALL
            SELECT o.channel_id, o.location_id
            FROM sales_event o
            WHERE $level = 'outlet' AND o.business_date < $to AND o.flow <> 'sell_out'
            GROUP BY 1, 2
        ) known
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) e
    LEFT JOIN channel c ON c.channel_id = e.channel_id
    LEFT JOIN location l ON l.location_id = e.location_id
    GROUP BY 1, 2, 3, 4, 5, 6
) s
ORDER BY
    s.period_start NULLS LAST, s.net_sales DESC NULLS LAST, s.channel_type NULLS LAST, s.channel_id NULLS LAST, s.location_id NULLS LAST
