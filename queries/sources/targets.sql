-- ---
-- title = { en = "Targets", zh = "销售目标" }
-- about = "Plans of a year from July to June, per month or quarter, in versions; a version without approval is a draft."
-- source_system = "planning"
-- order = 3
-- [read]
-- path = "people/targets_*.csv"
-- format = "csv"
-- ---
--
--   * `rev` corrects a row; `version` is a plan of its own beside the earlier ones.
--   * `end` is the first day after the period. Amounts are in the reporting currency.

-- into = "target"
SELECT plan AS target_set_id,
       grain,
       date_of(start, '%Y-%m-%d') AS period_start,
       date_of("end", '%Y-%m-%d') AS period_end,
       kind AS dim_type,
       member AS dim_id,
       metric,
       CAST(version AS INT) AS version,
       CAST(value AS DECIMAL(18,4)) AS target_value,
       instant(approved_at) AS approved_at,
       CAST(rev AS BIGINT) AS source_version
FROM   raw;
