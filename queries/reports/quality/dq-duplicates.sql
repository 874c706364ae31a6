-- ---
-- title = { en = "Duplicates removed", zh = "已去除的重复数据" }
-- about = """What came more than once, and what became of it? Per source system and table, of the rows that no rule stopped: those of new
-- keys, newer versions that took the place of older ones, exact duplicates and versions older than what the lake had, which were left out.
-- rows_arrived = rows_new + rows_replaced + rows_duplicate + rows_late_ignored. Two versions of a key that arrive together count as one
-- new and one late row; apart as one new and one replaced. conflicts are records whose row had the version of another row and other
-- content (rule V19): the other row stays, they wait in quarantine. alias_pairs are pairs of orders of different systems that may be one
-- order (view order_alias_candidate), shown with both systems: a question, nothing was removed. Dimension rows gleaned from facts arrive
-- again with every fact. from and to are days (UTC) of landing and open on both sides unless given; alias_pairs are those of now."""
-- key = ["source_system", "table_name"]
-- totals = false
-- needs = []
--
-- [params]
-- from = { type = "date", optional = true, about = "Landed on this day or later." }
-- to = { type = "date", optional = true, about = "Landed before this day." }
-- table_name = { type = "text", optional = true, values = "SELECT DISTINCT table_name FROM base.ingest_table ORDER BY 1", about = "Only this table." }
--
-- [chart]
-- kind = "table"
-- x = "source_system"
-- y = ["rows_duplicate", "rows_late_ignored", "conflicts", "alias_pairs"]
--
-- [columns]
-- period_start = "the asked first day; empty = open"
-- period_end = "the asked first day not included; empty = open"
-- is_partial_period = "always false: what landed is known at once"
-- source_system = "the system of the source definition"
-- table_name = "the table"
-- rows_arrived = "rows that no rule stopped"
-- rows_new = "rows of keys that the table did not have"
-- rows_replaced = "rows that took the place of an older version"
-- rows_duplicate = "rows that the table had, word for word"
-- rows_late_ignored = "rows older than what the table had"
-- rows_surplus = "rows_replaced + rows_duplicate + rows_late_ignored: all that came for a key again"
-- duplicate_share = "rows_duplicate / rows_arrived"
-- surplus_share = "rows_surplus / rows_arrived"
-- conflicts = "records that lost a conflict of equal versions (V19)"
-- open_conflicts = "those that were not settled since"
-- alias_pairs = "pairs of orders with another system that may be one order; 0 but for order_line"
-- files = "files read with rows for the table"
-- last_landed_at = "when the last of them had landed (UTC)"
-- currency = "the lake's reporting currency; no amounts here"
--
-- [[tests]]
-- name = "every row that arrived came to something"
-- each = ["rows_arrived = rows_new + rows_replaced + rows_duplicate + rows_late_ignored", "open_conflicts <= conflicts"]
--
-- [[tests]]
-- name = "pairs of orders are of now"
-- params = { from = "2000-01-01" }
-- each = ["rows_surplus = rows_replaced + rows_duplicate + rows_late_ignored", "alias_pairs = 0"]
-- ---
SELECT
    $from AS period_start,
    $to AS period_end,
    false AS is_partial_period,
    s.source_system,
    s.table_name,
    s.rows_new + s.rows_replaced + s.rows_duplicate + s.rows_late_ignored AS rows_arrived,
    s.rows_new,
    s.rows_replaced,
    s.rows_duplicate,
    s.rows_late_ignored,
    s.rows_replaced + s.rows_duplicate + s.rows_late_ignored AS rows_surplus,
    ratio(s.rows_duplicate, s.rows_new + s.rows_replaced + s.rows_duplicate + s.rows_late_ignored) AS duplicate_share,
    ratio(s.rows_replaced + s.rows_duplicate + s.rows_late_ignored,
          s.rows_new + s.rows_replaced + s.rows_duplicate + s.rows_late_ignored) AS surplus_share,
    s.conflicts,
    s.open_conflicts,
    s.alias_pairs,
    s.files,
    s.last_landed_at,
    reporting_currency() AS currency
FROM (
    SELECT
        u.source_system,
        u.table_name,
        sum(u.rows_new) AS rows_new,
        sum(u.rows_replaced) AS rows_replaced,
        sum(u.rows_duplicate) AS rows_duplicate,
        sum(u.rows_late_ignored) AS rows_late_ignored,
        sum(u.conflicts) AS conflicts,
        sum(u.open_conflicts) AS open_conflicts,
        sum(u.alias_pairs) AS alias_pairs,
        count(DISTINCT u.source_file_id) AS files,
        max(CASE WHEN u.source_file_id IS NOT NULL THEN u.landed_at END) AS last_landed_at
    FROM (
        SELECT
            f.source_system,
            t.table_name,
            t.source_file_id,
            f.landed_at,
            t."new" AS rows_new,
            t.replaced AS rows_replaced,
            t.duplicate AS rows_duplicate,
            t.late_ignored AS rows_late_ignored,
            CAST(0 AS BIGINT) AS conflicts,
            CAST(0 AS BIGINT) AS open_conflicts,
            CAST(0 AS BIGINT) AS alias_pairs
        FROM base.ingest_table t
        JOIN landed_file f ON f.batch_id = t.batch_id AND f.source_file_id = t.source_file_id
        WHERE ($from IS NULL OR CAST(f.landed_at AS DATE) >= $from) AND ($to IS NULL OR CAST(f.landed_at AS DATE) < $to)

        UNION ALL

        SELECT
            d.source_system,
            q.table_name,
            CAST(NULL AS VARCHAR) AS source_file_id,
            q.detected_at AS landed_at,
            CAST(0 AS BIGINT) AS rows_new,
            CAST(0 AS BIGINT) AS rows_replaced,
            CAST(0 AS BIGINT) AS rows_duplicate,
            CAST(0 AS BIGINT) AS rows_late_ignored,
            CAST(1 AS BIGINT) AS conflicts,
            CASE WHEN q.is_open THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS open_conflicts,
            CAST(0 AS BIGINT) AS alias_pairs
        FROM quarantine q
        JOIN (SELECT l.source, max(l.source_system) AS source_system FROM landed_file l GROUP BY 1) d ON d.source = q.source
        WHERE q.rule = 'V19' AND ($from IS NULL OR q.detected_date >= $from) AND ($to IS NULL OR q.detected_date < $to)

        UNION ALL

        SELECT
            CASE WHEN g.side = 1 THEN a.source_system ELSE a.other_source_system END AS source_system,
            'order_line' AS table_name,
            CAST(NULL AS VARCHAR) AS source_file_id,
            a.created_at AS landed_at,
            CAST(0 AS BIGINT) AS rows_new,
            CAST(0 AS BIGINT) AS rows_replaced,
            CAST(0 AS BIGINT) AS rows_duplicate,
            CAST(0 AS BIGINT) AS rows_late_ignored,
            CAST(0 AS BIGINT) AS conflicts,
            CAST(0 AS BIGINT) AS open_conflicts,
            CAST(1 AS BIGINT) AS alias_pairs
        FROM order_alias_candidate a
        CROSS JOIN (VALUES (1), (2)) AS g(side)
        WHERE $from IS NULL AND $to IS NULL
    ) u
    WHERE $table_name IS NULL OR u.table_name = $table_name
    GROUP BY 1, 2
) s
ORDER BY s.source_system NULLS LAST, s.table_name NULLS LAST
