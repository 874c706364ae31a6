-- ---
-- title = { en = "Stock cover", zh = "库存可售天数" }
-- about = """How long does the stock last? Per place, top category, article or article in a place (level item). Method backward: available /
-- daily_units, where daily_units adds up what each article sells a day in a place: net units of those of the last `window` days on which it
-- could sell / the number of those days; sales without a place that keeps stock (online) count over all days of the window. Method forward:
-- the smallest number of weeks, the last one in part, whose sales a year before (52 weeks, the same weekdays) reach what is available; empty
-- where 52 weeks do not. Stock is that of the last day before as_of on which the place's is known. An empty cover: nothing sold; 0 or
-- below: nothing is available."""
-- key = ["location_id", "category_id", "product_id"]
-- totals = false
--
-- [params]
-- as_of = { type = "date", default = "today", about = "Stock at the beginning of this day; sales of earlier days count." }
-- window = { type = "int", default = 28, min = 1, max = 730, about = "Days before as_of whose sales are the demand of method backward." }
-- method = { type = "text", default = "backward", values = ["backward", "forward"], about = "By the last days' sales, or by those of the weeks to come a year before." }
-- level = { type = "text", default = "category", values = ["location", "category", "product", "item"], about = "One row per place, top category, article, or article in a place." }
--
-- [chart]
-- kind = "bar"
-- x = "category_name"
-- y = ["weeks_of_supply"]
--
-- [columns]
-- period_start = "first day of the window"
-- period_end = "as_of"
-- is_partial_period = "some stock is of an earlier day than the day before as_of"
-- location_id = "the place; empty at levels category and product; UNK = not in the location table"
-- location_name = "its name"
-- category_id = "the top category; empty unless level category; UNK = not known"
-- category_name = "its name"
-- product_id = "the article; empty at levels location and category; UNK = not in the product table"
-- sku = "the seller's article number"
-- product_name = "its name"
-- stock_day = "the latest day of the stock"
-- oldest_stock_day = "the earliest"
-- items = "articles in places that have stock or had some"
-- available = "free to sell (stock units)"
-- net_units = "units sold less units returned in the window, on days on which they could sell (stock units)"
-- daily_units = "expected per day while nothing is out of stock (stock units)"
-- cover_days = "available / daily_units"
-- weeks_of_supply = "by method: cover_days / 7, or weeks of last year's sales"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "stock is of days before"
-- each = ["oldest_stock_day <= stock_day", "stock_day < period_end", "items > 0"]
--
-- [[tests]]
-- name = "articles add up to categories"
-- params = { level = "product" }
-- each = ["category_id IS NULL"]
-- same_sums = { columns = ["available"] }
-- ---
WITH last AS (
    SELECT location_id, max(stock_date) AS last_day
    FROM inventory_known_day
    WHERE stock_date < $as_of
    GROUP BY 1
),
part AS (
    -- each article in a place on the place's last known day, with its demand in the window
    SELECT
        t.location_id,
        t.product_id,
        l.last_day,
        count(CASE WHEN t.stock_date = l.last_day THEN 1 END) AS items,
        sum(CASE WHEN t.stock_date = l.last_day THEN t.available END) AS available,
        sum(CASE WHEN CAST(t.stock_date AS INT) >= CAST(CAST($as_of AS DATE) AS INT) - $window AND t.available > 0 THEN t.net_units
                 ELSE CAST(0 AS DECIMAL(28,3)) END) AS net_units,
        -- decimal, so that a sum of them does not depend on the order in which it is made
        CAST(coalesce(ratio(
            sum(CASE WHEN CAST(t.stock_date AS INT) >= CAST(CAST($as_of AS DATE) AS INT) - $window AND t.available > 0 THEN t.net_units
                     ELSE CAST(0 AS DECIMAL(28,3)) END),
            count(CASE WHEN CAST(t.stock_date AS INT) >= CAST(CAST($as_of AS DATE) AS INT) - $window AND t.available > 0 THEN 1 END)
        ), CAST(0 AS DOUBLE)) AS DECIMAL(38,18)) AS daily_units
    FROM stock_sales_day t
    JOIN last l ON l.location_id = t.location_id
    WHERE t.stock_date < $as_of
      AND (t.stock_date = l.last_day OR CAST(t.stock_date AS INT) >= CAST(CAST($as_of AS DATE) AS INT) - $window)
    GROUP BY 1, 2, 3

    UNION ALL

    -- what sold without a place that keeps stock
    SELECT
        e.location_id,
        e.product_id,
        CAST(NULL AS DATE) AS last_day,
        CAST(0 AS BIGINT) AS items,
        CAST(NULL AS DECIMAL(28,3)) AS available,
        sum(e.units_sold - e.units_returned) AS net_units,
        CAST(coalesce(ratio(sum(e.units_sold - e.units_returned), $window), CAST(0 AS DOUBLE)) AS DECIMAL(38,18)) AS daily_units
    FROM sales_event e
    LEFT JOIN last l ON l.location_id = e.location_id
    WHERE e.flow <> 'sell_out'
      AND e.product_id IS NOT NULL
      AND l.location_id IS NULL
      AND e.business_date < $as_of
      AND CAST(e.business_date AS INT) >= CAST(CAST($as_of AS DATE) AS INT) - $window
    GROUP BY 1, 2
),
now_there AS (
    SELECT
        CASE WHEN $level IN ('location', 'item') THEN member(u.location_id, l.location_id) END AS location_id,
        min(CASE WHEN $level IN ('location', 'item') THEN member(u.location_id, l.location_name) END) AS location_name,
        CASE WHEN $level = 'category' THEN member(u.product_id, coalesce(p.category_l1_id, p.category_l1_name)) END AS category_id,
        min(CASE WHEN $level = 'category' THEN member(u.product_id, coalesce(p.category_l1_name, p.category_l1_id)) END) AS category_name,
        CASE WHEN $level IN ('product', 'item') THEN member(u.product_id, p.product_id) END AS product_id,
        min(CASE WHEN $level IN ('product', 'item') THEN member(u.product_id, p.sku) END) AS sku,
        min(CASE WHEN $level IN ('product', 'item') THEN member(u.product_id, p.product_name) END) AS product_name,
        max(u.last_day) AS stock_day,
        min(u.last_day) AS oldest_stock_day,
        sum(u.items) AS items,
        sum(u.available) AS available,
        sum(u.net_units) AS net_units,
        sum(u.daily_units) AS daily_units
    FROM part u
    LEFT JOIN location l ON l.location_id = u.location_id
    LEFT JOIN product p ON p.product_id = u.product_id
    GROUP BY 1, 3, 5
    HAVING sum(u.items) > 0
),
week AS (
    -- the weeks to come, as they sold a year before, and all up to each
    SELECT w.*, sum(w.week_units) OVER (PARTITION BY w.location_id, w.category_id, w.product_id ORDER BY w.week_no) AS units_until
    FROM (
        SELECT
            CASE WHEN $level IN ('location', 'item') THEN member(e.location_id, l.location_id) END AS location_id,
            CASE WHEN $level = 'category' THEN member(e.product_id, coalesce(p.category_l1_id, p.category_l1_name)) END AS category_id,
            CASE WHEN $level IN ('product', 'item') THEN member(e.product_id, p.product_id) END AS product_id,
            (CAST(e.business_date AS INT) - CAST(CAST($as_of AS DATE) AS INT) + 364) / 7 AS week_no,
            sum(e.units_sold - e.units_returned) AS week_units
        FROM sales_event e
        LEFT JOIN location l ON l.location_id = e.location_id
        LEFT JOIN product p ON p.product_id = e.product_id
        WHERE $method = 'forward'
          AND e.flow <> 'sell_out'
          AND e.product_id IS NOT NULL
          AND e.business_date < $as_of
          AND CAST(e.business_date AS INT) >= CAST(CAST($as_of AS DATE) AS INT) - 364
        GROUP BY 1, 2, 3, 4
    ) w
),
ahead AS (
    -- the first week by whose end all is sold
    SELECT
        n.location_id,
        n.category_id,
        n.product_id,
        CAST(w.week_no AS DOUBLE) + ratio(n.available - w.units_until + w.week_units, w.week_units) AS weeks,
        row_number() OVER (PARTITION BY n.location_id, n.category_id, n.product_id ORDER BY w.week_no) AS reached
    FROM now_there n
    JOIN week w
      ON coalesce(w.location_id, '') = coalesce(n.location_id, '')
     AND coalesce(w.category_id, '') = coalesce(n.category_id, '')
     AND coalesce(w.product_id, '') = coalesce(n.product_id, '')
    WHERE w.units_until >= n.available
)
SELECT
    CAST(CAST(CAST($as_of AS DATE) AS INT) - $window AS DATE) AS period_start,
    $as_of AS period_end,
    n.oldest_stock_day < CAST($as_of - INTERVAL '1 day' AS DATE) AS is_partial_period,
    n.location_id,
    n.location_name,
    n.category_id,
    n.category_name,
    n.product_id,
    n.sku,
    n.product_name,
    n.stock_day,
    n.oldest_stock_day,
    n.items,
    n.available,
    n.net_units,
    CAST(n.daily_units AS DOUBLE) AS daily_units,
    ratio(n.available, n.daily_units) AS cover_days,
    CASE WHEN $method = 'backward' THEN ratio(n.available, 7 * n.daily_units)
         WHEN n.available <= 0 THEN CAST(0 AS DOUBLE)
         ELSE a.weeks END AS weeks_of_supply,
    reporting_currency() AS currency
FROM now_there n
LEFT JOIN ahead a
  ON a.reached = 1
 AND coalesce(a.location_id, '') = coalesce(n.location_id, '')
 AND coalesce(a.category_id, '') = coalesce(n.category_id, '')
 AND coalesce(a.product_id, '') = coalesce(n.product_id, '')
ORDER BY weeks_of_supply DESC NULLS LAST, n.location_id NULLS LAST, n.category_id NULLS LAST, n.product_id NULLS LAST
