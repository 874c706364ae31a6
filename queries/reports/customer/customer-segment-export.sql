-- ---
-- title = { en = "Customer list for marketing", zh = "营销客户名单" }
-- about = """Whom may we address, and why? The customers of the RFM segments (report rfm-segments: same scores, same window) who agreed to
-- profiling and to being addressed by the chosen way (parameter consent), with segment, scores and the reason in words, to be handed to
-- whoever sends. Who refused under one of several keys is left out under all; the list has the key that stands for them (view
-- customer_key_now). Erased customers are never in it. A segment with fewer than min_group such customers is left out whole, so that no
-- small group tells of persons. Keys are pseudonyms: names and addresses are added where they are kept. Layout 1: the columns from layout to
-- reason stay as they are under this number; a change gets another one. With slicers the scores are of the purchases in the slice. What was
-- bought on or after as_of does not exist for the report; the consent is always that of today."""
-- key = ["customer_key"]
-- spine = ["customer"]
-- totals = false
-- needs = ["order_line.customer_key", "customer"]
--
-- [params]
-- as_of = { type = "date", default = "today", about = "Scores at the beginning of this day." }
-- window = { type = "int", default = 365, min = 1, max = 3650, about = "Days before as_of whose purchases are scored." }
-- rfm_segment = { type = "text", default = "all", values = ["all", "champions", "loyal", "active", "new", "promising", "needs_attention", "at_risk", "almost_lost", "previously_loyal", "dormant", "prospects"], about = "Only this segment." }
-- consent = { type = "text", default = "email", values = ["email", "sms"], about = "The way that they agreed to." }
-- min_group = { type = "int", default = 5, min = 1, max = 1000, about = "Segments with fewer customers are left out." }
--
-- [chart]
-- kind = "table"
-- x = "customer_key"
-- y = ["net_sales"]
--
-- [columns]
-- period_start = "first day of the window"
-- period_end = "as_of"
-- is_partial_period = "never: the days before as_of are over"
-- layout = "the number of this layout: 1"
-- customer_key = "the customer (pseudonym)"
-- segment = "RFM segment"
-- recency_score = "1 to 5, 5 = bought last; empty: nothing in the window"
-- frequency_score = "1 to 5"
-- money_score = "1 to 5"
-- last_day = "the last day with a purchase in the window"
-- purchase_days = "days with a purchase in the window"
-- net_sales = "net sales in the window (money)"
-- reason = "why the customer is in the list"
-- segment_size = "customers of the segment in the list"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "no small groups"
-- each = ["segment_size >= 5", "recency_score >= 1 AND recency_score <= 5"]
--
-- [[tests]]
-- name = "only what is asked for"
-- params = { rfm_segment = "champions", min_group = "50" }
-- each = ["segment = 'champions'", "segment_size >= 50"]
-- ---
WITH value AS (
    -- per customer: what the window holds
    SELECT
        e.customer_key,
        count(CASE WHEN e.is_purchase THEN 1 END) AS purchases,
        max(CASE WHEN e.is_purchase AND CAST(e.business_date AS INT) >= CAST($as_of AS INT) - $window THEN e.business_date END) AS last_day,
        count(DISTINCT CASE WHEN e.is_purchase AND CAST(e.business_date AS INT) >= CAST($as_of AS INT) - $window THEN e.business_date END)
            AS purchase_days,
        sum(CASE WHEN CAST(e.business_date AS INT) >= CAST($as_of AS INT) - $window THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales
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
    WHERE e.business_date < $as_of
    GROUP BY 1
    HAVING count(CASE WHEN e.is_purchase THEN 1 END) > 0 OR max(e.is_known) = 1
),
score AS (
    SELECT
        v.*,
        rank_score(rank() OVER (PARTITION BY v.last_day IS NULL ORDER BY v.last_day NULLS LAST),
                   count(*) OVER (PARTITION BY v.last_day IS NULL), 5) AS r,
        rank_score(rank() OVER (PARTITION BY v.last_day IS NULL ORDER BY v.purchase_days NULLS LAST),
                   count(*) OVER (PARTITION BY v.last_day IS NULL), 5) AS f,
        rank_score(rank() OVER (PARTITION BY v.last_day IS NULL ORDER BY v.net_sales NULLS LAST),
                   count(*) OVER (PARTITION BY v.last_day IS NULL), 5) AS m
    FROM value v
),
placed AS (
    SELECT
        c.customer_key,
        c.last_day,
        CASE WHEN c.last_day IS NOT NULL THEN c.r END AS r,
        CASE WHEN c.last_day IS NOT NULL THEN c.f END AS f,
        CASE WHEN c.last_day IS NOT NULL THEN c.m END AS m,
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
)
SELECT
    CAST(CAST($as_of AS INT) - $window AS DATE) AS period_start,
    $as_of AS period_end,
    false AS is_partial_period,
    1 AS layout,
    l.customer_key,
    l.segment,
    l.r AS recency_score,
    l.f AS frequency_score,
    l.m AS money_score,
    l.last_day,
    l.purchase_days,
    l.net_sales,
    CASE WHEN l.r IS NOT NULL
         THEN concat(l.segment, ': R', CAST(l.r AS VARCHAR), ' F', CAST(l.f AS VARCHAR), ' M', CAST(l.m AS VARCHAR), ', last bought ',
                     CAST(l.last_day AS VARCHAR))
         WHEN l.segment = 'prospects' THEN 'prospects: never bought'
         ELSE concat(l.segment, ': nothing bought in the window') END AS reason,
    l.segment_size,
    reporting_currency() AS currency
FROM (
    SELECT p.*, count(*) OVER (PARTITION BY p.segment) AS segment_size
    FROM placed p
    JOIN customer_now k ON k.customer_key = p.customer_key
    WHERE NOT k.is_anonymised
      AND k.consent_marketing_profiling
      AND CASE WHEN $consent = 'sms' THEN k.consent_marketing_sms ELSE k.consent_marketing_email END
) l
WHERE l.segment_size >= $min_group AND ($rfm_segment = 'all' OR l.segment = $rfm_segment)
ORDER BY l.net_sales DESC NULLS LAST, l.customer_key NULLS LAST
