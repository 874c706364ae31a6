-- ---
-- title = { en = "Unknown keys", zh = "未映射的维度键" }
-- about = """Which keys do sales carry that their dimension does not have? Per dimension (channel, place, region, article, customer) and
-- key: events and net sales that other reports show as UNK, and their share of all net sales; add the rows to the dimension and the reports
-- fill by themselves. Keys that are NULL do not apply (N/A) and are not in it. The key UNK itself stands for returns whose sale is not
-- known (yet). An event with two unknown keys is in two rows, so rows of different dimensions do not add up. Whose region is the policy
-- region_basis."""
-- key = ["dimension", "unknown_key"]
-- totals = false
-- needs = ["order_line"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- dimension = { type = "text", default = "all", values = ["all", "channel", "location", "region", "product", "customer"], about = "Only keys of this dimension." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a period that ends later is partial." }
--
-- [chart]
-- kind = "table"
-- x = "unknown_key"
-- y = ["events", "net_sales"]
--
-- [columns]
-- period_start = "the first day asked for"
-- period_end = "the first day that is not"
-- is_partial_period = "to is after as_of: the period is not over"
-- dimension = "whose key it is"
-- unknown_key = "the key as the facts have it"
-- events = "sales, returns, cancellations and adjustments with it"
-- net_sales = "gross_sales − discounts − returns (money)"
-- net_sales_all = "net sales of everything that the filters leave (money)"
-- share = "net_sales / net_sales_all"
-- first_date = "the first business date with it"
-- last_date = "the last"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "a key that is listed was met"
-- each = ["events > 0", "first_date <= last_date"]
--
-- [[tests]]
-- name = "only the dimension asked for"
-- params = { dimension = "region" }
-- each = ["dimension = 'region'"]
-- ---
SELECT
    $from AS period_start,
    $to AS period_end,
    $to > $as_of AS is_partial_period,
    u.dimension,
    u.unknown_key,
    u.events,
    u.net_sales,
    w.net_sales AS net_sales_all,
    ratio(u.net_sales, w.net_sales) AS share,
    u.first_date,
    u.last_date,
    reporting_currency() AS currency
FROM (
    SELECT
        'channel' AS dimension, e.channel_id AS unknown_key, count(*) AS events, sum(e.net_rc) AS net_sales, min(e.business_date) AS first_date, max(e.business_date) AS last_date
    FROM sales_event e
    LEFT JOIN channel d ON d.channel_id = e.channel_id
    WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out' AND e.channel_id IS NOT NULL AND d.channel_id IS NULL
    GROUP BY 2

    UNION ALL

    SELECT
        'location' AS dimension, e.location_id AS unknown_key, count(*) AS events, sum(e.net_rc) AS net_sales, min(e.business_date) AS first_date, max(e.business_date) AS last_date
    FROM sales_event e
    LEFT JOIN location d ON d.location_id = e.location_id
    WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out' AND e.location_id IS NOT NULL AND d.location_id IS NULL
    GROUP BY 2

    UNION ALL

    SELECT
        'region' AS dimension, e.region_id AS unknown_key, count(*) AS events, sum(e.net_rc) AS net_sales, min(e.business_date) AS first_date, max(e.business_date) AS last_date
    FROM sales_event e
    LEFT JOIN region d ON d.region_id = e.region_id
    WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out' AND e.region_id IS NOT NULL AND d.region_id IS NULL
    GROUP BY 2

    UNION ALL

    SELECT
        'product' AS dimension, e.product_id AS unknown_key, count(*) AS events, sum(e.net_rc) AS net_sales, min(e.business_date) AS first_date, max(e.business_date) AS last_date
    FROM sales_event e
    LEFT JOIN product d ON d.product_id = e.product_id
    WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out' AND e.product_id IS NOT NULL AND d.product_id IS NULL
    GROUP BY 2

    UNION ALL

    SELECT
        'customer' AS dimension, e.customer_key AS unknown_key, count(*) AS events, sum(e.net_rc) AS net_sales, min(e.business_date) AS first_date, max(e.business_date) AS last_date
    FROM sales_event e
    LEFT JOIN customer_now d ON d.customer_key = e.customer_key
    WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out' AND e.customer_key IS NOT NULL AND d.customer_key IS NULL
    GROUP BY 2
) u
CROSS JOIN (
    SELECT sum(e.net_rc) AS net_sales
    FROM sales_event e
    WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out'
) w
WHERE $dimension = 'all' OR u.dimension = $dimension
ORDER BY u.events DESC NULLS LAST, u.dimension NULLS LAST, u.unknown_key NULLS LAST
