-- ---
-- title = { en = "Overstock", zh = "超储库存" }
-- about = """What lies there that will not be needed soon? For each article in a place that sells by itself (shops, outlets, machines): available
-- − daily_units × horizon − safety stock, never below 0 (excess_units), at its cost in the stock (excess_cost). daily_units = net units of those
-- of the last `window` days on which it was available / the number of those days; safety stock = z × √((lead time + review period) × σ² +
-- daily_units² × σ_lead²), σ = sample standard deviation of those days' net units, z of the service level, all as the stock policy that holds
-- on as_of has it, else the supplier's lead time, lead_days and service_level. Stock is that of the last day before as_of on which the
-- place's is known. Rows without an excess are left out."""
-- key = ["location_id", "category_id", "product_id"]
-- totals = false
--
-- [params]
-- as_of = { type = "date", default = "today", about = "Stock at the beginning of this day; sales of earlier days count." }
-- window = { type = "int", default = 28, min = 2, max = 730, about = "Days before as_of whose sales are the demand." }
-- horizon = { type = "int", default = 90, min = 1, max = 3650, about = "Days whose demand is no excess." }
-- lead_days = { type = "int", default = 7, min = 0, max = 730, about = "Lead time where neither policy nor supplier tells one." }
-- service_level = { type = "decimal", default = 0.95, min = 0.5, max = 0.9999, about = "Service level where the policy tells none." }
-- level = { type = "text", default = "category", values = ["location", "category", "product", "item"], about = "One row per place, top category, article, or article in a place." }
--
-- [chart]
-- kind = "bar"
-- x = "category_name"
-- y = ["excess_cost"]
--
-- [columns]
-- period_start = "first day of the window"
-- period_end = "as_of"
-- is_partial_period = "some stock is of an earlier day than the day before as_of"
-- location_id = "the place; empty at levels category and product"
-- location_name = "its name"
-- category_id = "the top category; empty unless level category; UNK = not known"
-- category_name = "its name"
-- product_id = "the article; empty at levels location and category; UNK = not in the product table"
-- sku = "the seller's article number"
-- product_name = "its name"
-- stock_day = "the latest day of the stock"
-- oldest_stock_day = "the earliest"
-- items = "articles in places that have stock"
-- items_in_excess = "those of them with too much"
-- available = "free to sell (stock units)"
-- daily_units = "expected per day while nothing is out of stock (stock units)"
-- safety_stock = "kept against running out (stock units)"
-- excess_units = "beyond horizon and safety stock (stock units)"
-- excess_cost = "at the stock's cost, where it is known (money)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "only what is too much"
-- each = ["items_in_excess > 0", "items_in_excess <= items", "excess_units >= 0", "safety_stock >= 0", "oldest_stock_day <= stock_day"]
--
-- [[tests]]
-- name = "places add up to categories"
-- params = { level = "location" }
-- each = ["location_id IS NOT NULL"]
-- same_sums = { columns = ["items_in_excess"] }
-- ---
WITH last AS (
    SELECT location_id, max(stock_date) AS last_day
    FROM inventory_known_day
    WHERE stock_date < $as_of
    GROUP BY 1
),
rule AS (
    -- the policy that holds on as_of
    SELECT p.location_id, p.product_id, p.lead_time_days, p.lead_time_sd, p.review_period_days, p.service_level
    FROM stock_policy p
    JOIN (SELECT location_id, product_id, max(valid_from) AS valid_from FROM stock_policy WHERE valid_from <= $as_of GROUP BY 1, 2) n
      ON n.location_id = p.location_id AND n.product_id = p.product_id AND n.valid_from = p.valid_from
),
item AS (
    -- each article in a place on the place's last known day, with its demand in the window
    SELECT
        t.location_id,
        t.product_id,
        l.last_day,
        sum(CASE WHEN t.stock_date = l.last_day THEN t.on_hand END) AS on_hand,
        sum(CASE WHEN t.stock_date = l.last_day THEN t.available END) AS available,
        sum(CASE WHEN t.stock_date = l.last_day THEN t.on_hand_cost_rc END) AS on_hand_cost,
        count(CASE WHEN CAST(t.stock_date AS INT) >= CAST(CAST($as_of AS DATE) AS INT) - $window AND t.available > 0 THEN 1 END) AS in_stock_days,
        sum(CASE WHEN CAST(t.stock_date AS INT) >= CAST(CAST($as_of AS DATE) AS INT) - $window AND t.available > 0 THEN t.net_units
                 ELSE CAST(0 AS DECIMAL(28,3)) END) AS net_units,
        sum(CASE WHEN CAST(t.stock_date AS INT) >= CAST(CAST($as_of AS DATE) AS INT) - $window AND t.available > 0
                 THEN CAST(CAST(t.net_units AS DECIMAL(18,3)) * CAST(t.net_units AS DECIMAL(18,3)) AS DECIMAL(28,6))
                 ELSE CAST(0 AS DECIMAL(28,6)) END) AS squares
    FROM stock_sales_day t
    JOIN last l ON l.location_id = t.location_id
    WHERE t.stock_date < $as_of
      AND (t.stock_date = l.last_day OR CAST(t.stock_date AS INT) >= CAST(CAST($as_of AS DATE) AS INT) - $window)
    GROUP BY 1, 2, 3
    HAVING sum(CASE WHEN t.stock_date = l.last_day THEN t.available END) > 0
),
measured AS (
    SELECT
        i.*,
        coalesce(ratio(i.net_units, i.in_stock_days), CAST(0 AS DOUBLE)) AS daily,
        -- the sample's: n − 1; of fewer than two days none is known
        sqrt(greatest(coalesce(ratio(CAST(i.squares AS DOUBLE) * i.in_stock_days - CAST(i.net_units AS DOUBLE) * CAST(i.net_units AS DOUBLE),
                                     i.in_stock_days * (i.in_stock_days - 1)), CAST(0 AS DOUBLE)), CAST(0 AS DOUBLE))) AS deviation,
        p.product_id AS known_product_id,
        p.sku,
        p.product_name,
        coalesce(p.category_l1_id, p.category_l1_name) AS category_id,
        coalesce(p.category_l1_name, p.category_l1_id) AS category_name,
        coalesce(CAST(r.lead_time_days AS DOUBLE), CAST(u.default_lead_time_days AS DOUBLE), CAST(CAST($lead_days AS BIGINT) AS DOUBLE))
            + CAST(coalesce(r.review_period_days, CAST(0 AS INT)) AS DOUBLE) AS protected_days,
        coalesce(CAST(r.lead_time_sd AS DOUBLE), CAST(0 AS DOUBLE)) AS lead_sd,
        coalesce(CAST(r.service_level AS DOUBLE), CAST($service_level AS DOUBLE)) AS service_level
    FROM item i
    LEFT JOIN product p ON p.product_id = i.product_id
    LEFT JOIN supplier u ON u.supplier_id = p.supplier_id
    LEFT JOIN rule r ON r.location_id = i.location_id AND r.product_id = i.product_id
),
judged AS (
    SELECT
        m.*,
        coalesce(safety_stock(m.service_level, m.daily, m.deviation, m.protected_days, m.lead_sd), CAST(0 AS DOUBLE)) AS safety,
        greatest(CAST(m.available AS DOUBLE) - m.daily * CAST(CAST($horizon AS BIGINT) AS DOUBLE)
                 - coalesce(safety_stock(m.service_level, m.daily, m.deviation, m.protected_days, m.lead_sd), CAST(0 AS DOUBLE)), CAST(0 AS DOUBLE)) AS excess
    FROM measured m
)
SELECT
    CAST(CAST(CAST($as_of AS DATE) AS INT) - $window AS DATE) AS period_start,
    $as_of AS period_end,
    s.oldest_stock_day < CAST($as_of - INTERVAL '1 day' AS DATE) AS is_partial_period,
    s.location_id,
    s.location_name,
    s.category_id,
    s.category_name,
    s.product_id,
    s.sku,
    s.product_name,
    s.stock_day,
    s.oldest_stock_day,
    s.items,
    s.items_in_excess,
    s.available,
    CAST(s.daily_units AS DOUBLE) AS daily_units,
    CAST(s.safety_stock AS DOUBLE) AS safety_stock,
    CAST(s.excess_units AS DOUBLE) AS excess_units,
    CAST(s.excess_cost AS DOUBLE) AS excess_cost,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $level IN ('location', 'item') THEN member(j.location_id, l.location_id) END AS location_id,
        min(CASE WHEN $level IN ('location', 'item') THEN member(j.location_id, l.location_name) END) AS location_name,
        CASE WHEN $level = 'category' THEN member(j.product_id, j.category_id) END AS category_id,
        min(CASE WHEN $level = 'category' THEN member(j.product_id, j.category_name) END) AS category_name,
        CASE WHEN $level IN ('product', 'item') THEN member(j.product_id, j.known_product_id) END AS product_id,
        min(CASE WHEN $level IN ('product', 'item') THEN member(j.product_id, j.sku) END) AS sku,
        min(CASE WHEN $level IN ('product', 'item') THEN member(j.product_id, j.product_name) END) AS product_name,
        max(j.last_day) AS stock_day,
        min(j.last_day) AS oldest_stock_day,
        count(*) AS items,
        count(CASE WHEN j.excess > 0 THEN 1 END) AS items_in_excess,
        sum(j.available) AS available,
        -- decimals, so that a sum of them does not depend on the order in which it is made
        sum(CAST(j.daily AS DECIMAL(38,18))) AS daily_units,
        sum(CAST(j.safety AS DECIMAL(38,18))) AS safety_stock,
        sum(CAST(j.excess AS DECIMAL(38,18))) AS excess_units,
        sum(CAST(j.excess * ratio(j.on_hand_cost, j.on_hand) AS DECIMAL(38,18))) AS excess_cost
    FROM judged j
    JOIN location l ON l.location_id = j.location_id
    WHERE l.location_type IN ('store', 'outlet', 'vending')
    GROUP BY 1, 3, 5
    HAVING count(CASE WHEN j.excess > 0 THEN 1 END) > 0
) s
ORDER BY excess_cost DESC NULLS LAST, s.location_id NULLS LAST, s.category_id NULLS LAST, s.product_id NULLS LAST
