-- ---
-- title = { en = "Identifiers of customers", zh = "客户标识" }
-- about = "By which addresses, loyalty numbers and devices the shops know their customers; only hashes land."
-- source_system = "crm"
-- order = 3
-- [read]
-- path = "dimensions/customer_ids.csv"
-- format = "csv"
-- ---
--
--   * `value` is in clear: it is hashed while it lands, and what cannot land is told without it. The loyalty scheme gives hashes itself.
--   * Two customers with one identifier are one person: their facts get the key of the one first seen, whichever came first, and go back
--     to their own when a row is withdrawn by a tombstone.
--   * `confidence` below 1 and devices make nobody one; they wait in the view customer_identity_review.

-- into = "customer_identity"
SELECT customer AS customer_key,
       type AS id_type,
       value AS id_value,
       nullif(hash, '') AS id_value_hash,
       channel AS channel_id,
       instant(first_seen) AS first_seen,
       instant(last_seen) AS last_seen,
       CAST(confidence AS DECIMAL(9,6)) AS confidence,
       nullif(rule, '') AS match_rule
FROM   raw;
