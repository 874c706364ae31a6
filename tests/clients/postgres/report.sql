\set month random(1, 6)
SELECT region_id, net_sales FROM report('sales-by-region', 'from=2025-01-01');
SELECT channel_id, sum(net_rc) AS net FROM sales_event WHERE local_minute >= :month GROUP BY channel_id ORDER BY channel_id;
