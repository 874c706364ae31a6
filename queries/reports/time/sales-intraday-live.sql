-- ---
-- title = { en = "Today so far", zh = "当日实时销售" }
-- about = """How is the day going? Net sales of one day by quarter of an hour, added up, beside the mean of the same weekday in the `weeks`
-- weeks before: typical_so_far = typical_so_far_all / weeks, weekdays without sales included. The clock is the local one of each place;
-- what a place sells after midnight while the business day goes on stands behind 24:00. While the day is not over at as_of, quarters after
-- the last event that has landed are empty, not 0: last_slot_start says how far the data reaches. Returns count when they are refunded, so
-- the curve may fall. After midnight only quarters with an event are shown."""
-- key = ["slot_no"]
-- totals = false
--
-- [params]
-- day = { type = "date", default = "today - 1 day", about = "The business day." }
-- weeks = { type = "int", default = 8, min = 1, max = 52, about = "Over so many earlier weeks the typical day is." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a period that ends later is partial." }
--
-- [chart]
-- kind = "line"
-- x = "slot_start"
-- y = ["net_sales_so_far", "typical_so_far"]
--
-- [columns]
-- period_start = "the day"
-- period_end = "the day after"
-- is_partial_period = "the day is not over"
-- slot_no = "0 = 00:00 to 00:15 … 95; from 96 on after midnight"
-- slot_start = "when it begins on the local clock, HH:MM; 24:00 and later = after midnight"
-- net_sales = "of the quarter of an hour (money)"
-- net_sales_so_far = "of the day up to its end (money)"
-- typical_so_far_all = "up to then, of the same weekdays before, all together (money)"
-- weeks = "how many they are"
-- typical_so_far = "typical_so_far_all / weeks (money)"
-- ahead = "net_sales_so_far − typical_so_far (money)"
-- pace = "net_sales_so_far / typical_so_far (share)"
-- last_slot_start = "the quarter of the last event of the day; empty: none"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "the sum begins with the first quarter of an hour"
-- each = ["slot_no > 0 OR net_sales_so_far = net_sales"]
--
-- [[tests]]
-- name = "against one week before"
-- params = { weeks = "1" }
-- each = ["weeks <= 1"]
-- ---
WITH slot AS (
    SELECT
        e.slot_no,
        sum(e.now_rc) AS net_sales,
        sum(e.then_rc) AS typical,
        max(CASE WHEN e.is_today = 1 THEN e.slot_no END) AS today_no
    FROM (
        SELECT
            -- what lies after midnight and before the place's day ends belongs to the end of the day
            CAST(floor((v.local_minute + CASE WHEN v.local_minute < coalesce(l.day_cutoff_minutes, 0) THEN 1440 ELSE 0 END) / 15.0) AS INT) AS slot_no,
            CASE WHEN v.business_date = $day THEN v.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END AS now_rc,
            CASE WHEN v.business_date < $day THEN v.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END AS then_rc,
            CASE WHEN v.business_date = $day THEN 1 ELSE 0 END AS is_today
        FROM sales_event v
        LEFT JOIN location l ON l.location_id = v.location_id
        WHERE v.business_date <= $day
          AND v.business_date >= CAST(CAST($day AS INT) - 7 * $weeks AS DATE)
          AND (CAST($day AS INT) - CAST(v.business_date AS INT)) % 7 = 0
          AND v.flow <> 'sell_out'

        UNION ALL

        -- the 96 quarters of a day, counted by days
        SELECT
            CAST(d.date_key AS INT) - CAST($day AS INT) AS slot_no, CAST(0 AS DECIMAL(18,4)) AS now_rc, CAST(0 AS DECIMAL(18,4)) AS then_rc,
            0 AS is_today
        FROM calendar d
        WHERE d.date_key >= $day AND d.date_key < CAST($day + INTERVAL '96 days' AS DATE)
    ) e
    GROUP BY 1
),
running AS (
    SELECT
        s.slot_no,
        s.net_sales,
        sum(s.net_sales) OVER (ORDER BY s.slot_no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS so_far,
        sum(s.typical) OVER (ORDER BY s.slot_no ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS typical_so_far_all,
        max(s.today_no) OVER () AS last_no
    FROM slot s
)
SELECT
    $day AS period_start,
    CAST($day + INTERVAL '1 day' AS DATE) AS period_end,
    $day >= $as_of AS is_partial_period,
    r.slot_no,
    concat(lpad(CAST(CAST(floor(r.slot_no / 4.0) AS INT) AS VARCHAR), 2, '0'), ':', lpad(CAST(15 * (r.slot_no % 4) AS VARCHAR), 2, '0')) AS slot_start,
    CASE WHEN $day < $as_of OR r.slot_no <= r.last_no THEN r.net_sales END AS net_sales,
    CASE WHEN $day < $as_of OR r.slot_no <= r.last_no THEN r.so_far END AS net_sales_so_far,
    r.typical_so_far_all,
    $weeks AS weeks,
    ratio(r.typical_so_far_all, $weeks) AS typical_so_far,
    CASE WHEN $day < $as_of OR r.slot_no <= r.last_no THEN r.so_far - ratio(r.typical_so_far_all, $weeks) END AS ahead,
    CASE WHEN $day < $as_of OR r.slot_no <= r.last_no THEN ratio(r.so_far * $weeks, r.typical_so_far_all) END AS pace,
    CASE WHEN r.last_no IS NOT NULL THEN
        concat(lpad(CAST(CAST(floor(r.last_no / 4.0) AS INT) AS VARCHAR), 2, '0'), ':', lpad(CAST(15 * (r.last_no % 4) AS VARCHAR), 2, '0')) END AS last_slot_start,
    reporting_currency() AS currency
FROM running r
ORDER BY r.slot_no NULLS LAST
