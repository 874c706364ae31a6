-- ---
-- title = { en = "Discount depth", zh = "折扣深度" }
-- about = """How deep do we sell? Sold lines by the share of their discount, line and order discounts together, in the price before it:
-- depth = discounts / gross_sales of the line. Bands hold their upper edge: up to 5 % is 0 < depth ≤ 0.05. Per band the lines, units, sales
-- before returns, and what is left of them as margin, over the lines whose cost is known; so what deep discounts earn can be seen. Returns
-- are not in it, for their discount is not told; cancelled orders count as cancel_policy says."""
-- key = ["period_start", "band_no"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per band and such bucket; all = one row per band." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Bands without any line are shown with 0." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["gross_sales", "discounts", "units_sold", "profit_before_returns"]
--
-- [chart]
-- kind = "hist"
-- x = "band"
-- y = ["sales_before_returns", "margin_before_returns"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- band_no = "1 = no discount … 8 = above 70 %"
-- band = "none, up to 5 %, … above 70 %"
-- lines = "sold lines"
-- gross_sales = "before discounts (money)"
-- discounts = "line and order discounts (money)"
-- discount_rate = "discounts / gross_sales (share)"
-- units_sold = "stock units"
-- sales_before_returns = "gross_sales − discounts (money)"
-- sales_before_returns_all = "sales before returns of the bucket over all bands (money)"
-- sales_share = "sales_before_returns / sales_before_returns_all"
-- sales_with_cost = "sales before returns whose cost is known (money)"
-- cost_of_sales = "cost of those goods (money)"
-- profit_before_returns = "sales_with_cost − cost_of_sales (money)"
-- margin_before_returns = "profit_before_returns / sales_with_cost (share)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "bands add up to the total"
-- params = { totals = "true" }
-- each = ["sales_before_returns = gross_sales - discounts"]
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN lines END) = sum(CASE WHEN row_kind = 'total' THEN lines END)",
--     "sum(CASE WHEN row_kind = 'row' THEN gross_sales END) = sum(CASE WHEN row_kind = 'total' THEN gross_sales END)",
--     "sum(CASE WHEN row_kind = 'row' THEN discounts END) = sum(CASE WHEN row_kind = 'total' THEN discounts END)",
-- ]
--
-- [[tests]]
-- name = "what it says of all is the sum of its rows"
-- params = { include_zero = "true" }
-- all = ["count(*) = 8", "sum(sales_before_returns) = max(sales_before_returns_all)"]
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.band_no,
    CASE s.band_no WHEN 1 THEN 'none' WHEN 2 THEN 'up to 5 %' WHEN 3 THEN 'up to 10 %' WHEN 4 THEN 'up to 20 %' WHEN 5 THEN 'up to 30 %'
                   WHEN 6 THEN 'up to 50 %' WHEN 7 THEN 'up to 70 %' WHEN 8 THEN 'above 70 %' END AS band,
    s.lines,
    s.gross_sales,
    s.discounts,
    ratio(s.discounts, s.gross_sales) AS discount_rate,
    s.units_sold,
    s.gross_sales - s.discounts AS sales_before_returns,
    sum(s.gross_sales - s.discounts) OVER (PARTITION BY s.period_start) AS sales_before_returns_all,
    ratio(s.gross_sales - s.discounts, sum(s.gross_sales - s.discounts) OVER (PARTITION BY s.period_start)) AS sales_share,
    s.sales_with_cost,
    s.cost_of_sales,
    s.sales_with_cost - s.cost_of_sales AS profit_before_returns,
    ratio(s.sales_with_cost - s.cost_of_sales, s.sales_with_cost) AS margin_before_returns,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
        e.band_no,
        count(e.event_kind) AS lines,
        sum(e.gross_sales) AS gross_sales,
        sum(e.discounts) AS discounts,
        sum(e.units_sold) AS units_sold,
        sum(CASE WHEN e.cost_rc IS NOT NULL THEN e.gross_sales - e.discounts ELSE CAST(0 AS DECIMAL(19,4)) END) AS sales_with_cost,
        sum(coalesce(e.cost_rc, CAST(0 AS DECIMAL(18,4)))) AS cost_of_sales
    FROM (
        SELECT
            v.business_date,
            -- compared as amounts: a quotient of decimals would be cut
            CASE WHEN v.discounts <= 0 THEN 1
                 WHEN 20 * v.discounts <= v.gross_sales THEN 2
                 WHEN 10 * v.discounts <= v.gross_sales THEN 3
                 WHEN 5 * v.discounts <= v.gross_sales THEN 4
                 WHEN 10 * v.discounts <= 3 * v.gross_sales THEN 5
                 WHEN 2 * v.discounts <= v.gross_sales THEN 6
                 WHEN 10 * v.discounts <= 7 * v.gross_sales THEN 7
                 ELSE 8 END AS band_no,
            v.event_kind, v.gross_sales, v.discounts, v.units_sold, v.cost_rc
        FROM sales_event v
        WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out' AND v.event_kind IN ('sale', 'exchange_out')

        UNION ALL

        -- every band in every bucket, on the bucket's first day: no line
        SELECT
            d.date_key AS business_date, b.band_no, CAST(NULL AS VARCHAR) AS event_kind, CAST(0 AS DECIMAL(18,4)) AS gross_sales,
            CAST(0 AS DECIMAL(18,4)) AS discounts, CAST(0 AS DECIMAL(18,3)) AS units_sold, CAST(NULL AS DECIMAL(18,4)) AS cost_rc
        FROM (VALUES (1), (2), (3), (4), (5), (6), (7), (8)) AS b(band_no)
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) e
    GROUP BY 1, 2
) s
ORDER BY s.period_start NULLS LAST, s.band_no NULLS LAST
