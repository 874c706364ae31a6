-- ---
-- title = { en = "Freshness and lateness", zh = "数据新鲜度与延迟" }
-- about = """How old is the data, and how late does it come? Per source system and table of events (view landed_row): the newest business
-- date and how many days it lies behind as_of (0 = nothing is missing), and how long rows took to land, in days from their business date to
-- the day (UTC) on which they landed: half of them at most late_days_p50, nineteen of twenty at most late_days_p95. beyond_sla are the
-- rows that took more than sla_days. A correction landed when its newest version did, so old days that were corrected are late. Percentiles
-- do not add up: each is of its own bucket. Table ingest_table counts rows that came more than two days late as they landed."""
-- key = ["period_start", "source_system", "table_name"]
-- totals = false
-- needs = []
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First business date, included." }
-- to = { type = "date", default = "today", about = "First business date that is not included." }
-- sla_days = { type = "int", default = 2, min = 0, max = 3650, about = "Days that a row may take." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per table and such bucket of business dates; all = one row per table." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: freshness is counted back from the day before it." }
--
-- [chart]
-- kind = "line"
-- x = "period_start"
-- y = ["late_days_p95"]
-- series = "source_system"
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- source_system = "the system that the rows came from"
-- table_name = "the table that they landed in"
-- rows_landed = "rows in their current version"
-- newest_date = "the newest business date"
-- days_behind = "days from newest_date to the day before as_of; below 0: it lies on or after as_of"
-- newest_event_at = "the newest event (UTC)"
-- last_landed_at = "when the last row landed (UTC)"
-- late_days_p50 = "half of the rows took no longer (days)"
-- late_days_p95 = "nineteen of twenty rows took no longer (days)"
-- late_days_most = "the longest (days)"
-- beyond_sla = "rows that took more than sla_days"
-- beyond_sla_share = "beyond_sla / rows_landed"
-- currency = "the lake's reporting currency; no amounts here"
--
-- [[tests]]
-- name = "percentiles are in order"
-- each = ["late_days_p50 <= late_days_p95 AND late_days_p95 <= late_days_most", "beyond_sla <= rows_landed"]
--
-- [[tests]]
-- name = "the newest day is of its month"
-- params = { grain = "month", sla_days = "3650" }
-- each = ["newest_date >= period_start AND newest_date < period_end"]
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.source_system,
    s.table_name,
    s.rows_landed,
    s.newest_date,
    CAST(CAST($as_of AS DATE) AS INT) - 1 - CAST(s.newest_date AS INT) AS days_behind,
    s.newest_event_at,
    s.last_landed_at,
    s.late_days_p50,
    s.late_days_p95,
    s.late_days_most,
    s.beyond_sla,
    ratio(s.beyond_sla, s.rows_landed) AS beyond_sla_share,
    reporting_currency() AS currency
FROM (
    SELECT
        d.period_start,
        d.source_system,
        d.table_name,
        sum(d.landed) AS rows_landed,
        max(d.newest_date) AS newest_date,
        max(d.newest_event_at) AS newest_event_at,
        max(d.last_landed_at) AS last_landed_at,
        min(CASE WHEN 2 * d.so_far >= d.landed_all THEN d.late_days END) AS late_days_p50,
        min(CASE WHEN 20 * d.so_far >= 19 * d.landed_all THEN d.late_days END) AS late_days_p95,
        max(d.late_days) AS late_days_most,
        sum(CASE WHEN d.late_days > $sla_days THEN d.landed ELSE 0 END) AS beyond_sla
    FROM (
        SELECT
            g.*,
            sum(g.landed) OVER (PARTITION BY g.period_start, g.source_system, g.table_name ORDER BY g.late_days) AS so_far,
            sum(g.landed) OVER (PARTITION BY g.period_start, g.source_system, g.table_name) AS landed_all
        FROM (
            -- one row per number of days that rows took: few, however many rows there are
            SELECT
                CASE WHEN $grain = 'all' THEN $from ELSE period_start(r.business_date, $grain, $calendar) END AS period_start,
                r.source_system,
                r.table_name,
                r.late_days,
                count(*) AS landed,
                max(r.business_date) AS newest_date,
                max(r.event_time) AS newest_event_at,
                max(r.ingested_at) AS last_landed_at
            FROM landed_row r
            WHERE r.business_date >= $from AND r.business_date < $to
            GROUP BY 1, 2, 3, 4
        ) g
    ) d
    GROUP BY 1, 2, 3
) s
ORDER BY s.period_start NULLS LAST, s.source_system NULLS LAST, s.table_name NULLS LAST
