-- ---
-- title = { en = "Low stock alert", zh = "低库存预警" }
-- about = """What runs out before it can be there again? Articles in places that sell by themselves (shops, outlets, machines) whose cover is
-- shorter than lead time + review period, or than `days` where that is given. cover_days = available / daily_units, and daily_units = net units
-- of those of the last `window` days on which there was something to sell / the number of those days: days out of stock are no days without
-- demand. Lead time and review period are those of the stock policy that holds on as_of, else the lead time of the article's supplier, else
-- lead_days, and no review. Stock is that of the last day before as_of on which the place's is known. What did not sell has no cover and is
-- not in the list."""
-- key = ["location_id", "product_id"]
-- totals = false
-- needs = ["order_line", "inventory_snapshot"]
--
-- [params]
-- as_of = { type = "date", default = "today", about = "Stock at the beginning of this day; sales of earlier days count." }
-- window = { type = "int", default = 28, min = 1, max = 730, about = "Days before as_of whose sales are the demand." }
-- days = { type = "int", optional = true, min = 1, max = 730, about = "Cover that is too short, instead of lead time + review period." }
-- lead_days = { type = "int", default = 7, min = 0, max = 730, about = "Lead time where neither policy nor supplier tells one." }
--
-- [chart]
-- kind = "table"
-- x = "product_name"
-- y = ["available", "cover_days", "projected_out_date"]
--
-- [columns]
-- period_start = "first day of the window"
-- period_end = "as_of"
-- is_partial_period = "some stock is of an earlier day than the day before as_of"
-- location_id = "the place"
-- location_name = "its name"
-- product_id = "the article; UNK = not in the product table"
-- sku = "the seller's article number"
-- product_name = "its name"
-- supplier_id = "who delivers it; empty: not known"
-- stock_day = "the day of the stock"
-- on_hand = "stock units"
-- available = "free to sell (stock units)"
-- in_stock_days = "days of the window on which it was available"
-- net_units = "units sold less units returned on those days (stock units)"
-- daily_units = "net_units / in_stock_days"
-- cover_days = "available / daily_units; below 0 where stock is"
-- lead_time_days = "from order to receipt (days)"
-- review_period_days = "between two looks at the stock (days)"
-- horizon_days = "the cover that is too short (days)"
-- projected_out_date = "the day on which nothing is left at that pace; as_of where nothing is left now"
-- on_order = "ordered and not received (stock units)"
-- next_expected_date = "when the first of it is to come; empty: nothing is"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "only what does not last"
-- each = ["cover_days < horizon_days", "net_units > 0", "stock_day < period_end", "projected_out_date >= period_end"]
--
-- [[tests]]
-- name = "three days"
-- params = { days = "3", window = "60" }
-- each = ["horizon_days = 3", "cover_days < 3"]
-- ---
WITH last AS (
    SELECT location_id, max(stock_date) AS last_day
    FROM inventory_known_day
    WHERE stock_date < $as_of
    GROUP BY 1
),
item AS (
    -- each article in a place on the place's last known day, with its demand in the window
    SELECT
        t.location_id,
        t.product_id,
        l.last_day,
        sum(CASE WHEN t.stock_date = l.last_day THEN t.on_hand END) AS on_hand,
        sum(CASE WHEN t.stock_date = l.last_day THEN t.available END) AS available,
        count(CASE WHEN CAST(t.stock_date AS INT) >= CAST(CAST($as_of AS DATE) AS INT) - $window AND t.available > 0 THEN 1 END) AS in_stock_days,
        sum(CASE WHEN CAST(t.stock_date AS INT) >= CAST(CAST($as_of AS DATE) AS INT) - $window AND t.available > 0 THEN t.net_units
                 ELSE CAST(0 AS DECIMAL(28,3)) END) AS net_units
    FROM stock_sales_day t
    JOIN last l ON l.location_id = t.location_id
    WHERE t.stock_date < $as_of
      AND (t.stock_date = l.last_day OR CAST(t.stock_date AS INT) >= CAST(CAST($as_of AS DATE) AS INT) - $window)
    GROUP BY 1, 2, 3
    HAVING count(CASE WHEN t.stock_date = l.last_day THEN 1 END) > 0
),
rule AS (
    -- the policy that holds on as_of
    SELECT p.location_id, p.product_id, p.lead_time_days, p.review_period_days
    FROM stock_policy p
    JOIN (SELECT location_id, product_id, max(valid_from) AS valid_from FROM stock_policy WHERE valid_from <= $as_of GROUP BY 1, 2) n
      ON n.location_id = p.location_id AND n.product_id = p.product_id AND n.valid_from = p.valid_from
),
ordered AS (
    -- what was on its way at the beginning of as_of
    SELECT o.location_id, o.product_id, sum(o.open_qty) AS on_order, min(o.expected_date) AS next_expected_date
    FROM (
        SELECT
            q.location_id,
            q.product_id,
            q.expected_date,
            CASE WHEN q.first_received_date >= $as_of THEN q.ordered_qty ELSE q.ordered_qty - q.received_qty END AS open_qty
        FROM purchase_line q
        WHERE q.business_date < $as_of
          AND (q.status IN ('open', 'confirmed', 'partially_received') OR q.last_received_date >= $as_of)
    ) o
    WHERE o.open_qty > 0
    GROUP BY 1, 2
)
SELECT
    CAST(CAST(CAST($as_of AS DATE) AS INT) - $window AS DATE) AS period_start,
    $as_of AS period_end,
    s.last_day < CAST($as_of - INTERVAL '1 day' AS DATE) AS is_partial_period,
    s.location_id,
    s.location_name,
    s.product_id,
    s.sku,
    s.product_name,
    s.supplier_id,
    s.last_day AS stock_day,
    s.on_hand,
    s.available,
    s.in_stock_days,
    s.net_units,
    ratio(s.net_units, s.in_stock_days) AS daily_units,
    ratio(s.available * s.in_stock_days, s.net_units) AS cover_days,
    s.lead_time_days,
    s.review_period_days,
    s.horizon_days,
    CAST(CAST(CAST($as_of AS DATE) AS INT) + CAST(floor(greatest(ratio(s.available * s.in_stock_days, s.net_units), CAST(0 AS DOUBLE))) AS INT)
         AS DATE) AS projected_out_date,
    s.on_order,
    s.next_expected_date,
    reporting_currency() AS currency
FROM (
    SELECT
        member(i.location_id, l.location_id) AS location_id,
        member(i.location_id, l.location_name) AS location_name,
        member(i.product_id, p.product_id) AS product_id,
        min(member(i.product_id, p.sku)) AS sku,
        min(member(i.product_id, p.product_name)) AS product_name,
        min(p.supplier_id) AS supplier_id,
        max(i.last_day) AS last_day,
        sum(i.on_hand) AS on_hand,
        sum(i.available) AS available,
        max(i.in_stock_days) AS in_stock_days,
        sum(i.net_units) AS net_units,
        max(coalesce(CAST(r.lead_time_days AS DOUBLE), CAST(u.default_lead_time_days AS DOUBLE), CAST(CAST($lead_days AS BIGINT) AS DOUBLE))) AS lead_time_days,
        max(coalesce(r.review_period_days, CAST(0 AS INT))) AS review_period_days,
        max(coalesce(CAST(CAST($days AS BIGINT) AS DOUBLE),
                     coalesce(CAST(r.lead_time_days AS DOUBLE), CAST(u.default_lead_time_days AS DOUBLE), CAST(CAST($lead_days AS BIGINT) AS DOUBLE))
                     + CAST(coalesce(r.review_period_days, CAST(0 AS INT)) AS DOUBLE))) AS horizon_days,
        sum(coalesce(o.on_order, CAST(0 AS DECIMAL(28,3)))) AS on_order,
        min(o.next_expected_date) AS next_expected_date
    FROM item i
    JOIN location l ON l.location_id = i.location_id
    LEFT JOIN product p ON p.product_id = i.product_id
    LEFT JOIN supplier u ON u.supplier_id = p.supplier_id
    LEFT JOIN rule r ON r.location_id = i.location_id AND r.product_id = i.product_id
    LEFT JOIN ordered o ON o.location_id = i.location_id AND o.product_id = i.product_id
    WHERE l.location_type IN ('store', 'outlet', 'vending')
    GROUP BY 1, 2, 3
) s
WHERE s.net_units > 0 AND ratio(s.available * s.in_stock_days, s.net_units) < s.horizon_days
ORDER BY cover_days NULLS LAST, s.location_id NULLS LAST, s.product_id NULLS LAST
