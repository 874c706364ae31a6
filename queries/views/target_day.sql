-- ---
-- title = { en = "Targets per day", zh = "每日目标" }
-- about = """Every version of every target, spread over the days of its period by the calendar's trading_day_weight, so that a part of a period
-- has a target, too. Rounded as a running total, so the days add up to the target exactly (D60). `holds` marks the version that counts: the
-- greatest one that is approved. Targets of several plans, of months and quarters, or of several versions are never added up. No slicer
-- fits: a target is of what it was planned for, not of a part of it."""
-- needs = ["target"]
-- [columns]
-- target_set_id = "the plan"
-- grain = "how long the target's period is"
-- dim_type = "whose target: company, region, channel …"
-- dim_id = "the member; all = the company"
-- metric = "net_sales, gross_profit, net_units or orders"
-- version = "of the plan, counted up"
-- holds = "the version that counts: the greatest approved one"
-- period_start = "first day of the target's period"
-- period_end = "first day after it"
-- business_date = "the day"
-- target_rc = "the day's part of the target (reporting currency, stock units, or a count)"
-- ---
SELECT
    w.target_set_id,
    w.grain,
    w.dim_type,
    w.dim_id,
    w.metric,
    w.version,
    w.holds,
    w.period_start,
    w.period_end,
    w.business_date,
    CAST(CAST(CAST(w.target_value * w.so_far AS DECIMAL(38,10)) / w.whole AS DECIMAL(18,4))
         - CAST(CAST(w.target_value * (w.so_far - w.weight) AS DECIMAL(38,10)) / w.whole AS DECIMAL(18,4)) AS DECIMAL(18,4)) AS target_rc
FROM (
    SELECT
        t.target_set_id,
        t.grain,
        t.dim_type,
        t.dim_id,
        t.metric,
        t.version,
        t.holds,
        t.period_start,
        t.period_end,
        t.target_value,
        d.date_key AS business_date,
        CAST(d.trading_day_weight AS DECIMAL(18,6)) AS weight,
        CAST(sum(d.trading_day_weight) OVER (
            PARTITION BY t.target_set_id, t.grain, t.dim_type, t.dim_id, t.metric, t.version, t.period_start
            ORDER BY d.date_key ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS DECIMAL(18,6)) AS so_far,
        CAST(sum(d.trading_day_weight) OVER (
            PARTITION BY t.target_set_id, t.grain, t.dim_type, t.dim_id, t.metric, t.version, t.period_start) AS DECIMAL(18,6)) AS whole
    FROM (
        SELECT
            b.*,
            b.approved_at IS NOT NULL AND b.version = max(CASE WHEN b.approved_at IS NOT NULL THEN b.version END) OVER (
                PARTITION BY b.target_set_id, b.grain, b.dim_type, b.dim_id, b.metric, b.period_start) AS holds
        FROM base.target b
        WHERE NOT b.is_deleted
    ) t
    JOIN calendar d ON d.date_key >= t.period_start AND d.date_key < t.period_end
) w
WHERE w.whole > 0
