-- ---
-- title = { en = "Store ranking", zh = "门店排名" }
-- about = """How do places of sale compare? Sales, orders, basket and margin per place, with its rank by net sales in the bucket among all
-- places and among its peers: the places of the same region, country or kind (parameter peers; all = one group). below_peers counts the
-- peers with strictly less net sales, percentile = below_peers / (peers − 1): 1 = the best, 0 = the last, empty for a place without peers.
-- Sales without a place, such as online sales, are not in it; a place that the location table does not know is the row UNK. Returns count
-- where the goods were sold. sales_per_sqm = net_sales / selling area. Growth comes with compare; growth of comparable places only is
-- another question, and footfall is not counted here."""
-- key = ["period_start", "location_id"]
-- spine = ["location"]
-- needs = ["order_line.location_id"]
--
-- [params]
-- from = { type = "date", default = "start of month - 12 months", about = "First day, included." }
-- to = { type = "date", default = "today", about = "First day that is not included." }
-- peers = { type = "text", default = "region", values = ["region", "country", "location_type", "all"], about = "With which places a place is compared." }
-- grain = { type = "text", default = "all", values = ["all", "day", "week", "month", "quarter", "year", "fiscal_week", "fiscal_period", "fiscal_quarter", "fiscal_year"], about = "One row per place and such bucket; all = one row per place." }
-- calendar = { type = "text", default = "iso", values = ["iso", "gregorian", "retail_454", "retail_445", "gregorian_fy_apr"], about = "Whose weeks and fiscal grains." }
-- include_zero = { type = "bool", default = false, about = "Places that sold before, but not then, are shown with 0, and ranked." }
-- as_of = { type = "date", default = "today", about = "First day that is not over: a bucket that ends later is partial." }
--
-- [period]
-- from = "from"
-- to = "to"
-- bucket = "period_start"
-- grain = "grain"
-- measures = ["net_sales", "orders", "aov", "gross_profit"]
--
-- [chart]
-- kind = "table"
-- x = "location_name"
-- y = ["net_sales", "percentile"]
--
-- [columns]
-- period_start = "first day of the bucket"
-- period_end = "first day after the bucket"
-- is_partial_period = "the bucket reaches beyond the asked days or beyond as_of"
-- location_id = "the place; UNK = not in the location table"
-- location_name = "its name"
-- peer_group = "what its peers have in common: the region, country or kind of place"
-- place = "rank in the bucket among all places by net sales, 1 = most; equal ones by location_id; empty in a totals row"
-- place_in_peers = "the same among its peers"
-- peer_count = "places in its peer group, itself included"
-- below_peers = "peers with strictly less net sales"
-- percentile = "below_peers / (peer_count − 1) (share)"
-- gross_sales = "before discounts and returns (money)"
-- discounts = "line and order discounts (money)"
-- returns = "refunds, reversals, negative adjustments (money)"
-- net_sales = "gross_sales − discounts − returns (money)"
-- units_sold = "stock units"
-- units_returned = "stock units"
-- net_units = "units_sold − units_returned (stock units)"
-- orders = "distinct orders"
-- sales_before_returns = "gross_sales − discounts (money)"
-- aov = "sales_before_returns / orders (money per order)"
-- units_per_order = "units_sold / orders"
-- net_sales_with_cost = "net sales whose cost is known (money)"
-- cogs = "cost of those goods, less cost returned to stock (money)"
-- gross_profit = "net_sales_with_cost − cogs (money)"
-- gross_margin_pct = "gross_profit / net_sales_with_cost (share)"
-- return_rate_value = "returns / sales_before_returns (share)"
-- selling_area_sqm = "selling area (m²)"
-- sales_per_sqm = "net_sales / selling_area_sqm (money per m²)"
-- currency = "the lake's reporting currency"
--
-- [[tests]]
-- name = "places add up to the total"
-- params = { totals = "true" }
-- each = ["net_sales = gross_sales - discounts - returns"]
-- all = [
--     "sum(CASE WHEN row_kind = 'row' THEN net_sales END) = sum(CASE WHEN row_kind = 'total' THEN net_sales END)",
--     "sum(CASE WHEN row_kind = 'row' THEN units_sold END) = sum(CASE WHEN row_kind = 'total' THEN units_sold END)",
-- ]
--
-- [[tests]]
-- name = "a rank is of all there are"
-- params = { peers = "all" }
-- each = ["place_in_peers >= 1 AND place_in_peers <= peer_count", "percentile >= 0 AND percentile <= 1"]
-- ---
SELECT
    s.period_start,
    CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END AS period_end,
    s.period_start < $from
        OR CASE WHEN $grain = 'all' THEN $to ELSE period_end(s.period_start, $grain, $calendar) END > least($to, $as_of) AS is_partial_period,
    s.location_id,
    s.location_name,
    s.peer_group,
    CASE WHEN s.location_id IS NOT NULL
         THEN CAST(row_number() OVER (PARTITION BY s.period_start ORDER BY s.net_sales DESC NULLS LAST, s.location_id NULLS LAST) AS BIGINT)
    END AS place,
    CASE WHEN s.location_id IS NOT NULL
         THEN CAST(row_number() OVER (
             PARTITION BY s.period_start, s.peer_group ORDER BY s.net_sales DESC NULLS LAST, s.location_id NULLS LAST
         ) AS BIGINT) END AS place_in_peers,
    CASE WHEN s.location_id IS NOT NULL THEN count(*) OVER (PARTITION BY s.period_start, s.peer_group) END AS peer_count,
    CASE WHEN s.location_id IS NOT NULL
         THEN CAST(rank() OVER (PARTITION BY s.period_start, s.peer_group ORDER BY s.net_sales NULLS LAST) AS BIGINT) - 1
    END AS below_peers,
    CASE WHEN s.location_id IS NOT NULL
         THEN ratio(CAST(rank() OVER (PARTITION BY s.period_start, s.peer_group ORDER BY s.net_sales NULLS LAST) AS BIGINT) - 1,
                    count(*) OVER (PARTITION BY s.period_start, s.peer_group) - 1) END AS percentile,
    s.gross_sales,
    s.discounts,
    s.returns,
    s.net_sales,
    s.units_sold,
    s.units_returned,
    s.units_sold - s.units_returned AS net_units,
    s.orders,
    s.gross_sales - s.discounts AS sales_before_returns,
    ratio(s.gross_sales - s.discounts, s.orders) AS aov,
    ratio(s.units_sold, s.orders) AS units_per_order,
    s.net_sales_with_cost,
    s.cogs,
    s.net_sales_with_cost - s.cogs AS gross_profit,
    ratio(s.net_sales_with_cost - s.cogs, s.net_sales_with_cost) AS gross_margin_pct,
    ratio(s.returns, s.gross_sales - s.discounts) AS return_rate_value,
    s.selling_area_sqm,
    ratio(s.net_sales, s.selling_area_sqm) AS sales_per_sqm,
    reporting_currency() AS currency
FROM (
    SELECT
        CASE WHEN $grain = 'all' THEN $from ELSE period_start(e.business_date, $grain, $calendar) END AS period_start,
        member(e.location_id, l.location_id) AS location_id,
        member(e.location_id, l.location_name) AS location_name,
        CASE $peers WHEN 'region' THEN member(e.location_id, l.region_id) WHEN 'country' THEN member(e.location_id, l.country)
                    WHEN 'location_type' THEN member(e.location_id, l.location_type) ELSE 'all' END AS peer_group,
        l.selling_area_sqm,
        sum(e.gross_sales) AS gross_sales,
        sum(e.discounts) AS discounts,
        sum(e.returns) AS returns,
        sum(e.net_rc) AS net_sales,
        sum(e.units_sold) AS units_sold,
        sum(e.units_returned) AS units_returned,
        count(DISTINCT e.sale_order_id) AS orders,
        sum(CASE WHEN e.cost_rc IS NOT NULL THEN e.net_rc ELSE CAST(0 AS DECIMAL(18,4)) END) AS net_sales_with_cost,
        sum(coalesce(e.cost_rc, CAST(0 AS DECIMAL(18,4)))) AS cogs
    FROM (
        SELECT
            v.business_date, v.location_id, v.gross_sales, v.discounts, v.returns, v.net_rc, v.cost_rc, v.units_sold, v.units_returned,
            v.sale_order_id
        FROM sales_event v
        WHERE v.business_date >= $from AND v.business_date < $to AND v.flow <> 'sell_out' AND v.location_id IS NOT NULL

        UNION ALL

        -- every place that ever sold what is asked for in every bucket, on the bucket's first day
        SELECT
            d.date_key AS business_date, known.location_id, CAST(0 AS DECIMAL(18,4)) AS gross_sales, CAST(0 AS DECIMAL(18,4)) AS discounts,
            CAST(0 AS DECIMAL(18,4)) AS returns, CAST(0 AS DECIMAL(18,4)) AS net_rc, CAST(NULL AS DECIMAL(18,4)) AS cost_rc,
            CAST(0 AS DECIMAL(18,3)) AS units_sold, CAST(0 AS DECIMAL(18,3)) AS units_returned, CAST(NULL AS VARCHAR) AS sale_order_id
        FROM (
            SELECT k.location_id
            FROM sales_event k
            WHERE k.business_date < $to AND k.flow <> 'sell_out' AND k.location_id IS NOT NULL
            GROUP BY 1
        ) known
        CROSS JOIN calendar d
        WHERE $include_zero AND d.date_key >= $from AND d.date_key < $to
          AND d.date_key = CASE WHEN $grain = 'all' THEN $from ELSE greatest($from, period_start(d.date_key, $grain, $calendar)) END
    ) e
    LEFT JOIN location l ON l.location_id = e.location_id
    GROUP BY 1, 2, 3, 4, 5
) s
ORDER BY s.period_start NULLS LAST, s.net_sales DESC NULLS LAST, s.location_id NULLS LAST
