-- ---
-- key = ["band_no"]
-- window = [1, 24]
-- slice = true
-- ---
WITH line AS (
    SELECT CASE WHEN discount <= 0 THEN 1 WHEN 20 * discount <= gross THEN 2 WHEN 10 * discount <= gross THEN 3 WHEN 5 * discount <= gross THEN 4
                WHEN 10 * discount <= 3 * gross THEN 5 WHEN 2 * discount <= gross THEN 6 WHEN 10 * discount <= 7 * gross THEN 7 ELSE 8 END AS band_no,
           gross, discount, units, cost
    FROM sale
    WHERE business_date >= $from AND business_date < $to AND $slice
)
SELECT band_no, count(*) AS lines, sum(gross) AS gross_sales, sum(discount) AS discounts, sum(units) AS units_sold,
       sum(CASE WHEN cost IS NOT NULL THEN gross - discount END) AS sales_with_cost, sum(cost) AS cost_of_sales,
       CAST(sum(discount) AS DOUBLE) / CAST(sum(gross) AS DOUBLE) AS discount_rate
FROM line GROUP BY band_no
