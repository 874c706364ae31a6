-- ---
-- title = { en = "Complaints", zh = "客户投诉分析" }
-- about = """What do customers complain about, how often, and how fast is it settled? Complaints (or tickets, parameter kind) opened in the asked
-- days, per topic, article, top category or channel (parameter level). complaints_per_1000_orders = 1000 · complaints / orders; orders are
-- all of the same days, at the other levels those with the article, the category, or of the channel: of few orders the rate tells little, and
-- complaints about no article (N/A) have no orders of their own. Times are of those that were settled, in whole minutes: half took at most resolution_minutes_p50, nine of ten at most
-- resolution_minutes_p90; those still open are in no time, so look at open_complaints first (D68).
-- fcr_rate = first_contact_resolved / resolved."""
-- key = ["period_start", "group_id"]
-- spine = ["product", "channel"]
-- totals = false
-- needs = ["feedback"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- kind = { type = "text", default = "complaint", values = ["complaint", "ticket", "both"], about = "Complaints, tickets, or both." }
-- level = { type = "text", default = "topic", values = ["topic", "channel", "category", "product"], about = "One row per topic, channel, top category or article." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per such bucket; all = one for all days." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Channels, categories, articles and known topics without any are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["complaints", "complaints_per_1000_orders"]
--
-- [chart]
-- kind = "pareto"
-- x = "group_name"
-- y = ["complaints"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- group_id = "the topic, channel, category or article; unknown = no topic, UNK = not known, N/A = about none"
-- group_name = "its name"
-- complaints = "complaints opened"
-- complaints_all = "complaints of the bucket over all rows, before any limit"
-- complaints_share = "complaints / complaints_all"
-- orders = "distinct orders of the same days: all, or those of the row's article, category or channel; empty at N/A"
-- complaints_per_1000_orders = "1000 · complaints / orders"
-- answered = "complaints that were answered"
-- resolved = "complaints that were settled"
-- open_complaints = "complaints − resolved"
-- first_contact_resolved = "complaints of which the source says that the first answer settled them"
-- fcr_rate = "first_contact_resolved / resolved"
-- response_minutes_p50 = "half were answered in so many minutes or fewer, of those that were"
-- resolution_minutes_p50 = "half were settled in so many minutes or fewer, of those that were"
-- resolution_minutes_p90 = "nine of ten"
-- currency = "the lake's reporting currency; no amounts here"
--
-- [[tests]]
-- name = "topics add up, times are in order"
-- each = ["open_complaints = complaints - resolved", "resolution_minutes_p50 <= resolution_minutes_p90"]
-- all = ["sum(complaints) = max(complaints_all)"]
--
-- [[tests]]
-- name = "channels add up"
-- params = { level = "channel", kind = "both", include_zero = "true" }
-- each = ["answered <= complaints", "resolved <= complaints"]
-- all = ["sum(complaints) = max(complaints_all)"]
-- ---
WITH said AS (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(f.business_date, $grain, $calendar) END AS period_start,
        CASE $level WHEN 'channel' THEN member(f.channel_id, c.channel_id)
                    WHEN 'category' THEN member(f.product_id, coalesce(p.category_l1_id, p.category_l1_name))
                    WHEN 'product' THEN member(f.product_id, p.product_id)
                    ELSE coalesce(f.topic_code, 'unknown') END AS group_id,
        CASE $level WHEN 'channel' THEN member(f.channel_id, c.channel_name)
                    WHEN 'category' THEN member(f.product_id, coalesce(p.category_l1_name, p.category_l1_id))
                    WHEN 'product' THEN member(f.product_id, p.product_name)
                    ELSE coalesce(f.topic_code, 'unknown') END AS group_name,
        f.feedback_id,
        f.is_answered,
        f.is_resolved,
        coalesce(f.is_first_contact_resolved, false) AS is_at_once,
        f.response_minutes,
        f.resolution_minutes
    FROM (
        SELECT
            v.business_date, v.channel_id, v.product_id, v.topic_code, v.feedback_id, v.is_answered, v.is_resolved,
            v.is_first_contact_resolved, v.response_minutes, v.resolution_minutes
        FROM customer_feedback v
        WHERE v.business_date >= $from AND v.business_date < $to
          AND v.feedback_type IN ('complaint', 'ticket') AND ($kind = 'both' OR v.feedback_type = $kind)

        UNION ALL

        -- every member of the level, or topic that ever came up before `to`, in every bucket, on the bucket's first day: no complaint
        SELECT
            d.date_key AS business_date, known.channel_id, known.product_id, known.topic_code, CAST(NULL AS VARCHAR) AS feedback_id,
            false AS is_answered, false AS is_resolved, false AS is_first_contact_resolved, CAST(NULL AS BIGINT) AS response_minutes,
            CAST(NULL AS BIGINT) AS resolution_minutes
        FROM (
            SELECT k.channel_id, CAST(NULL AS VARCHAR) AS product_id, CAST(NULL AS VARCHAR) AS topic_code
            FROM channel k
            WHERE $level = 'channel'
            UNION ALL
            SELECT CAST(NULL AS VARCHAR) AS channel_id, k.product_id, CAST(NULL AS VARCHAR) AS topic_code
            FROM product k
            WHERE $level IN ('category', 'product')
            UNION ALL
            SELECT CAST(NULL AS VARCHAR) AS channel_id, CAST(NULL AS VARCHAR) AS product_id, t.topic_code
            FROM customer_feedback t
            WHERE $level = 'topic' AND t.business_date < $to
              AND t.feedback_type IN ('complaint', 'ticket') AND ($kind = 'both' OR t.feedback_type = $kind)
            GROUP BY 1, 2, 3
        ) known
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) f
    LEFT JOIN channel c ON c.channel_id = f.channel_id
    LEFT JOIN product p ON p.product_id = f.product_id
),
ranked AS (
    -- places among those of the group that have a time
    SELECT
        s.*,
        CAST(row_number() OVER (PARTITION BY s.period_start, s.group_id, s.response_minutes IS NULL
                                ORDER BY s.response_minutes NULLS LAST, s.feedback_id NULLS LAST) AS BIGINT) AS response_place,
        CAST(row_number() OVER (PARTITION BY s.period_start, s.group_id, s.resolution_minutes IS NULL
                                ORDER BY s.resolution_minutes NULLS LAST, s.feedback_id NULLS LAST) AS BIGINT) AS resolution_place,
        count(s.response_minutes) OVER (PARTITION BY s.period_start, s.group_id) AS responses,
        count(s.resolution_minutes) OVER (PARTITION BY s.period_start, s.group_id) AS resolutions
    FROM said s
),
told AS (
    SELECT
        r.period_start,
        r.group_id,
        min(r.group_name) AS group_name,
        count(r.feedback_id) AS complaints,
        sum(CASE WHEN r.is_answered THEN 1 ELSE 0 END) AS answered,
        sum(CASE WHEN r.is_resolved THEN 1 ELSE 0 END) AS resolved,
        sum(CASE WHEN r.is_at_once THEN 1 ELSE 0 END) AS first_contact_resolved,
        min(CASE WHEN 2 * r.response_place >= r.responses THEN r.response_minutes END) AS response_minutes_p50,
        min(CASE WHEN 2 * r.resolution_place >= r.resolutions THEN r.resolution_minutes END) AS resolution_minutes_p50,
        min(CASE WHEN 10 * r.resolution_place >= 9 * r.resolutions THEN r.resolution_minutes END) AS resolution_minutes_p90
    FROM ranked r
    GROUP BY r.period_start, r.group_id
),
sold AS (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
        CASE $level WHEN 'channel' THEN member(e.channel_id, c.channel_id)
                    WHEN 'category' THEN member(e.product_id, coalesce(p.category_l1_id, p.category_l1_name))
                    WHEN 'product' THEN member(e.product_id, p.product_id)
                    ELSE 'all' END AS group_id,
        count(DISTINCT e.sale_order_id) AS orders
    FROM sales_event e
    LEFT JOIN channel c ON c.channel_id = e.channel_id
    LEFT JOIN product p ON p.product_id = e.product_id
    WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out'
    GROUP BY 1, 2
)
SELECT
    t.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(t.period_start, $grain, $calendar) END AS period_end,
    t.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(t.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    t.group_id,
    t.group_name,
    t.complaints,
    sum(t.complaints) OVER (PARTITION BY t.period_start) AS complaints_all,
    ratio(t.complaints, sum(t.complaints) OVER (PARTITION BY t.period_start)) AS complaints_share,
    CASE WHEN t.group_id <> 'N/A' THEN coalesce(o.orders, 0) END AS orders,
    ratio(1000 * t.complaints, CASE WHEN t.group_id <> 'N/A' THEN coalesce(o.orders, 0) END) AS complaints_per_1000_orders,
    t.answered,
    t.resolved,
    t.complaints - t.resolved AS open_complaints,
    t.first_contact_resolved,
    ratio(t.first_contact_resolved, t.resolved) AS fcr_rate,
    t.response_minutes_p50,
    t.resolution_minutes_p50,
    t.resolution_minutes_p90,
    reporting_currency() AS currency
FROM told t
LEFT JOIN sold o ON o.period_start = t.period_start AND o.group_id = CASE WHEN $level = 'topic' THEN 'all' ELSE t.group_id END
ORDER BY t.period_start NULLS LAST, t.complaints DESC NULLS LAST, t.group_id NULLS LAST
