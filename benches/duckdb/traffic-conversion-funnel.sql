WITH visit AS (
    SELECT bool_or(event_name = 'view_item') AS viewed, bool_or(event_name = 'add_to_cart') AS carted,
           bool_or(event_name = 'begin_checkout') AS checked_out, bool_or(event_name = 'purchase') AS purchased
    FROM customer_event_file
    WHERE NOT is_deleted AND NOT is_bot
    GROUP BY source_system, session_id
    HAVING min(business_date) >= $from AND min(business_date) < $to
), stage AS (
    SELECT unnest([1, 2, 3, 4, 5]) AS stage_no, unnest(['session', 'view', 'cart', 'checkout', 'purchase']) AS stage,
           unnest([count(*), count_if(viewed), count_if(carted), count_if(checked_out), count_if(purchased)]) AS sessions, count(*) AS all_sessions
    FROM visit
)
SELECT stage_no, stage, sessions, lag(sessions) OVER (ORDER BY stage_no) AS sessions_before, all_sessions,
       sessions / lag(sessions) OVER (ORDER BY stage_no) AS step_rate, sessions / all_sessions AS conversion_rate
FROM stage
ORDER BY 1;
