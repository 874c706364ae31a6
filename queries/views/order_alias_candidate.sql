-- ---
-- title = { en = "Orders that may be one", zh = "疑似重复订单" }
-- about = """Pairs of orders of different systems that may be copies of one order, and so are counted twice: same channel, customer,
-- currency and total, made at most five minutes apart (D21). Nothing is left out of any report because of it: a pair is a question, until
-- order_alias says that both are one. Pairs of which it is known (one canonical_order_id, or one of them not primary) are no question:
-- a source says so itself, somebody decided, or both have one external number in their headers, which needs nobody to decide."""
-- sliced = false
-- [columns]
-- source_system = "the system of the first order (by name)"
-- order_id = "the first order"
-- other_source_system = "the system of the second order"
-- other_order_id = "the second order"
-- match_rule = "same_buyer_and_amount"
-- channel_id = "where both were sold: the channel"
-- customer_key = "who bought both"
-- currency = "of total_amount"
-- total_amount = "net and tax of each order's lines (in currency)"
-- created_at = "when the first order was made"
-- other_created_at = "when the second order was made"
-- ---
WITH placed AS (
    SELECT
        o.source_system,
        o.order_id,
        min(o.canonical_order_id) AS canonical_order_id,
        min(o.channel_id) AS channel_id,
        min(o.customer_key) AS customer_key,
        min(o.currency) AS currency,
        min(o.created_at) AS created_at,
        CAST(sum(coalesce(o.net_amount, 0) + coalesce(o.tax_amount, 0)) AS DECIMAL(18,4)) AS total_amount,
        min(a.canonical_order_id) AS decided_order_id
    FROM base.order_line o
    LEFT JOIN base.order_alias a
      ON a.source_system = o.source_system AND a.source_order_id = o.order_id AND NOT a.is_deleted
    WHERE NOT o.is_deleted
      AND NOT o.is_test
      AND o.is_primary
      AND o.line_status <> 'removed'
      AND o.order_type NOT IN ('draft', 'quote')
      AND o.customer_key IS NOT NULL
    GROUP BY o.source_system, o.order_id
)
SELECT
    x.source_system,
    x.order_id,
    y.source_system AS other_source_system,
    y.order_id AS other_order_id,
    'same_buyer_and_amount' AS match_rule,
    x.channel_id,
    x.customer_key,
    x.currency,
    x.total_amount,
    x.created_at,
    y.created_at AS other_created_at
FROM placed x
JOIN placed y
  ON y.customer_key = x.customer_key
 AND y.channel_id = x.channel_id
 AND y.currency = x.currency
 AND y.total_amount = x.total_amount
WHERE x.source_system < y.source_system
  AND x.canonical_order_id <> y.canonical_order_id
  AND coalesce(x.decided_order_id <> y.decided_order_id, true)
  AND y.created_at <= x.created_at + INTERVAL '5 minutes'
  AND x.created_at <= y.created_at + INTERVAL '5 minutes'
