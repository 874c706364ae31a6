-- ---
-- title = { en = "Who looks after whom", zh = "客户分配有效期" }
-- about = """Representatives of customers, places and regions with their shares, and the days for which they hold: from the first day of the
-- set to the day before the next set of the same member. Where a set's shares do not add up to 1, because another file
-- added to it, the credit is shared out by them, and none is lost (D35, D61)."""
-- [columns]
-- assigned_type = "customer, location or region"
-- assigned_id = "the customer, place or region"
-- sales_rep_id = "who looks after it"
-- share = "share of the credit, 0 to 1; the shares of a set add up to 1"
-- valid_from = "first day"
-- valid_to = "first day on which it does not hold; NULL = it holds on"
-- ---
SELECT
    a.assigned_type,
    a.assigned_id,
    a.sales_rep_id,
    allocated(CAST(1 AS DECIMAL(9,6)), a.share)
        OVER (PARTITION BY a.assigned_type, a.assigned_id, a.valid_from ORDER BY a.sales_rep_id) AS share,
    a.valid_from,
    n.valid_to
FROM base.rep_assignment a
JOIN (
    SELECT s.assigned_type, s.assigned_id, s.valid_from,
           lead(s.valid_from) OVER (PARTITION BY s.assigned_type, s.assigned_id ORDER BY s.valid_from) AS valid_to
    FROM (
        SELECT b.assigned_type, b.assigned_id, b.valid_from
        FROM base.rep_assignment b
        WHERE NOT b.is_deleted
        GROUP BY 1, 2, 3
    ) s
) n ON n.assigned_type = a.assigned_type AND n.assigned_id = a.assigned_id AND n.valid_from = a.valid_from
WHERE NOT a.is_deleted
