-- ---
-- title = { en = "Online Retail II invoice lines", zh = "Online Retail II 发票明细" }
-- about = "Invoice lines of a UK online gift shop (UCI Online Retail II): sales, cancellations, postage, fees and adjustments in one list."
-- source_system = "online_retail"
-- order = 50
-- [read]
-- path = "online-retail/*.csv*"
-- format = "csv"
-- [defaults]
-- channel_id = "online_retail"
-- currency = "GBP"
-- tz = "Europe/London"
-- price_includes_tax = false
-- uom = "EA"
-- [key]
-- ordinal_within = ["Invoice"]
-- # What is left out, with the reason; the first that holds counts.
-- [[skip]]
-- where = "TRY_CAST(Price AS DECIMAL(18,4)) = 0"
-- reason = "price 0: stock adjustments, breakages and free samples carry no money"
-- [[skip]]
-- where = "Invoice LIKE 'C%' AND upper(StockCode) LIKE 'GIFT%'"
-- reason = "a cancelled gift voucher: selling it was no sale (a liability), so giving it back is no return"
-- ---
--
-- The list has one kind of row for many kinds of business. The decisions:
--
--   * Keys. There is no line number, and 6,865 lines equal another line of their invoice. A shop scans the same article twice, so equal
--     lines are two sales: they LAND, told apart by their count within the invoice (ordinal_within). Files may be split between
--     invoices, not inside one.
--   * `C…` invoices are cancellations of earlier sales, but do not say of which: they become return lines without an order ("blind"),
--     quantity and amount positive, dated by the cancellation. C496350 has a positive quantity; its code is M, so it is an adjustment.
--   * `A…` invoices (bad debt, code B, negative price) are adjustments: they lower net sales and belong to no product.
--   * M (manual), D (discount), S (samples charged or credited), ADJUST, ADJUST2: adjustments too, with their sign.
--   * POST, DOT, C2, C3: shipping. BANK CHARGES: payment fees. AMAZONFEE: platform commission. Signs stay as the source has them.
--   * GIFT…: gift vouchers, landed as line type gift_card, which is no sale.  TEST…: landed as test, which is never counted.
--   * Price 0 (3,687 lines, among them all 2,121 negative lines outside `C` invoices): skipped, see above.
--   * Stock codes differ in case only (`85123a`, `85123A`): contracts fold product codes to upper case.
--   * Descriptions have leading blanks (cut) and change over time: the product's name is that of its latest sold line.
--   * 41 invoices carry two timestamps: every line keeps its own. 5 customers have two countries: the latest is their home.
--   * Country is where the invoice went: ship and bill region. `Unspecified` is not a region: NULL, shown as N/A.
--   * 107,927 lines without a customer: anonymous, customer_key NULL.
--   * Prices have up to three decimals and are taken as tax exclusive; day cut-off 0.

-- into = "order_line"
SELECT Invoice AS order_id,
       Invoice AS source_record_id,
       local_time(InvoiceDate, '%Y-%m-%d %H:%M:%S') AS created_at,
       StockCode AS sku,
       CASE WHEN upper(StockCode) LIKE 'GIFT%' THEN 'gift_card' ELSE 'product' END AS line_type,
       upper(StockCode) LIKE 'TEST%' AS is_test,
       CAST(Quantity AS DECIMAL(18,3)) AS quantity,
       CAST(Price AS DECIMAL(18,4)) AS unit_price,
       "Customer ID" AS customer_key,
       nullif(Country, 'Unspecified') AS ship_region_id,
       nullif(Country, 'Unspecified') AS bill_region_id
FROM   raw
WHERE  Invoice NOT LIKE 'C%' AND Invoice NOT LIKE 'A%'
  AND  upper(StockCode) NOT IN ('POST', 'DOT', 'C2', 'C3', 'BANK CHARGES', 'AMAZONFEE', 'M', 'D', 'S', 'B', 'ADJUST', 'ADJUST2');

-- into = "return_line"
SELECT Invoice AS return_id,
       Invoice AS source_record_id,
       local_time(InvoiceDate, '%Y-%m-%d %H:%M:%S') AS refunded_at,
       StockCode AS sku,
       upper(StockCode) LIKE 'TEST%' AS is_test,
       -CAST(Quantity AS DECIMAL(18,3)) AS quantity,
       CAST(-CAST(Quantity AS DECIMAL(18,3)) * CAST(Price AS DECIMAL(18,4)) AS DECIMAL(18,4)) AS refund_net_amount,
       "Customer ID" AS customer_key,
       'online_retail' AS sale_channel_id,
       nullif(Country, 'Unspecified') AS ship_region_id,
       nullif(Country, 'Unspecified') AS bill_region_id
FROM   raw
WHERE  Invoice LIKE 'C%'
  AND  upper(StockCode) NOT IN ('POST', 'DOT', 'C2', 'C3', 'BANK CHARGES', 'AMAZONFEE', 'M', 'D', 'S', 'B', 'ADJUST', 'ADJUST2');

-- into = "order_charge"
SELECT Invoice AS order_id,
       Invoice AS source_record_id,
       local_time(InvoiceDate, '%Y-%m-%d %H:%M:%S') AS created_at,
       CASE WHEN upper(StockCode) IN ('POST', 'DOT', 'C2', 'C3') THEN 'shipping'
            WHEN upper(StockCode) = 'BANK CHARGES' THEN 'payment_fee'
            WHEN upper(StockCode) = 'AMAZONFEE' THEN 'platform_commission'
            ELSE 'adjustment' END AS charge_type,
       '{"code":"' || upper(StockCode) || '"}' AS ext,
       CAST(CAST(Quantity AS DECIMAL(18,3)) * CAST(Price AS DECIMAL(18,4)) AS DECIMAL(18,4)) AS amount,
       "Customer ID" AS customer_key,
       nullif(Country, 'Unspecified') AS ship_region_id,
       nullif(Country, 'Unspecified') AS bill_region_id
FROM   raw
WHERE  upper(StockCode) IN ('POST', 'DOT', 'C2', 'C3', 'BANK CHARGES', 'AMAZONFEE', 'M', 'D', 'S', 'B', 'ADJUST', 'ADJUST2');

-- into = "product", reference = true
SELECT StockCode AS sku,
       Description AS product_name,
       CAST(date_part('epoch', local_time(InvoiceDate, '%Y-%m-%d %H:%M:%S')) AS BIGINT) AS source_version
FROM   raw
WHERE  Description IS NOT NULL AND Invoice NOT LIKE 'A%'
  AND  upper(StockCode) NOT IN ('POST', 'DOT', 'C2', 'C3', 'BANK CHARGES', 'AMAZONFEE', 'M', 'D', 'S', 'B', 'ADJUST', 'ADJUST2');

-- into = "customer", reference = true
SELECT "Customer ID" AS customer_key,
       nullif(Country, 'Unspecified') AS home_region_id,
       CAST(date_part('epoch', local_time(InvoiceDate, '%Y-%m-%d %H:%M:%S')) AS BIGINT) AS source_version
FROM   raw
WHERE  "Customer ID" IS NOT NULL;

-- into = "region", reference = true
SELECT Country AS region_id, Country AS region_name
FROM   raw
WHERE  Country <> 'Unspecified';

-- into = "channel", reference = true
SELECT 'online_retail' AS channel_id, 'Online gift shop' AS channel_name, 'own_web' AS channel_type
FROM   raw
WHERE  _line = 2;
