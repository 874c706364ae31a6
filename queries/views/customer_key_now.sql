-- ---
-- title = { en = "Keys for which another one stands", zh = "客户键归并" }
-- about = """Which key stands for a customer in the facts, one row per key that sources give and for which another one stands: one person is
-- one customer, whatever the channel. A key that is not here stands for itself. Who is one follows from customer_identity alone; every
-- version, also those that were withdrawn, is in base.customer_key_history."""
-- sliced = false
-- [columns]
-- customer_key = "the customer, as sources give it; unique"
-- canonical_customer_key = "the key that stands for the customer in facts and reports"
-- match_rule = "how it was found"
-- version = "how often the key that stands for the customer has changed"
-- known_since = "when the batch that found it landed"
-- ---
SELECT
    h.customer_key,
    h.canonical_customer_key,
    h.match_rule,
    h.version,
    h.known_since
FROM base.customer_key_history h
JOIN (
    SELECT l.customer_key, max(l.version) AS version
    FROM base.customer_key_history l
    GROUP BY l.customer_key
) n ON n.customer_key = h.customer_key AND n.version = h.version
WHERE h.canonical_customer_key <> h.customer_key
