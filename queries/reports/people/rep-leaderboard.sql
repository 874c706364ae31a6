-- ---
-- title = { en = "Representatives ranked", zh = "销售人员排行" }
-- about = """Who sells most? Net sales, profit, customers won and deals closed per representative (level rep) or team (level team), ranked
-- in each bucket by net sales. The credit goes to whoever sold, or by shares to those who look after the customer, else whoever sold,
-- else those of the place or region (policy rep_credit); orders and customers count whole for each representative, so they do not add
-- up where credit is shared. Returns count for whoever had the credit of the sale. new_customers are those whose first purchase ever, over all channels and all time, was one of the
-- representative's on that day. win_rate = won / (won + lost) opportunities by the day on which they were closed. Sales by nobody, such as
-- those of the web shop, are not in it; a representative whom the list does not have is the row UNK. Growth comes with compare."""
-- key = ["period_start", "team_id", "sales_rep_id"]
-- spine = ["sales_rep"]
-- needs = ["order_line.sales_rep_id"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- level = { type = "text", default = "rep", values = ["rep", "team"], about = "One row per representative, or per team." }
-- team = { type = "text", optional = true, values = "SELECT DISTINCT team_id FROM sales_rep WHERE team_id IS NOT NULL ORDER BY 1", about = "Only this team." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per representative or team and such bucket; all = one row per representative or team." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Representatives without any event are shown with 0, and ranked." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["net_sales", "gross_profit", "orders", "new_customers", "won"]
--
-- [chart]
-- kind = "hbar"
-- x = "sales_rep_name"
-- y = ["net_sales"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- place = "rank in the bucket by net sales, 1 = most; equal ones by team and representative; empty in a totals row"
-- team_id = "the team; UNK = not known"
-- sales_rep_id = "the representative; empty at level team"
-- sales_rep_name = "name, masked; empty at level team"
-- orders = "distinct orders"
-- customers = "distinct customers who bought"
-- new_customers = "customers whose first purchase ever it was"
-- sales_before_returns = "gross_sales − discounts (money)"
-- returns = "refunds, reversals, negative adjustments (money)"
-- net_sales = "gross_sales − discounts − returns (money)"
-- net_sales_all = "net sales of the bucket over all rows, before any limit (money)"
-- share = "net_sales / net_sales_all"
-- aov = "sales_before_returns / orders (money per order)"
-- net_sales_with_cost = "net sales whose cost is known (money)"
-- cogs = "cost of those goods, less cost returned to stock (money)"
-- gross_profit = "net_sales_with_cost − cogs (money)"
-- gross_margin_pct = "gross_profit / net_sales_with_cost (share)"
-- won = "opportunities won"
-- lost = "opportunities lost"
-- closed = "won + lost"
-- won_amount = "what those won are worth (money)"
-- win_rate = "won / closed (share)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "representatives add up to the total"
-- params = { totals = "true" }
-- each = ["closed = won + lost"]
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN net_sales END) = sum(CASE WHEN row_kind = 'total' THEN net_sales END)",
--     "sum(CASE WHEN row_kind = 'row' THEN won_amount END) = sum(CASE WHEN row_kind = 'total' THEN won_amount END)",
-- ]
--
-- [[tests]]
-- name = "teams are their representatives"
-- params = { level = "team" }
-- each = ["new_customers <= customers"]
-- all = ["sum(net_sales) = max(net_sales_all)"]
-- same_sums = { columns = ["net_sales", "won"] }
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    CASE WHEN s.team_id IS NOT NULL
         THEN CAST(row_number() OVER (
             PARTITION BY s.period_start ORDER BY s.net_sales DESC NULLS LAST, s.team_id NULLS LAST, s.sales_rep_id NULLS LAST
         ) AS BIGINT) END AS place,
    s.team_id,
    s.sales_rep_id,
    s.sales_rep_name,
    s.orders,
    s.customers,
    s.new_customers,
    s.sales_before_returns,
    s.returns,
    s.net_sales,
    sum(s.net_sales) OVER (PARTITION BY s.period_start) AS net_sales_all,
    ratio(s.net_sales, sum(s.net_sales) OVER (PARTITION BY s.period_start)) AS share,
    ratio(s.sales_before_returns, s.orders) AS aov,
    s.net_sales_with_cost,
    s.cogs,
    s.net_sales_with_cost - s.cogs AS gross_profit,
    ratio(s.net_sales_with_cost - s.cogs, s.net_sales_with_cost) AS gross_margin_pct,
    s.won,
    s.lost,
    s.won + s.lost AS closed,
    s.won_amount,
    ratio(s.won, s.won + s.lost) AS win_rate,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
        member(e.sales_rep_id, r.team_id) AS team_id,
        CASE WHEN $level = 'rep' THEN member(e.sales_rep_id, r.sales_rep_id) END AS sales_rep_id,
        CASE WHEN $level = 'rep' THEN member(e.sales_rep_id, r.name_masked) END AS sales_rep_name,
        count(DISTINCT e.sale_order_id) AS orders,
        count(DISTINCT e.buyer_key) AS customers,
        count(DISTINCT CASE WHEN e.is_first_day THEN e.buyer_key END) AS new_customers,
        CAST(sum(e.sold) AS DECIMAL(28,4)) AS sales_before_returns,
        CAST(sum(e.returns) AS DECIMAL(28,4)) AS returns,
        CAST(sum(e.net_rc) AS DECIMAL(28,4)) AS net_sales,
        CAST(sum(CASE WHEN e.cost_rc IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(28,10)) END) AS DECIMAL(28,4)) AS net_sales_with_cost,
        CAST(sum(coalesce(e.cost_rc, CAST(0 AS DECIMAL(28,10)))) AS DECIMAL(28,4)) AS cogs,
        sum(e.is_won) AS won,
        sum(e.is_lost) AS lost,
        sum(e.won_rc) AS won_amount
    FROM (
        SELECT
            v.business_date, v.sales_rep_id, v.sale_order_id, v.buyer_key, coalesce(f.first_date = v.business_date, false) AS is_first_day,
            v.gross_sales - v.discounts AS sold, v.returns, v.net_rc, v.cost_rc,
            CAST(0 AS BIGINT) AS is_won, CAST(0 AS BIGINT) AS is_lost, CAST(0 AS DECIMAL(18,4)) AS won_rc
        FROM rep_sale v
        LEFT JOIN first_purchase f ON f.customer_key = v.buyer_key
        WHERE v.business_date >= $from AND v.business_date < $to AND v.sales_rep_id IS NOT NULL

        UNION ALL

        SELECT
            o.business_date, o.sales_rep_id, CAST(NULL AS VARCHAR) AS sale_order_id, CAST(NULL AS VARCHAR) AS buyer_key,
            false AS is_first_day, CAST(0 AS DECIMAL(29,10)) AS sold, CAST(0 AS DECIMAL(28,10)) AS returns,
            CAST(0 AS DECIMAL(28,10)) AS net_rc, CAST(NULL AS DECIMAL(28,10)) AS cost_rc,
            CASE WHEN o.status = 'won' THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS is_won,
            CASE WHEN o.status = 'lost' THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS is_lost,
            CASE WHEN o.status = 'won' THEN o.amount_rc ELSE CAST(0 AS DECIMAL(18,4)) END AS won_rc
        FROM opportunity_now o
        WHERE o.business_date >= $from AND o.business_date < $to AND o.status IN ('won', 'lost')

        UNION ALL

        -- every representative in every bucket, on the bucket's first day
        SELECT
            d.date_key AS business_date, known.sales_rep_id, CAST(NULL AS VARCHAR) AS sale_order_id, CAST(NULL AS VARCHAR) AS buyer_key,
            false AS is_first_day, CAST(0 AS DECIMAL(29,10)) AS sold, CAST(0 AS DECIMAL(28,10)) AS returns,
            CAST(0 AS DECIMAL(28,10)) AS net_rc, CAST(NULL AS DECIMAL(28,10)) AS cost_rc,
            CAST(0 AS BIGINT) AS is_won, CAST(0 AS BIGINT) AS is_lost, CAST(0 AS DECIMAL(18,4)) AS won_rc
        FROM sales_rep known
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) e
    LEFT JOIN sales_rep r ON r.sales_rep_id = e.sales_rep_id
    WHERE $team IS NULL OR r.team_id = $team
    GROUP BY 1, 2, 3, 4
) s
ORDER BY s.period_start NULLS LAST, s.net_sales DESC NULLS LAST, s.team_id NULLS LAST, s.sales_rep_id NULLS LAST
