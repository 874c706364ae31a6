-- ---
-- title = { en = "Payment mix", zh = "支付方式构成" }
-- about = """By which tenders is paid, and how often does it fail? Payments of the asked days per tender, gateway or channel: captured is what
-- successful captures and sales brought, refunded what went back, net_captured their difference, all with tax; share is that of
-- net_captured. success_rate = 1 − failed_attempts / attempts, over authorizations and sales that are not pending; capture_rate =
-- captured_authorizations / authorizations, over successful authorizations, whenever they were captured. Voids move no money. This is
-- money, not sales: a gift card that is sold is captured and no sale, an invoice is captured when it is paid."""
-- key = ["period_start", "group_id"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- level = { type = "text", default = "tender", values = ["tender", "gateway", "channel"], about = "One row per tender, gateway or channel." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per such bucket; all = one for all days." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Tenders, gateways or channels that had payments before `to` are shown in every bucket, with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["captured", "refunded", "net_captured", "attempts"]
--
-- [chart]
-- kind = "stack"
-- x = "period_start"
-- y = ["net_captured"]
-- series = "group_name"
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- group_id = "the tender, gateway or channel; N/A = none, UNK = not in the channel table"
-- group_name = "the channel's name; else the same"
-- captures = "successful captures and sales"
-- captured = "what they brought, with tax (money)"
-- refunds = "successful refunds"
-- refunded = "what they gave back, with tax (money)"
-- net_captured = "captured − refunded (money)"
-- net_captured_all = "net_captured of the bucket over all rows, before any limit (money)"
-- share = "net_captured / net_captured_all"
-- attempts = "authorizations and sales that succeeded or failed"
-- failed_attempts = "those that failed"
-- success_rate = "the others / attempts (share)"
-- authorizations = "successful authorizations"
-- captured_authorizations = "of these, those that were captured"
-- capture_rate = "captured_authorizations / authorizations (share)"
-- voids = "successful voids"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "tenders add up to the total"
-- params = { totals = "true" }
-- each = ["net_captured = captured - refunded"]
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN captured END) = sum(CASE WHEN row_kind = 'total' THEN captured END)",
--     "sum(CASE WHEN row_kind = 'row' THEN refunded END) = sum(CASE WHEN row_kind = 'total' THEN refunded END)",
--     "sum(CASE WHEN row_kind = 'row' THEN attempts END) = sum(CASE WHEN row_kind = 'total' THEN attempts END)",
-- ]
--
-- [[tests]]
-- name = "what fails was tried"
-- params = { level = "gateway" }
-- each = ["failed_attempts <= attempts", "captured_authorizations <= authorizations"]
-- all = ["sum(net_captured) = max(net_captured_all)"]
-- ---
WITH paid AS (
    -- earlier ones tell which groups there are
    SELECT
        p.business_date,
        CASE $level WHEN 'channel' THEN member(p.channel_id, c.channel_id)
                    WHEN 'gateway' THEN coalesce(p.gateway, 'N/A')
                    ELSE p.tender_type END AS group_id,
        CASE $level WHEN 'channel' THEN member(p.channel_id, c.channel_name)
                    WHEN 'gateway' THEN coalesce(p.gateway, 'N/A')
                    ELSE p.tender_type END AS group_name,
        p.status,
        p.payment_kind,
        p.captured_rc,
        p.refunded_rc,
        p.is_captured
    FROM payment_event p
    LEFT JOIN channel c ON c.channel_id = p.channel_id
    WHERE (p.business_date >= $from OR $include_zero) AND p.business_date < $to
)
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.group_id,
    s.group_name,
    s.captures,
    s.captured,
    s.refunds,
    s.refunded,
    s.captured - s.refunded AS net_captured,
    sum(s.captured - s.refunded) OVER (PARTITION BY s.period_start) AS net_captured_all,
    ratio(s.captured - s.refunded, sum(s.captured - s.refunded) OVER (PARTITION BY s.period_start)) AS share,
    s.attempts,
    s.failed_attempts,
    ratio(s.attempts - s.failed_attempts, s.attempts) AS success_rate,
    s.authorizations,
    s.captured_authorizations,
    ratio(s.captured_authorizations, s.authorizations) AS capture_rate,
    s.voids,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(p.business_date, $grain, $calendar) END AS period_start,
        p.group_id,
        p.group_name,
        sum(CASE WHEN p.status = 'success' AND p.payment_kind IN ('capture', 'sale') THEN 1 ELSE 0 END) AS captures,
        sum(p.captured_rc) AS captured,
        sum(CASE WHEN p.status = 'success' AND p.payment_kind = 'refund' THEN 1 ELSE 0 END) AS refunds,
        sum(p.refunded_rc) AS refunded,
        sum(CASE WHEN p.status IN ('success', 'failed') AND p.payment_kind IN ('authorization', 'sale') THEN 1 ELSE 0 END) AS attempts,
        sum(CASE WHEN p.status = 'failed' AND p.payment_kind IN ('authorization', 'sale') THEN 1 ELSE 0 END) AS failed_attempts,
        sum(CASE WHEN p.status = 'success' AND p.payment_kind = 'authorization' THEN 1 ELSE 0 END) AS authorizations,
        sum(CASE WHEN p.is_captured THEN 1 ELSE 0 END) AS captured_authorizations,
        sum(CASE WHEN p.status = 'success' AND p.payment_kind = 'void' THEN 1 ELSE 0 END) AS voids
    FROM (
        SELECT q.business_date, q.group_id, q.group_name, q.status, q.payment_kind, q.captured_rc, q.refunded_rc, q.is_captured
        FROM paid q
        WHERE q.business_date >= $from

        UNION ALL

        -- every group in every bucket, on the bucket's first day
        SELECT
            d.date_key AS business_date, known.group_id, known.group_name, 'none' AS status, 'none' AS payment_kind,
            CAST(0 AS DECIMAL(18,4)) AS captured_rc, CAST(0 AS DECIMAL(18,4)) AS refunded_rc, false AS is_captured
        FROM (SELECT group_id, group_name FROM paid GROUP BY 1, 2) known
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) p
    GROUP BY 1, 2, 3
) s
ORDER BY s.period_start NULLS LAST, net_captured DESC NULLS LAST, s.group_id NULLS LAST
