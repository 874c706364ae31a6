-- ---
-- title = { en = "Reorder proposal", zh = "补货建议" }
-- about = """What should be ordered now, how much of it, and why? One line per article in a place that sells by itself (shops, outlets, machines)
-- whose inventory position has fallen to its reorder point, to be handed to whoever orders. Position = available + on_order + in_transit, so
-- what is ordered already is not ordered again. Demand is the mean and sample standard deviation of net units on those of the last `window`
-- days on which it was available; an article that did not sell on them is not in the list. Reorder point = daily_units × lead time + safety
-- stock. By policy: periodic protects lead time + review period and orders up to daily_units × (lead time + review period) + safety stock;
-- continuous protects the lead time and orders the economic quantity √(2 × annual units × order cost / (holding rate × unit cost)) above the
-- reorder point, or what the review period takes where costs are not known. The order is at least min_order_qty, in whole packs, and within
-- max_stock; an order that cannot be all of that is left out. Lead time, review period, service level and bounds are those of the stock policy
-- that holds on as_of, else the supplier's lead time, lead_days, review_days and service_level. With budget the lines whose cover is shortest
-- stay, as long as their value adds up to no more. Layout 1: the columns from layout to reason stay as they are under this number; a change
-- gets another one."""
-- key = ["location_id", "product_id"]
-- totals = false
-- needs = ["order_line", "inventory_snapshot"]
--
-- [params]
-- as_of = { type = "date", default = "today", about = "Stock at the beginning of this day; sales and orders of earlier days count." }
-- window = { type = "int", default = 56, min = 2, max = 730, about = "Days before as_of whose sales are the demand." }
-- policy = { type = "text", default = "periodic", values = ["periodic", "continuous"], about = "Looked at every review period, or all the time." }
-- budget = { type = "decimal", optional = true, min = 0, about = "What the lines may cost together, reporting currency." }
-- lead_days = { type = "int", default = 7, min = 0, max = 730, about = "Lead time where neither policy nor supplier tells one." }
-- review_days = { type = "int", default = 7, min = 0, max = 730, about = "Review period where the policy tells none." }
-- service_level = { type = "decimal", default = 0.95, min = 0.5, max = 0.9999, about = "Service level where the policy tells none." }
--
-- [chart]
-- kind = "table"
-- x = "product_name"
-- y = ["order_quantity", "order_value"]
--
-- [columns]
-- period_start = "first day of the window"
-- period_end = "as_of"
-- is_partial_period = "the stock is of an earlier day than the day before as_of"
-- layout = "the number of this layout: 1"
-- location_id = "the place"
-- supplier_id = "who delivers it; empty: not known"
-- product_id = "the article"
-- sku = "the seller's article number"
-- order_quantity = "to be ordered (stock units)"
-- unit_cost = "the stock's average cost per unit in the window; empty: not known (money)"
-- order_value = "order_quantity × unit_cost (money)"
-- expected_date = "when it would come: as_of + lead time"
-- reason = "why it is to be ordered, and what bounds the quantity"
-- location_name = "the place's name"
-- product_name = "the article's name"
-- stock_day = "the day of the stock"
-- available = "free to sell (stock units)"
-- in_transit = "on its way from another place (stock units)"
-- on_order = "ordered and not received (stock units)"
-- inventory_position = "available + on_order + in_transit (stock units)"
-- in_stock_days = "days of the window on which it was available"
-- net_units = "units sold less units returned on those days (stock units)"
-- daily_units = "net_units / in_stock_days"
-- daily_deviation = "sample standard deviation of those days' net units"
-- lead_time_days = "from order to receipt (days)"
-- lead_time_sd = "its standard deviation (days)"
-- review_period_days = "between two looks at the stock (days)"
-- service_level = "share of order cycles without running out"
-- safety_stock = "kept against running out (stock units)"
-- reorder_point = "the position at which to order (stock units)"
-- order_up_to = "the position to be reached (stock units)"
-- min_order_qty = "least quantity of an order; empty: none"
-- pack_size = "orders are multiples of it; empty: 1"
-- max_stock = "most that the place can hold; empty: no limit"
-- value_until = "order_value of this line and all with a shorter cover (money)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "what is low is ordered"
-- each = [
--     "order_quantity > 0",
--     "inventory_position <= reorder_point",
--     "inventory_position = available + on_order + in_transit",
--     "stock_day < period_end",
--     "expected_date >= period_end",
-- ]
--
-- [[tests]]
-- name = "no more than the budget"
-- params = { policy = "continuous", budget = "1000" }
-- each = ["value_until <= 1000"]
-- ---
WITH last AS (
    SELECT location_id, max(stock_date) AS last_day
    FROM inventory_known_day
    WHERE stock_date < $as_of
    GROUP BY 1
),
rule AS (
    -- the policy that holds on as_of
    SELECT p.*
    FROM stock_policy p
    JOIN (SELECT location_id, product_id, max(valid_from) AS valid_from FROM stock_policy WHERE valid_from <= $as_of GROUP BY 1, 2) n
      ON n.location_id = p.location_id AND n.product_id = p.product_id AND n.valid_from = p.valid_from
),
worth AS (
    -- what a unit of another currency is worth on as_of
    SELECT r.currency, r.rate
    FROM reporting_rate r
    JOIN (SELECT currency, max(rate_date) AS rate_date FROM reporting_rate WHERE rate_date < $as_of GROUP BY 1) n
      ON n.currency = r.currency AND n.rate_date = r.rate_date
),
ordered AS (
    -- what was on its way at the beginning of as_of
    SELECT o.location_id, o.product_id, sum(o.open_qty) AS on_order
    FROM (
        SELECT
            q.location_id,
            q.product_id,
            CASE WHEN q.first_received_date >= $as_of THEN q.ordered_qty ELSE q.ordered_qty - q.received_qty END AS open_qty
        FROM purchase_line q
        WHERE q.business_date < $as_of
          AND (q.status IN ('open', 'confirmed', 'partially_received') OR q.last_received_date >= $as_of)
    ) o
    WHERE o.open_qty > 0
    GROUP BY 1, 2
),
item AS (
    -- each article in a place on the place's last known day, with its demand in the window
    SELECT
        t.location_id,
        t.product_id,
        l.last_day,
        sum(CASE WHEN t.stock_date = l.last_day THEN t.available END) AS available,
        sum(CASE WHEN t.stock_date = l.last_day THEN t.in_transit END) AS in_transit,
        ratio(sum(CASE WHEN t.on_hand > 0 THEN t.on_hand_cost_rc END), sum(CASE WHEN t.on_hand > 0 AND t.on_hand_cost_rc IS NOT NULL THEN t.on_hand END))
            AS unit_cost,
        count(CASE WHEN CAST(t.stock_date AS INT) >= CAST(CAST($as_of AS DATE) AS INT) - $window AND t.available > 0 THEN 1 END) AS in_stock_days,
        sum(CASE WHEN CAST(t.stock_date AS INT) >= CAST(CAST($as_of AS DATE) AS INT) - $window AND t.available > 0 THEN t.net_units
                 ELSE CAST(0 AS DECIMAL(28,3)) END) AS net_units,
        sum(CASE WHEN CAST(t.stock_date AS INT) >= CAST(CAST($as_of AS DATE) AS INT) - $window AND t.available > 0
                 THEN CAST(CAST(t.net_units AS DECIMAL(18,3)) * CAST(t.net_units AS DECIMAL(18,3)) AS DECIMAL(28,6))
                 ELSE CAST(0 AS DECIMAL(28,6)) END) AS squares
    FROM stock_sales_day t
    JOIN last l ON l.location_id = t.location_id
    WHERE t.stock_date < $as_of
      AND t.is_ranged
      AND (t.stock_date = l.last_day OR CAST(t.stock_date AS INT) >= CAST(CAST($as_of AS DATE) AS INT) - $window)
    GROUP BY 1, 2, 3
    HAVING count(CASE WHEN t.stock_date = l.last_day THEN 1 END) > 0
),
ruled AS (
    SELECT
        i.location_id,
        l.location_name,
        i.product_id,
        p.sku,
        p.product_name,
        p.supplier_id,
        i.last_day,
        i.available,
        i.in_transit,
        coalesce(o.on_order, CAST(0 AS DECIMAL(28,3))) AS on_order,
        i.unit_cost,
        i.in_stock_days,
        i.net_units,
        ratio(i.net_units, i.in_stock_days) AS daily,
        -- the sample's: n − 1; of fewer than two days none is known
        sqrt(greatest(coalesce(ratio(CAST(i.squares AS DOUBLE) * i.in_stock_days - CAST(i.net_units AS DOUBLE) * CAST(i.net_units AS DOUBLE),
                                     i.in_stock_days * (i.in_stock_days - 1)), CAST(0 AS DOUBLE)), CAST(0 AS DOUBLE))) AS deviation,
        coalesce(CAST(r.lead_time_days AS DOUBLE), CAST(u.default_lead_time_days AS DOUBLE), CAST(CAST($lead_days AS BIGINT) AS DOUBLE)) AS lead,
        coalesce(CAST(r.lead_time_sd AS DOUBLE), CAST(0 AS DOUBLE)) AS lead_sd,
        coalesce(CAST(r.review_period_days AS BIGINT), CAST($review_days AS BIGINT)) AS review,
        coalesce(CAST(r.service_level AS DOUBLE), CAST($service_level AS DOUBLE)) AS service,
        r.min_order_qty,
        r.pack_size,
        r.max_stock,
        CAST(r.order_cost AS DOUBLE) * CASE WHEN r.currency = reporting_currency() THEN CAST(1 AS DOUBLE) ELSE CAST(w.rate AS DOUBLE) END AS order_cost,
        CAST(r.holding_cost_rate AS DOUBLE) * i.unit_cost AS holding_cost
    FROM item i
    JOIN location l ON l.location_id = i.location_id
    JOIN product p ON p.product_id = i.product_id
    LEFT JOIN supplier u ON u.supplier_id = p.supplier_id
    LEFT JOIN rule r ON r.location_id = i.location_id AND r.product_id = i.product_id
    LEFT JOIN worth w ON w.currency = r.currency
    LEFT JOIN ordered o ON o.location_id = i.location_id AND o.product_id = i.product_id
    WHERE l.location_type IN ('store', 'outlet', 'vending') AND i.net_units > 0
),
protected AS (
    SELECT
        q.*,
        q.available + q.on_order + q.in_transit AS position,
        safety_stock(q.service, q.daily, q.deviation, CASE WHEN $policy = 'periodic' THEN q.lead + CAST(q.review AS DOUBLE) ELSE q.lead END, q.lead_sd)
            AS safety
    FROM ruled q
),
aimed AS (
    SELECT
        q.*,
        q.daily * q.lead + q.safety AS reorder_point,
        CASE WHEN $policy = 'periodic' THEN q.daily * (q.lead + CAST(q.review AS DOUBLE)) + q.safety
             ELSE q.daily * q.lead + q.safety + coalesce(order_size(q.daily * 365, q.order_cost, q.holding_cost), q.daily * CAST(q.review AS DOUBLE))
             END AS up_to
    FROM protected q
),
proposed AS (
    SELECT
        q.*,
        order_quantity(CAST(q.position AS DOUBLE), q.reorder_point, q.up_to, CAST(q.min_order_qty AS DOUBLE), CAST(q.pack_size AS DOUBLE),
                       CAST(q.max_stock AS DOUBLE)) AS quantity
    FROM aimed q
),
valued AS (
    SELECT
        q.*,
        CAST(q.quantity * q.unit_cost AS DECIMAL(18,4)) AS order_value,
        sum(coalesce(CAST(q.quantity * q.unit_cost AS DECIMAL(18,4)), CAST(0 AS DECIMAL(18,4))))
            OVER (ORDER BY ratio(q.position, q.daily), q.location_id, q.product_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS value_until
    FROM proposed q
    WHERE q.quantity > 0
)
SELECT
    CAST(CAST(CAST($as_of AS DATE) AS INT) - $window AS DATE) AS period_start,
    $as_of AS period_end,
    v.last_day < CAST($as_of - INTERVAL '1 day' AS DATE) AS is_partial_period,
    1 AS layout,
    v.location_id,
    v.supplier_id,
    v.product_id,
    v.sku,
    CAST(v.quantity AS DECIMAL(18,3)) AS order_quantity,
    v.unit_cost,
    v.order_value,
    CAST(CAST(CAST($as_of AS DATE) AS INT) + CAST(ceil(v.lead) AS INT) AS DATE) AS expected_date,
    concat(
        CASE WHEN v.available <= 0 THEN 'nothing available'
             WHEN CAST(v.position AS DOUBLE) <= v.safety THEN 'at or below safety stock'
             ELSE 'at or below reorder point' END,
        CASE WHEN v.quantity > v.up_to - CAST(v.position AS DOUBLE) + 1 THEN '; more than needed: least order or whole packs'
             WHEN v.quantity < v.up_to - CAST(v.position AS DOUBLE) THEN '; less than needed: max_stock'
             ELSE '' END
    ) AS reason,
    v.location_name,
    v.product_name,
    v.last_day AS stock_day,
    v.available,
    v.in_transit,
    v.on_order,
    v.position AS inventory_position,
    v.in_stock_days,
    v.net_units,
    v.daily AS daily_units,
    v.deviation AS daily_deviation,
    v.lead AS lead_time_days,
    v.lead_sd AS lead_time_sd,
    v.review AS review_period_days,
    v.service AS service_level,
    v.safety AS safety_stock,
    v.reorder_point,
    v.up_to AS order_up_to,
    v.min_order_qty,
    v.pack_size,
    v.max_stock,
    v.value_until,
    reporting_currency() AS currency
FROM valued v
WHERE $budget IS NULL OR v.value_until <= $budget
ORDER BY v.value_until NULLS LAST, v.location_id NULLS LAST, v.product_id NULLS LAST
