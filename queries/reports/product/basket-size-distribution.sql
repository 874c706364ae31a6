-- ---
-- title = { en = "Basket size", zh = "购物篮分布" }
-- about = """How large are baskets? Orders by their size in bands: value (gross_sales − discounts, before returns) or stock units,
-- parameter by. Bands are `width` wide and begin at 0, the upper edge is not included; the last of `bands` has no upper edge. Beside each
-- band its orders, sales and units; over all orders of the bucket the mean, and the median and the 90th percentile by nearest rank: the
-- value of the order at place ⌈0.5 n⌉ and ⌈0.9 n⌉. An order is what its lines of the bucket are; returns change no basket. Slicers by
-- article cut orders down to those articles."""
-- key = ["period_start", "band_no"]
-- totals = false
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- by = { type = "text", default = "value", values = ["value", "units"], about = "Size in money, or in stock units." }
-- width = { type = "decimal", default = 10, min = 0.01, about = "How wide a band is (money, or stock units)." }
-- bands = { type = "int", default = 20, min = 1, max = 1000, about = "So many bands; the last one is open." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per band and such bucket; all = one row per band." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Bands without any basket are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [chart]
-- kind = "hist"
-- x = "band_from"
-- y = ["baskets"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- band_no = "1 = the lowest band"
-- band_from = "its lower edge, included"
-- band_to = "its upper edge, not included; empty: none"
-- baskets = "orders"
-- basket_sales = "gross_sales − discounts of those orders (money)"
-- basket_units = "stock units of those orders"
-- baskets_all = "orders of the bucket over all bands"
-- basket_share = "baskets / baskets_all"
-- size_all = "sizes added up over all orders of the bucket (money, or stock units)"
-- mean_size = "size_all / baskets_all"
-- median_size = "half of the bucket's orders are no larger"
-- p90_size = "nine of ten of them are no larger"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "bands add up"
-- each = ["band_no >= 1 AND band_no <= 20", "median_size <= p90_size"]
-- all = ["sum(baskets) = max(baskets_all)"]
--
-- [[tests]]
-- name = "by units, in as many bands as asked for, empty ones too"
-- params = { by = "units", width = "1", bands = "5", include_zero = "true" }
-- each = ["band_no <= 5"]
-- all = ["count(*) = 5", "sum(baskets) = max(baskets_all)", "sum(basket_units) = max(size_all)"]
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.band_no,
    CASE WHEN s.band_no IS NOT NULL THEN (s.band_no - 1) * CAST($width AS DECIMAL(18,4)) END AS band_from,
    CASE WHEN s.band_no < $bands THEN s.band_no * CAST($width AS DECIMAL(18,4)) END AS band_to,
    s.baskets,
    s.basket_sales,
    s.basket_units,
    sum(s.baskets) OVER (PARTITION BY s.period_start) AS baskets_all,
    ratio(s.baskets, sum(s.baskets) OVER (PARTITION BY s.period_start)) AS basket_share,
    sum(s.size) OVER (PARTITION BY s.period_start) AS size_all,
    ratio(sum(s.size) OVER (PARTITION BY s.period_start), sum(s.baskets) OVER (PARTITION BY s.period_start)) AS mean_size,
    max(s.median_size) OVER (PARTITION BY s.period_start) AS median_size,
    max(s.p90_size) OVER (PARTITION BY s.period_start) AS p90_size,
    reporting_currency() AS currency
FROM (
    SELECT
        o.period_start,
        o.band_no,
        sum(o.basket) AS baskets,
        sum(o.sales) AS basket_sales,
        sum(o.units) AS basket_units,
        sum(o.size) AS size,
        -- one order of the bucket is at each of these places, so one band has it
        max(CASE WHEN 2 * o.place >= o.orders AND 2 * (o.place - 1) < o.orders THEN o.size END) AS median_size,
        max(CASE WHEN 10 * o.place >= 9 * o.orders AND 10 * (o.place - 1) < 9 * o.orders THEN o.size END) AS p90_size
    FROM (
        SELECT
            z.period_start,
            -- whole widths: what is left over is taken off first, so that the quotient is exact
            least($bands, 1 + CAST(round(ratio(z.size - z.size % CAST($width AS DECIMAL(18,4)), CAST($width AS DECIMAL(18,4)))) AS BIGINT))
                AS band_no,
            1 AS basket,
            z.sales,
            z.units,
            z.size,
            CAST(row_number() OVER (PARTITION BY z.period_start ORDER BY z.size NULLS LAST, z.sale_order_id NULLS LAST) AS BIGINT) AS place,
            count(*) OVER (PARTITION BY z.period_start) AS orders
        FROM (
            SELECT
                CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
                e.sale_order_id,
                sum(e.gross_sales - e.discounts) AS sales,
                sum(e.units_sold) AS units,
                CASE WHEN $by = 'units' THEN CAST(sum(e.units_sold) AS DECIMAL(28,4))
                     ELSE CAST(sum(e.gross_sales - e.discounts) AS DECIMAL(28,4)) END AS size
            FROM sales_event e
            WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out' AND e.sale_order_id IS NOT NULL
            GROUP BY 1, 2
        ) z

        UNION ALL

        -- every band in every bucket
        SELECT
            CASE WHEN $grain = 'all' THEN $from ELSE period_start(d.date_key, $grain, $calendar) END AS period_start,
            b.band_no,
            0 AS basket,
            CAST(0 AS DECIMAL(28,4)) AS sales,
            CAST(0 AS DECIMAL(28,3)) AS units,
            CAST(0 AS DECIMAL(28,4)) AS size,
            CAST(NULL AS BIGINT) AS place,
            CAST(NULL AS BIGINT) AS orders
        FROM (
            -- 1, 2, 3 …
            SELECT CAST(row_number() OVER (ORDER BY n.date_key) AS BIGINT) AS band_no
            FROM calendar n
        ) b
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
          AND b.band_no <= $bands
    ) o
    GROUP BY 1, 2
) s
ORDER BY s.period_start NULLS LAST, s.band_no NULLS LAST
