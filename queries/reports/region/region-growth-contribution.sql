-- ---
-- title = { en = "Growth by region", zh = "区域增长贡献" }
-- about = """Which regions drive the growth? Net sales, after returns, of the asked days beside those of earlier days per region: the
-- change in money, the growth of the region, and its contribution to all growth, which adds up over the regions where a growth does not.
-- The earlier days are the same dates a year before, or as many days right before (whole months, where the asked days are whole months).
-- Whose region is the policy region_basis; region_level 0 shows the regions of the facts, 1 to 5 adds them up to that level of the
-- hierarchy (a region that does not reach so deep stays itself). Sales without a region are the row N/A, regions that are not known the row
-- UNK. Two spans are compared, so it has no buckets."""
-- key = ["region_id"]
--
-- [params]
-- from = { type = "date", default = "start of month - 1 month", about = "First day, included." }
-- to = { type = "date", default = "start of month", about = "First day that is not included." }
-- against = { type = "text", default = "previous_year", values = ["previous_year", "previous_period"], about = "The same dates a year before, or as many days or whole months right before." }
-- region_level = { type = "int", default = 0, min = 0, max = 5, about = "0 = the facts' regions, 1 = top level … 5." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a period that ends later is partial." }
--
-- [chart]
-- kind = "waterfall"
-- x = "region_name"
-- y = ["change"]
--
-- [columns]
-- period_start = "the first day asked for"
-- period_end = "the first day that is not"
-- is_partial_period = "to is after as_of: the period is not over"
-- region_id = "the region; UNK = not in the region table, N/A = no region"
-- region_name = "its name"
-- net_sales = "gross sales − discounts − returns of the asked days (money)"
-- net_sales_prev = "the same of the days before (money)"
-- change = "net_sales − net_sales_prev (money)"
-- net_sales_growth = "change / abs(net_sales_prev); empty where that is 0, or the period is not over (share)"
-- net_sales_all = "net sales of all rows (money)"
-- net_sales_all_prev = "net_sales_prev of all rows (money)"
-- contribution = "change / abs(net_sales_all_prev): the part of all growth that the row brings; the rows add up to it; empty where the period is not over"
-- share = "net_sales / net_sales_all"
-- share_prev = "net_sales_prev / net_sales_all_prev"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "regions add up to the total"
-- params = { totals = "true" }
-- each = ["change = net_sales - net_sales_prev"]
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN net_sales END) = sum(CASE WHEN row_kind = 'total' THEN net_sales END)",
--     "sum(CASE WHEN row_kind = 'row' THEN net_sales_prev END) = sum(CASE WHEN row_kind = 'total' THEN net_sales_prev END)",
--     "sum(CASE WHEN row_kind = 'row' THEN change END) = sum(CASE WHEN row_kind = 'total' THEN change END)",
-- ]
--
-- [[tests]]
-- name = "countries add up to what it says of all"
-- params = { region_level = "1", against = "previous_period" }
-- all = ["sum(net_sales) = max(net_sales_all)"]
-- ---
WITH base AS (
    -- the days beside which the asked ones stand: a year before, or as many days or whole months right before
    SELECT min(d.date_key) AS first_day, max(d.date_key) AS last_day
    FROM calendar d
    WHERE CASE
        WHEN $against = 'previous_year'
            THEN d.date_key >= CAST($from - INTERVAL '1 year' AS DATE) AND d.date_key < CAST($to - INTERVAL '1 year' AS DATE)
        WHEN extract(DAY FROM $from) = 1 AND extract(DAY FROM $to) = 1
            THEN d.date_key < $from
                 AND 12 * d.year + d.month >= 24 * extract(YEAR FROM $from) + 2 * extract(MONTH FROM $from) - 12 * extract(YEAR FROM $to)
                                              - extract(MONTH FROM $to)
        ELSE d.date_key < $from AND CAST(d.date_key AS INT) >= 2 * CAST($from AS INT) - CAST($to AS INT)
    END
)
SELECT
    $from AS period_start,
    $to AS period_end,
    $to > $as_of AS is_partial_period,
    s.region_id,
    s.region_name,
    s.net_sales,
    s.net_sales_prev,
    s.net_sales - s.net_sales_prev AS change,
    CASE WHEN $to <= $as_of THEN growth(s.net_sales, s.net_sales_prev) END AS net_sales_growth,
    sum(s.net_sales) OVER () AS net_sales_all,
    sum(s.net_sales_prev) OVER () AS net_sales_all_prev,
    CASE WHEN $to <= $as_of THEN ratio(s.net_sales - s.net_sales_prev, abs(sum(s.net_sales_prev) OVER ())) END AS contribution,
    ratio(s.net_sales, sum(s.net_sales) OVER ()) AS share,
    ratio(s.net_sales_prev, sum(s.net_sales_prev) OVER ()) AS share_prev,
    reporting_currency() AS currency
FROM (
    SELECT
        member(e.region_id, coalesce(CASE $region_level WHEN 1 THEN r.level1_id WHEN 2 THEN r.level2_id WHEN 3 THEN r.level3_id
                                          WHEN 4 THEN r.level4_id WHEN 5 THEN r.level5_id END, r.region_id)) AS region_id,
        member(e.region_id, coalesce(CASE $region_level WHEN 1 THEN coalesce(r.level1_name, r.level1_id)
                                          WHEN 2 THEN coalesce(r.level2_name, r.level2_id)
                                          WHEN 3 THEN coalesce(r.level3_name, r.level3_id)
                                          WHEN 4 THEN coalesce(r.level4_name, r.level4_id)
                                          WHEN 5 THEN coalesce(r.level5_name, r.level5_id) END, r.region_name)) AS region_name,
        sum(CASE WHEN e.business_date >= $from AND e.business_date < $to THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales,
        sum(CASE WHEN e.business_date >= b.first_day AND e.business_date <= b.last_day THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END)
            AS net_sales_prev
    FROM placed_sale e
    CROSS JOIN base b
    LEFT JOIN region r ON r.region_id = e.region_id
    WHERE e.flow <> 'sell_out'
      AND ((e.business_date >= $from AND e.business_date < $to) OR (e.business_date >= b.first_day AND e.business_date <= b.last_day))
    GROUP BY 1, 2
) s
ORDER BY change DESC NULLS LAST, s.region_id NULLS LAST
