-- ---
-- title = { en = "RFM segments", zh = "RFM 客户分层" }
-- about = """Who is loyal, who is leaving? Customers who bought in the window before as_of, scored 1 to 5 by recency (day of the last
-- purchase), frequency (days with a purchase) and money (net sales, after returns): score = 1 + ⌊5 · customers with a strictly lower value
-- / customers⌋, so equal values have equal scores and no border is arbitrary. The segment is read from R and FM = ⌊(F + M + 1) / 2⌋:
-- champions, loyal, active, new, promising, needs_attention, at_risk, almost_lost, previously_loyal, dormant. Who bought only before the
-- window is dormant, customers of the customer table who never bought are prospects. customers_prev are the customers in the segment at
-- compare_as_of, by the scores of that day; stayed were in it then and are now. What lies on or after as_of does not exist for the report.
-- With slicers the scores are of the purchases in the slice."""
-- key = ["segment"]
-- spine = ["customer"]
-- totals = false
-- needs = ["order_line.customer_key"]
--
-- [params]
-- as_of = { type = "date", default = "today", about = "Scores at the beginning of this day." }
-- compare_as_of = { type = "date", default = "today - 30 days", about = "Scores with which they are compared." }
-- window = { type = "int", default = 365, min = 1, max = 3650, about = "Days before as_of whose purchases are scored." }
--
-- [chart]
-- kind = "treemap"
-- x = "segment"
-- y = ["net_sales"]
--
-- [columns]
-- period_start = "first day of the window"
-- period_end = "as_of"
-- is_partial_period = "never: the days before as_of are over"
-- segment = "the segment"
-- r_from = "lowest recency score in it; empty unless scored"
-- r_to = "highest"
-- customer_count = "customers in it"
-- customer_count_all = "customers of all segments"
-- customer_share = "customer_count / customer_count_all"
-- customer_count_before = "customers in it at compare_as_of"
-- stayed = "of those, in it also now"
-- came = "in it now and not then"
-- gone = "in it then and not now"
-- purchase_days = "days with a purchase in the window, added up over the customers"
-- net_sales = "net sales in the window (money)"
-- net_sales_all = "of all segments (money)"
-- share = "net_sales / net_sales_all"
-- net_sales_per_customer = "net_sales / customer_count (money per customer)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "segments add up"
-- each = ["came = customer_count - stayed", "gone = customer_count_before - stayed"]
-- all = ["sum(customer_count) = max(customer_count_all)", "sum(net_sales) = max(net_sales_all)"]
--
-- [[tests]]
-- name = "nobody moves in no time"
-- params = { compare_as_of = "today" }
-- each = ["came = 0", "gone = 0"]
-- ---
WITH at_day AS (
    SELECT 1 AS is_now, CAST($as_of AS DATE) AS as_of
    UNION ALL
    SELECT 0 AS is_now, CAST($compare_as_of AS DATE) AS as_of
),
value AS (
    -- per day of scoring and customer: what the window holds
    SELECT
        t.is_now,
        e.customer_key,
        count(CASE WHEN e.is_purchase THEN 1 END) AS purchases,
        max(CASE WHEN e.is_purchase AND CAST(e.business_date AS INT) >= CAST(t.as_of AS INT) - $window THEN e.business_date END) AS last_day,
        count(DISTINCT CASE WHEN e.is_purchase AND CAST(e.business_date AS INT) >= CAST(t.as_of AS INT) - $window THEN e.business_date END)
            AS purchase_days,
        sum(CASE WHEN CAST(e.business_date AS INT) >= CAST(t.as_of AS INT) - $window THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales
    FROM (
        SELECT v.customer_key, v.business_date, v.event_kind IN ('sale', 'exchange_out') AS is_purchase, v.net_rc, 0 AS is_known
        FROM sales_event v
        WHERE v.flow <> 'sell_out' AND v.customer_key IS NOT NULL

        UNION ALL

        SELECT
            -- the key that stands for all of a customer's, whichever of them the table has
            coalesce(n.canonical_customer_key, k.customer_key) AS customer_key, coalesce(CAST(k.acquired_at AS DATE), DATE '1970-01-01') AS business_date, false AS is_purchase,
            CAST(0 AS DECIMAL(18,4)) AS net_rc, 1 AS is_known
        FROM customer k
        LEFT JOIN customer_key_now n ON n.customer_key = k.customer_key
    ) e
    CROSS JOIN at_day t
    WHERE e.business_date < t.as_of
    GROUP BY 1, 2
    HAVING count(CASE WHEN e.is_purchase THEN 1 END) > 0 OR max(e.is_known) = 1
),
score AS (
    SELECT
        v.*,
        rank_score(rank() OVER (PARTITION BY v.is_now, v.last_day IS NULL ORDER BY v.last_day NULLS LAST),
                   count(*) OVER (PARTITION BY v.is_now, v.last_day IS NULL), 5) AS r,
        rank_score(rank() OVER (PARTITION BY v.is_now, v.last_day IS NULL ORDER BY v.purchase_days NULLS LAST),
                   count(*) OVER (PARTITION BY v.is_now, v.last_day IS NULL), 5) AS f,
        rank_score(rank() OVER (PARTITION BY v.is_now, v.last_day IS NULL ORDER BY v.net_sales NULLS LAST),
                   count(*) OVER (PARTITION BY v.is_now, v.last_day IS NULL), 5) AS m
    FROM value v
),
placed AS (
    SELECT
        c.is_now,
        c.customer_key,
        CASE WHEN c.last_day IS NOT NULL THEN c.r END AS r,
        c.purchase_days,
        c.net_sales,
        CASE WHEN c.purchases = 0 THEN 'prospects'
             WHEN c.last_day IS NULL THEN 'dormant'
             -- R and FM as one number of two digits
             ELSE CASE 10 * c.r + CAST(floor((c.f + c.m + 1) / 2.0) AS BIGINT)
                  WHEN 55 THEN 'champions' WHEN 54 THEN 'champions' WHEN 53 THEN 'active' WHEN 52 THEN 'active' WHEN 51 THEN 'new'
                  WHEN 45 THEN 'loyal' WHEN 44 THEN 'loyal' WHEN 43 THEN 'active' WHEN 42 THEN 'active' WHEN 41 THEN 'promising'
                  WHEN 35 THEN 'loyal' WHEN 34 THEN 'loyal' WHEN 33 THEN 'needs_attention' WHEN 32 THEN 'needs_attention' WHEN 31 THEN 'promising'
                  WHEN 25 THEN 'at_risk' WHEN 24 THEN 'at_risk' WHEN 23 THEN 'almost_lost' WHEN 22 THEN 'almost_lost' WHEN 21 THEN 'dormant'
                  WHEN 15 THEN 'previously_loyal' WHEN 14 THEN 'previously_loyal' ELSE 'dormant' END END AS segment
    FROM score c
),
customer_at AS (
    SELECT
        p.customer_key,
        max(CASE WHEN p.is_now = 1 THEN p.segment END) AS segment,
        max(CASE WHEN p.is_now = 0 THEN p.segment END) AS segment_before,
        max(CASE WHEN p.is_now = 1 THEN p.r END) AS r,
        max(CASE WHEN p.is_now = 1 THEN p.purchase_days END) AS purchase_days,
        max(CASE WHEN p.is_now = 1 THEN p.net_sales END) AS net_sales
    FROM placed p
    GROUP BY 1
)
SELECT
    CAST(CAST(CAST($as_of AS DATE) AS INT) - $window AS DATE) AS period_start,
    $as_of AS period_end,
    false AS is_partial_period,
    s.segment,
    s.r_from,
    s.r_to,
    s.customer_count,
    sum(s.customer_count) OVER () AS customer_count_all,
    ratio(s.customer_count, sum(s.customer_count) OVER ()) AS customer_share,
    s.customer_count_before,
    s.stayed,
    s.customer_count - s.stayed AS came,
    s.customer_count_before - s.stayed AS gone,
    s.purchase_days,
    s.net_sales,
    sum(s.net_sales) OVER () AS net_sales_all,
    ratio(s.net_sales, sum(s.net_sales) OVER ()) AS share,
    ratio(s.net_sales, s.customer_count) AS net_sales_per_customer,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN t.is_now = 1 THEN p.segment ELSE p.segment_before END AS segment,
        min(CASE WHEN t.is_now = 1 THEN p.r END) AS r_from,
        max(CASE WHEN t.is_now = 1 THEN p.r END) AS r_to,
        sum(t.is_now) AS customer_count,
        sum(1 - t.is_now) AS customer_count_before,
        sum(CASE WHEN t.is_now = 1 AND p.segment = p.segment_before THEN 1 ELSE 0 END) AS stayed,
        sum(CASE WHEN t.is_now = 1 THEN p.purchase_days ELSE 0 END) AS purchase_days,
        sum(CASE WHEN t.is_now = 1 THEN p.net_sales ELSE CAST(0 AS DECIMAL(28,4)) END) AS net_sales
    FROM customer_at p
    CROSS JOIN at_day t
    WHERE CASE WHEN t.is_now = 1 THEN p.segment ELSE p.segment_before END IS NOT NULL
    GROUP BY 1
) s
ORDER BY s.net_sales DESC NULLS LAST, s.segment NULLS LAST
