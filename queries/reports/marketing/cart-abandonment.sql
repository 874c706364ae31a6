-- ---
-- title = { en = "Abandoned carts", zh = "购物车放弃分析" }
-- about = """What is left in carts? Carts (view cart_item) by what became of them: bought = the visitor bought within `timeout` hours after
-- making it, open = not bought, and the hours are not over at the beginning (UTC) of as_of, abandoned = the rest.
-- abandonment_rate = abandoned_carts / (bought_carts + abandoned_carts): carts that may still be bought count for neither. A cart belongs to
-- the day on which its first article was put into it, however late the purchase (D76). At level product or category a cart counts in each row
-- of which it holds something, so carts do not add up over rows. Values are in the currency shown to the visitor; each currency has
-- rows of its own, and a cart with prices in several counts in each of them. To see what is left most, ask for level=product and
-- order_by=-abandoned_value."""
-- key = ["period_start", "group_id", "cart_currency"]
-- totals = false
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- level = { type = "text", default = "all", values = ["all", "channel", "device", "category", "product"], about = "All carts, or carts by channel, device, or what is in them." }
-- timeout = { type = "int", default = 24, min = 1, max = 720, about = "Hours that a visitor has to buy." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per such bucket; all = one for all days." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Groups and currencies that had carts before `to` are shown in every bucket, with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial, a cart whose hours end later is open." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["carts", "abandoned_carts", "abandonment_rate"]
--
-- [chart]
-- kind = "bar"
-- x = "group_name"
-- y = ["abandoned_carts", "abandoned_value"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- group_id = "the channel, device, category or article; empty at level all; UNK = not known, N/A = none"
-- group_name = "its name"
-- cart_currency = "the currency of the amounts; empty: no price was told"
-- carts = "carts made"
-- bought_carts = "carts whose visitor bought in time"
-- open_carts = "carts whose hours are not over"
-- abandoned_carts = "the rest"
-- abandonment_rate = "abandoned_carts / (bought_carts + abandoned_carts)"
-- cart_units = "units put into all of them, less units taken out"
-- abandoned_units = "units left in abandoned carts"
-- cart_value = "price × units of all of them (in cart_currency)"
-- abandoned_value = "price × units left in abandoned carts (in cart_currency)"
-- abandoned_value_per_cart = "abandoned_value / abandoned_carts (in cart_currency)"
-- currency = "the lake's reporting currency; amounts here are in cart_currency"
--
-- [[tests]]
-- name = "every cart has one fate"
-- each = ["carts = bought_carts + open_carts + abandoned_carts", "abandonment_rate >= 0 AND abandonment_rate <= 1"]
--
-- [[tests]]
-- name = "also per article"
-- params = { level = "product", timeout = "1" }
-- each = ["carts = bought_carts + open_carts + abandoned_carts", "group_id IS NOT NULL"]
-- ---
WITH put AS (
    -- earlier ones tell which groups and currencies there are
    SELECT
        i.business_date,
        CASE $level WHEN 'channel' THEN member(i.channel_id, h.channel_id)
                    WHEN 'device' THEN coalesce(i.device_type, 'N/A')
                    WHEN 'category' THEN member(i.product_id, coalesce(p.category_l1_id, p.category_l1_name))
                    WHEN 'product' THEN member(i.product_id, p.product_id) END AS group_id,
        CASE $level WHEN 'channel' THEN member(i.channel_id, h.channel_name)
                    WHEN 'device' THEN coalesce(i.device_type, 'N/A')
                    WHEN 'category' THEN member(i.product_id, coalesce(p.category_l1_name, p.category_l1_id))
                    WHEN 'product' THEN member(i.product_id, p.product_name) END AS group_name,
        i.cart_key,
        i.cart_currency,
        i.quantity,
        i.cart_value,
        CASE WHEN coalesce(CAST(i.bought_at AS BIGINT) - CAST(i.created_at AS BIGINT) <= $timeout * 3600000000, false) THEN 'bought'
             WHEN CAST(i.created_at AS BIGINT) + $timeout * 3600000000 > CAST(CAST($as_of AS DATE) AS INT) * 86400000000 THEN 'open'
             ELSE 'abandoned' END AS fate
    FROM cart_item i
    LEFT JOIN channel h ON h.channel_id = i.channel_id
    LEFT JOIN product p ON p.product_id = i.product_id
    WHERE (i.business_date >= $from OR $include_zero) AND i.business_date < $to
)
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.group_id,
    CASE WHEN s.group_id IS NOT NULL THEN s.group_name END AS group_name,
    s.cart_currency,
    s.carts,
    s.bought_carts,
    s.open_carts,
    s.abandoned_carts,
    ratio(s.abandoned_carts, s.bought_carts + s.abandoned_carts) AS abandonment_rate,
    s.cart_units,
    s.abandoned_units,
    s.cart_value,
    s.abandoned_value,
    ratio(s.abandoned_value, s.abandoned_carts) AS abandoned_value_per_cart,
    reporting_currency() AS currency
FROM (
    SELECT
        c.period_start,
        c.group_id,
        min(c.group_name) AS group_name,
        c.cart_currency,
        count(DISTINCT c.cart_key) AS carts,
        count(DISTINCT CASE WHEN c.fate = 'bought' THEN c.cart_key END) AS bought_carts,
        count(DISTINCT CASE WHEN c.fate = 'open' THEN c.cart_key END) AS open_carts,
        count(DISTINCT CASE WHEN c.fate = 'abandoned' THEN c.cart_key END) AS abandoned_carts,
        CASE WHEN count(c.cart_key) = 0 THEN CAST(0 AS DECIMAL(38,3)) ELSE sum(c.quantity) END AS cart_units,
        coalesce(sum(CASE WHEN c.fate = 'abandoned' THEN c.quantity END), 0) AS abandoned_units,
        CASE WHEN count(c.cart_key) = 0 THEN CAST(0 AS DECIMAL(38,4)) ELSE sum(c.cart_value) END AS cart_value,
        coalesce(sum(CASE WHEN c.fate = 'abandoned' THEN c.cart_value END), 0) AS abandoned_value
    FROM (
        SELECT
            CASE WHEN $grain = 'all' THEN $from ELSE period_start(i.business_date, $grain, $calendar) END AS period_start,
            i.group_id, i.group_name, i.cart_key, i.cart_currency, i.quantity, i.cart_value, i.fate
        FROM put i
        WHERE i.business_date >= $from

        UNION ALL

        -- every group and currency in every bucket
        SELECT
            CASE WHEN $grain = 'all' THEN $from ELSE period_start(d.date_key, $grain, $calendar) END AS period_start,
            known.group_id, known.group_name, CAST(NULL AS VARCHAR) AS cart_key, known.cart_currency, CAST(NULL AS DECIMAL(28,3)) AS quantity,
            CAST(NULL AS DECIMAL(28,4)) AS cart_value, 'none' AS fate
        FROM (SELECT group_id, min(group_name) AS group_name, cart_currency FROM put GROUP BY group_id, cart_currency) known
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) c
    GROUP BY c.period_start, c.group_id, c.cart_currency
) s
ORDER BY s.period_start NULLS LAST, s.abandoned_carts DESC NULLS LAST, s.group_id NULLS LAST, s.cart_currency NULLS LAST
