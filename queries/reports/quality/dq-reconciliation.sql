-- ---
-- title = { en = "Reconciliation with the sources", zh = "与来源对账" }
-- about = """Do totals match what the sources say they sent? Control totals of the sources (counts, units, amounts per day) beside the same
-- totals of what landed, compared per day, channel, place, metric and currency as the source sends them, then counted per row: so a shop
-- that is too high never hides one that is too low. difference = landed − control; difference_share = Σ|difference| / control. A comparison
-- is ok if |difference| ≤ tolerance × control; missing_control: something landed and the source, which totals this metric since its first
-- total, says nothing of that day; missing_data: the source says it sent something and nothing is there. status is the worst one:
-- missing_data, differs, missing_control, ok. What landed counts as delivered: tests, cancelled orders and copies too; what waits in
-- quarantine has not landed. Amounts are in source_currency. Sources that never sent a total are not shown.
-- The metric `sequence` compares a source's running numbers: landed = numbers that landed, control = those and the ones missing before
-- them; gaps lists the first ten (all of them in the view source_sequence_gap). Days without anything have no row."""
-- key = ["period_start", "source_system", "channel_id", "location_id", "metric", "source_currency"]
-- totals = false
-- needs = ["source_control_total"]
--
-- [params]
-- from = { type = "date", default = "today - 14 days", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- tolerance = { type = "decimal", default = 0, min = 0, max = 1, about = "How far a total may be off, as a share of the control total." }
-- level = { type = "text", default = "source", values = ["source", "channel", "location"], about = "One row per source system, per its channels, or per place." }
-- show = { type = "text", default = "all", values = ["all", "problems"], about = "All rows, or only those whose status is not ok." }
-- metric = { type = "text", optional = true, values = ["order_count", "line_count", "units", "gross_amount", "net_amount", "tax_amount", "total_amount", "sequence"], about = "Only this metric." }
-- grain = { type = "text", default = "day", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per such bucket; all = one for all days. Compared is day by day all the same." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [chart]
-- kind = "heat"
-- x = "period_start"
-- y = ["problems"]
-- series = "source_system"
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- source_system = "the system that sent records and totals"
-- channel_id = "the channel; empty at level source; UNK = not in the channel table"
-- channel_name = "its name"
-- location_id = "the place; empty but at level location; N/A = none, or the source totals no places; UNK = not in the location table"
-- location_name = "its name"
-- metric = "order_count, line_count, units, gross_amount, net_amount, tax_amount, total_amount, or sequence (running numbers)"
-- source_currency = "the currency of an amount; of a count empty unless the source counts per currency"
-- status = "ok, missing_control, differs, missing_data: the worst of the row's comparisons"
-- control = "what the source says it sent (counts, units, or money in source_currency)"
-- landed = "what landed, in the same terms"
-- difference = "landed − control"
-- abs_difference = "the comparisons' differences added up without their signs"
-- difference_share = "abs_difference / control (share)"
-- comparisons = "totals compared: one per day, channel, place and currency; at sequence the numbers that landed"
-- differing = "comparisons beyond the tolerance"
-- missing_control = "comparisons without a control total"
-- missing_data = "comparisons without landed rows"
-- problems = "differing + missing_control + missing_data"
-- missing_numbers = "running numbers that did not land; 0 at other metrics"
-- gaps = "the first ten gaps in the running numbers: 17, 20-22"
-- currency = "the lake's reporting currency; amounts here are in source_currency"
--
-- [[tests]]
-- name = "ok means no problem"
-- each = [
--     "problems = differing + missing_control + missing_data",
--     "difference = landed - control",
--     "(status = 'ok') = (problems = 0)",
-- ]
--
-- [[tests]]
-- name = "only problems where they are asked for"
-- params = { show = "problems", level = "location" }
-- each = ["problems > 0"]
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.source_system,
    s.channel_id,
    s.channel_name,
    s.location_id,
    s.location_name,
    s.metric,
    s.source_currency,
    CASE WHEN s.missing_data > 0 THEN 'missing_data' WHEN s.differing > 0 THEN 'differs' WHEN s.missing_control > 0 THEN 'missing_control'
         ELSE 'ok' END AS status,
    s.control,
    s.landed,
    s.landed - s.control AS difference,
    s.abs_difference,
    ratio(s.abs_difference, s.control) AS difference_share,
    s.comparisons,
    s.differing,
    s.missing_control,
    s.missing_data,
    s.differing + s.missing_control + s.missing_data AS problems,
    s.missing_numbers,
    s.gaps,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(c.business_date, $grain, $calendar) END AS period_start,
        c.source_system,
        CASE WHEN $level <> 'source' THEN member(c.channel_id, ch.channel_id) END AS channel_id,
        CASE WHEN $level <> 'source' THEN member(c.channel_id, ch.channel_name) END AS channel_name,
        CASE WHEN $level = 'location' THEN member(c.location_id, l.location_id) END AS location_id,
        CASE WHEN $level = 'location' THEN member(c.location_id, l.location_name) END AS location_name,
        c.metric,
        c.currency AS source_currency,
        sum(c.control) AS control,
        sum(c.landed) AS landed,
        sum(abs(c.landed - c.control)) AS abs_difference,
        count(*) AS comparisons,
        sum(CASE WHEN c.status = 'differs' THEN 1 ELSE 0 END) AS differing,
        sum(CASE WHEN c.status = 'missing_control' THEN 1 ELSE 0 END) AS missing_control,
        sum(CASE WHEN c.status = 'missing_data' THEN 1 ELSE 0 END) AS missing_data,
        sum(c.missing) AS missing_numbers,
        -- sorted as texts, so the numbers carry zeros in front until they are shown: an ordered array_agg does not plan over every UNION
        regexp_replace(
            array_to_string(array_slice(array_sort(array_agg(c.gap) FILTER (WHERE c.gap IS NOT NULL)), 1, 10), ', '), '(^| )0+', '\1', 'g'
        ) AS gaps
    FROM (
        -- one row per comparison: what the source told against what landed
        SELECT
            t.business_date,
            t.source_system,
            t.channel_id,
            t.location_id,
            t.metric,
            t.currency,
            t.control,
            t.landed,
            CASE
                WHEN NOT t.is_told THEN 'missing_control'
                WHEN NOT t.is_there AND t.control <> 0 THEN 'missing_data'
                WHEN t.landed = t.control OR ratio(abs(t.landed - t.control), abs(t.control)) <= $tolerance THEN 'ok'
                ELSE 'differs'
            END AS status,
            CAST(0 AS BIGINT) AS missing,
            CAST(NULL AS VARCHAR) AS gap
        FROM control_comparison t
        WHERE t.business_date >= $from AND t.business_date < $to AND ($metric IS NULL OR t.metric = $metric)

        UNION ALL

        -- one row per running number that landed, with those that are missing right before it
        SELECT
            q.business_date,
            q.source_system,
            q.channel_id,
            q.location_id,
            'sequence' AS metric,
            CAST(NULL AS VARCHAR) AS currency,
            CAST(1 + q.missing AS DECIMAL(38,4)) AS control,
            CAST(1 AS DECIMAL(38,4)) AS landed,
            CASE WHEN q.missing > 0 THEN 'differs' ELSE 'ok' END AS status,
            q.missing,
            CASE WHEN q.missing = 1 THEN lpad(CAST(q.first_missing AS VARCHAR), 19, '0')
                 WHEN q.missing > 1 THEN concat(lpad(CAST(q.first_missing AS VARCHAR), 19, '0'), '-', CAST(q.last_missing AS VARCHAR)) END AS gap
        FROM source_sequence q
        WHERE q.business_date >= $from AND q.business_date < $to AND ($metric IS NULL OR $metric = 'sequence')
    ) c
    LEFT JOIN channel ch ON ch.channel_id = c.channel_id
    LEFT JOIN location l ON l.location_id = c.location_id
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
) s
WHERE $show = 'all' OR s.differing + s.missing_control + s.missing_data > 0
ORDER BY
    s.period_start NULLS LAST, s.source_system NULLS LAST, s.channel_id NULLS LAST, s.location_id NULLS LAST, s.metric NULLS LAST,
    s.source_currency NULLS LAST
