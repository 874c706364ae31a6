-- ---
-- title = { en = "One customer, all channels", zh = "客户全景" }
-- about = """What do we know of one customer? In sections: profile (what the customer table says), total, channel, category and order (what was
-- bought before as_of, over all time, the last n orders one by one), return (what came back, by reason), visit (visits by channel), feedback
-- (by kind) and score (recency = days since the last purchase day, frequency = days with a purchase and money = net sales in the `window`
-- days before as_of: what the segments of rfm-segments are made of). Without customer_key the customer with the highest net sales before
-- as_of is shown; a key for which another one stands (view customer_key_now) shows that customer. Keys are pseudonyms: nothing here
-- tells who it is. An order shows what was sold; what came back is in the section return. Categories do not add up to the total where an
-- order has several, and adjustments belong to none (N/A)."""
-- key = ["section", "item"]
-- spine = ["customer"]
-- totals = false
-- needs = ["order_line.customer_key"]
--
-- [params]
-- customer_key = { type = "text", optional = true, about = "The customer (pseudonym), by any of its keys; left out: the one with the highest net sales." }
-- as_of = { type = "date", default = "today", about = "What was known at the beginning of this day." }
-- n = { type = "int", default = 20, min = 1, max = 1000, about = "So many orders are shown, the last ones." }
-- window = { type = "int", default = 365, min = 1, max = 3650, about = "Days before as_of of the section score." }
--
-- [chart]
-- kind = "table"
-- x = "item"
-- y = ["events", "net_sales"]
--
-- [columns]
-- period_start = "the day of the first purchase, visit or feedback; empty: none"
-- period_end = "as_of"
-- is_partial_period = "never: the days before as_of are over"
-- customer_key = "the customer (pseudonym)"
-- section = "profile, total, channel, category, order, return, visit, feedback or score"
-- item = "what the row is about: a field, channel, category, order, reason, kind of feedback or score"
-- item_name = "its name; of an order the channel"
-- said = "the field's or score's value as text"
-- events = "orders, returned lines, visits or pieces of feedback"
-- first_date = "the first day of them"
-- last_date = "the last day"
-- sales_before_returns = "gross_sales − discounts (money)"
-- returns = "refunds, reversals, negative adjustments (money)"
-- net_sales = "gross_sales − discounts − returns (money)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "channels add up to the customer"
-- each = ["first_date <= last_date"]
-- all = [
--     "count(DISTINCT customer_key) <= 1",
--     "sum(CASE WHEN section = 'total' THEN net_sales END) = sum(CASE WHEN section = 'channel' THEN net_sales END)",
-- ]
--
-- [[tests]]
-- name = "categories add up, and no more orders than asked for"
-- params = { n = "3" }
-- all = [
--     "sum(CASE WHEN section = 'order' THEN 1 ELSE 0 END) <= 3",
--     "sum(CASE WHEN section = 'total' THEN net_sales END) = sum(CASE WHEN section = 'category' THEN net_sales END)",
-- ]
-- ---
WITH asked AS (
    -- the key that stands for the one asked for, which is the only one that facts have
    SELECT coalesce(max(n.canonical_customer_key), $customer_key, 'everybody') AS customer_key
    FROM customer_key_now n
    WHERE n.customer_key = $customer_key
),
bought AS (
    SELECT
        e.customer_key, e.business_date, e.event_kind IN ('sale', 'exchange_out') AS is_purchase, e.sale_order_id, e.channel_id, e.product_id,
        e.event_kind, e.reason_code, e.gross_sales - e.discounts AS sold, e.returns, e.net_rc
    FROM sales_event e
    JOIN asked a ON a.customer_key = CASE WHEN $customer_key IS NULL THEN 'everybody' ELSE e.customer_key END
    WHERE e.business_date < $as_of AND e.flow <> 'sell_out' AND e.customer_key IS NOT NULL
),
who AS (
    SELECT c.customer_key
    FROM (
        SELECT
            b.customer_key,
            row_number() OVER (ORDER BY sum(b.net_rc) DESC NULLS LAST, b.customer_key NULLS LAST) AS place
        FROM (
            SELECT s.customer_key, s.net_rc FROM bought s

            UNION ALL

            SELECT k.customer_key, CAST(0 AS DECIMAL(18,4)) AS net_rc
            FROM (
                SELECT coalesce(n.canonical_customer_key, c.customer_key) AS customer_key, c.acquired_at
                FROM customer c
                LEFT JOIN customer_key_now n ON n.customer_key = c.customer_key
            ) k
            JOIN asked a ON a.customer_key = CASE WHEN $customer_key IS NULL THEN 'everybody' ELSE k.customer_key END
            WHERE coalesce(CAST(k.acquired_at AS DATE), DATE '1970-01-01') < $as_of
        ) b
        GROUP BY b.customer_key
    ) c
    WHERE c.place = 1
),
event AS (
    SELECT b.* FROM bought b JOIN who w ON w.customer_key = b.customer_key
),
sold AS (
    -- what was bought and what came back, grouped in five ways at once
    SELECT
        e.customer_key,
        g.section_no,
        g.section,
        CASE g.section WHEN 'channel' THEN member(e.channel_id, c.channel_id)
                       WHEN 'category' THEN member(e.product_id, coalesce(p.category_l1_id, p.category_l1_name))
                       WHEN 'order' THEN e.sale_order_id
                       WHEN 'return' THEN coalesce(e.reason_code, 'unknown')
                       ELSE 'total' END AS item,
        min(CASE g.section WHEN 'channel' THEN member(e.channel_id, c.channel_name)
                           WHEN 'category' THEN member(e.product_id, coalesce(p.category_l1_name, p.category_l1_id))
                           WHEN 'order' THEN member(e.channel_id, c.channel_name) END) AS item_name,
        CASE WHEN g.section = 'return' THEN count(*) ELSE count(DISTINCT e.sale_order_id) END AS events,
        min(CASE WHEN e.is_purchase OR g.section = 'return' THEN e.business_date END) AS first_date,
        max(CASE WHEN e.is_purchase OR g.section = 'return' THEN e.business_date END) AS last_date,
        sum(e.sold) AS sold,
        sum(e.returns) AS returns,
        sum(e.net_rc) AS net_sales
    FROM event e
    LEFT JOIN channel c ON c.channel_id = e.channel_id
    LEFT JOIN product p ON p.product_id = e.product_id
    CROSS JOIN (VALUES (2, 'total'), (3, 'channel'), (4, 'category'), (5, 'order'), (6, 'return')) AS g(section_no, section)
    WHERE (g.section <> 'order' OR e.sale_order_id IS NOT NULL) AND (g.section <> 'return' OR e.event_kind IN ('return', 'exchange_in'))
    GROUP BY 1, 2, 3, 4
),
part AS (
    SELECT
        k.customer_key, CAST(1 AS BIGINT) AS section_no, 'profile' AS section, g.item, CAST(NULL AS VARCHAR) AS item_name,
        CASE g.item WHEN 'customer_type' THEN k.customer_type
                    WHEN 'customer_group' THEN k.customer_group
                    WHEN 'membership_tier' THEN k.membership_tier
                    WHEN 'home_region' THEN k.home_region_id
                    WHEN 'acquisition_channel' THEN k.acquisition_channel_id
                    WHEN 'acquired_on' THEN CAST(CAST(k.acquired_at AS DATE) AS VARCHAR)
                    WHEN 'birth_year' THEN CAST(k.birth_year AS VARCHAR)
                    WHEN 'consent_email' THEN CASE WHEN k.consent_marketing_email THEN 'yes' WHEN NOT k.consent_marketing_email THEN 'no' END
                    WHEN 'consent_profiling' THEN CASE WHEN k.consent_marketing_profiling THEN 'yes' WHEN NOT k.consent_marketing_profiling THEN 'no' END END AS said,
        CAST(NULL AS BIGINT) AS events, CAST(NULL AS DATE) AS first_date, CAST(NULL AS DATE) AS last_date,
        CAST(NULL AS DECIMAL(28,4)) AS sales_before_returns, CAST(NULL AS DECIMAL(28,4)) AS returns, CAST(NULL AS DECIMAL(28,4)) AS net_sales
    FROM customer_now k
    JOIN who w ON w.customer_key = k.customer_key
    CROSS JOIN (VALUES ('customer_type'), ('customer_group'), ('membership_tier'), ('home_region'), ('acquisition_channel'), ('acquired_on'),
                       ('birth_year'), ('consent_email'), ('consent_profiling')) AS g(item)

    UNION ALL

    -- an order shows what was sold: what came back of it is in the section return
    SELECT
        o.customer_key, CAST(o.section_no AS BIGINT) AS section_no, o.section, o.item, o.item_name, CAST(NULL AS VARCHAR) AS said,
        o.events, o.first_date, o.last_date,
        CASE WHEN o.section <> 'return' THEN CAST(o.sold AS DECIMAL(28,4)) END AS sales_before_returns,
        CASE WHEN o.section <> 'order' THEN CAST(o.returns AS DECIMAL(28,4)) END AS returns,
        CASE WHEN o.section NOT IN ('order', 'return') THEN CAST(o.net_sales AS DECIMAL(28,4)) END AS net_sales
    FROM (
        SELECT t.*, CAST(row_number() OVER (PARTITION BY t.section ORDER BY t.last_date DESC NULLS LAST, t.item DESC NULLS LAST) AS BIGINT) AS newest
        FROM sold t
    ) o
    WHERE o.section <> 'order' OR o.newest <= $n

    UNION ALL

    SELECT
        w.customer_key, CAST(7 AS BIGINT) AS section_no, 'visit' AS section, member(v.channel_id, c.channel_id) AS item,
        min(member(v.channel_id, c.channel_name)) AS item_name, CAST(NULL AS VARCHAR) AS said,
        count(*) AS events, min(v.business_date) AS first_date, max(v.business_date) AS last_date,
        CAST(NULL AS DECIMAL(28,4)) AS sales_before_returns, CAST(NULL AS DECIMAL(28,4)) AS returns, CAST(NULL AS DECIMAL(28,4)) AS net_sales
    FROM session_funnel v
    JOIN who w ON w.customer_key = v.customer_key
    LEFT JOIN channel c ON c.channel_id = v.channel_id
    WHERE v.business_date < $as_of
    GROUP BY w.customer_key, member(v.channel_id, c.channel_id)

    UNION ALL

    SELECT
        w.customer_key, CAST(8 AS BIGINT) AS section_no, 'feedback' AS section, f.feedback_type AS item, CAST(NULL AS VARCHAR) AS item_name,
        CAST(NULL AS VARCHAR) AS said, count(*) AS events, min(f.business_date) AS first_date, max(f.business_date) AS last_date,
        CAST(NULL AS DECIMAL(28,4)) AS sales_before_returns, CAST(NULL AS DECIMAL(28,4)) AS returns, CAST(NULL AS DECIMAL(28,4)) AS net_sales
    FROM customer_feedback f
    JOIN who w ON w.customer_key = f.customer_key
    WHERE f.business_date < $as_of
    GROUP BY w.customer_key, f.feedback_type

    UNION ALL

    SELECT
        s.customer_key, CAST(9 AS BIGINT) AS section_no, 'score' AS section, g.item, CAST(NULL AS VARCHAR) AS item_name,
        CASE g.item WHEN 'recency' THEN CAST(CAST(CAST($as_of AS DATE) AS INT) - CAST(s.last_day AS INT) AS VARCHAR)
                    WHEN 'frequency' THEN CAST(s.purchase_days AS VARCHAR)
                    ELSE CAST(s.net_sales AS VARCHAR) END AS said,
        CAST(NULL AS BIGINT) AS events, CAST(NULL AS DATE) AS first_date, CAST(NULL AS DATE) AS last_date,
        CAST(NULL AS DECIMAL(28,4)) AS sales_before_returns, CAST(NULL AS DECIMAL(28,4)) AS returns, CAST(NULL AS DECIMAL(28,4)) AS net_sales
    FROM (
        SELECT
            e.customer_key,
            max(CASE WHEN e.is_purchase THEN e.business_date END) AS last_day,
            count(DISTINCT CASE WHEN e.is_purchase THEN e.business_date END) AS purchase_days,
            CAST(sum(e.net_rc) AS DECIMAL(28,4)) AS net_sales
        FROM event e
        WHERE CAST(e.business_date AS INT) >= CAST(CAST($as_of AS DATE) AS INT) - $window
        GROUP BY e.customer_key
    ) s
    CROSS JOIN (VALUES ('recency'), ('frequency'), ('money')) AS g(item)
)
SELECT
    min(s.first_date) OVER () AS period_start,
    $as_of AS period_end,
    false AS is_partial_period,
    s.customer_key,
    s.section,
    s.item,
    s.item_name,
    s.said,
    s.events,
    s.first_date,
    s.last_date,
    s.sales_before_returns,
    s.returns,
    s.net_sales,
    reporting_currency() AS currency
FROM part s
ORDER BY s.section_no NULLS LAST, s.last_date DESC NULLS LAST, s.section NULLS LAST, s.item NULLS LAST
