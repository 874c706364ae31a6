-- ---
-- key = ["band_no"]
-- window = [1, 24]
-- slice = true
-- set = { width = "10", bands = "20" }
-- ---
WITH basket AS (
    SELECT order_id, sum(gross - discount) AS size, sum(units) AS units
    FROM sale
    WHERE business_date >= $from AND business_date < $to AND $slice
    GROUP BY order_id
), middle AS (
    SELECT $median(size) AS median_size FROM basket
), banded AS (
    SELECT CASE WHEN size >= 190 THEN 20 ELSE 1 + CAST(floor(CAST(size AS DOUBLE) / 10) AS BIGINT) END AS band_no, count(*) AS baskets,
           sum(size) AS basket_sales, sum(units) AS basket_units
    FROM basket GROUP BY 1
)
SELECT b.band_no AS band_no, b.baskets AS baskets, b.basket_sales AS basket_sales, b.basket_units AS basket_units,
       CAST(b.baskets AS DOUBLE) / CAST(sum(b.baskets) OVER () AS DOUBLE) AS basket_share, m.median_size AS median_size
FROM banded b CROSS JOIN middle m
