-- ---
-- title = { en = "Marketing spend per day", zh = "每日营销花费" }
-- about = """What all marketing cost per day, whatever is looked at. Slicers do not enter: whoever divides it by the new customers of a slice
-- gets what the whole marketing cost for each of them."""
-- sliced = false
-- [columns]
-- business_date = "the day"
-- spend_rc = "what was spent (reporting currency)"
-- ---
SELECT m.business_date, CAST(sum(m.spend_rc) AS DECIMAL(18,4)) AS spend_rc
FROM marketing_spend m
GROUP BY m.business_date
