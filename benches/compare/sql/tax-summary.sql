-- ---
-- key = ["jurisdiction_id", "tax_code", "rate"]
-- window = [1, 24]
-- slice = true
-- ---
WITH placed AS (
    SELECT coalesce(p.region_id, e.ship_region_id, CASE WHEN e.location_id IS NOT NULL THEN 'UNK' END) AS region_id, e.product_id AS product_id,
           e.tax_rate AS rate, e.net AS net, e.tax AS tax, e.returned AS returned
    FROM event e LEFT JOIN location p ON p.location_id = e.location_id
    WHERE e.business_date >= $from AND e.business_date < $to AND $slice
), taxed AS (
    SELECT CASE WHEN s.region_id IS NULL THEN 'N/A' ELSE coalesce(r.level1_id, r.region_id, 'UNK') END AS jurisdiction_id, p.tax_code AS tax_code,
           s.rate AS rate, s.net AS net, s.tax AS tax, s.returned AS returned
    FROM placed s LEFT JOIN region r ON r.region_id = s.region_id JOIN product p ON p.product_id = s.product_id
)
SELECT jurisdiction_id, tax_code, rate, sum(net) AS net_sales, sum(tax) AS tax, sum(returned) AS returns,
       sum(CASE WHEN tax < 0 THEN - tax ELSE CAST(0 AS DECIMAL(18,4)) END) AS refunded_tax
FROM taxed GROUP BY jurisdiction_id, tax_code, rate
