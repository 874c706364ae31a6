-- ---
-- title = { en = "Representatives' scorecard", zh = "销售人员考核表" }
-- about = """How does each representative do, all in all? Five scores, each 1 at what is expected: attainment = net_sales / target
-- (targets of dim_type sales_rep and metric net_sales, for the asked days); growth = net_sales / net_sales_prev of the same dates a year
-- before; margin = gross margin / that of all rows; retention = kept_customers / customers_before: of those who bought from the
-- representative a year before, who bought again; activity = done / planned activities. score_index = 100 × Σ weight × score / Σ weight,
-- over the scores that there are: one without a base is left out, never 0. Satisfaction is not in it: feedback is of channels and articles,
-- not of representatives. The credit of a sale is what policy rep_credit gives. Only representatives whom the list has; the targets' last
-- approved version holds."""
-- key = ["sales_rep_id"]
-- totals = false
-- needs = ["order_line.sales_rep_id"]
--
-- [params]
-- from = { type = "date", default = "start of month - 3 months", about = "First day, included." }
-- to = { type = "date", default = "start of month", about = "First day that is not included." }
-- team = { type = "text", optional = true, values = "SELECT DISTINCT team_id FROM sales_rep WHERE team_id IS NOT NULL ORDER BY 1", about = "Only this team." }
-- target_set = { type = "text", optional = true, values = "SELECT DISTINCT target_set_id FROM base.target ORDER BY 1", about = "Only the targets of this plan." }
-- target_grain = { type = "text", default = "quarter", values = ["day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "Targets of such periods: those of several are not added up." }
-- w_attainment = { type = "decimal", default = 0.3, min = 0, about = "Weight of attainment." }
-- w_growth = { type = "decimal", default = 0.2, min = 0, about = "Weight of growth." }
-- w_margin = { type = "decimal", default = 0.2, min = 0, about = "Weight of margin." }
-- w_retention = { type = "decimal", default = 0.15, min = 0, about = "Weight of retention." }
-- w_activity = { type = "decimal", default = 0.15, min = 0, about = "Weight of activity." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a period that ends later is partial." }
--
-- [chart]
-- kind = "table"
-- x = "sales_rep_name"
-- y = ["score_index"]
--
-- [columns]
-- period_start = "the first day asked for"
-- period_end = "the first day that is not"
-- is_partial_period = "to is after as_of: the period is not over"
-- sales_rep_id = "the representative"
-- sales_rep_name = "name, masked"
-- team_id = "the team"
-- net_sales = "gross sales − discounts − returns (money)"
-- target = "planned for the asked days; empty = no target (money)"
-- attainment = "net_sales / target (share)"
-- net_sales_prev_year = "net sales of the same dates a year before (money)"
-- growth_score = "net_sales / net_sales_prev_year; empty where that is not above 0 (share)"
-- net_sales_with_cost = "net sales whose cost is known (money)"
-- cogs = "cost of those goods (money)"
-- gross_margin_pct = "(net_sales_with_cost − cogs) / net_sales_with_cost (share)"
-- margin_score = "gross_margin_pct / that of all rows (share)"
-- customers_before = "customers who bought from the representative in the same dates a year before"
-- kept_customers = "those of them who bought from the representative again"
-- retention = "kept_customers / customers_before (share)"
-- planned_activities = "activities of the asked days"
-- done_activities = "those that came about"
-- activity_score = "done_activities / planned_activities (share)"
-- weight_all = "weights of the scores that there are"
-- score_index = "100 × weighted mean of the scores"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "who is kept was there, what is done was planned"
-- each = ["kept_customers <= customers_before", "done_activities <= planned_activities", "weight_all >= 0"]
--
-- [[tests]]
-- name = "one weight alone is its score"
-- params = { w_attainment = "0", w_growth = "0", w_margin = "0", w_retention = "0", w_activity = "1" }
-- each = ["score_index = 100 * activity_score"]
-- ---
WITH fact AS (
    -- what was sold in the asked days, and in the same dates a year before
    SELECT
        v.sales_rep_id,
        CAST(v.net_rc AS DECIMAL(38,10)) AS net_now, CAST(0 AS DECIMAL(38,10)) AS net_prev,
        CASE WHEN v.cost_rc IS NOT NULL THEN v.net_rc ELSE CAST(0 AS DECIMAL(28,10)) END AS net_with_cost,
        CAST(v.cost_rc AS DECIMAL(28,10)) AS cost,
        CAST(NULL AS DECIMAL(38,4)) AS target, CAST(0 AS BIGINT) AS customers_before, CAST(0 AS BIGINT) AS kept,
        CAST(0 AS BIGINT) AS planned, CAST(0 AS BIGINT) AS done
    FROM rep_sale v
    WHERE v.business_date >= $from AND v.business_date < $to AND v.sales_rep_id IS NOT NULL

    UNION ALL

    SELECT
        w.sales_rep_id,
        CAST(0 AS DECIMAL(38,10)) AS net_now, CAST(w.net_rc AS DECIMAL(38,10)) AS net_prev,
        CAST(0 AS DECIMAL(28,10)) AS net_with_cost, CAST(0 AS DECIMAL(28,10)) AS cost,
        CAST(NULL AS DECIMAL(38,4)) AS target, CAST(0 AS BIGINT) AS customers_before, CAST(0 AS BIGINT) AS kept,
        CAST(0 AS BIGINT) AS planned, CAST(0 AS BIGINT) AS done
    FROM rep_sale w
    WHERE w.business_date >= CAST($from - INTERVAL '1 year' AS DATE) AND w.business_date < CAST($to - INTERVAL '1 year' AS DATE)
      AND w.sales_rep_id IS NOT NULL

    UNION ALL

    -- whether each customer of a year before bought again
    SELECT
        b.sales_rep_id,
        CAST(0 AS DECIMAL(38,10)) AS net_now, CAST(0 AS DECIMAL(38,10)) AS net_prev,
        CAST(0 AS DECIMAL(28,10)) AS net_with_cost, CAST(0 AS DECIMAL(28,10)) AS cost,
        CAST(NULL AS DECIMAL(38,4)) AS target, CAST(1 AS BIGINT) AS customers_before,
        CASE WHEN b.again THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS kept,
        CAST(0 AS BIGINT) AS planned, CAST(0 AS BIGINT) AS done
    FROM (
        SELECT
            x.sales_rep_id, x.buyer_key,
            bool_or(x.business_date < CAST($to - INTERVAL '1 year' AS DATE)) AS was_before,
            bool_or(x.business_date >= $from) AS again
        FROM rep_sale x
        WHERE ((x.business_date >= CAST($from - INTERVAL '1 year' AS DATE) AND x.business_date < CAST($to - INTERVAL '1 year' AS DATE))
               OR (x.business_date >= $from AND x.business_date < $to))
          AND x.sales_rep_id IS NOT NULL AND x.buyer_key IS NOT NULL
        GROUP BY 1, 2
    ) b
    WHERE b.was_before

    UNION ALL

    SELECT
        t.dim_id AS sales_rep_id,
        CAST(0 AS DECIMAL(38,10)) AS net_now, CAST(0 AS DECIMAL(38,10)) AS net_prev,
        CAST(0 AS DECIMAL(28,10)) AS net_with_cost, CAST(0 AS DECIMAL(28,10)) AS cost,
        CAST(t.target_rc AS DECIMAL(38,4)) AS target, CAST(0 AS BIGINT) AS customers_before, CAST(0 AS BIGINT) AS kept,
        CAST(0 AS BIGINT) AS planned, CAST(0 AS BIGINT) AS done
    FROM target_day t
    WHERE t.dim_type = 'sales_rep' AND t.metric = 'net_sales' AND t.holds AND t.grain = $target_grain
      AND t.business_date >= $from AND t.business_date < $to
      AND ($target_set IS NULL OR t.target_set_id = $target_set)

    UNION ALL

    SELECT
        a.sales_rep_id,
        CAST(0 AS DECIMAL(38,10)) AS net_now, CAST(0 AS DECIMAL(38,10)) AS net_prev,
        CAST(0 AS DECIMAL(28,10)) AS net_with_cost, CAST(0 AS DECIMAL(28,10)) AS cost,
        CAST(NULL AS DECIMAL(38,4)) AS target, CAST(0 AS BIGINT) AS customers_before, CAST(0 AS BIGINT) AS kept,
        CAST(1 AS BIGINT) AS planned, CASE WHEN a.is_done THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS done
    FROM rep_activity a
    WHERE a.business_date >= $from AND a.business_date < $to
)
SELECT
    $from AS period_start,
    $to AS period_end,
    $to > $as_of AS is_partial_period,
    q.sales_rep_id,
    q.sales_rep_name,
    q.team_id,
    q.net_sales,
    q.target,
    q.attainment,
    q.net_sales_prev_year,
    q.growth_score,
    q.net_sales_with_cost,
    q.cogs,
    q.gross_margin_pct,
    q.margin_score,
    q.customers_before,
    q.kept_customers,
    q.retention,
    q.planned_activities,
    q.done_activities,
    q.activity_score,
    q.w_attainment + q.w_growth + q.w_margin + q.w_retention + q.w_activity AS weight_all,
    100 * ratio(coalesce(q.w_attainment * q.attainment, 0.0) + coalesce(q.w_growth * q.growth_score, 0.0) + coalesce(q.w_margin * q.margin_score, 0.0)
                + coalesce(q.w_retention * q.retention, 0.0) + coalesce(q.w_activity * q.activity_score, 0.0),
                q.w_attainment + q.w_growth + q.w_margin + q.w_retention + q.w_activity) AS score_index,
    reporting_currency() AS currency
FROM (
    SELECT
        p.*,
        CASE WHEN p.attainment IS NULL THEN 0.0 ELSE CAST(CAST($w_attainment AS DECIMAL(18,6)) AS DOUBLE) END AS w_attainment,
        CASE WHEN p.growth_score IS NULL THEN 0.0 ELSE CAST(CAST($w_growth AS DECIMAL(18,6)) AS DOUBLE) END AS w_growth,
        CASE WHEN p.margin_score IS NULL THEN 0.0 ELSE CAST(CAST($w_margin AS DECIMAL(18,6)) AS DOUBLE) END AS w_margin,
        CASE WHEN p.retention IS NULL THEN 0.0 ELSE CAST(CAST($w_retention AS DECIMAL(18,6)) AS DOUBLE) END AS w_retention,
        CASE WHEN p.activity_score IS NULL THEN 0.0 ELSE CAST(CAST($w_activity AS DECIMAL(18,6)) AS DOUBLE) END AS w_activity
    FROM (
        SELECT
            s.*,
            ratio(s.net_sales, s.target) AS attainment,
            CASE WHEN s.net_sales_prev_year > 0 THEN ratio(s.net_sales, s.net_sales_prev_year) END AS growth_score,
            ratio(s.net_sales_with_cost - s.cogs, s.net_sales_with_cost) AS gross_margin_pct,
            ratio(ratio(s.net_sales_with_cost - s.cogs, s.net_sales_with_cost),
                  ratio(sum(s.net_sales_with_cost - s.cogs) OVER (), sum(s.net_sales_with_cost) OVER ())) AS margin_score,
            ratio(s.kept_customers, s.customers_before) AS retention,
            ratio(s.done_activities, s.planned_activities) AS activity_score
        FROM (
            SELECT
                r.sales_rep_id,
                r.name_masked AS sales_rep_name,
                r.team_id,
                CAST(sum(f.net_now) AS DECIMAL(28,4)) AS net_sales,
                CAST(sum(f.net_prev) AS DECIMAL(28,4)) AS net_sales_prev_year,
                CAST(sum(f.net_with_cost) AS DECIMAL(28,4)) AS net_sales_with_cost,
                CAST(sum(f.cost) AS DECIMAL(28,4)) AS cogs,
                CAST(sum(f.target) AS DECIMAL(28,4)) AS target,
                sum(f.customers_before) AS customers_before,
                sum(f.kept) AS kept_customers,
                sum(f.planned) AS planned_activities,
                sum(f.done) AS done_activities
            FROM fact f
            JOIN sales_rep r ON r.sales_rep_id = f.sales_rep_id
            WHERE $team IS NULL OR r.team_id = $team
            GROUP BY 1, 2, 3
        ) s
    ) p
) q
ORDER BY score_index DESC NULLS LAST, q.sales_rep_id NULLS LAST
