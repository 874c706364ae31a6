-- ---
-- title = { en = "Stock-out rate", zh = "缺货率" }
-- about = """How often is what should be there not there? Per bucket of time, over everything, per place, top category or article, by weighting:
-- items = days of articles of the range in places with nothing available / all their days; outlets = places where an article of the range has
-- nothing available / places that list it, on the last known day of the bucket in each place; views = views of an article's page while it was
-- out of stock / all views that tell (these need visit events that carry the stock's state). Days without a count take the last one for at
-- most seven days (carried); longer unknown days are left out."""
-- key = ["period_start", "location_id", "category_id", "product_id"]
-- totals = false
-- needs = ["inventory_snapshot"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- weighting = { type = "text", default = "items", values = ["items", "outlets", "views"], about = "What is counted: article-days, places at the end of the bucket, or views." }
-- grain = { type = "text", default = "month", values = ["day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per such bucket." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- level = { type = "text", default = "total", values = ["total", "location", "category", "product"], about = "One row per bucket, or per place, top category or article in it." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [chart]
-- kind = "line"
-- x = "period_start"
-- y = ["stock_out_rate"]
-- series = "category_name"
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- location_id = "the place; empty unless level location; UNK = not in the location table, N/A = viewed online"
-- location_name = "its name"
-- category_id = "the top category; empty unless level category; UNK = not known"
-- category_name = "its name"
-- product_id = "the article; empty unless level product; UNK = not in the product table"
-- sku = "the seller's article number"
-- product_name = "its name"
-- listed = "what is counted by weighting: article-days, places, or views"
-- out_of_stock = "those of them with nothing available"
-- stock_out_rate = "out_of_stock / listed"
-- carried = "those of listed whose stock is an earlier day's"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "what is missing is listed"
-- each = ["listed > 0", "out_of_stock <= listed", "carried <= listed"]
--
-- [[tests]]
-- name = "places add up to all"
-- params = { level = "location" }
-- each = ["location_id IS NOT NULL"]
-- same_sums = { columns = ["listed", "out_of_stock", "carried"] }
-- ---
SELECT
    s.period_start,
    period_end(s.period_start, $grain, $calendar) AS period_end,
    s.period_start < $from OR period_end(s.period_start, $grain, $calendar) > least($to, $as_of) AS is_partial_period,
    s.location_id,
    s.location_name,
    s.category_id,
    s.category_name,
    s.product_id,
    s.sku,
    s.product_name,
    s.listed,
    s.out_of_stock,
    ratio(s.out_of_stock, s.listed) AS stock_out_rate,
    s.carried,
    reporting_currency() AS currency
FROM (
    SELECT
        period_start(u.day, $grain, $calendar) AS period_start,
        CASE WHEN $level = 'location' THEN member(u.location_id, l.location_id) END AS location_id,
        min(CASE WHEN $level = 'location' THEN member(u.location_id, l.location_name) END) AS location_name,
        CASE WHEN $level = 'category' THEN member(u.product_id, coalesce(p.category_l1_id, p.category_l1_name)) END AS category_id,
        min(CASE WHEN $level = 'category' THEN member(u.product_id, coalesce(p.category_l1_name, p.category_l1_id)) END) AS category_name,
        CASE WHEN $level = 'product' THEN member(u.product_id, p.product_id) END AS product_id,
        min(CASE WHEN $level = 'product' THEN member(u.product_id, p.sku) END) AS sku,
        min(CASE WHEN $level = 'product' THEN member(u.product_id, p.product_name) END) AS product_name,
        count(*) AS listed,
        count(CASE WHEN u.is_out THEN 1 END) AS out_of_stock,
        count(CASE WHEN u.is_carried THEN 1 END) AS carried
    FROM (
        SELECT i.stock_date AS day, i.location_id, i.product_id, i.available <= 0 AS is_out, i.is_carried
        FROM inventory_day i
        LEFT JOIN (
            -- each place's last known day of the bucket
            SELECT k.location_id, max(k.stock_date) AS last_day
            FROM inventory_known_day k
            WHERE k.stock_date >= $from AND k.stock_date < $to
            GROUP BY k.location_id, period_start(k.stock_date, $grain, $calendar)
        ) last ON last.location_id = i.location_id AND last.last_day = i.stock_date
        WHERE $weighting <> 'views'
          AND i.is_ranged
          AND i.stock_date >= $from
          AND i.stock_date < $to
          AND ($weighting = 'items' OR last.last_day IS NOT NULL)

        UNION ALL

        SELECT v.business_date AS day, v.location_id, v.product_id, v.is_out, false AS is_carried
        FROM item_view v
        WHERE $weighting = 'views' AND v.business_date >= $from AND v.business_date < $to
    ) u
    LEFT JOIN location l ON l.location_id = u.location_id
    LEFT JOIN product p ON p.product_id = u.product_id
    GROUP BY 1, 2, 4, 6
) s
ORDER BY s.period_start NULLS LAST, s.location_id NULLS LAST, s.category_id NULLS LAST, s.product_id NULLS LAST
