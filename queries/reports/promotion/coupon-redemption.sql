-- ---
-- title = { en = "Coupons", zh = "优惠券核销" }
-- about = """Which coupons work? Per promotion that was taken as a coupon (level promotion) or per code (level code): how often it was issued in the
-- asked days (contacts of type coupon_issued), in how many orders of those days it was redeemed, redemption_rate = redeemed / issued, what it
-- took off, and the value of those orders beside that of all orders without any coupon. Codes that anybody may use are redeemed more often
-- than they were issued: the rate may be above 1, and is empty where nothing was issued (D50). aov = order value / orders, after discounts and
-- before returns; new_share = customers whose first purchase ever was such an order / customers. An order with two coupons counts in both.
-- Issued coupons are of no channel and no article, so only slicers of customers fit. Codes are shown hashed."""
-- key = ["period_start", "promotion_id", "coupon_code"]
-- totals = false
-- needs = ["order_line_discount.coupon_code_hash"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- level = { type = "text", default = "promotion", values = ["promotion", "code"], about = "One row per promotion, or per code." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per promotion or code and such bucket; all = one row per promotion or code." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Coupons that were issued or redeemed before `to` are shown in every bucket, with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [chart]
-- kind = "table"
-- x = "promotion_name"
-- y = ["redeemed", "redemption_rate"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- promotion_id = "the promotion; UNK = not in the list, N/A = none given"
-- promotion_name = "its name"
-- coupon_code = "the code, hashed; N/A = none given; empty at level promotion"
-- issued = "coupons issued"
-- redeemed = "orders with the coupon"
-- redemption_rate = "redeemed / issued (share)"
-- coupon_discounts = "what the coupon took off (money)"
-- cost_per_order = "coupon_discounts / redeemed (money per order)"
-- redeemed_sales = "value of those orders, after discounts (money)"
-- aov_with = "redeemed_sales / redeemed (money per order)"
-- orders_without = "orders of the bucket without any coupon"
-- sales_without = "value of those orders (money)"
-- aov_without = "sales_without / orders_without (money per order)"
-- coupon_customers = "distinct customers of the orders with the coupon"
-- coupon_new_customers = "those of them whose first purchase it was"
-- new_share = "coupon_new_customers / coupon_customers"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "customers are those of the orders"
-- each = ["coupon_customers <= redeemed", "coupon_new_customers <= coupon_customers"]
--
-- [[tests]]
-- name = "codes add up to promotions"
-- params = { level = "code" }
-- each = ["coupon_code IS NOT NULL"]
-- same_sums = { columns = ["issued"] }
-- ---
WITH coupon AS (
    -- a row per line and coupon as it is shown
    SELECT
        d.source_system, d.order_id, d.order_line_id,
        member(d.promotion_id, p.promotion_id) AS promotion_id,
        CASE WHEN $level = 'code' THEN coalesce(d.coupon_code_hash, 'N/A') END AS coupon_code,
        sum(d.amount_rc) AS amount_rc
    FROM line_discount d
    LEFT JOIN promotion p ON p.promotion_id = d.promotion_id
    WHERE d.discount_type = 'coupon'
    GROUP BY 1, 2, 3, 4, 5
),
sold AS (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
        e.sale_order_id AS order_id,
        min(e.buyer_key) AS buyer_key,
        min(e.business_date) AS business_date,
        sum(e.gross_sales - e.discounts) AS value
    FROM sales_event e
    WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out' AND e.event_kind IN ('sale', 'exchange_out')
    GROUP BY 1, 2
),
redeemed AS (
    -- a row per line and coupon; earlier ones tell which coupons there are
    SELECT e.business_date, e.sale_order_id AS order_id, c.promotion_id, c.coupon_code, c.amount_rc
    FROM sales_event e
    JOIN coupon c ON c.source_system = e.line_source AND c.order_id = e.line_order_id AND c.order_line_id = e.line_id
    WHERE (e.business_date >= $from OR $include_zero) AND e.business_date < $to AND e.flow <> 'sell_out'
      AND e.event_kind IN ('sale', 'exchange_out')
),
used AS (
    -- a row per order and coupon
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(r.business_date, $grain, $calendar) END AS period_start,
        r.order_id, r.promotion_id, r.coupon_code, sum(r.amount_rc) AS amount_rc
    FROM redeemed r
    WHERE r.business_date >= $from
    GROUP BY 1, 2, 3, 4
),
issue AS (
    SELECT
        t.business_date,
        member(t.promotion_id, q.promotion_id) AS promotion_id,
        CASE WHEN $level = 'code' THEN coalesce(t.coupon_code_hash, 'N/A') END AS coupon_code
    FROM contact t
    LEFT JOIN promotion q ON q.promotion_id = t.promotion_id
    WHERE t.touch_type = 'coupon_issued' AND (t.business_date >= $from OR $include_zero) AND t.business_date < $to
),
plain AS (
    SELECT s.period_start, count(*) AS orders, sum(s.value) AS value
    FROM sold s
    WHERE NOT EXISTS (SELECT 1 FROM used u WHERE u.order_id = s.order_id AND u.period_start = s.period_start)
    GROUP BY 1
)
SELECT
    r.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(r.period_start, $grain, $calendar) END AS period_end,
    r.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(r.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    r.promotion_id,
    coalesce(p.promotion_name, r.promotion_id) AS promotion_name,
    r.coupon_code,
    r.issued,
    r.redeemed,
    ratio(r.redeemed, r.issued) AS redemption_rate,
    r.coupon_discounts,
    ratio(r.coupon_discounts, r.redeemed) AS cost_per_order,
    r.redeemed_sales,
    ratio(r.redeemed_sales, r.redeemed) AS aov_with,
    coalesce(n.orders, 0) AS orders_without,
    coalesce(n.value, CAST(0 AS DECIMAL(29,4))) AS sales_without,
    ratio(n.value, n.orders) AS aov_without,
    r.coupon_customers,
    r.coupon_new_customers,
    ratio(r.coupon_new_customers, r.coupon_customers) AS new_share,
    reporting_currency() AS currency
FROM (
    SELECT
        b.period_start,
        b.promotion_id,
        b.coupon_code,
        sum(b.issued) AS issued,
        count(DISTINCT b.order_id) AS redeemed,
        sum(b.amount_rc) AS coupon_discounts,
        sum(b.value) AS redeemed_sales,
        count(DISTINCT b.buyer_key) AS coupon_customers,
        count(DISTINCT b.new_key) AS coupon_new_customers
    FROM (
        SELECT
            u.period_start, u.promotion_id, u.coupon_code, CAST(0 AS BIGINT) AS issued, u.order_id, u.amount_rc, s.value, s.buyer_key,
            CASE WHEN f.first_date = s.business_date THEN s.buyer_key END AS new_key
        FROM used u
        JOIN sold s ON s.order_id = u.order_id AND s.period_start = u.period_start
        LEFT JOIN first_purchase f ON f.customer_key = s.buyer_key

        UNION ALL

        SELECT
            CASE WHEN $grain = 'all' THEN $from ELSE period_start(i.business_date, $grain, $calendar) END AS period_start,
            i.promotion_id, i.coupon_code, CAST(1 AS BIGINT) AS issued, CAST(NULL AS VARCHAR) AS order_id,
            CAST(0 AS DECIMAL(38,4)) AS amount_rc, CAST(0 AS DECIMAL(29,4)) AS value, CAST(NULL AS VARCHAR) AS buyer_key,
            CAST(NULL AS VARCHAR) AS new_key
        FROM issue i
        WHERE i.business_date >= $from

        UNION ALL

        -- every coupon in every bucket
        SELECT
            CASE WHEN $grain = 'all' THEN $from ELSE period_start(d.date_key, $grain, $calendar) END AS period_start,
            known.promotion_id, known.coupon_code, CAST(0 AS BIGINT) AS issued, CAST(NULL AS VARCHAR) AS order_id,
            CAST(0 AS DECIMAL(38,4)) AS amount_rc, CAST(0 AS DECIMAL(29,4)) AS value, CAST(NULL AS VARCHAR) AS buyer_key,
            CAST(NULL AS VARCHAR) AS new_key
        FROM (
            SELECT ever.promotion_id, ever.coupon_code
            FROM (SELECT promotion_id, coupon_code FROM redeemed UNION ALL SELECT promotion_id, coupon_code FROM issue) ever
            GROUP BY 1, 2
        ) known
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) b
    GROUP BY 1, 2, 3
) r
LEFT JOIN plain n ON n.period_start = r.period_start
LEFT JOIN promotion p ON p.promotion_id = r.promotion_id
ORDER BY r.period_start NULLS LAST, r.redeemed DESC NULLS LAST, r.promotion_id NULLS LAST, r.coupon_code NULLS LAST
