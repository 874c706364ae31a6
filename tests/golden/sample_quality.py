"""Sample data, step 3 for the reports about the data itself: what arrived, what landed and when, what was stopped. Written from what the
reports promise and from sample-data/README.md, with SQL of its own. The test lands the whole sample at noon of one day.
"""

import gzip
from collections import Counter
from datetime import date
from fractions import Fraction
from pathlib import Path

import duckdb

from sample_measures import TODAY, bucket, buckets, ratio, where

LANDED = TODAY  # the day of landing, by the clock of the test
TIME = ["period_start", "period_end", "is_partial_period"]
COLUMNS = {
    "dq-freshness-lateness": TIME + ["source_system", "table_name", "rows_landed", "newest_date", "days_behind", "late_days_p50", "late_days_p95",
                                     "late_days_most", "beyond_sla", "beyond_sla_share"],
    # How many of the surplus rows were replaced, duplicate or late depends on which files land together.
    "dq-duplicates": TIME + ["source_system", "table_name", "rows_arrived", "rows_new", "rows_surplus", "surplus_share", "conflicts", "open_conflicts",
                             "alias_pairs"],
    "dq-scorecard": TIME + ["aspect", "rule", "checked", "failed", "score"],
}
KEYS = {
    "dq-freshness-lateness": ["period_start", "source_system", "table_name"], "dq-duplicates": ["source_system", "table_name"],
    "dq-scorecard": ["aspect", "rule"],
}
COMPARED = {}
# source → (its system, folder or files, tables)
SOURCES = {
    "shop_pos_sales": ("shop_pos", "pos/*", ["order_line"]), "shop_web_orders": ("shop_web", "web/*", ["order_line", "order_charge"]),
    "market_eu_orders": ("market_eu", "market_eu/*", ["order_line", "order_charge"]),
    "market_cn_orders": ("market_cn", "market_cn/*", ["order_line", "order_charge", "product"]),
    "erp_wholesale": ("erp", "erp/*", ["order_line", "order_charge", "return_line"]), "shop_returns": ("shop_returns", "returns/*", ["return_line"]),
    "shop_events": ("shop_tracking", "events/*", ["customer_event"]), "shop_feedback": ("shop_feedback", "feedback/*", ["feedback"]),
    "stock": ("warehouse", "stock/*", ["inventory_snapshot"]),
    "shop_pos_totals": ("shop_pos", "control/pos_*", ["source_control_total"]),
    "market_eu_totals": ("market_eu", "control/market_eu_*", ["source_control_total"]),
    "regions": ("masterdata", "dimensions/regions.csv", ["region"]), "channels": ("masterdata", "dimensions/channels.csv", ["channel"]),
    "locations": ("masterdata", "dimensions/locations.csv", ["location"]), "products": ("masterdata", "dimensions/products.csv", ["product"]),
    "customers": ("masterdata", "dimensions/customers.csv*", ["customer"]), "customer_ids": ("crm", "dimensions/customer_ids.csv*", ["customer_identity"]), "fx_rates": ("treasury", "dimensions/fx_rates.csv", ["fx_rate"]),
    "desk_orders": ("order_desk", "orders/orders_*", ["order_header"]), "desk_steps": ("order_desk", "orders/steps_*", ["order_status_event"]),
    "desk_parcels": ("order_desk", "orders/parcels_*", ["fulfilment_line"]), "payments": ("payments", "payments/*", ["payment"]),
    "order_discounts": ("promotion_engine", "discounts/*", ["order_line_discount"]), "promotions": ("masterdata", "dimensions/promotions.csv*", ["promotion"]),
    "promotion_products": ("masterdata", "dimensions/promotion_products.csv*", ["promotion_product"]),
    "campaigns": ("masterdata", "dimensions/campaigns.csv*", ["campaign"]), "sales_reps": ("masterdata", "dimensions/sales_reps.csv*", ["sales_rep"]),
    "rep_assignments": ("crm", "people/assignments.csv*", ["rep_assignment"]), "targets": ("planning", "people/targets_*", ["target"]),
    "sales_activities": ("crm", "people/activities_*", ["sales_activity"]), "opportunities": ("crm", "people/opportunities_*", ["opportunity"]),
    "marketing_spend": ("ads", "marketing/spend_*", ["marketing_cost"]), "marketing_touches": ("crm_mail", "marketing/touches_*", ["marketing_touch"]),
    "stock_movements": ("warehouse", "movements/*", ["inventory_movement"]), "purchase_orders": ("purchasing", "purchasing/*", ["purchase_order_line"]),
    "suppliers": ("masterdata", "dimensions/suppliers.csv*", ["supplier"]),
    "stock_policies": ("masterdata", "dimensions/stock_policies.csv*", ["product_location_policy"]),
    "product_costs": ("masterdata", "dimensions/product_costs.csv*", ["product_cost"]),
    "price_lists": ("masterdata", "dimensions/price_lists.csv*", ["price_list"]),
    "product_bundles": ("masterdata", "dimensions/product_bundles.csv*", ["product_bundle"]),
}
RULES = {
    "completeness": ["sequence", "control_missing", "V16"], "validity": ["V00", "V01", "V02", "V03", "V04", "V09", "V10", "V11", "V17", "V18", "V20"],
    "uniqueness": ["V19", "alias"], "timeliness": ["lateness"], "consistency": ["control_differs", "V05", "V06", "V07", "V08", "V12", "V13", "V14", "V15", "V17", "V21"],
}


def stage_quality(con, text, rows, clean, landing):
    """Tables: read_file(source, records), arrived(source_system, table_name, key) for every row that no rule stopped, and
    landed(source_system, table_name, day, channel_id, location_id), one row per key in its newest version."""
    con.execute("CREATE TABLE read_file(source VARCHAR, records BIGINT)")
    con.executemany("INSERT INTO read_file VALUES (?, ?)", [(s, records(p)) for s, (_, glob, _) in SOURCES.items() for p in sorted(Path(landing).glob(glob))])
    pos, eu, cn, returned = text("pos/*.csv", ";"), text("market_eu/*.csv", ";"), text("market_cn/*.csv", ","), text("returns/*.csv", ",")
    erp, web = rows("erp/*.parquet"), f"""read_json('{clean}/web/*.ndjson', format = 'newline_delimited', columns = {{id: 'VARCHAR',
        lines: 'STRUCT(no INT)[]', charges: 'STRUCT(seq INT)[]'}})"""
    parts = [
        ("shop_pos", "order_line", f"SELECT ticket || '|' || line FROM {pos}"),
        ("shop_web", "order_line", f"SELECT id || '|' || l.no FROM (SELECT id, unnest(lines) AS l FROM {web})"),
        ("shop_web", "order_charge", f"SELECT id || '|' || c.seq FROM (SELECT id, unnest(charges) AS c FROM {web})"),
        ("market_eu", "order_line", f'SELECT "Bestellnummer" || \'|\' || "Position" FROM {eu}'),
        ("market_cn", "order_line", f'SELECT "订单编号" || \'|\' || "行号" FROM {cn}'),
        ("market_cn", "product", f'SELECT plain("商品编码") FROM {cn} WHERE plain("商品编码") LIKE \'CN%\''),
        ("shop_returns", "return_line", f"SELECT coalesce(order_system, '') || '|' || return_id || '|' || line FROM {returned}"),
        ("shop_tracking", "customer_event", f"SELECT id FROM read_json('{clean}/events/*.ndjson', format = 'newline_delimited', columns = {{id: 'VARCHAR'}})"),
        ("shop_feedback", "feedback", f"SELECT id FROM {text('feedback/*.csv', ',')}"),
        ("warehouse", "inventory_snapshot", f"SELECT stock_date::VARCHAR || place || '|' || sku FROM {rows('stock/*.parquet')}"),
        ("masterdata", "product", f"SELECT sku || coalesce(valid_from, '') FROM {text('dimensions/products.csv', ',')}"),
        ("treasury", "fx_rate", f"SELECT date || base || quote FROM {text('dimensions/fx_rates.csv', ',')}"),
    ]
    parts += [("market_eu", "order_charge", f'SELECT "Bestellnummer" || \'|{c}\' FROM {eu} WHERE "{c}" IS NOT NULL') for c in ("Versand netto", "Versand USt", "Provision")]
    parts += [("market_cn", "order_charge", f'SELECT "订单编号" || \'|{c}\' FROM {cn} WHERE "{c}" IS NOT NULL') for c in ("运费", "平台佣金")]
    parts += [("erp", t, f"SELECT doc_no || '|' || line_no FROM {erp} WHERE record_type = '{r}'") for t, r in (("order_line", "L"), ("order_charge", "C"), ("return_line", "R"))]
    parts += [("shop_pos", "source_control_total", f"SELECT day || store || '{m}' FROM {text('control/pos_*.csv', ';')}") for m in range(4)]
    parts += [("market_eu", "source_control_total", f'SELECT "Tag" || "Währung" || \'{m}\' FROM {text("control/market_eu_*.csv", ";")}') for m in range(5)]
    parts += [("masterdata", t, f"SELECT {k} FROM {text(f'dimensions/{t}s.csv', ',')}") for t, k in
              (("region", "region_id"), ("channel", "channel_id"), ("location", "location_id"), ("customer", "customer_key"))]
    # Files of one kind of row: (system, table, files, delimiter, key).
    plain = [
        ("order_desk", "order_header", "orders/orders_*.csv", ",", "system, order_id"),
        ("order_desk", "order_status_event", "orders/steps_*.csv", ",", "system, order_id, seq"),
        ("order_desk", "fulfilment_line", "orders/parcels_*.csv", ",", "system, parcel, line"),
        ("payments", "payment", "payments/*.csv", ",", "system, payment_id"),
        ("promotion_engine", "order_line_discount", "discounts/*.csv", ",", "system, order_id, line, seq"),
        ("masterdata", "promotion", "dimensions/promotions.csv", ",", "promotion_id"),
        ("masterdata", "promotion_product", "dimensions/promotion_products.csv", ",", "promotion_id, sku, category_id"),
        ("masterdata", "campaign", "dimensions/campaigns.csv", ",", "campaign_id"),
        ("masterdata", "sales_rep", "dimensions/sales_reps.csv", ",", "sales_rep_id, valid_from"),
        ("crm", "customer_identity", "dimensions/customer_ids.csv", ",", "customer, type, value, hash, channel"),
        ("crm", "rep_assignment", "people/assignments.csv", ",", "kind, id, since, rep"),
        ("planning", "target", "people/targets_*.csv", ",", "plan, start, grain, kind, member, metric, version"),
        ("crm", "sales_activity", "people/activities_*.csv", ",", "id"),
        ("crm", "opportunity", "people/opportunities_*.csv", ",", "id, rev"),  # each step is a row of its own
        ("ads", "marketing_cost", "marketing/spend_*.csv", ",", "day, campaign, platform"),
        ("crm_mail", "marketing_touch", "marketing/touches_*.csv", ",", "id"),
        ("warehouse", "inventory_movement", "movements/*.csv", ";", "movement"),
        ("purchasing", "purchase_order_line", "purchasing/*.csv", ";", "po, sku"),
        ("masterdata", "supplier", "dimensions/suppliers.csv", ",", "supplier_id"),
        ("masterdata", "product_location_policy", "dimensions/stock_policies.csv", ",", "place, sku, valid_from"),
        ("masterdata", "product_cost", "dimensions/product_costs.csv", ",", "sku, place, valid_from"),
        ("masterdata", "price_list", "dimensions/price_lists.csv", ",", "sku, channel, place, customers, currency, valid_from"),
        ("masterdata", "product_bundle", "dimensions/product_bundles.csv", ",", "bundle, component"),
    ]
    whole = lambda key: " || '|' || ".join(f"coalesce({k}, '')" for k in key.split(", "))
    parts += [(s, t, f"SELECT {whole(key)} FROM {text(files, delim)}") for s, t, files, delim, key in plain]
    con.execute("CREATE TABLE arrived AS " + " UNION ALL ".join(f"SELECT '{s}' AS source_system, '{t}' AS table_name, k AS key FROM ({sql}) x(k)" for s, t, sql in parts))
    zone = "CASE company WHEN 'DE01' THEN 'Europe/Berlin' ELSE 'Europe/London' END"
    erp_channel = "CASE channel WHEN 'TEL' THEN 'tel' WHEN 'B2B' THEN 'b2b' WHEN 'MKT' THEN 'market_eu' END"
    erp_day = f"local_day(coalesce(confirmed_at, created_at), {zone})"
    web_day = "local_day(coalesce(confirmed, placed), 'Europe/London')"
    eu_day, cn_day = "strptime(\"Bestellt\", '%d.%m.%Y %H:%M:%S')::DATE", '"下单时间"::TIMESTAMP::DATE'
    seller = "CASE order_system WHEN 'pos' THEN 'shop_pos' WHEN 'web' THEN 'shop_web' ELSE coalesce(order_system, 'shop_returns') END"
    told_at = """CASE WHEN "at" IS NULL THEN received::TIMESTAMPTZ
        WHEN abs(epoch(received::TIMESTAMPTZ) - epoch(sent::TIMESTAMPTZ)) > 300 THEN "at"::TIMESTAMPTZ + (received::TIMESTAMPTZ - sent::TIMESTAMPTZ)
        ELSE "at"::TIMESTAMPTZ END"""
    events = f"""(SELECT DISTINCT id, channel, local_day({told_at}, 'Europe/London') AS day FROM read_json('{clean}/events/*.ndjson', format = 'newline_delimited',
        columns = {{id: 'VARCHAR', channel: 'VARCHAR', "at": 'VARCHAR', sent: 'VARCHAR', received: 'VARCHAR'}}))"""
    landed = [
        ("'shop_pos'", "order_line", "(sold_at::TIMESTAMP - (split_part(day_close, ':', 1) || ' hours')::INTERVAL)::DATE", "'pos'", "store", "pos_row"),
        ("'shop_web'", "order_line", web_day, "channel", "NULL", "(SELECT *, unnest(lines) AS l FROM web_order)"),
        ("'shop_web'", "order_charge", web_day, "channel", "NULL", "(SELECT *, unnest(charges) AS c FROM web_order)"),
        ("'market_eu'", "order_line", eu_day, "'market_eu'", "NULL", "eu_row"),
        ("'market_cn'", "order_line", cn_day, "'market_cn'", "NULL", "cn_row"),
        ("'erp'", "order_line", erp_day, erp_channel, "NULL", "(FROM erp_row WHERE record_type = 'L')"),
        ("'erp'", "order_charge", erp_day, erp_channel, "NULL", "(FROM erp_row WHERE record_type = 'C')"),
        ("'erp'", "return_line", f"local_day(coalesce(refunded_at, requested_at), {zone})", erp_channel, "fulfil_place", "(FROM erp_row WHERE record_type = 'R')"),
        (seller, "return_line", "local_day(coalesce(refunded_at, received_at, requested_at), zone)", "channel", "place", "ret_row"),
        ("'shop_tracking'", "customer_event", "day", "channel", "NULL", events),
        ("'shop_feedback'", "feedback", "day", "channel_id", "NULL", "feedback"),
        ("'warehouse'", "inventory_snapshot", "day", "NULL", "location_id", "stock"),
        ("source_system", "source_control_total", "day", "channel_id", "location_id", "told"),
    ]
    sold_by = "CASE system WHEN 'pos' THEN 'shop_pos' WHEN 'web' THEN 'shop_web' ELSE system END"
    applied = "(applied_at::TIMESTAMP - (split_part(day_close, ':', 1) || ' hours')::INTERVAL)::DATE"
    newest = lambda files, key: f"(FROM {text(files, ',')} QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY rev::INT DESC) = 1)"
    landed += [
        (sold_by, "order_header", "day", "channel", "NULL", "desk_order"),
        (sold_by, "order_status_event", "local_day(\"at\", zone)", "NULL", "NULL", "desk_step"),
        (sold_by, "fulfilment_line", "local_day(planned, zone)", "NULL", "place", "parcel"),
        (sold_by, "payment", "day", "channel", "place", "payment"),
        ("system", "order_line_discount", applied, "NULL", "NULL", newest("discounts/*.csv", "system, order_id, line, seq")),
        ("'warehouse'", "inventory_movement", "day", "NULL", "location_id", "movement"),
        ("'purchasing'", "purchase_order_line", "ordered_on", "NULL", "location_id", "purchase"),
        ("'crm_mail'", "marketing_touch", "day", "NULL", "NULL", "touch"),
        ("'ads'", "marketing_cost", "day", "NULL", "NULL", "spend"),
        ("'crm'", "sales_activity", "day", "NULL", "NULL", "activity"),
        ("'crm'", "opportunity", "local_day(coalesce(closed, entered), 'Europe/London')", "NULL", "NULL",
         newest("people/opportunities_*.csv", "id, rev")),
    ]
    landed += [("'market_eu'", "order_charge", eu_day, "'market_eu'", "NULL", f'(FROM eu_row WHERE "{c}" IS NOT NULL)') for c in ("Versand netto", "Versand USt", "Provision")]
    landed += [("'market_cn'", "order_charge", cn_day, "'market_cn'", "NULL", f'(FROM cn_row WHERE "{c}" IS NOT NULL)') for c in ("运费", "平台佣金")]
    con.execute("CREATE TABLE landed AS " + " UNION ALL ".join(f"SELECT {s} AS source_system, '{t}' AS table_name, {d} AS day, {c} AS channel_id, {p} AS location_id FROM {of}"
                                                              for s, t, d, c, p, of in landed))
    stage_checks(con, text, {"web": web_day, "eu": eu_day, "cn": cn_day, "erp": erp_day}, zone)


def stage_checks(con, text, days, erp_zone):
    """Tables: priced(product_id, currency, day, price, each, cost, counts), every line with its unit price, the price of a
    stock unit and the cost, in ten-thousandths;
    repeated(table_name, system, order_id, day, status, channel_id, cancelled_on), lines that count and charges with what they say of their
    order; bundle_part(bundle, share), in millionths."""
    pos_day = "(sold_at::TIMESTAMP - (split_part(day_close, ':', 1) || ' hours')::INTERVAL)::DATE"
    con.execute(f"""
CREATE TABLE priced AS
SELECT sku AS product_id, currency, {pos_day} AS day, units(price, 4) AS price, units(price, 4) AS each, units(cost, 4) AS cost, kind = 'P' AND training <> 'Y' AS counts FROM pos_row
UNION ALL SELECT l.sku, currency, {days["web"]}, units(l.price, 4), units(l.price, 4), units(l.cost, 4),
    l.type = 'product' AND NOT test AND coalesce(l.state, '') <> 'removed' FROM (SELECT *, unnest(lines) AS l FROM web_order)
UNION ALL SELECT "SKU", "Währung", {days["eu"]}, units("Einzelpreis", 4), units("Einzelpreis", 4), units("Stückkosten", 4), "Test" <> 'ja' FROM eu_row
UNION ALL SELECT plain("商品编码"), "币种", {days["cn"]}, units("单价", 4), units("单价", 4),
    units("成本价", 4), "是否测试" <> '是' FROM cn_row
UNION ALL SELECT sku, currency, {days["erp"]}, (unit_price * 10000)::HUGEINT,
    half_up((unit_price * 10000)::HUGEINT * (quantity * 1000)::HUGEINT, (base_quantity * 1000)::HUGEINT), (unit_cost * 10000)::HUGEINT,
    NOT is_test AND coalesce(line_status, '') <> 'X' FROM erp_row WHERE record_type = 'L';
CREATE TABLE repeated AS
SELECT 'order_line' AS table_name, system, order_id, coalesce(sold_on, created_on) AS day, status, channel_id, cancelled_on FROM line WHERE NOT removed
UNION ALL SELECT 'order_charge', 'web', id, {days["web"]}, status, channel, cancelled_on FROM (SELECT *, unnest(charges) AS c FROM web_order)
UNION ALL SELECT 'order_charge', 'erp', doc_no, {days["erp"]}, CASE status WHEN 10 THEN 'created' WHEN 20 THEN 'confirmed' WHEN 30 THEN 'paid'
    WHEN 40 THEN 'partially_fulfilled' WHEN 50 THEN 'fulfilled' WHEN 60 THEN 'completed' WHEN 90 THEN 'cancelled' END,
    CASE channel WHEN 'TEL' THEN 'tel' WHEN 'B2B' THEN 'b2b' WHEN 'MKT' THEN 'market_eu' END, local_day(cancelled_at, {erp_zone}) FROM erp_row WHERE record_type = 'C';
CREATE TABLE bundle_part AS SELECT bundle, units(share, 6) AS share FROM {text('dimensions/product_bundles.csv', ',')}
    QUALIFY row_number() OVER (PARTITION BY bundle, component ORDER BY rev::INT DESC) = 1;
""")
    # The marketplaces' charges stand in columns of the first line of an order, and say of it what that line says.
    for system, rows, order, no, charges in (("market_eu", "eu_row", "Bestellnummer", "Position", ("Versand netto", "Versand USt", "Provision")),
                                             ("market_cn", "cn_row", "订单编号", "行号", ("运费", "平台佣金"))):
        for charge in charges:
            con.execute(f"""INSERT INTO repeated SELECT 'order_charge', l.system, l.order_id, coalesce(l.sold_on, l.created_on), l.status, l.channel_id,
                l.cancelled_on FROM {rows} r JOIN line l ON l.system = '{system}' AND l.order_id = r."{order}" AND l.line_no = r."{no}"::INT
                WHERE r."{charge}" IS NOT NULL""")


def records(path):
    """Records of a landing file, dirty ones too."""
    if path.suffix == ".parquet":
        return duckdb.connect().execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchone()[0]
    unpack = gzip.open if path.suffix == ".gz" else open
    with unpack(path, "rb") as f:
        return sum(1 for _ in f) - (".csv" in path.name)


class Quality:
    """A part of Golden: self.con and self.dirt."""

    def stopped(self):
        """(rule, source, table) of every record that did not land: listed as reject or quarantine; of a pair all but the first."""
        from sample_reports import refuser
        pairs = set()
        for row in self.dirt:
            if row["severity"] == "warn":
                continue
            if row["pair"] and row["pair"] not in pairs:
                pairs.add(row["pair"])
                continue
            yield (row["rule"], *refuser(row))

    @staticmethod
    def of_the_lake(of_day, of_table, one, read_then):
        """(aspect, rule) → checked and failed, of the rules that compare what landed with what else landed."""
        found = {}
        if of_table("inventory_snapshot"):
            found["completeness", "V16"] = one(f"""
                SELECT count(*), count(*) FILTER ((day, location_id) NOT IN (SELECT day, location_id FROM stock))
                FROM (SELECT unnest(generate_series(min(day), max(day), INTERVAL 1 DAY))::DATE AS day FROM stock), location
                WHERE coalesce(opened_on, day) <= day AND coalesce(closed_on, day + 1) > day AND {of_day('day')}""")
            found["consistency", "V15"] = one(f"""
                SELECT count(*), count(*) FILTER (s.on_hand <> o.on_hand + coalesce(
                    (SELECT sum(quantity) FROM movement m WHERE m.location_id = s.location_id AND m.product_id = s.product_id AND m.day > o.day AND m.day <= s.day), 0))
                FROM stock s JOIN stock o ON o.location_id = s.location_id AND o.product_id = s.product_id
                    AND o.day = (SELECT max(day) FROM stock b WHERE b.location_id = s.location_id AND b.product_id = s.product_id AND b.day < s.day)
                JOIN (SELECT location_id, min(day) AS since FROM movement GROUP BY 1) l ON l.location_id = s.location_id AND o.day >= since
                WHERE {of_day('s.day')}""")
        if of_table("order_header"):
            found["consistency", "V05"] = one(f"""
                SELECT count(*), count(*) FILTER (abs(amount - lines - charges) > 100 * n) FROM (
                    SELECT h.amount, sum(l.net + l.tax) AS lines, count(*) AS n, min(coalesce(l.sold_on, l.created_on)) AS day,
                        coalesce((SELECT sum(c.amount) FROM charge c WHERE c.system = h.system AND c.order_id = h.order_id
                                  AND c.charge_type NOT IN ('adjustment', 'platform_commission', 'payment_fee')), 0) AS charges
                    FROM desk_order h JOIN line l USING (system, order_id) WHERE NOT l.removed GROUP BY h.system, h.order_id, h.amount)
                WHERE {of_day('day')}""")
        if of_table("order_line_discount"):
            found["consistency", "V06"] = one(f"""
                SELECT count(*), count(*) FILTER (abs(gross - net - coalesce(said, 0)) > 100) FROM (
                    SELECT l.*, coalesce(l.sold_on, l.created_on) AS day, (SELECT sum(r.amount) FROM reduction r
                        WHERE r.system = l.system AND r.order_id = l.order_id AND r.line_no = l.line_no) AS said
                    FROM line l JOIN (SELECT system, min(day) AS since FROM reduction GROUP BY 1) s ON s.system = l.system
                    WHERE NOT l.removed AND coalesce(l.sold_on, l.created_on) >= since)
                WHERE (gross <> net OR said IS NOT NULL) AND {of_day('day')}""")
        costs = ["SELECT day, cost < 0 OR cost > 5 * price AS wrong FROM priced WHERE cost IS NOT NULL"] if of_table("order_line") else []
        costs += ["SELECT day, cost * quantity < 0 FROM movement WHERE cost IS NOT NULL"] if of_table("inventory_movement") else []
        if costs:
            found["consistency", "V13"] = one(f"SELECT count(*), count(*) FILTER (wrong) FROM ({' UNION ALL '.join(costs)}) WHERE {of_day('day')}")
        if of_table("order_line"):
            past = """SELECT d.product_id, d.currency, d.day, quantile_disc(p.each, 0.01) AS p01, quantile_disc(p.each, 0.99) AS p99
                FROM (SELECT DISTINCT product_id, currency, day FROM priced WHERE counts AND price > 0) d
                JOIN priced p ON p.product_id = d.product_id AND p.currency = d.currency AND p.day < d.day AND p.day >= d.day - 90
                WHERE p.counts AND p.price > 0 GROUP BY ALL"""
            found["consistency", "V14"] = one(f"""SELECT count(*), count(*) FILTER (5 * each < p01 OR each > 5 * p99) FROM priced
                JOIN ({past}) USING (product_id, currency, day) WHERE counts AND price > 0 AND {of_day('day')}""")
        sets = ["SELECT abs(2 * (sum(share) - 1000000)) > count(*) AS off FROM bundle_part GROUP BY bundle"] if of_table("product_bundle") else []
        sets += ["SELECT sum(share) <> 10 AS off FROM assignment GROUP BY kind, id, since"] if of_table("rep_assignment") else []
        if sets and read_then:
            found["consistency", "V17"] = one(f"SELECT count(*), count(*) FILTER (off) FROM ({' UNION ALL '.join(sets)})")
        tables = [t for t in ("order_line", "order_charge") if of_table(t)]
        if tables:
            found["consistency", "V21"] = one(f"""
                SELECT count(*), count(*) FILTER (r.status <> h.status OR r.channel_id <> h.channel OR r.cancelled_on IS DISTINCT FROM h.cancelled_on)
                FROM repeated r JOIN desk_order h USING (system, order_id)
                WHERE {of_day('r.day')} AND r.table_name IN ({', '.join(f"'{t}'" for t in tables)})""")
        return found

    def dq_freshness_lateness(self, request, spans):
        as_of, sla, rows = date.fromisoformat(request.get("as_of", str(TODAY))), int(request.get("sla_days", 2)), []
        for (start, end), days, partial in spans:
            sql = f"SELECT source_system, table_name, day, count(*) FROM landed WHERE day >= ? AND day < ? AND {where(request)} GROUP BY ALL"
            found = {}
            for system, table, day, n in self.con.execute(sql, list(days)).fetchall():
                found.setdefault((system, table), Counter())[day] += n
            for (system, table), of in found.items():
                late = Counter({(LANDED - day).days: n for day, n in of.items()})
                whole, so_far, at = sum(late.values()), 0, {}
                for n in sorted(late):
                    so_far += late[n]
                    for name, part in (("late_days_p50", Fraction(1, 2)), ("late_days_p95", Fraction(19, 20))):
                        if so_far >= part * whole:
                            at.setdefault(name, Fraction(n))
                beyond = sum(n for d, n in late.items() if d > sla)
                rows.append({"period_start": start, "period_end": end, "is_partial_period": partial, "source_system": system, "table_name": table,
                             "rows_landed": Fraction(whole), "newest_date": max(of), "days_behind": Fraction((as_of - max(of)).days - 1), **at,
                             "late_days_most": Fraction(max(late)), "beyond_sla": Fraction(beyond), "beyond_sla_share": ratio(Fraction(beyond), whole)})
        return rows

    def dq_duplicates(self, request):
        start, end = request.get("from"), request.get("to")
        day = lambda d: None if d is None else date.fromisoformat(d)
        if not (start or "") <= str(LANDED) < (end or "9"):
            return []
        counts = {(s, t): (n, k) for s, t, n, k in self.con.execute("SELECT source_system, table_name, count(*), count(DISTINCT key) FROM arrived GROUP BY ALL").fetchall()}
        lost = Counter((SOURCES[source][0], table) for rule, source, table in self.stopped() if rule == "V19")
        # No two systems have orders of one customer, channel, currency and amount: whenever they were made, there is no pair.
        alike = """SELECT count(*) FROM (SELECT system, order_id, customer_key, channel_id, currency, sum(net + tax) AS total FROM line
            WHERE NOT is_test AND NOT is_copy AND NOT removed AND order_type NOT IN ('draft', 'quote') AND customer_key IS NOT NULL GROUP BY ALL) a
            JOIN (SELECT system, order_id, customer_key, channel_id, currency, sum(net + tax) AS total FROM line
            WHERE NOT is_test AND NOT is_copy AND NOT removed AND order_type NOT IN ('draft', 'quote') AND customer_key IS NOT NULL GROUP BY ALL) b
            USING (customer_key, channel_id, currency, total) WHERE a.system < b.system"""
        assert self.con.execute(alike).fetchone()[0] == 0
        rows = []
        for (system, table), (arrived, keys) in counts.items():
            if request.get("table_name", table) != table:
                continue
            n, k, c = Fraction(arrived), Fraction(keys), Fraction(lost[system, table])
            rows.append({"period_start": day(start), "period_end": day(end), "is_partial_period": False, "source_system": system, "table_name": table, "rows_arrived": n,
                         "rows_new": k, "rows_surplus": n - k, "surplus_share": ratio(n - k, n), "conflicts": c, "open_conflicts": c, "alias_pairs": Fraction(0)})
        return rows

    def dq_scorecard(self, request):
        start, end, table = request.get("from"), request.get("to"), request.get("table_name")
        of_day = lambda column: f"{column} >= DATE '{start or '1900-01-01'}' AND {column} < DATE '{end or '2900-01-01'}'"
        of_table = lambda name: table in (None, name)
        one = lambda sql: [int(n or 0) for n in self.con.execute(sql).fetchone()]
        read_then = (start or "") <= str(LANDED) < (end or "9")
        asked = {s for s, (_, _, tables) in SOURCES.items() if table is None or table in tables}
        checked, failed = Counter(), Counter()
        read = sum(n for s, n in self.con.execute("SELECT source, sum(records) FROM read_file GROUP BY 1").fetchall() if s in asked and read_then)
        for rule in RULES["validity"]:
            checked["validity", rule] = int(read)
        for rule, source, broken in self.stopped():
            if read_then and rule == "V19" and of_table(broken):
                failed["uniqueness", "V19"] += 1
            elif read_then and rule != "V19" and source in asked:
                failed["validity", rule] += 1
        there = f"FROM landed WHERE {of_day('day')} AND {'true' if table is None else f'table_name = {chr(39)}{table}{chr(39)}'}"
        late = int(request.get("sla_days", 2))
        (checked["uniqueness", "V19"],) = one(f"SELECT count(*) {there}")
        checked["timeliness", "lateness"], failed["timeliness", "lateness"] = one(f"SELECT count(*), count(*) FILTER (DATE '{LANDED}' - day > {late}) {there}")
        if of_table("order_line"):
            ordered = f"FROM line WHERE {of_day('coalesce(sold_on, created_on)')}"
            (checked["uniqueness", "alias"],) = one(f"SELECT count(DISTINCT system || ':' || order_id) {ordered}")
            gap = f"SELECT day, no - lag(no) OVER (ORDER BY no) - 1 AS missing FROM number"
            checked["completeness", "sequence"], failed["completeness", "sequence"] = one(f"SELECT sum(1 + coalesce(missing, 0)), sum(missing) FROM ({gap}) WHERE {of_day('day')}")
            both = f"""FROM told t LEFT JOIN sent s ON s.source_system = t.source_system AND s.day = t.day AND s.channel_id = t.channel_id AND s.metric = t.metric
                AND s.location_id IS NOT DISTINCT FROM t.location_id AND s.currency IS NOT DISTINCT FROM t.currency WHERE {of_day('t.day')}"""
            checked["completeness", "control_missing"], failed["completeness", "control_missing"] = one(
                f"SELECT count(*), count(*) FILTER (s.value IS NULL AND t.value <> 0) {both}")
            checked["consistency", "control_differs"], failed["consistency", "control_differs"] = one(
                f"SELECT count(*) FILTER (s.value IS NOT NULL OR t.value = 0), count(*) FILTER (s.value <> t.value) {both}")
            keys = [("channel", "channel_id"), ("location", "location_id"), ("product", "product_id"), ("customer", "customer_key")]
            given = " + ".join(f"count({k})" for _, k in keys)
            unknown = " + ".join(f"count(*) FILTER ({k} IS NOT NULL AND {k} NOT IN (SELECT {k} FROM {d}))" for d, k in keys)
            checked["consistency", "V12"], failed["consistency", "V12"] = one(f"SELECT {given}, {unknown} {ordered}")
        if of_table("return_line"):
            both = f"""FROM ret r JOIN line l ON l.system = r.sale_system AND l.order_id = r.order_id AND l.line_no = r.order_line
                WHERE r.refunded"""
            by_then = f"AND r.refunded_on < DATE '{request['to']}'" if "to" in request else ""
            checked["consistency", "V07"], failed["consistency", "V07"] = one(
                f"SELECT count(*), count(*) FILTER (back > sold) FROM (SELECT sum(r.quantity) AS back, any_value(l.quantity) AS sold {both} {by_then} "
                f"GROUP BY l.system, l.order_id, l.line_no HAVING {of_day('max(r.refunded_on)')})")
            checked["consistency", "V08"], failed["consistency", "V08"] = one(
                f"SELECT count(*), count(*) FILTER (r.refunded_on < coalesce(l.sold_on, l.created_on)) {both} AND {of_day('r.refunded_on')}")
        for (aspect, rule), found in self.of_the_lake(of_day, of_table, one, read_then).items():
            checked[aspect, rule], failed[aspect, rule] = found
        rows = []
        for aspect, rules in RULES.items():
            # A record is read once, whatever rules look at it.
            whole = read if aspect == "validity" else sum(checked[aspect, r] for r in rules)
            parts = [(r, checked[aspect, r], failed[aspect, r]) for r in rules] if request.get("level") == "rule" else [
                (None, whole, sum(failed[aspect, r] for r in rules))]
            rows += [{"period_start": start, "period_end": end, "is_partial_period": False, "aspect": aspect, "rule": r, "checked": Fraction(int(n)),
                      "failed": Fraction(f), "score": ratio(Fraction(int(n) - f), int(n))} for r, n, f in parts]
        return rows
