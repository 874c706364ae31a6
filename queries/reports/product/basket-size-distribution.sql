-- ---
-- title = { en = "Basket size", zh = "购物篮分布" }
-- about = """How large are baskets? Orders by their size in bands: value (gross_sales − discounts, before returns) or stock units,
-- parameter by. Bands are `width` wide and begin at 0, the upper edge is not included; the last of `bands` has no upper edge. Beside each
-- band its orders, sales and units; over all orders the mean, and the median and the 90th percentile by nearest rank: the value of the
-- order at place ⌈0.5 n⌉ and ⌈0.9 n⌉. An order is what its lines of the asked days are; returns change no basket. Slicers by article cut
-- orders down to those articles."""
-- key = ["band_no"]
-- totals = false
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- by = { type = "text", default = "value", values = ["value", "units"], about = "Size in money, or in stock units." }
-- width = { type = "decimal", default = 10, min = 0.01, about = "How wide a band is (money, or stock units)." }
-- bands = { type = "int", default = 20, min = 1, max = 1000, about = "So many bands; the last one is open." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a period that ends later is partial." }
--
-- [chart]
-- kind = "hist"
-- x = "band_from"
-- y = ["baskets"]
--
-- [columns]
-- period_start = "the first day asked for"
-- period_end = "the first day that is not"
-- is_partial_period = "to is after as_of: the period is not over"
-- band_no = "1 = the lowest band"
-- band_from = "its lower edge, included"
-- band_to = "its upper edge, not included; empty: none"
-- baskets = "orders"
-- basket_sales = "gross_sales − discounts of those orders (money)"
-- basket_units = "stock units of those orders"
-- baskets_all = "orders over all bands"
-- basket_share = "baskets / baskets_all"
-- size_all = "sizes added up over all orders (money, or stock units)"
-- mean_size = "size_all / baskets_all"
-- median_size = "half of all orders are no larger"
-- p90_size = "nine of ten orders are no larger"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "bands add up"
-- each = ["band_no >= 1 AND band_no <= 20", "median_size <= p90_size"]
-- all = ["sum(baskets) = max(baskets_all)"]
--
-- [[tests]]
-- name = "by units, in as many bands as asked for"
-- params = { by = "units", width = "1", bands = "5" }
-- each = ["band_no <= 5"]
-- all = ["sum(baskets) = max(baskets_all)", "sum(basket_units) = max(size_all)"]
-- ---
SELECT
    $from AS period_start,
    $to AS period_end,
    $to > $as_of AS is_partial_period,
    s.band_no,
    CASE WHEN s.band_no IS NOT NULL THEN (s.band_no - 1) * CAST($width AS DECIMAL(18,4)) END AS band_from,
    CASE WHEN s.band_no < $bands THEN s.band_no * CAST($width AS DECIMAL(18,4)) END AS band_to,
    s.baskets,
    s.basket_sales,
    s.basket_units,
    sum(s.baskets) OVER () AS baskets_all,
    ratio(s.baskets, sum(s.baskets) OVER ()) AS basket_share,
    sum(s.size) OVER () AS size_all,
    ratio(sum(s.size) OVER (), sum(s.baskets) OVER ()) AS mean_size,
    s.median_size,
    s.p90_size,
    reporting_currency() AS currency
FROM (
    SELECT
        -- whole widths: what is left over is taken off first, so that the quotient is exact
        least($bands, 1 + CAST(round(ratio(o.size - o.size % CAST($width AS DECIMAL(18,4)), CAST($width AS DECIMAL(18,4)))) AS BIGINT)) AS band_no,
        count(*) AS baskets,
        sum(o.sales) AS basket_sales,
        sum(o.units) AS basket_units,
        sum(o.size) AS size,
        max(o.median_size) AS median_size,
        max(o.p90_size) AS p90_size
    FROM (
        SELECT
            n.sales, n.units, n.size,
            max(CASE WHEN 2 * n.place >= n.orders AND 2 * (n.place - 1) < n.orders THEN n.size END) OVER () AS median_size,
            max(CASE WHEN 10 * n.place >= 9 * n.orders AND 10 * (n.place - 1) < 9 * n.orders THEN n.size END) OVER () AS p90_size
        FROM (
            SELECT
                z.sales, z.units, z.size,
                CAST(row_number() OVER (ORDER BY z.size NULLS LAST, z.sale_order_id NULLS LAST) AS BIGINT) AS place,
                count(*) OVER () AS orders
            FROM (
                SELECT
                    e.sale_order_id,
                    sum(e.gross_sales - e.discounts) AS sales,
                    sum(e.units_sold) AS units,
                    CASE WHEN $by = 'units' THEN CAST(sum(e.units_sold) AS DECIMAL(28,4))
                         ELSE CAST(sum(e.gross_sales - e.discounts) AS DECIMAL(28,4)) END AS size
                FROM sales_event e
                WHERE e.business_date >= $from AND e.business_date < $to AND e.flow <> 'sell_out' AND e.sale_order_id IS NOT NULL
                GROUP BY e.sale_order_id
            ) z
        ) n
    ) o
    GROUP BY 1
) s
ORDER BY s.band_no NULLS LAST
