-- ---
-- title = { en = "Pace towards the target", zh = "目标进度" }
-- about = """Shall we make it? For the period that holds the day before as_of, day by day: what was to be reached by then and what was.
-- target_to_date = target × weights of the days so far / weights of all days, pacing = actual_to_date / target_to_date. Days weigh alike, or
-- by what their weekday sold in the eight weeks before the period (day_weights = weekday). The rest of the period is forecast by the week
-- before as_of, repeated (seasonal naive): projected_to_date = actual + forecasts, projected_attainment = projected / target at the last day.
-- required_per_day = (target − actual) / days left: what each day left must bring. Days that are not over have no actual, never 0. The
-- targets are those of one member of dim_type, of the last approved version; plans, and targets of months and quarters, stand apart."""
-- key = ["target_set_id", "target_grain", "day_no"]
-- totals = false
--
-- [params]
-- as_of = { type = "date", default = "today", about = "First day that is not over." }
-- to_date_of = { type = "text", default = "month", values = ["week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "Of which period." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- dim_type = { type = "text", default = "company", values = ["company", "region", "channel", "location", "sales_rep"], about = "Whose target." }
-- dim_id = { type = "text", default = "all", about = "Of which member: its id." }
-- target_set = { type = "text", optional = true, values = "SELECT DISTINCT target_set_id FROM base.target ORDER BY 1", about = "Only this plan." }
-- day_weights = { type = "text", default = "even", values = ["even", "weekday"], about = "How the target is spread over the days: alike, or as weekdays sell." }
--
-- [chart]
-- kind = "line"
-- x = "day"
-- y = ["actual_to_date", "target_to_date", "projected_to_date"]
--
-- [columns]
-- period_start = "first day of the period"
-- period_end = "first day after the period"
-- is_partial_period = "the period is not over"
-- target_set_id = "the plan"
-- target_grain = "how long the target's own period is"
-- day_no = "1 = the period's first day"
-- day = "the day"
-- target = "of the whole period (money)"
-- day_weight = "of the day (days, or money of its weekday)"
-- weight_to_date = "of the days so far"
-- weight_all = "of all days of the period"
-- target_to_date = "to be reached by the end of the day (money)"
-- net_sales = "of the day; empty where it is not over (money)"
-- actual_to_date = "net sales of the period up to the day; empty where it is not over (money)"
-- pacing = "actual_to_date / target_to_date (share)"
-- forecast = "of a day that is not over: net sales of the same weekday in the week before as_of (money)"
-- projected_to_date = "net sales and forecasts up to the day (money)"
-- projected_attainment = "projected_to_date / target; at the last day what the period will reach (share)"
-- days_left = "days of the period after the day"
-- required_per_day = "(target − actual_to_date) / days_left (money per day)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "days lie within the period"
-- each = ["day >= period_start", "day < period_end", "day_no >= 1", "weight_to_date <= weight_all"]
--
-- [[tests]]
-- name = "the last day's target is the whole"
-- params = { to_date_of = "quarter" }
-- each = ["days_left > 0 OR target_to_date = target", "days_left >= 0"]
-- ---
WITH span AS (
    SELECT
        period_start(CAST($as_of - INTERVAL '1 day' AS DATE), $to_date_of, $calendar) AS first_day,
        period_end(period_start(CAST($as_of - INTERVAL '1 day' AS DATE), $to_date_of, $calendar), $to_date_of, $calendar) AS end_day
),
sold AS (
    -- the member's net sales per day, from eight weeks before the period on
    SELECT v.business_date, CAST(sum(v.net_rc) AS DECIMAL(28,4)) AS net_sales
    FROM rep_sale v
    CROSS JOIN span s
    WHERE v.business_date >= CAST(s.first_day - INTERVAL '56 days' AS DATE) AND v.business_date < $as_of
      AND $dim_id = CASE $dim_type
              WHEN 'company' THEN 'all'
              WHEN 'region' THEN v.region_id
              WHEN 'channel' THEN v.channel_id
              WHEN 'location' THEN v.location_id
              ELSE v.sales_rep_id
          END
    GROUP BY 1
),
weekday AS (
    SELECT k.day_of_week, sum(x.net_sales) AS net_sales
    FROM sold x
    CROSS JOIN span s
    JOIN calendar k ON k.date_key = x.business_date
    WHERE x.business_date < s.first_day
    GROUP BY 1
),
daily AS (
    SELECT
        k.date_key AS day,
        s.first_day,
        s.end_day,
        CASE WHEN $day_weights = 'even' THEN CAST(1 AS DECIMAL(28,4)) ELSE coalesce(w.net_sales, CAST(0 AS DECIMAL(28,4))) END AS weight,
        CASE WHEN k.date_key < $as_of THEN coalesce(x.net_sales, CAST(0 AS DECIMAL(28,4))) END AS net_sales,
        CASE WHEN k.date_key >= $as_of THEN coalesce(y.net_sales, CAST(0 AS DECIMAL(28,4))) END AS forecast
    FROM span s
    JOIN calendar k ON k.date_key >= s.first_day AND k.date_key < s.end_day
    LEFT JOIN sold x ON x.business_date = k.date_key
    -- the same weekday of the last seven days before as_of
    LEFT JOIN sold y ON y.business_date = CAST(CAST(CAST($as_of AS DATE) AS INT) - 7
                                          + (CAST(k.date_key AS INT) - CAST(CAST($as_of AS DATE) AS INT)) % 7 AS DATE)
    LEFT JOIN weekday w ON w.day_of_week = k.day_of_week
),
goal AS (
    SELECT t.target_set_id, t.grain AS target_grain, CAST(sum(t.target_rc) AS DECIMAL(18,4)) AS target
    FROM target_day t
    CROSS JOIN span s
    WHERE t.dim_type = $dim_type AND t.dim_id = $dim_id AND t.metric = 'net_sales' AND t.holds
      AND t.business_date >= s.first_day AND t.business_date < s.end_day
      AND ($target_set IS NULL OR t.target_set_id = $target_set)
    GROUP BY 1, 2
)
SELECT
    r.first_day AS period_start,
    r.end_day AS period_end,
    r.end_day > $as_of AS is_partial_period,
    r.target_set_id,
    r.target_grain,
    r.day_no,
    r.day,
    r.target,
    r.weight AS day_weight,
    r.weight_to_date,
    r.weight_all,
    r.target_to_date,
    r.net_sales,
    r.actual_to_date,
    ratio(r.actual_to_date, r.target_to_date) AS pacing,
    r.forecast,
    r.projected_to_date,
    ratio(r.projected_to_date, r.target) AS projected_attainment,
    r.days_left,
    ratio(r.target - r.actual_to_date, r.days_left) AS required_per_day,
    reporting_currency() AS currency
FROM (
    SELECT
        q.target_set_id,
        q.target_grain,
        q.first_day,
        q.end_day,
        CAST(q.day AS INT) - CAST(q.first_day AS INT) + 1 AS day_no,
        q.day,
        q.target,
        q.weight,
        q.weight_to_date,
        q.weight_all,
        -- rounded to four decimals
        CASE WHEN q.weight_all > 0
             THEN CAST(CAST(q.target * q.weight_to_date AS DECIMAL(38,8)) / nullif(q.weight_all, CAST(0 AS DECIMAL(28,4))) AS DECIMAL(28,4)) END AS target_to_date,
        q.net_sales,
        CASE WHEN q.day < $as_of THEN q.actual_so_far END AS actual_to_date,
        q.forecast,
        q.projected_to_date,
        CAST(q.end_day AS INT) - CAST(q.day AS INT) - 1 AS days_left
    FROM (
        SELECT
            g.target_set_id,
            g.target_grain,
            g.target,
            d.day,
            d.first_day,
            d.end_day,
            d.weight,
            d.net_sales,
            d.forecast,
            CAST(sum(d.weight) OVER (PARTITION BY g.target_set_id, g.target_grain ORDER BY d.day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS DECIMAL(18,4)) AS weight_to_date,
            CAST(sum(d.weight) OVER (PARTITION BY g.target_set_id, g.target_grain) AS DECIMAL(18,4)) AS weight_all,
            sum(coalesce(d.net_sales, CAST(0 AS DECIMAL(28,4)))) OVER (PARTITION BY g.target_set_id, g.target_grain ORDER BY d.day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS actual_so_far,
            sum(coalesce(d.net_sales, d.forecast)) OVER (PARTITION BY g.target_set_id, g.target_grain ORDER BY d.day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS projected_to_date
        FROM goal g
        CROSS JOIN daily d
    ) q
) r
ORDER BY target_set_id NULLS LAST, target_grain NULLS LAST, day_no NULLS LAST
