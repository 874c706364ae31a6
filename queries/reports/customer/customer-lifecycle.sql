-- ---
-- title = { en = "Customer lifecycle", zh = "客户生命周期" }
-- about = """In which stage of their life are customers, and where did they come from? The stage at as_of, by the days since the last purchase
-- day r: prospect (in the customer table, never bought), new (r ≤ active_days and first bought within them), reactivated (r ≤ active_days
-- and within them a purchase after a silence of more than lost_days), active (any other r ≤ active_days), at_risk (r ≤ dormant_days),
-- dormant (r ≤ lost_days), lost (longer). One row per flow from the stage at compare_as_of to the stage at as_of; unknown = not a customer
-- yet. flow_share = customer_count / stage_count_before: of those who were in the stage, how many went this way. net_sales is all that
-- these customers brought before as_of. What lies on or after as_of does not exist for the report, so that the same as_of gives the same
-- answer tomorrow. With slicers the stages are of the purchases in the slice."""
-- key = ["stage_before", "stage"]
-- spine = ["customer"]
-- totals = false
-- needs = ["order_line.customer_key"]
--
-- [params]
-- as_of = { type = "date", default = "today", about = "Stages at the beginning of this day." }
-- compare_as_of = { type = "date", default = "today - 90 days", about = "Stages with which they are compared." }
-- active_days = { type = "int", default = 90, min = 1, max = 3650, about = "Bought within so many days: active." }
-- dormant_days = { type = "int", default = 180, min = 1, max = 3650, about = "Silent for longer: dormant; until then at risk." }
-- lost_days = { type = "int", default = 365, min = 1, max = 3650, about = "Silent for longer: lost." }
--
-- [chart]
-- kind = "sankey"
-- x = "stage_before"
-- y = ["customer_count"]
-- series = "stage"
--
-- [columns]
-- period_start = "compare_as_of"
-- period_end = "as_of"
-- is_partial_period = "never: the days before as_of are over"
-- stage_before = "the stage at compare_as_of; unknown = not a customer yet"
-- stage = "the stage at as_of: prospect, new, active, at_risk, dormant, lost or reactivated"
-- customer_count = "customers who went this way"
-- stage_count = "customers of the stage at as_of"
-- stage_count_before = "customers of the stage at compare_as_of"
-- customer_count_all = "all customers"
-- flow_share = "customer_count / stage_count_before"
-- stage_share = "stage_count / customer_count_all"
-- net_sales = "their net sales before as_of, over all time (money)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "flows add up"
-- each = ["customer_count <= stage_count", "customer_count <= stage_count_before"]
-- all = ["sum(customer_count) = max(customer_count_all)"]
--
-- [[tests]]
-- name = "nobody moves in no time"
-- params = { compare_as_of = "today" }
-- each = ["stage = stage_before"]
-- ---
WITH at_day AS (
    SELECT 1 AS is_now, CAST($as_of AS DATE) AS as_of
    UNION ALL
    SELECT 0 AS is_now, CAST($compare_as_of AS DATE) AS as_of
),
seen AS (
    -- per day of looking and customer: first and last purchase, and the last one that ended a long silence
    SELECT
        t.is_now,
        max(CAST(t.as_of AS INT)) AS at_day,
        e.customer_key,
        max(e.is_known) AS is_known,
        min(CASE WHEN e.is_purchase THEN CAST(e.business_date AS INT) END) AS first_day,
        max(CASE WHEN e.is_purchase THEN CAST(e.business_date AS INT) END) AS last_day,
        max(CASE WHEN e.is_purchase AND e.silence > $lost_days THEN CAST(e.business_date AS INT) END) AS back_day,
        sum(e.net_rc) AS net_sales
    FROM (
        SELECT
            v.customer_key,
            v.business_date,
            v.is_purchase,
            v.net_rc,
            CAST(v.business_date AS INT) - CAST(lag(v.business_date) OVER (PARTITION BY v.customer_key, v.is_purchase
                                                                          ORDER BY v.business_date) AS INT) AS silence,
            0 AS is_known
        FROM (
            SELECT s.customer_key, s.business_date, s.event_kind IN ('sale', 'exchange_out') AS is_purchase, s.net_rc
            FROM sales_event s
            WHERE s.flow <> 'sell_out' AND s.customer_key IS NOT NULL
        ) v

        UNION ALL

        SELECT
            -- the key that stands for all of a customer's, whichever of them the table has
            coalesce(n.canonical_customer_key, k.customer_key) AS customer_key, coalesce(CAST(k.acquired_at AS DATE), DATE '1970-01-01') AS business_date, false AS is_purchase,
            CAST(0 AS DECIMAL(18,4)) AS net_rc, CAST(NULL AS INT) AS silence, 1 AS is_known
        FROM customer k
        LEFT JOIN customer_key_now n ON n.customer_key = k.customer_key
    ) e
    CROSS JOIN at_day t
    WHERE e.business_date < t.as_of
    GROUP BY t.is_now, e.customer_key
),
placed AS (
    SELECT
        s.is_now,
        s.customer_key,
        s.net_sales,
        CASE WHEN s.last_day IS NULL THEN 'prospect'
             WHEN s.at_day - s.last_day > $lost_days THEN 'lost'
             WHEN s.at_day - s.last_day > $dormant_days THEN 'dormant'
             WHEN s.at_day - s.last_day > $active_days THEN 'at_risk'
             WHEN s.at_day - s.first_day <= $active_days THEN 'new'
             WHEN coalesce(s.at_day - s.back_day <= $active_days, false) THEN 'reactivated'
             ELSE 'active' END AS stage
    FROM seen s
    WHERE s.last_day IS NOT NULL OR s.is_known = 1
),
customer_at AS (
    SELECT
        p.customer_key,
        coalesce(max(CASE WHEN p.is_now = 0 THEN p.stage END), 'unknown') AS stage_before,
        coalesce(max(CASE WHEN p.is_now = 1 THEN p.stage END), 'unknown') AS stage,
        max(CASE WHEN p.is_now = 1 THEN p.net_sales END) AS net_sales
    FROM placed p
    GROUP BY 1
)
SELECT
    $compare_as_of AS period_start,
    $as_of AS period_end,
    false AS is_partial_period,
    f.stage_before,
    f.stage,
    f.customer_count,
    sum(f.customer_count) OVER (PARTITION BY f.stage) AS stage_count,
    sum(f.customer_count) OVER (PARTITION BY f.stage_before) AS stage_count_before,
    sum(f.customer_count) OVER () AS customer_count_all,
    ratio(f.customer_count, sum(f.customer_count) OVER (PARTITION BY f.stage_before)) AS flow_share,
    ratio(sum(f.customer_count) OVER (PARTITION BY f.stage), sum(f.customer_count) OVER ()) AS stage_share,
    f.net_sales,
    reporting_currency() AS currency
FROM (
    SELECT c.stage_before, c.stage, count(*) AS customer_count, sum(c.net_sales) AS net_sales
    FROM customer_at c
    GROUP BY 1, 2
) f
ORDER BY f.customer_count DESC NULLS LAST, f.stage_before NULLS LAST, f.stage NULLS LAST
