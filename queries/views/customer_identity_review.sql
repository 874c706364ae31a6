-- ---
-- title = { en = "Customers who may be one", zh = "疑似同一客户" }
-- about = """Identifiers that several customers share and that make nobody one, for somebody to look at. A placeholder is shared by more than
-- ten customers, such as the shop's own address at the till; a house account has more than thirty identifiers, which are those of many; a
-- device may be a family's; a match below confidence 1 is a guess. Nothing is merged because of them: to decide, land a row of customer_identity with confidence 1, or a tombstone of the wrong one. Customers who are
-- one already (view customer_key_now) are no question."""
-- sliced = false
-- [columns]
-- reason = "placeholder, house_account, device or low_confidence"
-- id_type = "what kind of identifier"
-- id_value_hash = "the identifier's hash"
-- channel_id = "of identifiers of a platform the channel, else ''"
-- customer_key = "a customer who has it, as sources give it"
-- customers = "how many customers have it"
-- confidence = "the best that is told of this customer and identifier"
-- first_seen = "since when the customer is known by it"
-- last_seen = "when it was last seen"
-- ---
WITH told AS (
    SELECT
        t.id_type,
        t.id_value_hash,
        t.channel_id,
        t.customer_key,
        max(t.confidence) AS confidence,
        min(t.first_seen) AS first_seen,
        max(t.last_seen) AS last_seen
    FROM (
        SELECT
            i.id_type,
            i.id_value_hash,
            CASE WHEN i.id_type IN ('platform_uid', 'wechat_openid') THEN i.channel_id ELSE '' END AS channel_id,
            i.customer_key,
            i.confidence,
            i.first_seen,
            i.last_seen
        FROM base.customer_identity i
        WHERE NOT i.is_deleted
    ) t
    GROUP BY t.id_type, t.id_value_hash, t.channel_id, t.customer_key
),
house_account AS (
    SELECT t.customer_key
    FROM told t
    WHERE t.confidence = 1 AND t.id_type <> 'device_id'
    GROUP BY t.customer_key
    HAVING count(*) > 30
),
shared AS (
    SELECT
        s.id_type,
        s.id_value_hash,
        s.channel_id,
        count(*) AS customers,
        min(s.confidence) AS confidence,
        bool_or(a.customer_key IS NOT NULL) AS has_house_account
    FROM told s
    LEFT JOIN house_account a ON a.customer_key = s.customer_key
    LEFT JOIN customer_key_now n ON n.customer_key = s.customer_key
    GROUP BY s.id_type, s.id_value_hash, s.channel_id
    HAVING count(DISTINCT coalesce(n.canonical_customer_key, s.customer_key)) > 1
)
SELECT
    CASE WHEN s.customers > 10 THEN 'placeholder'
         WHEN s.has_house_account THEN 'house_account'
         WHEN s.id_type = 'device_id' THEN 'device'
         ELSE 'low_confidence' END AS reason,
    t.id_type,
    t.id_value_hash,
    t.channel_id,
    t.customer_key,
    s.customers,
    t.confidence,
    t.first_seen,
    t.last_seen
FROM shared s
JOIN told t ON t.id_type = s.id_type AND t.id_value_hash = s.id_value_hash AND t.channel_id = s.channel_id
WHERE s.customers > 10 OR s.has_house_account OR s.id_type = 'device_id' OR s.confidence < 1
