-- ---
-- title = { en = "Like-for-like sales", zh = "同店销售" }
-- about = """How do we grow without openings and closures? Net sales of the asked days beside those of the same dates a year before, split
-- by whether a place is comparable. A place is comparable if it became eligible early enough, exclude_days after its comp_open_date (else
-- opened_on; neither known = always open), and did not close before the end of the asked days: by method partial_year eligible at the
-- beginning of the compared days a year before, by entire_year at the beginning of the fiscal year before that in which the asked days
-- begin (calendar says whose). Days on which a place was being rebuilt (remodel_from to remodel_to), and the matching days of the other
-- year, stand apart; with exclude_remodel false they count as the place's other days do. Sales without a place, such as online sales, are
-- never inside the comparable ones, nor are places that the location table does not know. Level location shows every place. Two spans are
-- compared, so it has no buckets."""
-- key = ["comp_group", "location_id"]
-- needs = ["order_line.location_id"]
--
-- [params]
-- from = { type = "date", default = "start of month - 1 month", about = "First day, included." }
-- to = { type = "date", default = "start of month", about = "First day that is not included." }
-- method = { type = "text", default = "partial_year", values = ["partial_year", "entire_year"], about = "Eligible before the compared days, or before the fiscal year of a year ago." }
-- exclude_days = { type = "int", default = 0, min = 0, max = 3650, about = "Days after the opening that do not count as ordinary trade." }
-- exclude_remodel = { type = "bool", default = true, about = "Days of rebuilding, and the matching days of the other year, stand apart." }
-- level = { type = "text", default = "group", values = ["group", "location"], about = "One row per group, or per group and place." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a period that ends later is partial." }
--
-- [chart]
-- kind = "bar"
-- x = "comp_group"
-- y = ["net_sales", "net_sales_prev"]
--
-- [columns]
-- period_start = "the first day asked for"
-- period_end = "the first day that is not"
-- is_partial_period = "to is after as_of: the period is not over"
-- comp_group = "comparable, not comparable, remodelled, no place, unknown place"
-- location_id = "the place; empty at level group and without a place"
-- location_name = "its name"
-- places = "places in the row"
-- net_sales = "gross sales − discounts − returns of the asked days (money)"
-- net_sales_prev = "the same of the days before (money)"
-- change = "net_sales − net_sales_prev (money)"
-- net_sales_growth = "change / abs(net_sales_prev); empty where that is 0, or the period is not over (share)"
-- net_sales_all = "net sales of all rows (money)"
-- net_sales_all_prev = "net_sales_prev of all rows (money)"
-- share = "net_sales / net_sales_all"
-- share_prev = "net_sales_prev / net_sales_all_prev"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "groups add up to the total"
-- params = { totals = "true" }
-- each = ["change = net_sales - net_sales_prev"]
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN net_sales END) = sum(CASE WHEN row_kind = 'total' THEN net_sales END)",
--     "sum(CASE WHEN row_kind = 'row' THEN net_sales_prev END) = sum(CASE WHEN row_kind = 'total' THEN net_sales_prev END)",
-- ]
--
-- [[tests]]
-- name = "places add up to what it says of all"
-- params = { level = "location", method = "entire_year" }
-- all = ["sum(net_sales) = max(net_sales_all)"]
--
-- [[tests]]
-- name = "rebuilding does not stand apart when it need not"
-- params = { exclude_remodel = "false" }
-- each = ["comp_group <> 'remodelled'"]
-- ---
SELECT
    $from AS period_start,
    $to AS period_end,
    $to > $as_of AS is_partial_period,
    s.comp_group,
    s.location_id,
    s.location_name,
    s.places,
    s.net_sales,
    s.net_sales_prev,
    s.net_sales - s.net_sales_prev AS change,
    CASE WHEN $to <= $as_of THEN growth(s.net_sales, s.net_sales_prev) END AS net_sales_growth,
    sum(s.net_sales) OVER () AS net_sales_all,
    sum(s.net_sales_prev) OVER () AS net_sales_all_prev,
    ratio(s.net_sales, sum(s.net_sales) OVER ()) AS share,
    ratio(s.net_sales_prev, sum(s.net_sales_prev) OVER ()) AS share_prev,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE
            WHEN e.location_id IS NULL THEN 'no place'
            WHEN l.location_id IS NULL THEN 'unknown place'
            -- the day, or the same day of the other year, lies in a rebuilding
            WHEN $exclude_remodel
              AND ((e.this_day >= l.remodel_from AND e.this_day < coalesce(l.remodel_to, $to))
                OR (e.this_day >= CAST(l.remodel_from + INTERVAL '1 year' AS DATE)
                    AND e.this_day < CAST(coalesce(l.remodel_to, $to) + INTERVAL '1 year' AS DATE)))
                THEN 'remodelled'
            WHEN l.closed_on < $to THEN 'not comparable'
            WHEN coalesce(l.comp_open_date, l.opened_on) IS NULL THEN 'comparable'
            WHEN CAST(CAST(coalesce(l.comp_open_date, l.opened_on) AS INT) + $exclude_days AS DATE) <= CASE $method
                     WHEN 'entire_year' THEN period_start(CAST(period_start($from, 'fiscal_year', $calendar) - INTERVAL '1 day' AS DATE),
                                                          'fiscal_year', $calendar)
                     ELSE CAST($from - INTERVAL '1 year' AS DATE) END
                THEN 'comparable'
            ELSE 'not comparable'
        END AS comp_group,
        CASE WHEN $level = 'location' THEN l.location_id END AS location_id,
        CASE WHEN $level = 'location' THEN l.location_name END AS location_name,
        count(DISTINCT e.location_id) AS places,
        sum(e.now_rc) AS net_sales,
        sum(e.prev_rc) AS net_sales_prev
    FROM (
        SELECT v.location_id, v.business_date AS this_day, v.net_rc AS now_rc, CAST(0 AS DECIMAL(18,4)) AS prev_rc
        FROM sales_event v
        WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out'

        UNION ALL

        SELECT w.location_id, CAST(w.business_date + INTERVAL '1 year' AS DATE) AS this_day, CAST(0 AS DECIMAL(18,4)) AS now_rc, w.net_rc AS prev_rc
        FROM sales_event w
        WHERE w.business_date >= CAST($from - INTERVAL '1 year' AS DATE) AND w.business_date < CAST($to - INTERVAL '1 year' AS DATE)
          AND w.flow <> 'sell_out'
    ) e
    LEFT JOIN location l ON l.location_id = e.location_id
    GROUP BY 1, 2, 3
) s
ORDER BY s.comp_group NULLS LAST, s.location_id NULLS LAST
