-- ---
-- title = { en = "What customers agreed to", zh = "客户授权" }
-- about = """What each customer agreed to, under all keys together: who refused under one of them has refused, and who was erased under one
-- is erased. One row per customer of the customer table, by the key that stands for it (view customer_key_now)."""
-- sliced = false
-- [columns]
-- customer_key = "the customer (pseudonym), unique"
-- consent_marketing_email = "agreed to e-mail under every key"
-- consent_marketing_sms = "agreed to SMS under every key"
-- consent_marketing_profiling = "agreed to profiling under every key"
-- is_anonymised = "erased under any key"
-- ---
SELECT
    coalesce(n.canonical_customer_key, k.customer_key) AS customer_key,
    bool_and(k.consent_marketing_email) AS consent_marketing_email,
    bool_and(k.consent_marketing_sms) AS consent_marketing_sms,
    bool_and(k.consent_marketing_profiling) AS consent_marketing_profiling,
    bool_or(k.is_anonymised) AS is_anonymised
FROM customer k
LEFT JOIN customer_key_now n ON n.customer_key = k.customer_key
GROUP BY coalesce(n.canonical_customer_key, k.customer_key)
