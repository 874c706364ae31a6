-- ---
-- title = { en = "Channel mix over time", zh = "渠道结构变化" }
-- about = """How does the mix of channels shift? Net sales and share of the bucket's net sales per channel, or per kind of channel (level
-- type), bucket by bucket. Every channel with an event in the asked days stands in every bucket, with 0 where it had none, so that areas
-- have no holes; include_zero = false leaves those rows out. Each return counts at the channel where the goods were sold, on the day that
-- the policy return_basis says. A share is empty where the bucket has no net sales; it may lie below 0 or above 1 where returns outweigh
-- sales."""
-- key = ["period_start", "channel_type", "channel_id"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- level = { type = "text", default = "channel", values = ["type", "channel"], about = "Kinds of channel, or channels." }
-- grain = { type = "text", default = "month", values = ["day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per channel and such bucket." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = true, about = "Channels with an event in the asked days are shown with 0 in buckets without one." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["net_sales", "orders"]
--
-- [chart]
-- kind = "area"
-- x = "period_start"
-- y = ["share"]
-- series = "channel_name"
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- channel_type = "kind of channel; UNK = not in the channel table, N/A = no channel"
-- channel_id = "the channel; empty at level type"
-- channel_name = "its name; empty at level type"
-- net_sales = "gross_sales − discounts − returns (money)"
-- orders = "distinct orders"
-- net_sales_all = "net sales of the bucket over all channels, before any limit (money)"
-- share = "net_sales / net_sales_all"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "channels add up to the total"
-- params = { totals = "true" }
-- all = ["sum(CASE WHEN row_kind = 'row' THEN net_sales END) = sum(CASE WHEN row_kind = 'total' THEN net_sales END)"]
--
-- [[tests]]
-- name = "kinds of channels too"
-- params = { level = "type", grain = "year", totals = "true" }
-- each = ["orders >= 0"]
-- all = ["sum(CASE WHEN row_kind = 'row' THEN net_sales END) = sum(CASE WHEN row_kind = 'total' THEN net_sales END)"]
-- ---
SELECT
    s.period_start,
    period_end(s.period_start, $grain, $calendar) AS period_end,
    s.period_start < $from OR period_end(s.period_start, $grain, $calendar) > least($to, $as_of) AS is_partial_period,
    s.channel_type,
    s.channel_id,
    s.channel_name,
    s.net_sales,
    s.orders,
    sum(s.net_sales) OVER (PARTITION BY s.period_start) AS net_sales_all,
    ratio(s.net_sales, sum(s.net_sales) OVER (PARTITION BY s.period_start)) AS share,
    reporting_currency() AS currency
FROM (
    SELECT
        period_start(e.business_date, $grain, $calendar) AS period_start,
        member(e.channel_id, c.channel_type) AS channel_type,
        CASE WHEN $level = 'channel' THEN member(e.channel_id, c.channel_id) END AS channel_id,
        CASE WHEN $level = 'channel' THEN member(e.channel_id, c.channel_name) END AS channel_name,
        sum(e.net_rc) AS net_sales,
        count(DISTINCT e.sale_order_id) AS orders
    FROM (
        SELECT v.business_date, v.channel_id, v.net_rc, v.sale_order_id
        FROM sales_event v
        WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out'

        UNION ALL

        -- every channel with an event, in every bucket
        SELECT d.date_key AS business_date, known.channel_id, CAST(0 AS DECIMAL(18,4)) AS net_rc, CAST(NULL AS VARCHAR) AS sale_order_id
        FROM (
            SELECT k.channel_id
            FROM sales_event k
            WHERE $include_zero AND k.business_date >= $from AND k.business_date < $to AND k.flow <> 'sell_out'
            GROUP BY 1
        ) known
        CROSS JOIN calendar d
        WHERE d.date_key >= $from AND d.date_key < $to
          AND d.date_key = greatest($from, period_start(d.date_key, $grain, $calendar))
    ) e
    LEFT JOIN channel c ON c.channel_id = e.channel_id
    GROUP BY 1, 2, 3, 4
) s
ORDER BY s.period_start NULLS LAST, s.net_sales DESC NULLS LAST, s.channel_type NULLS LAST, s.channel_id NULLS LAST
