-- ---
-- title = { en = "Who looks after whom", zh = "客户分配有效期" }
-- about = """Representatives of customers, places and regions with their shares, and the days for which they hold: from the first day of the
-- set to the day before the next set of the same member."""
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
    CASE WHEN n.shares = 1 THEN a.share ELSE CAST(a.share / n.shares AS DECIMAL(9,6)) END AS share,
    a.valid_from,
    n.valid_to
FROM base.rep_assignment a
JOIN (
    SELECT s.assigned_type, s.assigned_id, s.valid_from, s.shares,
           lead(s.valid_from) OVER (PARTITION BY s.assigned_type, s.assigned_id ORDER BY s.valid_from) AS valid_to
    FROM (
        SELECT b.assigned_type, b.assigned_id, b.valid_from, sum(b.share) AS shares
        FROM base.rep_assignment b
        WHERE NOT b.is_deleted
        GROUP BY 1, 2, 3
    ) s
) n ON n.assigned_type = a.assigned_type AND n.assigned_id = a.assigned_id AND n.valid_from = a.valid_from
WHERE NOT a.is_deleted
