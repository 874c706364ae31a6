//! The sources whose files and pushes land while processes are killed.

pub const ORDERS_HEAD: &str = "order_no,version,sold,sku,qty,price,currency,gone,place,note";
pub const RETURNS_HEAD: &str = "return_no,version,order_no,back,qty,amount";
pub const RATES_HEAD: &str = "day,base,quote,rate";

/// The definitions of the sources, by name.
pub const SOURCES: [(&str, &str); 3] = [
    (
        "rates",
        r#"-- ---
-- title = { en = "Rates", zh = "汇率" }
-- about = "Exchange rates."
-- order = 1
-- [read]
-- path = "rates/*.csv"
-- format = "csv"
-- ---
-- into = "fx_rate"
SELECT date_of(day, '%Y-%m-%d') AS rate_date, base AS base_currency, quote AS quote_currency,
       CAST(rate AS DECIMAL(18,8)) AS rate
FROM raw;
"#,
    ),
    (
        "orders",
        r#"-- ---
-- title = { en = "Orders", zh = "订单" }
-- about = "Orders of one line with explicit versions."
-- order = 20
-- [read]
-- path = "sold/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "shop"
-- tz = "Europe/London"
-- ---
-- into = "order_line"
SELECT order_no AS order_id, '1' AS order_line_id, CAST(version AS BIGINT) AS source_version,
       local_time(sold, '%Y-%m-%d %H:%M') AS created_at, sku, CAST(qty AS DECIMAL(18,3)) AS quantity,
       CAST(price AS DECIMAL(18,4)) AS unit_price, currency, gone = 'y' AS is_deleted, place AS location_id
FROM raw;
-- into = "product", reference = true
SELECT sku, 'Product ' || sku AS product_name, CAST(version AS BIGINT) AS source_version FROM raw;
"#,
    ),
    (
        "returns",
        r#"-- ---
-- title = { en = "Returns", zh = "退货" }
-- about = "Returns of one line with explicit versions."
-- source_system = "orders"
-- order = 30
-- [read]
-- path = "back/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "shop"
-- currency = "GBP"
-- tz = "Europe/London"
-- ---
-- into = "return_line"
SELECT return_no AS return_id, '1' AS return_line_id, order_no AS order_id, '1' AS order_line_id,
       CAST(version AS BIGINT) AS source_version, local_time(back, '%Y-%m-%d %H:%M') AS refunded_at, 'SKU0' AS sku,
       CAST(qty AS DECIMAL(18,3)) AS quantity, CAST(amount AS DECIMAL(18,4)) AS refund_net_amount
FROM raw;
"#,
    ),
];
