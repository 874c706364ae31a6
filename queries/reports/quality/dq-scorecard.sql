-- ---
-- title = { en = "Data quality scorecard", zh = "数据质量评分卡" }
-- about = """Can I trust the data? Scores from 0 to 1, score = (checked − failed) / checked, per aspect or per rule of it (parameter level):
-- completeness: running numbers that came of those that must exist (sequence), control totals for which anything came (control_missing),
-- days of open places, from the first snapshot of any place to the last, that have a snapshot of their own (V16);
-- validity: records read that no landing rule stopped (V00 to V20; an aspect counts each record once), those that were settled since
-- included unless state = open; uniqueness: rows without another of the same version and other content (V19), orders without a likely copy
-- in another system (alias); timeliness: rows that landed at most sla_days after their business date (lateness); consistency: control totals
-- that are met to the last unit (control_differs), keys of order lines that their dimension has (V12), returned lines of which no more came
-- back than was sold (V07), refunds not before their sale (V08), orders whose lines and billed charges come to their total within 0.01 a line
-- (V05), lines whose discount is that of its reasons within 0.01, where a system tells reasons (V06), lines and movements whose unit cost lies
-- between 0 and 5 × the unit price, of movements not below 0 (V13), lines whose price is not far off the article's of the 90 days before
-- (V14, view price_check), counts that are the count before and what moved since (V15, view stock_check), bundles and sets of
-- representatives whose shares add up to 1 over all files (V17; within a file it is a part of validity), lines and charges that repeat their
-- order's header (V21, view order_column_check). Not told: the warnings of V10 and V11, of which the lake counts rows without their rule, and
-- gaps of the calendar (V17), which is made and has none.
-- The scores of tables are of sources that land in them. It tells of the lake as it is now; from and to are business dates, of validity and
-- V19 days (UTC) on which records were read or stopped, of V17's sets days on which their last row landed, all open on both sides unless
-- given. A score without anything checked is empty."""
-- key = ["aspect", "rule"]
-- totals = false
-- needs = []
--
-- [params]
-- from = { type = "date", optional = true, about = "This day or later." }
-- to = { type = "date", optional = true, about = "Before this day." }
-- level = { type = "text", default = "aspect", values = ["aspect", "rule"], about = "One row per aspect, or per rule of it." }
-- table_name = { type = "text", optional = true, values = "SELECT DISTINCT table_name FROM base.ingest_table ORDER BY 1", about = "Only what is checked of this table." }
-- state = { type = "text", default = "all", values = ["all", "open"], about = "Of stopped records all, or only those that were not settled since." }
-- sla_days = { type = "int", default = 2, min = 0, max = 3650, about = "Days that a row may take." }
--
-- [chart]
-- kind = "gauge"
-- x = "aspect"
-- y = ["score"]
--
-- [columns]
-- period_start = "the asked first day; empty = open"
-- period_end = "the asked first day not included; empty = open"
-- is_partial_period = "always false: it tells what is there"
-- aspect = "completeness, validity, uniqueness, timeliness or consistency"
-- rule = "the rule; empty at level aspect"
-- checked = "records, rows, numbers, totals, orders, days or sets that were checked"
-- failed = "those that failed"
-- score = "(checked − failed) / checked"
-- currency = "the lake's reporting currency; no amounts here"
--
-- [[tests]]
-- name = "five aspects, scores from 0 to 1"
-- each = ["failed <= checked", "score >= 0 AND score <= 1"]
-- all = ["count(*) = 5"]
--
-- [[tests]]
-- name = "rules of five aspects"
-- params = { level = "rule" }
-- each = ["failed >= 0", "rule IS NOT NULL"]
-- all = ["count(DISTINCT aspect) = 5"]
-- ---
WITH source_table AS (
    -- which tables a source's records land in; what never landed is of no table
    SELECT f.source, t.table_name
    FROM base.ingest_table t
    JOIN landed_file f ON f.batch_id = t.batch_id AND f.source_file_id = t.source_file_id
    GROUP BY 1, 2
),
asked_source AS (
    SELECT f.source
    FROM landed_file f
    LEFT JOIN source_table t ON t.source = f.source
    WHERE $table_name IS NULL OR t.table_name = $table_name
    GROUP BY 1
),
fact AS (
    -- what is measured, so that nothing is left out for lack of data
    SELECT g.aspect, g.rule, CAST(0 AS BIGINT) AS checked, CAST(0 AS BIGINT) AS failed, CAST(0 AS BIGINT) AS checked_once
    FROM (VALUES ('completeness', 'sequence'), ('completeness', 'control_missing'), ('validity', 'V00'), ('validity', 'V01'),
                 ('validity', 'V02'), ('validity', 'V03'), ('validity', 'V04'), ('validity', 'V09'), ('validity', 'V10'),
                 ('validity', 'V11'), ('validity', 'V17'), ('validity', 'V18'), ('validity', 'V20'), ('uniqueness', 'V19'),
                 ('uniqueness', 'alias'), ('timeliness', 'lateness'), ('completeness', 'V16'), ('consistency', 'control_differs'), ('consistency', 'V05'),
                 ('consistency', 'V06'), ('consistency', 'V07'), ('consistency', 'V08'), ('consistency', 'V12'), ('consistency', 'V13'),
                 ('consistency', 'V14'), ('consistency', 'V15'), ('consistency', 'V17'), ('consistency', 'V21')) AS g(aspect, rule)

    UNION ALL

    -- validity: each record is read once, and stopped by one rule at most
    SELECT 'validity' AS aspect, g.rule, sum(f.read_records) AS checked, CAST(0 AS BIGINT) AS failed,
           CASE WHEN g.rule = 'V00' THEN sum(f.read_records) ELSE CAST(0 AS BIGINT) END AS checked_once
    FROM landed_file f
    JOIN asked_source a ON a.source = f.source
    CROSS JOIN (VALUES ('V00'), ('V01'), ('V02'), ('V03'), ('V04'), ('V09'), ('V10'), ('V11'), ('V17'), ('V18'), ('V20')) AS g(rule)
    WHERE ($from IS NULL OR CAST(f.landed_at AS DATE) >= $from) AND ($to IS NULL OR CAST(f.landed_at AS DATE) < $to)
    GROUP BY g.rule

    UNION ALL

    SELECT 'validity' AS aspect, q.rule, CAST(0 AS BIGINT) AS checked, count(*) AS failed, CAST(0 AS BIGINT) AS checked_once
    FROM quarantine q
    JOIN asked_source a ON a.source = q.source
    WHERE q.rule <> 'V19' AND ($state = 'all' OR q.is_open)
      AND ($from IS NULL OR q.detected_date >= $from) AND ($to IS NULL OR q.detected_date < $to)
    GROUP BY q.rule

    UNION ALL

    SELECT 'uniqueness' AS aspect, 'V19' AS rule, CAST(0 AS BIGINT) AS checked, count(*) AS failed, CAST(0 AS BIGINT) AS checked_once
    FROM quarantine q
    WHERE q.rule = 'V19' AND ($state = 'all' OR q.is_open) AND ($table_name IS NULL OR q.table_name = $table_name)
      AND ($from IS NULL OR q.detected_date >= $from) AND ($to IS NULL OR q.detected_date < $to)

    UNION ALL

    -- the rows of events, for V19 and for lateness
    SELECT g.aspect, g.rule, count(*) AS checked,
           sum(CASE WHEN g.rule = 'lateness' AND r.late_days > $sla_days THEN 1 ELSE 0 END) AS failed, count(*) AS checked_once
    FROM landed_row r
    CROSS JOIN (VALUES ('uniqueness', 'V19'), ('timeliness', 'lateness')) AS g(aspect, rule)
    WHERE ($table_name IS NULL OR r.table_name = $table_name)
      AND ($from IS NULL OR r.business_date >= $from) AND ($to IS NULL OR r.business_date < $to)
    GROUP BY g.aspect, g.rule

    UNION ALL

    SELECT 'uniqueness' AS aspect, 'alias' AS rule, count(DISTINCT concat(o.source_system, ':', o.order_id)) AS checked,
           count(DISTINCT CASE WHEN c.order_id IS NOT NULL THEN concat(o.source_system, ':', o.order_id) END) AS failed,
           count(DISTINCT concat(o.source_system, ':', o.order_id)) AS checked_once
    FROM base.order_line o
    LEFT JOIN (
        SELECT x.source_system, x.order_id FROM order_alias_candidate x
        UNION ALL
        SELECT y.other_source_system AS source_system, y.other_order_id AS order_id FROM order_alias_candidate y
    ) c ON c.source_system = o.source_system AND c.order_id = o.order_id
    WHERE NOT o.is_deleted AND ($table_name IS NULL OR $table_name = 'order_line')
      AND ($from IS NULL OR o.business_date >= $from) AND ($to IS NULL OR o.business_date < $to)

    UNION ALL

    SELECT 'completeness' AS aspect, 'sequence' AS rule, sum(1 + n.missing) AS checked, sum(n.missing) AS failed, sum(1 + n.missing) AS checked_once
    FROM source_sequence n
    WHERE ($table_name IS NULL OR $table_name = 'order_line')
      AND ($from IS NULL OR n.business_date >= $from) AND ($to IS NULL OR n.business_date < $to)

    UNION ALL

    SELECT g.aspect, g.rule,
           sum(CASE WHEN t.is_told AND (g.rule = 'control_missing' OR t.is_there OR t.control = 0) THEN 1 ELSE 0 END) AS checked,
           sum(CASE WHEN g.rule = 'control_missing' AND t.is_told AND NOT t.is_there AND t.control <> 0 THEN 1
                    WHEN g.rule = 'control_differs' AND t.is_told AND t.is_there AND t.landed <> t.control THEN 1 ELSE 0 END) AS failed,
           sum(CASE WHEN t.is_told AND (g.rule = 'control_missing' OR t.is_there OR t.control = 0) THEN 1 ELSE 0 END) AS checked_once
    FROM control_comparison t
    CROSS JOIN (VALUES ('completeness', 'control_missing'), ('consistency', 'control_differs')) AS g(aspect, rule)
    WHERE ($table_name IS NULL OR $table_name = 'order_line')
      AND ($from IS NULL OR t.business_date >= $from) AND ($to IS NULL OR t.business_date < $to)
    GROUP BY g.aspect, g.rule

    UNION ALL

    -- keys given on order lines, and those that their dimension does not have
    SELECT
        'consistency' AS aspect, 'V12' AS rule,
        sum(1 + CASE WHEN o.location_id IS NULL THEN 0 ELSE 1 END + CASE WHEN o.product_id IS NULL THEN 0 ELSE 1 END
              + CASE WHEN o.customer_key IS NULL THEN 0 ELSE 1 END) AS checked,
        sum(CASE WHEN c.channel_id IS NULL THEN 1 ELSE 0 END + CASE WHEN o.location_id IS NOT NULL AND l.location_id IS NULL THEN 1 ELSE 0 END
              + CASE WHEN o.product_id IS NOT NULL AND p.product_id IS NULL THEN 1 ELSE 0 END
              + CASE WHEN o.customer_key IS NOT NULL AND k.customer_key IS NULL THEN 1 ELSE 0 END) AS failed,
        sum(1 + CASE WHEN o.location_id IS NULL THEN 0 ELSE 1 END + CASE WHEN o.product_id IS NULL THEN 0 ELSE 1 END
              + CASE WHEN o.customer_key IS NULL THEN 0 ELSE 1 END) AS checked_once
    FROM base.order_line o
    LEFT JOIN channel c ON c.channel_id = o.channel_id
    LEFT JOIN location l ON l.location_id = o.location_id
    LEFT JOIN product p ON p.product_id = o.product_id
    LEFT JOIN customer_now k ON k.customer_key = o.customer_key
    WHERE NOT o.is_deleted AND ($table_name IS NULL OR $table_name = 'order_line')
      AND ($from IS NULL OR o.business_date >= $from) AND ($to IS NULL OR o.business_date < $to)

    UNION ALL

    -- sold lines of which something came back on the days, with all that had come back by then
    SELECT 'consistency' AS aspect, 'V07' AS rule, count(*) AS checked, sum(CASE WHEN b.returned > b.sold THEN 1 ELSE 0 END) AS failed,
           count(*) AS checked_once
    FROM (
        SELECT sum(r.quantity) AS returned, max(o.base_quantity) AS sold
        FROM base.return_line r
        JOIN base.order_line o ON o.source_system = r.source_system AND o.order_id = r.order_id AND o.order_line_id = r.order_line_id
        WHERE NOT r.is_deleted AND NOT o.is_deleted AND r.return_status = 'refunded' AND ($table_name IS NULL OR $table_name = 'return_line')
          AND ($to IS NULL OR r.business_date < $to)
        GROUP BY r.source_system, r.order_id, r.order_line_id
        HAVING $from IS NULL OR max(r.business_date) >= $from
    ) b

    UNION ALL

    SELECT 'consistency' AS aspect, 'V08' AS rule, count(*) AS checked,
           sum(CASE WHEN r.business_date < r.order_business_date THEN 1 ELSE 0 END) AS failed, count(*) AS checked_once
    FROM base.return_line r
    WHERE NOT r.is_deleted AND r.is_sale_known AND r.return_status = 'refunded' AND ($table_name IS NULL OR $table_name = 'return_line')
      AND ($from IS NULL OR r.business_date >= $from) AND ($to IS NULL OR r.business_date < $to)

    UNION ALL

    SELECT 'completeness' AS aspect, 'V16' AS rule, count(*) AS checked, sum(CASE WHEN s.location_id IS NULL THEN 1 ELSE 0 END) AS failed,
           count(*) AS checked_once
    FROM (
        SELECT min(i.snapshot_date) AS first_day, max(i.snapshot_date) AS last_day
        FROM base.inventory_snapshot i
        WHERE NOT i.is_deleted
    ) told
    JOIN calendar d ON d.date_key >= told.first_day AND d.date_key <= told.last_day
    JOIN location l ON coalesce(l.opened_on, told.first_day) <= d.date_key AND d.date_key < coalesce(l.closed_on, DATE '9999-12-31')
    LEFT JOIN (
        SELECT DISTINCT i.location_id, i.snapshot_date
        FROM base.inventory_snapshot i
        WHERE NOT i.is_deleted
    ) s ON s.location_id = l.location_id AND s.snapshot_date = d.date_key
    WHERE l.location_type <> 'virtual' AND l.party_type IN ('own', 'franchise') AND ($table_name IS NULL OR $table_name = 'inventory_snapshot')
      AND ($from IS NULL OR d.date_key >= $from) AND ($to IS NULL OR d.date_key < $to)

    UNION ALL

    SELECT 'consistency' AS aspect, 'V05' AS rule, count(*) AS checked,
           sum(CASE WHEN abs(o.landed_amount - o.told_amount) > CAST(0.01 AS DECIMAL(18,4)) * o.order_lines THEN 1 ELSE 0 END) AS failed,
           count(*) AS checked_once
    FROM order_check o
    WHERE o.is_told AND o.is_landed AND ($table_name IS NULL OR $table_name = 'order_header')
      AND ($from IS NULL OR o.business_date >= $from) AND ($to IS NULL OR o.business_date < $to)

    UNION ALL

    -- lines that are reduced, by themselves or by a reason, since their system tells reasons
    SELECT 'consistency' AS aspect, 'V06' AS rule, count(*) AS checked,
           sum(CASE WHEN abs(coalesce(t.amount, CAST(0 AS DECIMAL(28,4))) - o.discount) > CAST(0.01 AS DECIMAL(18,4)) THEN 1 ELSE 0
               END) AS failed, count(*) AS checked_once
    FROM (
        SELECT k.source_system, k.order_id, k.order_line_id, k.business_date, k.line_discount_amount + k.order_discount_allocated AS discount
        FROM base.order_line k
        JOIN (
            SELECT e.source_system, min(e.business_date) AS first_day
            FROM base.order_line_discount e
            WHERE NOT e.is_deleted
            GROUP BY 1
        ) since ON since.source_system = k.source_system AND k.business_date >= since.first_day
        WHERE NOT k.is_deleted AND k.line_status <> 'removed'
    ) o
    LEFT JOIN (
        SELECT e.source_system, e.order_id, e.order_line_id, sum(e.amount) AS amount
        FROM base.order_line_discount e
        WHERE NOT e.is_deleted
        GROUP BY 1, 2, 3
    ) t ON t.source_system = o.source_system AND t.order_id = o.order_id AND t.order_line_id = o.order_line_id
    WHERE (o.discount <> 0 OR t.amount IS NOT NULL) AND ($table_name IS NULL OR $table_name = 'order_line_discount')
      AND ($from IS NULL OR o.business_date >= $from) AND ($to IS NULL OR o.business_date < $to)

    UNION ALL

    SELECT 'consistency' AS aspect, 'V13' AS rule, count(*) AS checked, sum(CASE WHEN u.is_wrong THEN 1 ELSE 0 END) AS failed,
           count(*) AS checked_once
    FROM (
        SELECT 'order_line' AS table_name, o.business_date, o.unit_cost < 0 OR o.unit_cost > 5 * o.unit_price AS is_wrong
        FROM base.order_line o
        WHERE NOT o.is_deleted AND o.unit_cost IS NOT NULL

        UNION ALL

        SELECT 'inventory_movement' AS table_name, m.business_date, m.unit_cost < 0 AS is_wrong
        FROM base.inventory_movement m
        WHERE NOT m.is_deleted AND m.unit_cost IS NOT NULL
    ) u
    WHERE ($table_name IS NULL OR u.table_name = $table_name)
      AND ($from IS NULL OR u.business_date >= $from) AND ($to IS NULL OR u.business_date < $to)

    UNION ALL

    SELECT 'consistency' AS aspect, 'V14' AS rule, sum(p.lines) AS checked, sum(CASE WHEN p.is_far THEN p.lines ELSE 0 END) AS failed,
           sum(p.lines) AS checked_once
    FROM price_check p
    WHERE p.past_lines > 0 AND ($table_name IS NULL OR $table_name = 'order_line')
      AND ($from IS NULL OR p.business_date >= $from) AND ($to IS NULL OR p.business_date < $to)

    UNION ALL

    SELECT 'consistency' AS aspect, 'V15' AS rule, count(*) AS checked,
           sum(CASE WHEN c.opening + c.moved <> c.closing THEN 1 ELSE 0 END) AS failed, count(*) AS checked_once
    FROM stock_check c
    WHERE ($table_name IS NULL OR $table_name = 'inventory_snapshot')
      AND ($from IS NULL OR c.closing_date >= $from) AND ($to IS NULL OR c.closing_date < $to)

    UNION ALL

    -- as many shares as there are may each be rounded by half of their last place
    SELECT 'consistency' AS aspect, 'V17' AS rule, count(*) AS checked,
           sum(CASE WHEN abs(w.shares - 1) * 2000000 > w.parts THEN 1 ELSE 0 END) AS failed, count(*) AS checked_once
    FROM (
        SELECT sum(b.revenue_share) AS shares, count(*) AS parts, CAST(max(b.ingested_at) AS DATE) AS landed_on
        FROM base.product_bundle b
        WHERE NOT b.is_deleted AND ($table_name IS NULL OR $table_name = 'product_bundle')
        GROUP BY b.bundle_product_id

        UNION ALL

        SELECT sum(a.share) AS shares, count(*) AS parts, CAST(max(a.ingested_at) AS DATE) AS landed_on
        FROM base.rep_assignment a
        WHERE NOT a.is_deleted AND ($table_name IS NULL OR $table_name = 'rep_assignment')
        GROUP BY a.assigned_type, a.assigned_id, a.valid_from
    ) w
    WHERE ($from IS NULL OR w.landed_on >= $from) AND ($to IS NULL OR w.landed_on < $to)

    UNION ALL

    SELECT 'consistency' AS aspect, 'V21' AS rule, count(*) AS checked, sum(CASE WHEN c.is_same THEN 0 ELSE 1 END) AS failed,
           count(*) AS checked_once
    FROM order_column_check c
    WHERE ($table_name IS NULL OR c.table_name = $table_name)
      AND ($from IS NULL OR c.business_date >= $from) AND ($to IS NULL OR c.business_date < $to)
)
SELECT
    $from AS period_start,
    $to AS period_end,
    false AS is_partial_period,
    s.aspect,
    s.rule,
    s.checked,
    s.failed,
    ratio(s.checked - s.failed, s.checked) AS score,
    reporting_currency() AS currency
FROM (
    SELECT
        f.aspect,
        CASE WHEN $level = 'rule' THEN f.rule END AS rule,
        coalesce(sum(CASE WHEN $level = 'rule' THEN f.checked ELSE f.checked_once END), 0) AS checked,
        coalesce(sum(f.failed), 0) AS failed
    FROM fact f
    GROUP BY 1, 2
) s
ORDER BY s.aspect NULLS LAST, s.rule NULLS LAST
