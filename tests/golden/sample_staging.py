"""Sample data, step 1: the landing files as clean tables in DuckDB.

Everything here follows the description beside the files (sample-data/README.md), never saleslake's own SQL. Amounts are whole
numbers: money in ten-thousandths of the currency, quantities in thousandths, tax rates in ten-thousandths, so that every rounding
is written down (`half_up`).
"""

import csv
import gzip
import hashlib
import tempfile
from collections import defaultdict
from pathlib import Path

import duckdb

from sample_control import stage_control
from sample_orders import stage_orders
from sample_plans import stage_plans
from sample_quality import stage_quality

MACROS = r"""
-- Half away from zero, exactly: a / b as a whole number.
CREATE MACRO half_up(a, b) AS sign(a)::HUGEINT * ((2 * abs(a::HUGEINT) + b) // (2 * b));
-- Text with a decimal point or comma as a whole number of 10^-n.
CREATE MACRO units(t, n) AS (CAST(replace(t, ',', '.') AS DECIMAL(18,6)) * power(10, n)::INT)::DECIMAL(28,6)::HUGEINT;
-- The part of `incl` that is not tax; rate in ten-thousandths. incl in 10^-5, result in 10^-4.
CREATE MACRO without_tax(incl, rate) AS half_up(incl * 10000, 10 * (10000 + rate));
CREATE MACRO local_day(t, zone) AS timezone(zone, t::TIMESTAMPTZ)::DATE;
-- The minute of the day on a wall clock; a time that this clock skipped is the one that it then showed.
CREATE MACRO minute_of(clock) AS (hour(clock) * 60 + minute(clock))::INT;
CREATE MACRO local_minute(t, zone) AS minute_of(timezone(zone, t::TIMESTAMPTZ));
CREATE MACRO clock_minute(clock, zone) AS minute_of(timezone(zone, timezone(zone, clock::TIMESTAMP)));
-- Full-width characters folded to plain ones.
CREATE MACRO plain(t) AS translate(t, '０１２３４５６７８９ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ', '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ');
"""


def held(dirt_csv):
    """Lines that must not land, per file: listed as reject or quarantine; of a pair all but the first."""
    lines, pairs = {}, set()
    with open(dirt_csv, encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f):
            if row["severity"] == "warn":
                continue
            if row["pair"] and row["pair"] not in pairs:
                pairs.add(row["pair"])
                continue
            lines.setdefault(row["file"], set()).add(int(row["line"]))
    return lines


def copy_clean(landing, out, lines):
    """The text files without the lines that must not land, unpacked."""
    for path in sorted(p for p in landing.rglob("*") if p.is_file() and p.suffix != ".parquet"):
        name = path.relative_to(landing).as_posix()
        to = out / name.removesuffix(".gz")
        to.parent.mkdir(parents=True, exist_ok=True)
        unpack = gzip.open if path.suffix == ".gz" else open
        with unpack(path, "rb") as f, open(to, "wb") as w:
            for no, line in enumerate(f, 1):
                if no not in lines.get(name, ()):
                    w.write(line.removeprefix(b"\xef\xbb\xbf"))


def stage(sample):
    """A connection with the tables merged, line, charge, ret, stock, movement, purchase, policy, supplier, visit_event, told, sent, number, those of the order desk
    and of sample_plans, and the dimensions."""
    sample = Path(sample)
    landing = sample / "landing"
    lines = held(sample / "dirt.csv")
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute(MACROS)
    with tempfile.TemporaryDirectory() as clean:
        copy_clean(landing, Path(clean), lines)
        parquet_held = [(f, n) for f, at in lines.items() if f.endswith(".parquet") for n in at]
        con.execute("CREATE TABLE held_row(file VARCHAR, no BIGINT)")
        con.executemany("INSERT INTO held_row VALUES (?, ?)", parquet_held)
        text = lambda glob, delim: (f"read_csv('{clean}/{glob}', delim = '{delim}', header = true, all_varchar = true, quote = '', "
                                    "escape = '', strict_mode = false, union_by_name = false)")
        rows = lambda glob: (f"(SELECT * FROM read_parquet('{landing}/{glob}', filename = true, file_row_number = true) p "
                             f"WHERE NOT EXISTS (FROM held_row h WHERE p.filename = '{landing}/' || h.file AND p.file_row_number + 1 = h.no))")
        con.execute(dimensions(text))
        for sql in (pos(text), web(clean), market_eu(text), market_cn(text), erp(rows), returns(text), stock(rows), supply(text), events(clean),
                    feedback(text)):
            con.execute(sql)
        stage_control(con, text)
        stage_orders(con, text)
        stage_plans(con, text)
        stage_quality(con, text, rows, clean, landing)  # after all the others: it tells of their rows
        stage_persons(con, text)
    con.execute(COMMON)
    return con


def persons(rows):
    """Customer → the one that stands for it, of those for whom another one does. By following shared identifiers from customer to
    customer; rows of (customer, type, value, hash, channel, first_seen, confidence)."""
    has, of, since = defaultdict(set), defaultdict(set), {}
    for customer, kind, value, hashed, channel, first_seen, confidence in rows:
        since[customer] = min(since.get(customer, first_seen), first_seen)
        if value is not None:
            value = value.strip()
            plain = value.lower() if kind == "email_hash" else "+" + "".join(c for c in value if c.isdigit()) if kind == "phone_hash" else value
            hashed = hashlib.sha256(plain.encode()).hexdigest()
        identifier = kind, hashed, channel if kind in ("platform_uid", "wechat_openid") else None
        of[identifier].add(customer)
        if kind != "device_id" and float(confidence) == 1:
            has[customer].add(identifier)
    stands, seen = {}, set()
    for customer in since:
        if customer in seen:
            continue
        group, open_ones = {customer}, [customer]
        while open_ones:
            for identifier in has[open_ones.pop()]:
                if len(of[identifier]) <= 10:
                    more = {c for c in of[identifier] if identifier in has[c]} - group
                    group |= more
                    open_ones += more
        seen |= group
        first = min(group, key=lambda c: (since[c], c))
        stands |= {c: first for c in group if c != first}
    return stands


def stage_persons(con, text):
    """The table merged(customer_key, stands): whatever names a customer names the one that stands for it. The customer table has a row
    per person, first known and with what was agreed to under all keys; else a profile is that of the key itself."""
    rows = con.execute(f"SELECT customer, type, value, hash, channel, first_seen::TIMESTAMPTZ::VARCHAR, confidence FROM {text('dimensions/customer_ids.csv', ',')}")
    merged = persons(rows.fetchall())
    con.execute("CREATE TABLE merged(customer_key VARCHAR, stands VARCHAR)")
    con.executemany("INSERT INTO merged VALUES (?, ?)", list(merged.items()))
    named = con.execute("""SELECT table_name, column_name FROM duckdb_columns() WHERE column_name IN ('customer_key', 'customer')
        AND data_type = 'VARCHAR' AND NOT internal AND table_name NOT IN ('merged', 'customer', 'profile')""").fetchall()
    for table, column in named:
        con.execute(f"UPDATE {table} SET {column} = m.stands FROM merged m WHERE {table}.{column} = m.customer_key")
    con.execute("""
UPDATE customer SET consent_email = t.email, consent_profiling = t.profiling, acquired_on = t.acquired
FROM (SELECT coalesce(m.stands, c.customer_key) AS customer_key, bool_and(c.consent_email) AS email, bool_and(c.consent_profiling) AS profiling,
          min(c.acquired_on) AS acquired
      FROM customer c LEFT JOIN merged m USING (customer_key) GROUP BY 1) t
WHERE customer.customer_key = t.customer_key;
UPDATE profile SET acquired_on = t.acquired, consent_email = CASE WHEN t.refused_email THEN 'no' ELSE consent_email END,
    consent_profiling = CASE WHEN t.refused_profiling THEN 'no' ELSE consent_profiling END
FROM (SELECT coalesce(m.stands, p.customer_key) AS customer_key, min(p.acquired_on) AS acquired, bool_or(p.consent_email = 'no') AS refused_email,
          bool_or(p.consent_profiling = 'no') AS refused_profiling
      FROM profile p LEFT JOIN merged m USING (customer_key) GROUP BY 1) t
WHERE profile.customer_key = t.customer_key;
DELETE FROM customer WHERE customer_key IN (SELECT customer_key FROM merged);
DELETE FROM profile WHERE customer_key IN (SELECT customer_key FROM merged);
""")


def dimensions(text):
    return f"""
CREATE TABLE region AS SELECT region_id, name AS region_name, level::INT AS region_level, parent_id, country_id, country_name
    FROM {text('dimensions/regions.csv', ',')};
CREATE TABLE channel AS SELECT channel_id, name AS channel_name, type AS channel_type FROM {text('dimensions/channels.csv', ',')};
CREATE TABLE location AS SELECT location_id, name AS location_name, region_id, country, type AS location_type, area_sqm AS area,
        opened_on::DATE AS opened_on, closed_on::DATE AS closed_on, split_part(day_close, ':', 1)::INT * 60 AS cutoff FROM {text('dimensions/locations.csv', ',')};
CREATE TABLE product AS
    SELECT sku AS product_id, sku, name AS product_name, brand, supplier AS supplier_id, category1_id, category1, category2_id, category2, category3_id, category3,
        tax_class
    FROM {text('dimensions/products.csv', ',')} QUALIFY row_number() OVER (PARTITION BY sku ORDER BY coalesce(valid_from, '') DESC) = 1;
-- The same over time: what was so before the day `until`; the first since ever.
CREATE TABLE product_past AS
    SELECT sku AS product_id, brand, category1_id, category1, category2_id, category2, category3_id, category3,
        CASE WHEN valid_from IS NULL THEN DATE '0001-01-01' ELSE left(valid_from, 10)::DATE END AS since,
        lead(left(valid_from, 10)::DATE, 1, DATE '9999-12-31') OVER (PARTITION BY sku ORDER BY coalesce(valid_from, '')) AS until
    FROM {text('dimensions/products.csv', ',')} WHERE sku IS NOT NULL;
CREATE TABLE customer AS SELECT customer_key, type AS customer_type, "group" AS customer_group, tier AS membership_tier,
        acquired_at::TIMESTAMPTZ::DATE AS acquired_on, consent_email = 'true' AS consent_email, consent_profiling = 'true' AS consent_profiling FROM {text('dimensions/customers.csv', ',')};
CREATE TABLE profile AS SELECT customer_key, type AS customer_type, "group" AS customer_group, tier AS membership_tier, home_region,
        acquisition_channel, acquired_at::TIMESTAMPTZ::DATE::VARCHAR AS acquired_on, birth_year::INT::VARCHAR AS birth_year, CASE consent_email WHEN 'true' THEN 'yes' WHEN 'false' THEN 'no' END AS consent_email,
        CASE consent_profiling WHEN 'true' THEN 'yes' WHEN 'false' THEN 'no' END AS consent_profiling
    FROM {text('dimensions/customers.csv', ',')};
-- Pounds per euro, in millionths, on every day: days without a rate take the last one before.
CREATE TABLE rate AS
    SELECT d::DATE AS day, r.rate AS eur
    FROM range(DATE '2024-06-25', DATE '2026-07-10', INTERVAL 1 DAY) t(d)
    ASOF JOIN (SELECT date::DATE AS day, units(rate, 6) AS rate FROM {text('dimensions/fx_rates.csv', ',')} WHERE base = 'EUR' AND quote = 'GBP') r
      ON d::DATE >= r.day;
-- What a euro is in pounds for all time, and in a month on average; times 10^8.
CREATE TABLE mode_rate AS
WITH closing AS (SELECT date::DATE AS day, units(rate, 6) AS rate FROM {text('dimensions/fx_rates.csv', ',')} WHERE base = 'EUR' AND quote = 'GBP')
SELECT 'constant' AS mode, 'all' AS month, (arg_max(rate, day) * 100)::HUGEINT AS rate FROM closing
UNION ALL SELECT 'period_average', strftime(day, '%Y-%m'), half_up(sum(rate)::HUGEINT * 100, count(*)) FROM closing GROUP BY 2;
"""


# Columns of `line`, in order. sold_on, paid_on, cancelled_on: business dates; sold_on is NULL while not confirmed.
# quantity in stock units; cost per line. status: created, confirmed, paid, partially_fulfilled, fulfilled, completed, cancelled.
LINE = """system, order_id, line_no, line_type, product_id, quantity, gross, net, tax, cost, currency, order_type, flow, cancelled,
    sold_on, paid_on, cancelled_on, channel_id, location_id, ship_region_id, bill_region_id, customer_key, is_test, is_staff, is_copy, removed,
    sold_minute, created_on, status, rate, sales_rep_id"""


def pos(text):
    # The wall clock minus the hour at which the shop's day ends.
    day = lambda column: f"({column}::TIMESTAMP - (split_part(day_close, ':', 1) || ' hours')::INTERVAL)::DATE"
    return f"""
CREATE TABLE pos_row AS SELECT * FROM {text('pos/*.csv', ';')} QUALIFY row_number() OVER (PARTITION BY ticket, line ORDER BY rev::INT DESC) = 1;
CREATE TABLE line AS
WITH priced AS (
    SELECT *, units(price, 2) * units(qty, 3) AS full_price, units(vat, 4) AS rate, (units(discount, 2) + units(ticket_discount, 2)) * 1000 AS off
    FROM pos_row)
SELECT 'pos' AS system, ticket AS order_id, line::INT AS line_no,
    CASE kind WHEN 'P' THEN 'product' WHEN 'G' THEN 'gift_card' WHEN 'F' THEN 'fee' WHEN 'D' THEN 'deposit' END AS line_type,
    sku AS product_id, units(qty, 3) AS quantity, without_tax(full_price, rate) AS gross, without_tax(full_price - off, rate) AS net,
    (full_price - off) // 10 - without_tax(full_price - off, rate) AS tax, half_up(units(cost, 4) * units(qty, 3), 1000) AS cost,
    currency, 'sale' AS order_type, 'own' AS flow, status = 'VOID' AS cancelled, {day('sold_at')} AS sold_on, {day('sold_at')} AS paid_on,
    {day('voided_at')} AS cancelled_on, 'pos' AS channel_id, store AS location_id, NULL::VARCHAR AS ship_region_id, NULL::VARCHAR AS bill_region_id,
    member AS customer_key, training = 'Y' AS is_test, staff = 'Y' AS is_staff, false AS is_copy, false AS removed,
    clock_minute(sold_at, zone) AS sold_minute, {day('sold_at')} AS created_on, CASE status WHEN 'VOID' THEN 'cancelled' ELSE 'completed' END AS status,
    rate, cashier AS sales_rep_id
FROM priced;
"""


def web(clean):
    line = "STRUCT(no INT, type VARCHAR, sku VARCHAR, uom VARCHAR, vat VARCHAR, cost VARCHAR, price VARCHAR, qty VARCHAR, discount VARCHAR, " \
           "order_discount VARCHAR, parent INT, state VARCHAR)[]"
    charge = "STRUCT(seq INT, type VARCHAR, net VARCHAR)[]"
    return f"""
CREATE TABLE web_order AS
SELECT *, local_day(confirmed, 'Europe/London') AS sold_on, local_minute(confirmed, 'Europe/London') AS sold_minute, local_day(paid, 'Europe/London') AS paid_on,
    local_day(cancelled, 'Europe/London') AS cancelled_on
FROM read_json('{clean}/web/*.ndjson', format = 'newline_delimited', columns = {{id: 'VARCHAR', rev: 'INT', channel: 'VARCHAR', type: 'VARCHAR',
    status: 'VARCHAR', placed: 'VARCHAR', confirmed: 'VARCHAR', paid: 'VARCHAR', cancelled: 'VARCHAR', currency: 'VARCHAR',
    customer: 'STRUCT("key" VARCHAR)', ship: 'STRUCT(region VARCHAR)', bill: 'STRUCT(region VARCHAR)', test: 'BOOLEAN', staff: 'BOOLEAN',
    lines: '{line}', charges: '{charge}'}})
QUALIFY row_number() OVER (PARTITION BY id ORDER BY rev DESC) = 1;
INSERT INTO line
WITH priced AS (
    SELECT o.*, l, units(l.price, 2) * units(l.qty, 3) AS full_price, units(l.vat, 4) AS rate,
        (units(l.discount, 2) + units(l.order_discount, 2)) * 1000 AS off
    FROM (SELECT *, unnest(lines) AS l FROM web_order) o)
SELECT 'web', id, l.no, l.type, l.sku, units(l.qty, 3), without_tax(full_price, rate), without_tax(full_price - off, rate),
    (full_price - off) // 10 - without_tax(full_price - off, rate), half_up(units(l.cost, 4) * units(l.qty, 3), 1000),
    currency, type, 'own', status = 'cancelled', sold_on, paid_on, cancelled_on, channel, NULL, ship.region, bill.region, customer.key,
    test, staff, false, coalesce(l.state, '') = 'removed', sold_minute, local_day(placed, 'Europe/London'), status, rate, NULL
FROM priced;
-- Charges with the columns of their order.
CREATE TABLE charge AS
SELECT 'web' AS system, id AS order_id, c.type AS charge_type, units(c.net, 4) AS amount, currency, type AS order_type, 'own' AS flow,
    status = 'cancelled' AS cancelled, sold_on, paid_on, cancelled_on, channel AS channel_id, NULL::VARCHAR AS location_id,
    ship.region AS ship_region_id, bill.region AS bill_region_id, customer.key AS customer_key, test AS is_test, staff AS is_staff, false AS is_copy,
    sold_minute, NULL::VARCHAR AS sales_rep_id
FROM (SELECT *, unnest(charges) AS c FROM web_order);
"""


def market(table, system, names, sold_on, sold_minute, day, region, flag_yes, charges, statuses):
    """The two marketplaces differ in words only."""
    n = names
    listed = ", ".join("{'type': '%s', 'amount': \"%s\"}" % charge for charge in charges)
    return f"""
INSERT INTO line
WITH priced AS (
    SELECT *, units("{n['price']}", 2) * units("{n['qty']}", 3) AS full_price, units("{n['vat']}", 4) AS rate,
        (units("{n['discount']}", 2) + units("{n['share']}", 2)) * 1000 AS off
    FROM {table})
SELECT '{system}', "{n['order']}", "{n['line']}"::INT, 'product', plain("{n['sku']}"), units("{n['qty']}", 3), without_tax(full_price, rate),
    without_tax(full_price - off, rate), (full_price - off) // 10 - without_tax(full_price - off, rate),
    half_up(units("{n['cost']}", 4) * units("{n['qty']}", 3), 1000), "{n['currency']}", 'sale', 'own', "{n['status']}" = '{n['cancelled']}',
    {sold_on}, {day(n['paid_at'])}, {day(n['cancelled_at'])}, '{system}', NULL, {region}, {region}, "{n['customer']}",
    "{n['test']}" = '{flag_yes}', "{n['staff']}" = '{flag_yes}', false, false, {sold_minute},
    {day(n['ordered_at'])}, CASE "{n['status']}" {' '.join(f"WHEN '{theirs}' THEN '{ours}'" for theirs, ours in statuses)} END, rate, NULL
FROM priced;
INSERT INTO charge
SELECT '{system}', "{n['order']}", c.type, units(c.amount, 4), "{n['currency']}", 'sale', 'own', "{n['status']}" = '{n['cancelled']}',
    {sold_on}, {day(n['paid_at'])}, {day(n['cancelled_at'])}, '{system}', NULL, {region}, {region}, "{n['customer']}",
    "{n['test']}" = '{flag_yes}', "{n['staff']}" = '{flag_yes}', false, {sold_minute}, NULL
FROM (SELECT *, unnest([{listed}]) AS c FROM {table})
WHERE c.amount IS NOT NULL;
"""


def market_eu(text):
    names = dict(order="Bestellnummer", line="Position", sku="SKU", qty="Menge", price="Einzelpreis", vat="USt-Satz", discount="Rabatt",
                 share="Gutscheinanteil", cost="Stückkosten", currency="Währung", status="Status", cancelled="Storniert", paid_at="Bezahlt", ordered_at="Bestellt",
                 cancelled_at="Storniert", customer="Käufer", test="Test", staff="Mitarbeiter")
    day = lambda column: f"strptime(\"{column}\", '%d.%m.%Y %H:%M:%S')::DATE"
    sold_on = f"CASE WHEN \"Status\" <> 'Offen' THEN {day('Bestellt')} END"
    return f"""
CREATE TABLE eu_row AS SELECT * FROM {text('market_eu/*.csv', ';')}
    QUALIFY row_number() OVER (PARTITION BY "Bestellnummer", "Position" ORDER BY "Geändert" DESC) = 1;
""" + market("eu_row", "market_eu", names, sold_on, "clock_minute(strptime(\"Bestellt\", '%d.%m.%Y %H:%M:%S'), 'Europe/Berlin')", day, '"Lieferregion"', "ja",
             [("shipping", "Versand netto"), ("tax", "Versand USt"), ("platform_commission", "Provision")],
             [("Offen", "created"), ("Angenommen", "confirmed"), ("Bezahlt", "paid"), ("Versendet", "fulfilled"), ("Abgeschlossen", "completed"),
              ("Storniert", "cancelled")])


def market_cn(text):
    names = dict(order="订单编号", line="行号", sku="商品编码", qty="数量", price="单价", vat="税率", discount="行优惠", share="店铺优惠分摊", cost="成本价",
                 currency="币种", status="订单状态", cancelled="已取消", paid_at="付款时间", ordered_at="下单时间", cancelled_at="取消时间", customer="买家编号", test="是否测试",
                 staff="是否员工")
    day = lambda column: f'"{column}"::TIMESTAMP::DATE'
    sold_on = f"CASE WHEN \"订单状态\" <> '待付款' THEN {day('下单时间')} END"
    region = "CASE \"收货地区\" WHEN '华北' THEN 'CN-N' WHEN '华东' THEN 'CN-E' WHEN '华南' THEN 'CN-S' ELSE \"收货地区\" END"
    return f"""
CREATE TABLE cn_row AS SELECT * FROM {text('market_cn/*.csv', ',')}
    QUALIFY row_number() OVER (PARTITION BY "订单编号", "行号" ORDER BY "更新时间" DESC) = 1;
-- Articles that only this platform knows.
INSERT INTO product (product_id, sku, product_name)
    SELECT plain("商品编码"), plain("商品编码"), any_value("商品名称") FROM cn_row WHERE plain("商品编码") LIKE 'CN%' GROUP BY 1, 2;
""" + market("cn_row", "market_cn", names, sold_on, 'clock_minute("下单时间", \'Asia/Shanghai\')', day, region, "是", [("shipping", "运费"), ("platform_commission", "平台佣金")],
             [("待付款", "created"), ("待发货", "confirmed"), ("已付款", "paid"), ("已发货", "fulfilled"), ("交易成功", "completed"), ("已取消", "cancelled")])


def erp(rows):
    zone = "CASE company WHEN 'DE01' THEN 'Europe/Berlin' ELSE 'Europe/London' END"
    day = lambda column: f"local_day({column}, {zone})"
    head = f"""CASE order_type WHEN 'TA' THEN 'sale' WHEN 'B2' THEN 'b2b' WHEN 'WS' THEN 'wholesale' WHEN 'QT' THEN 'quote' WHEN 'IN' THEN 'internal' END,
    CASE flow WHEN 'IN' THEN 'sell_in' WHEN 'OUT' THEN 'sell_out' ELSE 'own' END, status = 90, CASE WHEN status <> 10 THEN {day('confirmed_at')} END,
    {day('paid_at')}, {day('cancelled_at')}, CASE channel WHEN 'TEL' THEN 'tel' WHEN 'B2B' THEN 'b2b' WHEN 'MKT' THEN 'market_eu' END, NULL,
    ship_region, bill_region, customer_no, is_test, is_staff, origin_order IS NOT NULL"""
    minute = f"local_minute(confirmed_at, {zone})"
    return f"""
CREATE TABLE erp_row AS SELECT * FROM {rows('erp/*.parquet')}
    QUALIFY row_number() OVER (PARTITION BY record_type, doc_no, line_no ORDER BY doc_version DESC) = 1;
INSERT INTO line
WITH priced AS (
    SELECT *, half_up((unit_price * 10000)::HUGEINT * (quantity * 1000)::HUGEINT, 1000) AS gross,
        ((line_discount + order_discount) * 10000)::HUGEINT AS off, (tax_rate * 10000)::HUGEINT AS rate
    FROM erp_row WHERE record_type = 'L')
SELECT 'erp', doc_no, line_no, 'product', sku, (base_quantity * 1000)::HUGEINT, gross, gross - off, half_up((gross - off) * rate, 10000),
    half_up((unit_cost * 10000)::HUGEINT * (base_quantity * 1000)::HUGEINT, 1000), currency, {head}, line_status = 'X', {minute}, {day('created_at')},
    CASE status WHEN 10 THEN 'created' WHEN 20 THEN 'confirmed' WHEN 30 THEN 'paid' WHEN 40 THEN 'partially_fulfilled' WHEN 50 THEN 'fulfilled'
                WHEN 60 THEN 'completed' WHEN 90 THEN 'cancelled' END, rate, rep
FROM priced;
INSERT INTO charge SELECT 'erp', doc_no, charge_type, (charge_amount * 10000)::HUGEINT, currency, {head}, {minute}, rep FROM erp_row WHERE record_type = 'C';
-- Returned lines; sale_*: what they undo. quantity in stock units.
CREATE TABLE ret AS
SELECT 'erp' AS system, doc_no AS return_id, line_no AS return_line, refunded_at IS NOT NULL AS refunded, {day('refunded_at')} AS refunded_on,
    false AS exchanged, 'erp' AS sale_system, ref_doc_no AS order_id, ref_line_no AS order_line, (quantity * 1000)::HUGEINT AS quantity,
    (refund_net * 10000)::HUGEINT AS net, (refund_tax * 10000)::HUGEINT AS tax, 0::HUGEINT AS shipping, (stock_cost * 10000)::HUGEINT AS cost,
    currency, sku AS product_id, CASE channel WHEN 'TEL' THEN 'tel' WHEN 'B2B' THEN 'b2b' END AS return_channel_id,
    CASE flow WHEN 'IN' THEN 'sell_in' WHEN 'OUT' THEN 'sell_out' ELSE 'own' END AS flow, customer_no AS customer_key, is_test, is_staff,
    local_minute(refunded_at, {zone}) AS refunded_minute, reason, (tax_rate * 10000)::HUGEINT AS rate
FROM erp_row WHERE record_type = 'R';
"""


def returns(text):
    return f"""
CREATE TABLE ret_row AS SELECT * FROM {text('returns/*.csv', ',')}
    QUALIFY row_number() OVER (PARTITION BY coalesce(order_system, ''), return_id, line ORDER BY rev::INT DESC) = 1;
INSERT INTO ret
WITH priced AS (SELECT *, units(refund, 5) AS incl, units(vat, 4) AS rate FROM ret_row)
SELECT coalesce(order_system, 'returns'), return_id, line::INT, status = 'refunded', local_day(refunded_at, zone), type = 'exchange', order_system,
    order_id, order_line::INT, units(qty, 3), without_tax(incl, rate), incl // 10 - without_tax(incl, rate), units(refund_shipping, 4),
    units(stock_cost, 4), currency, sku, channel, 'own', member, training = 'Y', staff = 'Y',
    local_minute(refunded_at, zone), reason, rate
FROM priced;
"""


def stock(rows):
    return f"""
CREATE TABLE stock AS
SELECT DISTINCT stock_date::DATE AS day, place AS location_id, sku AS product_id, on_hand::HUGEINT * 1000 AS on_hand, available::HUGEINT * 1000 AS available,
    CASE s.currency WHEN 'GBP' THEN on_hand::HUGEINT * (unit_cost * 10000)::HUGEINT
        ELSE half_up(on_hand::HUGEINT * (unit_cost * 10000)::HUGEINT * r.eur, 1000000) END AS cost,
    CASE s.currency WHEN 'GBP' THEN on_hand::HUGEINT * (unit_retail * 10000)::HUGEINT
        ELSE half_up(on_hand::HUGEINT * (unit_retail * 10000)::HUGEINT * r.eur, 1000000) END AS retail
FROM {rows('stock/*.parquet')} s JOIN rate r ON r.day = s.stock_date;
"""


def supply(text):
    day = lambda column: f"{column}::TIMESTAMP::DATE"
    return f"""
-- The greatest rev of each movement; quantity signed, cost in the reporting currency, signed as the quantity.
CREATE TABLE movement AS
SELECT movement AS movement_id, m.day, timezone(zone, moved_at::TIMESTAMP) AS moved_at, kind, place AS location_id, sku AS product_id, quantity,
    CASE currency WHEN 'EUR' THEN half_up(quantity // 1000 * piece_cost * r.eur, 1000000) ELSE quantity // 1000 * piece_cost END AS cost
FROM (
    SELECT *, {day('moved_at')} AS day, units(qty, 3) AS quantity, units(unit_cost, 4) AS piece_cost,
        CASE type WHEN 'GR' THEN 'receipt' WHEN 'SO' THEN 'sale' WHEN 'RT' THEN 'sale_return' WHEN 'TI' THEN 'transfer_in' WHEN 'TO' THEN 'transfer_out'
                  WHEN 'AU' THEN 'adjust_up' WHEN 'AD' THEN 'adjust_down' WHEN 'DM' THEN 'damage' WHEN 'TH' THEN 'theft' WHEN 'WO' THEN 'write_off'
                  WHEN 'CN' THEN 'count' END AS kind
    FROM {text('movements/*.csv', ';')} QUALIFY row_number() OVER (PARTITION BY movement ORDER BY rev::INT DESC) = 1) m
JOIN rate r ON r.day = m.day;
CREATE TABLE purchase AS
SELECT po, sku AS product_id, place AS location_id, supplier AS supplier_id, {day('ordered_at')} AS ordered_on, {day('expected_at')} AS expected_on,
    {day('first_received_at')} AS first_on, {day('last_received_at')} AS last_on, units(ordered, 3) AS ordered, units(received, 3) AS received, status
FROM {text('purchasing/*.csv', ';')} QUALIFY row_number() OVER (PARTITION BY po, sku ORDER BY rev::INT DESC) = 1;
CREATE TABLE supplier AS SELECT supplier_id, lead_days::DOUBLE AS lead_days FROM {text('dimensions/suppliers.csv', ',')};
CREATE TABLE policy AS
SELECT place AS location_id, sku AS product_id, coalesce(valid_from::DATE, DATE '1970-01-01') AS valid_from, lead_days::DOUBLE AS lead_days,
    lead_sd::DOUBLE AS lead_sd, review_days::INT AS review_days, service_level::DOUBLE AS service_level, min_order::INT AS min_order, pack::INT AS pack,
    max_stock::INT AS max_stock, order_cost::DOUBLE AS order_cost, currency, holding_rate::DOUBLE AS holding_rate
FROM {text('dimensions/stock_policies.csv', ',')};
-- A cost holds until the next one of the same article and place, or all places.
CREATE TABLE article_cost AS
SELECT sku AS product_id, place AS location_id, since, lead(since) OVER (PARTITION BY sku, place ORDER BY since) AS until, unit_cost, currency
FROM (SELECT DISTINCT sku, place, coalesce(valid_from::DATE, DATE '1970-01-01') AS since, units(unit_cost, 4) AS unit_cost, currency
      FROM {text('dimensions/product_costs.csv', ',')});
"""


def events(clean):
    return f"""
-- Told again word for word: once. The app's own time counts, put right where its clock is more than five minutes off.
CREATE TABLE visit_event AS
SELECT DISTINCT id, name, session, channel AS channel_id, region AS region_id, device, source, campaign, customer AS customer_key, visitor, sku AS product_id,
    qty, price, currency, NULL::VARCHAR AS location_id,
    CASE WHEN "at" IS NULL THEN received::TIMESTAMPTZ
         WHEN abs(epoch(received::TIMESTAMPTZ) - epoch(sent::TIMESTAMPTZ)) > 300
             THEN "at"::TIMESTAMPTZ + (received::TIMESTAMPTZ - sent::TIMESTAMPTZ)
         ELSE "at"::TIMESTAMPTZ END AS happened
FROM read_json('{clean}/events/*.ndjson', format = 'newline_delimited', columns = {{id: 'VARCHAR', name: 'VARCHAR', "at": 'VARCHAR', sent: 'VARCHAR',
    received: 'VARCHAR', session: 'VARCHAR', customer: 'VARCHAR', channel: 'VARCHAR', device: 'VARCHAR', region: 'VARCHAR', source: 'VARCHAR',
    campaign: 'VARCHAR', visitor: 'VARCHAR', sku: 'VARCHAR', qty: 'VARCHAR', price: 'VARCHAR', currency: 'VARCHAR', bot: 'BOOLEAN'}})
WHERE NOT bot;
"""


def feedback(text):
    return f"""
CREATE TABLE feedback AS
SELECT id, type, score::INT AS score, scale::INT AS scale, coalesce(topic, 'unknown') AS topic, sku AS product_id, customer AS customer_key, channel AS channel_id,
    local_day(opened_at, 'Europe/London') AS day, epoch(opened_at::TIMESTAMPTZ)::BIGINT AS opened, epoch(first_reply_at::TIMESTAMPTZ)::BIGINT AS replied,
    epoch(resolved_at::TIMESTAMPTZ)::BIGINT AS resolved, first_contact = 'Y' AS at_once
FROM {text('feedback/*.csv', ',')} QUALIFY row_number() OVER (PARTITION BY id ORDER BY rev::INT DESC) = 1;
"""


COMMON = """
-- Empty texts are no keys.
UPDATE line SET customer_key = NULL WHERE customer_key = '';
-- In the reporting currency: each amount by the rate of the day of the sale, rounded by itself; the discount is the difference.
CREATE TABLE sold AS
SELECT l.* EXCLUDE (gross, net, tax, cost), g AS gross, g - n AS discount, n AS net, t AS tax, c AS cost
FROM (SELECT l.*, CASE currency WHEN 'EUR' THEN r.eur ELSE 1000000 END AS fx,
        half_up(gross * fx, 1000000) AS g, half_up(net * fx, 1000000) AS n, half_up(tax * fx, 1000000) AS t, half_up(cost * fx, 1000000) AS c
      FROM line l JOIN rate r ON r.day = l.sold_on) l
WHERE NOT is_test AND NOT is_copy AND NOT removed AND order_type IN ('sale', 'b2b', 'wholesale') AND flow <> 'sell_out';
-- When they were handed over: what no parcel holds when it is sold, if it is sold at a place or a service.
ALTER TABLE sold ADD COLUMN shipped_on DATE;
ALTER TABLE sold ADD COLUMN delivered_on DATE;
UPDATE sold SET shipped_on = sold_on, delivered_on = sold_on WHERE location_id IS NOT NULL OR line_type = 'service';
UPDATE sold SET shipped_on = CASE WHEN h.quantity >= sold.quantity THEN h.shipped_on END,
    delivered_on = CASE WHEN h.quantity >= sold.quantity THEN h.delivered_on END
FROM handed h WHERE h.system = sold.system AND h.order_id = sold.order_id AND h.line_no = sold.line_no;
-- The same lines, whether their orders are confirmed or not; `day` of the order.
CREATE TABLE ordered AS
SELECT l.* EXCLUDE (net), coalesce(sold_on, created_on) AS day, half_up(net * CASE currency WHEN 'EUR' THEN r.eur ELSE 1000000 END, 1000000) AS net
FROM line l JOIN rate r ON r.day = coalesce(l.sold_on, l.created_on)
WHERE NOT is_test AND NOT is_copy AND NOT removed AND order_type IN ('sale', 'b2b', 'wholesale') AND flow <> 'sell_out'
  AND line_type IN ('product', 'service', 'bundle_component');
CREATE TABLE charged AS
SELECT c.* REPLACE (half_up(amount * CASE currency WHEN 'EUR' THEN r.eur ELSE 1000000 END, 1000000) AS amount),
    CASE currency WHEN 'EUR' THEN r.eur ELSE 1000000 END AS fx
FROM charge c JOIN rate r ON r.day = c.sold_on
WHERE NOT is_test AND NOT is_copy AND order_type IN ('sale', 'b2b', 'wholesale') AND flow <> 'sell_out';
-- With the first parcel of their order.
ALTER TABLE charged ADD COLUMN shipped_on DATE;
ALTER TABLE charged ADD COLUMN delivered_on DATE;
UPDATE charged SET shipped_on = sold_on, delivered_on = sold_on WHERE location_id IS NOT NULL;
UPDATE charged SET shipped_on = b.shipped_on, delivered_on = b.delivered_on
FROM begun b WHERE b.system = charged.system AND b.order_id = charged.order_id;
-- Refunds by the rate of their own day, with where and when the goods were sold. What was no sale by its kind cannot come back.
CREATE TABLE refund AS
SELECT ret.* REPLACE (half_up(ret.net * fx, 1000000) AS net, half_up(ret.tax * fx, 1000000) AS tax, half_up(ret.cost * fx, 1000000) AS cost,
        half_up(ret.shipping * fx, 1000000) AS shipping),
    l.sold_on, l.order_id IS NOT NULL AS found, l.channel_id, l.location_id, l.ship_region_id, l.bill_region_id,
    CASE WHEN l.order_id IS NULL AND ret.order_id IS NOT NULL THEN 'UNK' ELSE l.sales_rep_id END AS sales_rep_id
FROM (SELECT ret.*, CASE currency WHEN 'EUR' THEN r.eur ELSE 1000000 END AS fx FROM ret JOIN rate r ON r.day = ret.refunded_on WHERE refunded) ret
LEFT JOIN line l ON l.system = ret.sale_system AND l.order_id = ret.order_id AND l.line_no = ret.order_line
WHERE NOT ret.is_test AND ret.flow <> 'sell_out' AND (l.order_id IS NULL OR l.order_type IN ('sale', 'b2b', 'wholesale'));
"""
