-- Each item at its place on its last day; 0 where a complete count of the place is later.
WITH known AS (
    SELECT source_system, location_id, product_id, lot_no, snapshot_date, is_sparse, on_hand, available, on_hand_cost_rc, retail_value_rc
    FROM inventory_snapshot_file
    WHERE NOT is_deleted AND snapshot_date < $to
), newest AS (
    SELECT source_system, location_id, product_id, lot_no, max(snapshot_date) AS snapshot_date FROM known GROUP BY ALL
), whole AS (
    SELECT location_id, max(snapshot_date) AS last_day FROM known WHERE NOT is_sparse GROUP BY 1
), item AS (
    SELECT k.location_id, k.product_id, NOT is_sparse AND snapshot_date < coalesce(last_day, snapshot_date) AS is_gone,
           if(is_gone, last_day, snapshot_date) AS shown_day, if(is_gone, 0, on_hand) AS on_hand, if(is_gone, 0, available) AS available,
           if(is_gone, 0, on_hand_cost_rc) AS cost, if(is_gone, 0, retail_value_rc) AS retail
    FROM known k
    JOIN newest USING (source_system, location_id, product_id, lot_no, snapshot_date)
    LEFT JOIN whole w ON w.location_id = k.location_id
), product_at AS (
    SELECT location_id, product_id, max(shown_day) AS shown_day, sum(on_hand) AS on_hand, sum(available) AS available, sum(cost) AS cost,
           sum(retail) AS retail
    FROM item
    GROUP BY 1, 2
    HAVING bool_or(NOT is_gone)
)
SELECT coalesce(l.location_id, 'UNK') AS location_id, coalesce(l.location_name, 'UNK') AS location_name, max(shown_day) AS snapshot_day,
       min(shown_day) AS oldest_snapshot_day, $to - min(shown_day) - 1 AS days_old, $to - min(shown_day) - 1 > 7 AS is_stale,
       count(*) AS items, sum(on_hand) AS on_hand, sum(available) AS available, sum(cost) AS on_hand_cost, sum(retail) AS retail_value
FROM product_at p LEFT JOIN current_location l ON l.location_id = p.location_id
GROUP BY 1, 2
ORDER BY on_hand DESC, 1;
