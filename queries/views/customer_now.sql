-- ---
-- title = { en = "Customers, one row per person", zh = "客户（按人）" }
-- about = """Customers by the key that stands for all of their keys (view customer_key_now). What describes a customer is the row of that key,
-- else that of the smallest other key. Who refused under one key has refused, and who was erased under one is erased."""
-- sliced = false
-- [columns]
-- customer_key = "the customer (pseudonym), unique"
-- acquired_at = "first known under any key"
-- consent_marketing_email = "agreed to e-mail under every key"
-- consent_marketing_sms = "agreed to SMS under every key"
-- consent_marketing_profiling = "agreed to profiling under every key"
-- is_anonymised = "erased under any key"
-- ---
SELECT
    g.customer_key,
    first_value(g.customer_type ORDER BY g.rank) AS customer_type,
    min(g.acquired_at) AS acquired_at,
    first_value(g.acquisition_channel_id ORDER BY g.rank) AS acquisition_channel_id,
    first_value(g.home_region_id ORDER BY g.rank) AS home_region_id,
    first_value(g.customer_group ORDER BY g.rank) AS customer_group,
    first_value(g.membership_tier ORDER BY g.rank) AS membership_tier,
    first_value(g.birth_year ORDER BY g.rank) AS birth_year,
    bool_and(g.consent_marketing_email) AS consent_marketing_email,
    bool_and(g.consent_marketing_sms) AS consent_marketing_sms,
    bool_and(g.consent_marketing_profiling) AS consent_marketing_profiling,
    bool_or(g.is_anonymised) AS is_anonymised
FROM (
    -- the key that stands for the others comes first
    SELECT
        k.* EXCLUDE (customer_key),
        coalesce(n.canonical_customer_key, k.customer_key) AS customer_key,
        CASE WHEN n.customer_key IS NULL THEN '' ELSE concat('-', k.customer_key) END AS rank
    FROM customer k
    LEFT JOIN customer_key_now n ON n.customer_key = k.customer_key
) g
GROUP BY g.customer_key
