-- ---
-- title = { en = "Records that did not land", zh = "隔离记录" }
-- about = """One row per record that a landing rule stopped. The record itself and the offending value stay in base.quarantine: they may hold
-- personal data; file and line are enough to find them (saleslake quarantine show)."""
-- [columns]
-- source = "the source definition"
-- source_file_id = "the file or push"
-- table_name = "the table that refused it; '' before any"
-- file = "where it was read"
-- line = "line of a text file, row of a Parquet file, from 1"
-- field = "the column that broke the rule"
-- rule = "V00 …"
-- severity = "reject (cannot land unchanged) or quarantine (waits)"
-- message = "what the rule asks for"
-- detected_at = "when it was stopped"
-- detected_date = "the UTC day of detected_at"
-- resolved_at = "when it was settled"
-- resolution = "landed (after all), discarded (by someone), superseded (by a newer version, a new mapping or another rule)"
-- is_open = "waits: it was not settled"
-- ---
SELECT
    q.batch_id,
    q.source,
    q.source_file_id,
    q.table_name,
    q.file,
    q.line,
    q.field,
    q.rule,
    q.severity,
    q.message,
    q.detected_at,
    CAST(q.detected_at AS DATE) AS detected_date,
    q.resolved_at,
    q.resolution,
    q.resolved_at IS NULL AS is_open
FROM base.quarantine q
