-- ---
-- title = { en = "When orders reached each status", zh = "订单到达各状态的时间" }
-- about = """One row per order whose steps are told: the first instant at which it reached each status. Slicers do not enter: join it with
-- order_now, which they cut down."""
-- sliced = false
-- needs = ["order_status_event"]
-- [columns]
-- source_system = "the system that has the order"
-- source_order_id = "its id there"
-- created_at = "when it was created"
-- confirmed_at = "when it became a sale"
-- paid_at = "when it was paid"
-- fulfilled_at = "when all of it had been shipped"
-- completed_at = "when nothing was left to do: it had arrived and was paid"
-- cancelled_at = "when it was cancelled"
-- ---
SELECT
    s.source_system,
    s.order_id AS source_order_id,
    min(CASE WHEN s.to_status = 'created' THEN s.changed_at END) AS created_at,
    min(CASE WHEN s.to_status = 'confirmed' THEN s.changed_at END) AS confirmed_at,
    min(CASE WHEN s.to_status = 'paid' THEN s.changed_at END) AS paid_at,
    min(CASE WHEN s.to_status = 'fulfilled' THEN s.changed_at END) AS fulfilled_at,
    min(CASE WHEN s.to_status = 'completed' THEN s.changed_at END) AS completed_at,
    min(CASE WHEN s.to_status = 'cancelled' THEN s.changed_at END) AS cancelled_at
FROM base.order_status_event s
WHERE NOT s.is_deleted
GROUP BY 1, 2
