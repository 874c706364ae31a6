-- ---
-- title = { en = "Customer satisfaction", zh = "客户满意度" }
-- about = """Are customers content? csat = satisfied / answers of satisfaction surveys (at least four of five points), with the Wilson interval
-- of 95 %; nps = 100 · (promoters − detractors) / answers, promoters 9 and 10, detractors 0 to 6, with half its interval of 95 %:
-- nps_margin = 100 · 1.96 · √(((promoters + detractors) / answers − (nps / 100)²) / answers); mean_rating = points of reviews and ratings on a scale of
-- five / ratings. Few answers tell little: look at the intervals before comparing. Feedback counts on the day on which it was given."""
-- key = ["period_start", "group_id"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- level = { type = "text", default = "all", values = ["all", "channel", "category", "product"], about = "All feedback, or that about each channel, top category or article." }
-- grain = { type = "text", default = "month", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per such bucket; all = one for all days." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = true, about = "At level all, buckets without any feedback are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["csat", "nps", "mean_rating"]
--
-- [chart]
-- kind = "line"
-- x = "period_start"
-- y = ["csat"]
-- series = "group_name"
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- group_id = "the channel, category or article; empty at level all; UNK = not known, N/A = about none"
-- group_name = "its name"
-- csat_answers = "answers of satisfaction surveys"
-- csat_satisfied = "those with at least four of five points"
-- csat = "csat_satisfied / csat_answers"
-- csat_lower = "lower bound of its Wilson interval (share)"
-- csat_upper = "upper bound (share)"
-- nps_answers = "answers whether they would recommend us"
-- promoters = "those with 9 or 10"
-- detractors = "those with 0 to 6"
-- nps = "100 · (promoters − detractors) / nps_answers (points, -100 to 100)"
-- nps_margin = "half its interval (points)"
-- ratings = "reviews and ratings"
-- rating_points = "their points on a scale of five, added up"
-- mean_rating = "rating_points / ratings"
-- currency = "the lake's reporting currency; no amounts here"
--
-- [[tests]]
-- name = "intervals hold what they are of"
-- each = ["csat_lower <= csat + 0.000001 AND csat <= csat_upper + 0.000001", "promoters + detractors <= nps_answers"]
--
-- [[tests]]
-- name = "months add up to the total"
-- params = { totals = "true" }
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN csat_answers END) = sum(CASE WHEN row_kind = 'total' THEN csat_answers END)",
--     "sum(CASE WHEN row_kind = 'row' THEN nps_answers END) = sum(CASE WHEN row_kind = 'total' THEN nps_answers END)",
--     "sum(CASE WHEN row_kind = 'row' THEN rating_points END) = sum(CASE WHEN row_kind = 'total' THEN rating_points END)",
-- ]
-- ---
SELECT
    m.period_start,
    m.period_end,
    m.is_partial_period,
    m.group_id,
    m.group_name,
    m.csat_answers,
    m.csat_satisfied,
    m.csat,
    wilson_lower(m.csat_satisfied, m.csat_answers, 0.95) AS csat_lower,
    wilson_upper(m.csat_satisfied, m.csat_answers, 0.95) AS csat_upper,
    m.nps_answers,
    m.promoters,
    m.detractors,
    m.nps,
    100 * normal_quantile(0.975)
        * sqrt(abs(ratio(ratio(m.promoters + m.detractors, m.nps_answers)
                             - ratio(m.promoters - m.detractors, m.nps_answers) * ratio(m.promoters - m.detractors, m.nps_answers),
                         m.nps_answers))) AS nps_margin,
    m.ratings,
    m.rating_points,
    ratio(m.rating_points, m.ratings) AS mean_rating,
    reporting_currency() AS currency
FROM (
    SELECT
        s.period_start,
        CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
        s.period_start < $from
            OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
        s.group_id,
        CASE WHEN s.group_id IS NOT NULL THEN s.group_name END AS group_name,
        s.csat_answers,
        s.csat_satisfied,
        ratio(s.csat_satisfied, s.csat_answers) AS csat,
        s.nps_answers,
        s.promoters,
        s.detractors,
        ratio(100 * (s.promoters - s.detractors), s.nps_answers) AS nps,
        s.ratings,
        s.rating_points
    FROM (
        SELECT
            u.period_start,
            u.group_id,
            min(u.group_name) AS group_name,
            sum(CASE WHEN u.feedback_type = 'csat' AND u.rating_of_five IS NOT NULL THEN 1 ELSE 0 END) AS csat_answers,
            sum(CASE WHEN u.feedback_type = 'csat' AND u.is_satisfied THEN 1 ELSE 0 END) AS csat_satisfied,
            sum(CASE WHEN u.feedback_type = 'nps' AND u.nps_score IS NOT NULL THEN 1 ELSE 0 END) AS nps_answers,
            sum(CASE WHEN u.feedback_type = 'nps' AND u.nps_score >= 9 THEN 1 ELSE 0 END) AS promoters,
            sum(CASE WHEN u.feedback_type = 'nps' AND u.nps_score <= 6 THEN 1 ELSE 0 END) AS detractors,
            sum(CASE WHEN u.feedback_type IN ('review', 'rating') AND u.rating_of_five IS NOT NULL THEN 1 ELSE 0 END) AS ratings,
            coalesce(sum(CASE WHEN u.feedback_type IN ('review', 'rating') THEN u.rating_of_five END), 0) AS rating_points
        FROM (
            SELECT
                CASE WHEN $grain = 'all' THEN $from ELSE period_start(f.business_date, $grain, $calendar) END AS period_start,
                CASE $level WHEN 'channel' THEN member(f.channel_id, c.channel_id)
                            WHEN 'category' THEN member(f.product_id, coalesce(p.category_l1_id, p.category_l1_name))
                            WHEN 'product' THEN member(f.product_id, p.product_id) END AS group_id,
                CASE $level WHEN 'channel' THEN member(f.channel_id, c.channel_name)
                            WHEN 'category' THEN member(f.product_id, coalesce(p.category_l1_name, p.category_l1_id))
                            WHEN 'product' THEN member(f.product_id, p.product_name) END AS group_name,
                f.feedback_type,
                f.rating_of_five,
                coalesce(f.is_satisfied, false) AS is_satisfied,
                f.nps_score
            FROM customer_feedback f
            LEFT JOIN channel c ON c.channel_id = f.channel_id
            LEFT JOIN product p ON p.product_id = f.product_id
            WHERE f.business_date >= $from AND f.business_date < $to AND f.feedback_type IN ('csat', 'nps', 'review', 'rating')

            UNION ALL

            SELECT
                CASE WHEN $grain = 'all' THEN $from ELSE period_start(d.date_key, $grain, $calendar) END AS period_start,
                CAST(NULL AS VARCHAR) AS group_id, CAST(NULL AS VARCHAR) AS group_name, 'none' AS feedback_type,
                CAST(NULL AS DECIMAL(18,4)) AS rating_of_five, false AS is_satisfied, CAST(NULL AS INT) AS nps_score
            FROM calendar d
            WHERE $include_zero AND $level = 'all' AND d.date_key >= $from AND d.date_key < $to
        ) u
        GROUP BY u.period_start, u.group_id
    ) s
) m
ORDER BY m.period_start NULLS LAST, m.group_id NULLS LAST
