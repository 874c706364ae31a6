-- ---
-- title = { en = "Records in quarantine", zh = "隔离记录统计" }
-- about = """What was rejected, and why? Records that did not land, counted per rule, source and table, with the oldest and newest and up to
-- three places to look (file:line). Neither the records nor the offending values are shown: they may hold personal data; see them with
-- `saleslake quarantine show`. By default only those that have not landed since. The span of days is of the UTC day of detection and
-- open on both sides unless given."""
-- key = ["rule", "source", "table_name", "severity"]
--
-- [params]
-- from = { type = "date", optional = true, about = "Stopped on this day or later." }
-- to = { type = "date", optional = true, about = "Stopped before this day." }
-- state = { type = "text", default = "open", values = ["open", "resolved", "all"], about = "Not landed yet, landed after all, or both." }
--
-- [chart]
-- kind = "bar"
-- x = "rule"
-- y = ["records"]
--
-- [columns]
-- period_start = "the asked first day; empty = open"
-- period_end = "the asked first day not included; empty = open"
-- is_partial_period = "always false: what was stopped is known at once"
-- rule = "V00 …"
-- source = "the source definition"
-- table_name = "the table that refused; '' before any"
-- severity = "reject (cannot land unchanged) or quarantine (waits)"
-- message = "what the rule asks for"
-- records = "records stopped"
-- open_records = "records that have not landed since"
-- files = "distinct files"
-- oldest = "first stopped at (UTC)"
-- newest = "last stopped at (UTC)"
-- sample_keys = "up to three places, file:line"
-- currency = "the lake's reporting currency; no amounts here"
--
-- [[tests]]
-- name = "by default only what waits"
-- each = ["open_records = records", "oldest <= newest"]
--
-- [[tests]]
-- name = "rules add up to the total"
-- params = { state = "all", totals = "true" }
-- each = ["open_records <= records"]
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN records END) = sum(CASE WHEN row_kind = 'total' THEN records END)",
--     "sum(CASE WHEN row_kind = 'row' THEN open_records END) = sum(CASE WHEN row_kind = 'total' THEN open_records END)",
-- ]
-- ---
SELECT
    $from AS period_start,
    $to AS period_end,
    false AS is_partial_period,
    s.rule,
    s.source,
    s.table_name,
    s.severity,
    s.message,
    s.records,
    s.open_records,
    s.files,
    s.oldest,
    s.newest,
    s.sample_keys,
    reporting_currency() AS currency
FROM (
    SELECT
        q.rule,
        q.source,
        q.table_name,
        q.severity,
        min(q.message) AS message,
        count(*) AS records,
        sum(CASE WHEN q.is_open THEN 1 ELSE 0 END) AS open_records,
        count(DISTINCT q.source_file_id) AS files,
        min(q.detected_at) AS oldest,
        max(q.detected_at) AS newest,
        array_to_string(array_slice(array_agg(concat(q.file, ':', q.line) ORDER BY q.file, q.line), 1, 3), ', ') AS sample_keys
    FROM quarantine q
    WHERE ($from IS NULL OR q.detected_date >= $from)
      AND ($to IS NULL OR q.detected_date < $to)
      AND ($state = 'all' OR q.is_open = ($state = 'open'))
    GROUP BY q.rule, q.source, q.table_name, q.severity
) s
ORDER BY s.records DESC NULLS LAST, s.rule NULLS LAST, s.source NULLS LAST, s.table_name NULLS LAST, s.severity NULLS LAST
