-- ---
-- title = { en = "Channels", zh = "渠道" }
-- about = "Where the retailer sells."
-- source_system = "masterdata"
-- order = 0
-- [read]
-- path = "dimensions/channels.csv"
-- format = "csv"
-- ---

-- into = "channel"
SELECT channel_id,
       name AS channel_name,
       type AS channel_type,
       CAST(online AS BOOLEAN) AS is_online,
       platform,
       CAST(fee_rate AS DECIMAL(9,6)) AS fee_rate,
       currency
FROM   raw;
