-- ---
-- title = { en = "Landed totals", zh = "入湖总数" }
-- about = """What has landed, in the terms of the source's control totals: for every metric that the source ever totalled for the channel,
-- from its first total on. It is about delivery, not about sales: every line that was sent and is there counts on its business date,
-- whatever its status, tests, cancelled orders and copies too; only tombstones are left out, and what waits in quarantine has not landed.
-- Amounts are in the source's own currency and rounded as stored: gross_amount (unit price × quantity) and net_amount (after both
-- discounts) without tax, total_amount with it. Add the rows up: a source that totals no places has one row per place here, with
-- location_id NULL."""
-- [columns]
-- location_id = "the place; NULL = none, or the source totals no places"
-- region_id = "the region of the place; 'UNK' = the place is not in the dimension; NULL = no place"
-- metric = "order_count, line_count, units, gross_amount, net_amount, tax_amount, total_amount"
-- currency = "of amounts; of counts NULL unless the source counts per currency"
-- landed_value = "a count, units, or an amount in currency"
-- ---
SELECT
    l.source_system,
    l.business_date,
    l.channel_id,
    CASE WHEN scope.by_location THEN l.location_id END AS location_id,
    CASE WHEN scope.by_location AND l.location_id IS NOT NULL THEN coalesce(place.region_id, 'UNK') END AS region_id,
    scope.metric,
    CASE WHEN scope.by_currency THEN l.currency END AS currency,
    CASE scope.metric
        WHEN 'order_count' THEN CAST(l.orders AS DECIMAL(28,4))
        WHEN 'line_count' THEN CAST(l.lines AS DECIMAL(28,4))
        WHEN 'units' THEN CAST(l.units AS DECIMAL(28,4))
        WHEN 'gross_amount' THEN CAST(l.gross AS DECIMAL(28,4))
        WHEN 'net_amount' THEN CAST(l.net AS DECIMAL(28,4))
        WHEN 'tax_amount' THEN CAST(l.tax AS DECIMAL(28,4))
        WHEN 'total_amount' THEN CAST(l.net + l.tax AS DECIMAL(28,4))
    END AS landed_value
FROM (
    SELECT
        k.source_system,
        k.business_date,
        k.channel_id,
        k.location_id,
        k.currency,
        count(DISTINCT k.order_id) AS orders,
        count(*) AS lines,
        sum(k.quantity) AS units,
        sum(k.gross_amount) AS gross,
        sum(k.net_amount) AS net,
        sum(k.tax_amount) AS tax
    FROM base.order_line k
    WHERE NOT k.is_deleted
    GROUP BY k.source_system, k.business_date, k.channel_id, k.location_id, k.currency
) l
JOIN control_scope scope
  ON scope.source_system = l.source_system AND scope.channel_id = l.channel_id AND l.business_date >= scope.first_day
LEFT JOIN location place ON place.location_id = l.location_id
