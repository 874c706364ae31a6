-- ---
-- title = { en = "Traffic and conversion funnel", zh = "流量转化漏斗" }
-- about = """Where do visitors drop out? Visits (sessions) of people, not bots, by how far they came: session → view of a product → cart →
-- checkout → purchase. A visit belongs to the day on which it began, however long it lasts. In the open funnel a visit counts at every
-- stage that it touched, so a later stage may hold more than an earlier one; in the closed one only if it touched all stages before.
-- conversion_rate = visits of the stage / all visits: at the last stage the share of visits with a purchase."""
-- key = ["period_start", "stage_no"]
-- totals = false
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- funnel = { type = "text", default = "open", values = ["open", "closed"], about = "Whether a stage asks for all stages before it." }
-- device = { type = "text", optional = true, values = "SELECT DISTINCT device_type FROM base.customer_event WHERE device_type IS NOT NULL ORDER BY 1", about = "Only visits by this kind of device." }
-- source = { type = "text", optional = true, about = "Only visits from this campaign source (utm_source)." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One funnel per such bucket; all = one funnel." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = true, about = "Buckets without any visit are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["sessions", "conversion_rate"]
--
-- [chart]
-- kind = "funnel"
-- x = "stage"
-- y = ["sessions"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- stage_no = "1 to 5"
-- stage = "session, view, cart, checkout, purchase"
-- sessions = "visits that came to this stage"
-- sessions_before = "visits that came to the stage before"
-- all_sessions = "all visits"
-- step_rate = "sessions / sessions_before (share)"
-- conversion_rate = "sessions / all_sessions (share)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "a stage is of the visits"
-- each = ["sessions <= all_sessions", "stage_no > 1 OR sessions = all_sessions"]
--
-- [[tests]]
-- name = "a closed funnel narrows"
-- params = { funnel = "closed" }
-- each = ["sessions <= sessions_before"]
-- ---
SELECT
    f.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(f.period_start, $grain, $calendar) END AS period_end,
    f.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(f.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    f.stage_no,
    f.stage,
    f.sessions,
    f.sessions_before,
    f.all_sessions,
    ratio(f.sessions, f.sessions_before) AS step_rate,
    ratio(f.sessions, f.all_sessions) AS conversion_rate,
    reporting_currency() AS currency
FROM (
    SELECT
        s.period_start,
        g.stage_no,
        g.stage,
        CASE g.stage_no WHEN 1 THEN s.visited WHEN 2 THEN s.viewed WHEN 3 THEN s.carted WHEN 4 THEN s.checked_out ELSE s.purchased END AS sessions,
        CASE g.stage_no WHEN 2 THEN s.visited WHEN 3 THEN s.viewed WHEN 4 THEN s.carted WHEN 5 THEN s.checked_out END AS sessions_before,
        s.visited AS all_sessions
    FROM (
        SELECT
            CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
            sum(e.is_session) AS visited,
            sum(CASE WHEN e.has_view THEN 1 ELSE 0 END) AS viewed,
            sum(CASE WHEN e.has_cart AND ($funnel = 'open' OR e.has_view) THEN 1 ELSE 0 END) AS carted,
            sum(CASE WHEN e.has_checkout AND ($funnel = 'open' OR (e.has_view AND e.has_cart)) THEN 1 ELSE 0 END) AS checked_out,
            sum(CASE WHEN e.has_purchase AND ($funnel = 'open' OR (e.has_view AND e.has_cart AND e.has_checkout)) THEN 1 ELSE 0 END) AS purchased
        FROM (
            SELECT v.business_date, CAST(1 AS BIGINT) AS is_session, v.has_view, v.has_cart, v.has_checkout, v.has_purchase
            FROM session_funnel v
            WHERE v.business_date >= $from AND v.business_date < $to
              AND ($device IS NULL OR v.device_type = $device)
              AND ($source IS NULL OR v.source = $source)

            UNION ALL

            SELECT
                d.date_key AS business_date, CAST(0 AS BIGINT) AS is_session, false AS has_view, false AS has_cart,
                false AS has_checkout, false AS has_purchase
            FROM calendar d
            WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
        ) e
        GROUP BY 1
    ) s
    CROSS JOIN (VALUES (1, 'session'), (2, 'view'), (3, 'cart'), (4, 'checkout'), (5, 'purchase')) AS g(stage_no, stage)
) f
ORDER BY f.period_start NULLS LAST, f.stage_no NULLS LAST
