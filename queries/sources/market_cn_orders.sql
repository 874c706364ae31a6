-- ---
-- title = { en = "Chinese marketplace orders", zh = "云集市订单" }
-- about = "The platform's report, headers and words in Chinese: one row per line of an order, Beijing time, prices with import tax, in pounds."
-- source_system = "market_cn"
-- order = 12
-- [read]
-- path = "market_cn/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "market_cn"
-- tz = "Asia/Shanghai"
-- price_includes_tax = true
-- cost_method = "standard"
-- ---
--
--   * 下单时间 is when the order became a sale (confirmed = created), unless it still waits for payment (待付款): then it is no sale yet.
--   * 更新时间 orders the versions of a row: its digits are the version. A cancelled order comes again with all its rows.
--   * Prices (单价), line discounts (行优惠) and the spread shop discount (店铺优惠分摊) include the composite import tax (税率).
--   * 运费 (shipping, without tax) and 平台佣金 (the platform's commission, our cost) stand on the order's first row only.
--   * 收货地区 is a name; it is mapped to our region's id. A name we do not know stays as it is and shows as UNK.
--   * Article numbers may come in full-width characters (００１００７): the contract folds them.
--   * Articles CN… are made for this platform and are not in the product master: their names are gleaned here.

-- into = "order_line"
SELECT "订单编号" AS order_id,
       "订单编号" AS source_record_id,
       CAST(regexp_replace("更新时间", '[^0-9]', '', 'g') AS BIGINT) AS source_version,
       local_time("下单时间", '%Y-%m-%d %H:%M:%S') AS created_at,
       local_time("付款时间", '%Y-%m-%d %H:%M:%S') AS paid_at,
       local_time("取消时间", '%Y-%m-%d %H:%M:%S') AS cancelled_at,
       CASE "订单状态" WHEN '待付款' THEN 'created' WHEN '待发货' THEN 'confirmed' WHEN '已付款' THEN 'paid' WHEN '已发货' THEN 'fulfilled'
                       WHEN '交易成功' THEN 'completed' WHEN '已取消' THEN 'cancelled' ELSE "订单状态" END AS order_status,
       CASE "是否测试" WHEN '是' THEN true WHEN '否' THEN false ELSE CAST("是否测试" AS BOOLEAN) END AS is_test,
       CASE "是否员工" WHEN '是' THEN true WHEN '否' THEN false ELSE CAST("是否员工" AS BOOLEAN) END AS is_staff_order,
       "买家编号" AS customer_key,
       CASE "收货地区" WHEN '华北' THEN 'CN-N' WHEN '华东' THEN 'CN-E' WHEN '华南' THEN 'CN-S' ELSE "收货地区" END AS ship_region_id,
       CASE "收货地区" WHEN '华北' THEN 'CN-N' WHEN '华东' THEN 'CN-E' WHEN '华南' THEN 'CN-S' ELSE "收货地区" END AS bill_region_id,
       "币种" AS currency,
       "行号" AS order_line_id,
       CAST("行号" AS INT) AS line_no,
       "商品编码" AS sku,
       CASE "计量单位" WHEN '件' THEN 'EA' WHEN '千克' THEN 'KGM' ELSE "计量单位" END AS uom,
       CAST("税率" AS DECIMAL(18,8)) AS tax_rate,
       CAST("成本价" AS DECIMAL(18,4)) AS unit_cost,
       CAST("单价" AS DECIMAL(18,4)) AS unit_price,
       CAST("数量" AS DECIMAL(18,3)) AS quantity,
       CAST("行优惠" AS DECIMAL(18,4)) AS line_discount_amount,
       CAST("店铺优惠分摊" AS DECIMAL(18,4)) AS order_discount_allocated
FROM   raw;

-- into = "order_charge"
SELECT "订单编号" AS order_id,
       "订单编号" AS source_record_id,
       CAST(regexp_replace("更新时间", '[^0-9]', '', 'g') AS BIGINT) AS source_version,
       local_time("下单时间", '%Y-%m-%d %H:%M:%S') AS created_at,
       local_time("付款时间", '%Y-%m-%d %H:%M:%S') AS paid_at,
       local_time("取消时间", '%Y-%m-%d %H:%M:%S') AS cancelled_at,
       CASE "订单状态" WHEN '待付款' THEN 'created' WHEN '待发货' THEN 'confirmed' WHEN '已付款' THEN 'paid' WHEN '已发货' THEN 'fulfilled'
                       WHEN '交易成功' THEN 'completed' WHEN '已取消' THEN 'cancelled' ELSE "订单状态" END AS order_status,
       CASE "是否测试" WHEN '是' THEN true WHEN '否' THEN false ELSE CAST("是否测试" AS BOOLEAN) END AS is_test,
       CASE "是否员工" WHEN '是' THEN true WHEN '否' THEN false ELSE CAST("是否员工" AS BOOLEAN) END AS is_staff_order,
       "买家编号" AS customer_key,
       CASE "收货地区" WHEN '华北' THEN 'CN-N' WHEN '华东' THEN 'CN-E' WHEN '华南' THEN 'CN-S' ELSE "收货地区" END AS ship_region_id,
       CASE "收货地区" WHEN '华北' THEN 'CN-N' WHEN '华东' THEN 'CN-E' WHEN '华南' THEN 'CN-S' ELSE "收货地区" END AS bill_region_id,
       "币种" AS currency,
       'shipping' AS charge_seq,
       'shipping' AS charge_type,
       CAST("运费" AS DECIMAL(18,4)) AS amount
FROM   raw
WHERE  "运费" IS NOT NULL;

-- into = "order_charge"
SELECT "订单编号" AS order_id,
       "订单编号" AS source_record_id,
       CAST(regexp_replace("更新时间", '[^0-9]', '', 'g') AS BIGINT) AS source_version,
       local_time("下单时间", '%Y-%m-%d %H:%M:%S') AS created_at,
       local_time("付款时间", '%Y-%m-%d %H:%M:%S') AS paid_at,
       local_time("取消时间", '%Y-%m-%d %H:%M:%S') AS cancelled_at,
       CASE "订单状态" WHEN '待付款' THEN 'created' WHEN '待发货' THEN 'confirmed' WHEN '已付款' THEN 'paid' WHEN '已发货' THEN 'fulfilled'
                       WHEN '交易成功' THEN 'completed' WHEN '已取消' THEN 'cancelled' ELSE "订单状态" END AS order_status,
       CASE "是否测试" WHEN '是' THEN true WHEN '否' THEN false ELSE CAST("是否测试" AS BOOLEAN) END AS is_test,
       CASE "是否员工" WHEN '是' THEN true WHEN '否' THEN false ELSE CAST("是否员工" AS BOOLEAN) END AS is_staff_order,
       "买家编号" AS customer_key,
       CASE "收货地区" WHEN '华北' THEN 'CN-N' WHEN '华东' THEN 'CN-E' WHEN '华南' THEN 'CN-S' ELSE "收货地区" END AS ship_region_id,
       CASE "收货地区" WHEN '华北' THEN 'CN-N' WHEN '华东' THEN 'CN-E' WHEN '华南' THEN 'CN-S' ELSE "收货地区" END AS bill_region_id,
       "币种" AS currency,
       'commission' AS charge_seq,
       'platform_commission' AS charge_type,
       CAST("平台佣金" AS DECIMAL(18,4)) AS amount
FROM   raw
WHERE  "平台佣金" IS NOT NULL;

-- into = "product", reference = true
SELECT "商品编码" AS sku,
       "商品名称" AS product_name
FROM   raw
WHERE  "商品编码" LIKE 'CN%' OR "商品编码" LIKE 'ＣＮ%';
