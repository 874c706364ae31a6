"""Sample data, step 3 for the reports about what becomes of an order: how long its steps take, what is not sent, what arrives in time, why
it is cancelled, how it is paid, how much tax is due, and whether headers and lines agree. Written from what the reports promise and from
sample-data/README.md, with SQL of its own.
"""

from collections import defaultdict
from datetime import date
from fractions import Fraction

from sample_measures import MONEY, TODAY, UNITS, Ratio, facts, member, ratio, where

TIME = ["period_start", "period_end", "is_partial_period"]
_TAXED = ["net_sales", "tax", "charges", "charge_tax", "taxable_base", "tax_amount", "effective_rate", "returns", "refunded_tax", "tax_amount_all",
          "tax_share"]
_PAID = ["captures", "captured", "refunds", "refunded", "net_captured", "net_captured_all", "share", "attempts", "failed_attempts", "success_rate",
         "authorizations", "captured_authorizations", "capture_rate", "voids"]
_CHECKED = ["told_orders", "landed_orders", "matched_orders", "missing_orders", "extra_orders", "amount_differs", "status_differs", "copies",
            "open_pairs", "problems", "told_amount", "landed_amount", "amount_difference", "matched_difference"]
COLUMNS = {
    "order-cycle-time": TIME + ["channel_id", "channel_name", "step_no", "step", "step_orders", "orders_done", "orders_open", "orders_cancelled",
                                "orders_reversed", "hours_all", "mean_hours", "p50_hours", "p90_hours"],
    "cancelled-orders": TIME + ["group_id", "group_name", "cancelled_orders", "created_orders", "cancel_rate", "cancelled_orders_all",
                                "cancel_share", "cancelled_value"],
    "fulfilment-on-time": TIME + ["group_id", "group_name", "orders_due", "orders_shipped", "orders_otif", "otif_rate", "order_fill_rate",
                                  "lines_due", "lines_shipped", "lines_on_time", "line_fill_rate", "units_due", "units_shipped", "units_on_time",
                                  "unit_fill_rate"],
    "order-backlog": TIME + ["group_id", "group_name", "open_orders", "open_lines", "open_units", "open_value", "overdue_orders", "overdue_units",
                             "overdue_value", "overdue_share", "oldest_promise", "days_overdue", "fillable_units", "fillable_share"],
    "payment-mix": TIME + ["group_id", "group_name", *_PAID],
    "tax-summary": TIME + ["jurisdiction_id", "jurisdiction_name", "tax_code", "rate", *_TAXED],
    "channel-order-reconciliation": TIME + ["source_system", "channel_id", "channel_name", "source_currency", *_CHECKED],
}
KEYS = {
    "order-cycle-time": ["period_start", "channel_id", "step_no"], "cancelled-orders": ["period_start", "group_id"],
    "fulfilment-on-time": ["period_start", "group_id"], "order-backlog": ["group_id"], "payment-mix": ["period_start", "group_id"],
    "tax-summary": ["period_start", "jurisdiction_id", "tax_code", "rate"],
    "channel-order-reconciliation": ["period_start", "source_system", "channel_id", "source_currency"],
}
COMPARED = {
    "cancelled-orders": ["cancelled_orders", "created_orders", "cancelled_value"],
    "fulfilment-on-time": ["orders_due", "orders_otif", "otif_rate"],
    "payment-mix": ["captured", "refunded", "net_captured", "attempts"], "tax-summary": ["taxable_base", "tax_amount"],
}
STEPS = [(1, "created → paid", "created", "paid"), (2, "paid → fulfilled", "paid", "fulfilled"),
         (3, "fulfilled → completed", "fulfilled", "completed"), (4, "created → completed", "created", "completed")]


def stage_orders(con, text):
    """The tables desk_order, desk_step, parcel and payment: of each record the newest version."""
    newest = lambda keys: f"QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY rev::INT DESC) = 1"
    con.execute(f"""
CREATE TABLE desk_order AS
SELECT *, units(total, 4) AS amount, local_day(coalesce(confirmed, placed), zone) AS day, local_day(cancelled, zone) AS cancelled_on,
    local_day(deliver_by, zone) AS promised_on
FROM {text('orders/orders_*.csv', ',')} {newest('system, order_id')};
CREATE TABLE desk_step AS SELECT *, epoch("at"::TIMESTAMPTZ)::BIGINT AS second FROM {text('orders/steps_*.csv', ',')} {newest('system, order_id, seq')};
CREATE TABLE parcel AS
SELECT *, units(qty, 3) AS quantity, local_day(promised, zone) AS promised_on, local_day(shipped, zone) AS shipped_on,
    local_day(delivered, zone) AS delivered_on
FROM {text('orders/parcels_*.csv', ',')} {newest('system, parcel, line')};
CREATE TABLE payment AS
SELECT *, (timezone(zone, "at"::TIMESTAMPTZ) - (split_part(day_close, ':', 1) || ' hours')::INTERVAL)::DATE AS day, units(amount, 4) AS money
FROM {text('payments/*.csv', ',')} {newest('system, payment_id')};
-- When all of a line, or any of an order, has been handed over; parts that were cancelled are not waited for.
CREATE TABLE handed AS
SELECT system, order_id, order_line::INT AS line_no, sum(quantity) AS quantity,
    CASE WHEN bool_and(status = 'cancelled' OR shipped_on IS NOT NULL) THEN max(shipped_on) END AS shipped_on,
    CASE WHEN bool_and(status = 'cancelled' OR delivered_on IS NOT NULL) THEN max(delivered_on) END AS delivered_on
FROM parcel GROUP BY 1, 2, 3;
CREATE TABLE begun AS SELECT system, order_id, min(shipped_on) AS shipped_on, min(delivered_on) AS delivered_on FROM parcel GROUP BY 1, 2;
""")


def nearest(values, share):
    """The value at place ⌈share × n⌉ of n in order."""
    n = len(values)
    return sorted(values)[-int(-share * n // 1) - 1] if n else None


def hours(seconds):
    return None if seconds is None else Ratio(Fraction(seconds, 3600))


class Orders:
    """A part of Golden: self.con, self.names, self.source and what else is common to all reports."""

    def rows_of(self, sql):
        cursor = self.con.execute(sql)
        names = [c[0] for c in cursor.description]
        return [dict(zip(names, row)) for row in cursor.fetchall()]

    @staticmethod
    def region_of(request, alias="x"):
        basis = request.get("region_basis", "sold")
        if basis != "sold":
            return f"{alias}.{basis}_region_id"
        of_place = f"(SELECT region_id FROM location l WHERE l.location_id = {alias}.location_id)"
        return f"CASE WHEN {alias}.location_id IS NULL THEN {alias}.ship_region_id ELSE coalesce({of_place}, 'UNK') END"

    def shown(self, key, dimension):
        return "N/A" if key is None else key if key in self.names[dimension] else "UNK"

    def name_of(self, key, dimension):
        return self.names[dimension].get(key, key)

    @staticmethod
    def bucket_of(day, spans):
        return next((span for span in spans if span[1][0] <= day < span[1][1]), None)

    def rows_by(self, rows, spans, key):
        """Rows by bucket and by what `key` says of them: {(bucket, is_partial, *key): rows}."""
        found = defaultdict(list)
        for row in rows:
            span = self.bucket_of(row["day"], spans)
            if span:
                found[(span[0], span[2], *key(row))].append(row)
        return found

    def placed(self, request):
        """One row per order that counts, with its keys; slicers applied."""
        return self.rows_of(f"""
            SELECT * FROM (
                SELECT x.*, {self.region_of(request)} AS region_id FROM (
                    SELECT system, order_id, min(day) AS day, bool_and(cancelled) AS cancelled, sum(net) AS value, any_value(channel_id) AS channel_id,
                        any_value(location_id) AS location_id, any_value(ship_region_id) AS ship_region_id, any_value(bill_region_id) AS bill_region_id,
                        any_value(customer_key) AS customer_key, any_value(sales_rep_id) AS sales_rep_id, bool_or(is_staff) AS is_staff,
                        any_value(paid_on) AS paid_on, any_value(sold_on) AS sold_on
                    FROM ordered GROUP BY ALL) x)
            WHERE {where(request)}""")

    # ------------------------------------------------------------ how long steps take

    def order_cycle_time(self, request, spans):
        steps = lambda of: self.steps_taken(request, of)
        return self.ever_filled(request, steps(spans), spans, ["channel_id", "step_no"], steps)

    def steps_taken(self, request, spans):
        reached = defaultdict(dict)
        for system, order, status, second in self.con.execute('SELECT system, order_id, "to", min(second) FROM desk_step GROUP BY ALL').fetchall():
            reached[system, order][status] = second
        by_channel = request.get("level") == "channel"
        orders = [o | {"reached": reached[o["system"], o["order_id"]]} for o in self.placed(request) if (o["system"], o["order_id"]) in reached]
        rows = []
        for (bucket, partial, channel), some in self.rows_by(orders, spans, lambda o: (self.shown(o["channel_id"], "channel") if by_channel else None,)).items():
            for no, step, first, last in STEPS:
                begun = [o for o in some if first in o["reached"]]
                ended = [o["reached"][last] - o["reached"][first] for o in begun if last in o["reached"]]
                done = [s for s in ended if s >= 0]
                waiting = [o for o in begun if last not in o["reached"]]
                if not begun:
                    continue
                rows.append({
                    "period_start": bucket[0], "period_end": bucket[1], "is_partial_period": partial, "channel_id": channel,
                    "channel_name": self.name_of(channel, "channel"), "step_no": Fraction(no), "step": step, "step_orders": Fraction(len(begun)),
                    "orders_done": Fraction(len(done)), "orders_open": Fraction(sum(not o["cancelled"] for o in waiting)),
                    "orders_cancelled": Fraction(sum(o["cancelled"] for o in waiting)), "orders_reversed": Fraction(len(ended) - len(done)),
                    "hours_all": hours(sum(done)) if done else None, "mean_hours": ratio(Fraction(sum(done), 3600), Fraction(len(done))),
                    "p50_hours": hours(nearest(done, Fraction(1, 2))), "p90_hours": hours(nearest(done, Fraction(9, 10)))})
        return rows

    # ------------------------------------------------------------ cancellations

    def cancelled_orders(self, request, spans):
        cancelled = lambda of: self.cancelled_by(request, of)
        rows = self.ever_filled(request, cancelled(spans), spans, ["group_id"], cancelled)
        made, gone = defaultdict(int), defaultdict(int)
        for (bucket, _), orders in self.rows_by(self.placed(request), spans, lambda o: ()).items():
            made[bucket[0]], gone[bucket[0]] = len(orders), sum(o["cancelled"] for o in orders)
        for row in rows:
            if request.get("level") != "channel":
                row["created_orders"] = Fraction(made[row["period_start"]])
            row["cancelled_orders_all"] = Fraction(gone[row["period_start"]])
            row["cancel_rate"] = ratio(row["cancelled_orders"], row["created_orders"])
            row["cancel_share"] = ratio(row["cancelled_orders"], row["cancelled_orders_all"])
        return rows

    def cancelled_by(self, request, spans):
        level = request.get("level", "reason")
        reasons = {(s, o): r for s, o, r in self.con.execute("SELECT system, order_id, reason FROM desk_order WHERE status = 'cancelled'").fetchall()}
        before = {(s, o): b for s, o, b in self.con.execute("""SELECT system, order_id, "from" FROM desk_step WHERE "to" = 'cancelled'""").fetchall()}

        def group(o):
            key = o["system"], o["order_id"]
            if level == "channel":
                return (self.shown(o["channel_id"], "channel"),)
            if not o["cancelled"]:
                return (None,)
            if level == "reason":
                return (reasons.get(key) or "N/A",)
            return (before.get(key) or ("paid" if o["paid_on"] else "confirmed" if o["sold_on"] else "created"),)

        rows = []
        for (bucket, partial, of), some in self.rows_by(self.placed(request), spans, group).items():
            if of is None:
                continue
            gone = [o for o in some if o["cancelled"]]
            rows.append({
                "period_start": bucket[0], "period_end": bucket[1], "is_partial_period": partial, "group_id": of,
                "group_name": self.name_of(of, "channel") if level == "channel" else of, "cancelled_orders": Fraction(len(gone)),
                "created_orders": Fraction(len(some)), "cancelled_value": Fraction(int(sum(o["value"] for o in gone)), MONEY)})
        return rows

    # ------------------------------------------------------------ parts of lines

    def parts(self, request):
        """What of each line is sent in one go, and what of lines under way no parcel holds."""
        value = "half_up(l.net * {0}, l.quantity)"
        common = "l.system, l.order_id, l.line_no, l.status, l.cancelled, l.cancelled_on, l.day, l.channel_id, l.location_id, l.ship_region_id, " \
                 "l.bill_region_id, l.product_id, l.customer_key, l.is_staff"
        return self.rows_of(f"""
            WITH goods AS (FROM ordered WHERE line_type IN ('product', 'bundle_component') AND sold_on IS NOT NULL),
            part AS (
                SELECT {common}, p.quantity, {value.format('p.quantity')} AS value, p.place, p.carrier, p.method, p.status AS part_status, p.promised_on,
                    p.shipped_on, p.delivered_on
                FROM goods l JOIN parcel p ON p.system = l.system AND p.order_id = l.order_id AND p.order_line::INT = l.line_no
                UNION ALL
                SELECT {common}, l.quantity - coalesce(h.quantity, 0) AS rest, {value.format('(l.quantity - coalesce(h.quantity, 0))')}, NULL, NULL, NULL,
                    'unplanned', d.promised_on, NULL, NULL
                FROM goods l JOIN desk_order d ON d.system = l.system AND d.order_id = l.order_id
                LEFT JOIN handed h ON h.system = l.system AND h.order_id = l.order_id AND h.line_no = l.line_no
                WHERE l.status IN ('confirmed', 'paid', 'partially_fulfilled') AND l.quantity > coalesce(h.quantity, 0))
            SELECT * FROM (SELECT x.*, {self.region_of(request)} AS region_id FROM part x) WHERE {where(request)}""")

    def fulfilment_on_time(self, request, spans):
        sent = lambda of: self.sent_in_time(request, of)
        return self.ever_filled(request, sent(spans), spans, ["group_id"], sent)

    def sent_in_time(self, request, spans):
        as_of = date.fromisoformat(request["as_of"]) if "as_of" in request else TODAY
        level = request.get("level", "location")
        group = {"location": lambda p: self.shown(p["place"], "location"), "channel": lambda p: self.shown(p["channel_id"], "channel"),
                 "carrier": lambda p: p["carrier"] or "N/A", "method": lambda p: p["method"] or "N/A"}[level]
        due = [p | {"day": p["promised_on"]} for p in self.parts(request) if p["promised_on"] and p["promised_on"] < as_of and not p["cancelled"]]
        in_time = lambda p: p["delivered_on"] is not None and p["delivered_on"] <= p["promised_on"]
        sent = lambda p: p["shipped_on"] is not None
        rows = []
        for (bucket, partial, of), some in self.rows_by(due, spans, lambda p: (group(p),)).items():
            orders, lines = defaultdict(list), defaultdict(list)
            for p in some:
                orders[p["system"], p["order_id"]].append(p)
                lines[p["system"], p["order_id"], p["line_no"]].append(p)
            count = lambda groups, test: Fraction(sum(all(map(test, g)) for g in groups.values()))
            units = lambda test: Fraction(int(sum(p["quantity"] for p in some if test(p))), UNITS)
            row = {"period_start": bucket[0], "period_end": bucket[1], "is_partial_period": partial, "group_id": of,
                   "group_name": self.name_of(of, level) if level in self.names else of,
                   "orders_due": Fraction(len(orders)), "orders_shipped": count(orders, sent), "orders_otif": count(orders, in_time),
                   "lines_due": Fraction(len(lines)), "lines_shipped": count(lines, sent), "lines_on_time": count(lines, in_time),
                   "units_due": units(lambda p: True), "units_shipped": units(sent), "units_on_time": units(in_time)}
            row |= {"otif_rate": ratio(row["orders_otif"], row["orders_due"]), "order_fill_rate": ratio(row["orders_shipped"], row["orders_due"]),
                    "line_fill_rate": ratio(row["lines_shipped"], row["lines_due"]), "unit_fill_rate": ratio(row["units_shipped"], row["units_due"])}
            rows.append(row)
        return rows

    def order_backlog(self, request):
        as_of, level = date.fromisoformat(request.get("as_of", str(TODAY))), request.get("level", "channel")

        def is_open(p):
            if p["day"] >= as_of or p["shipped_on"] is not None and p["shipped_on"] < as_of:
                return False
            if p["cancelled"]:
                return p["cancelled_on"] is not None and p["cancelled_on"] >= as_of
            return p["shipped_on"] is not None or p["part_status"] not in ("cancelled", "lost") and p["status"] not in ("completed", "closed")

        free = {(place, product): int(units) for place, product, units in self.con.execute(f"""
            WITH known AS (FROM stock WHERE day < DATE '{as_of}'), whole AS (SELECT location_id, max(day) AS counted FROM known GROUP BY 1)
            SELECT location_id, product_id, greatest(available, 0) FROM known JOIN whole USING (location_id) WHERE day = counted""").fetchall()}
        opens, items = [p for p in self.parts(request) if is_open(p)], defaultdict(int)
        for p in opens:
            items[p["place"], p["product_id"]] += int(p["quantity"])
        dimension = {"channel": "channel", "location": "location", "product": "product"}[level]
        key = {"channel": lambda p: p["channel_id"], "location": lambda p: p["place"], "product": lambda p: p["product_id"]}[level]
        groups = defaultdict(list)
        for p in opens:
            groups["row", self.shown(key(p), dimension)].append(p)
        if request.get("totals") == "true":
            groups["total", None] = opens
        rows = []
        for (kind, of), some in groups.items():
            late = [p for p in some if p["promised_on"] is not None and p["promised_on"] < as_of]
            orders = lambda parts: Fraction(len({(p["system"], p["order_id"]) for p in parts}))
            units = lambda parts: Fraction(int(sum(p["quantity"] for p in parts)), UNITS)
            value = lambda parts: Fraction(int(sum(p["value"] for p in parts)), MONEY)
            promises = [p["promised_on"] for p in some if p["promised_on"]]
            oldest = min(promises) if promises else None
            filled = sum(min(items[item], free.get(item, 0)) for item in {(p["place"], p["product_id"]) for p in some})
            row = {"period_start": min((p["day"] for p in some), default=None), "period_end": as_of, "is_partial_period": False, "group_id": of,
                   "group_name": self.name_of(of, dimension), "row_kind": kind, "open_orders": orders(some),
                   "open_lines": Fraction(len({(p["system"], p["order_id"], p["line_no"]) for p in some})), "open_units": units(some),
                   "open_value": value(some), "overdue_orders": orders(late), "overdue_units": units(late), "overdue_value": value(late),
                   "oldest_promise": oldest, "days_overdue": Fraction((as_of - oldest).days) if oldest and oldest < as_of else None,
                   "fillable_units": None if level == "channel" else Fraction(filled, UNITS)}
            row |= {"overdue_share": ratio(row["overdue_units"], row["open_units"]), "fillable_share": ratio(row["fillable_units"], row["open_units"])}
            rows.append(row)
        return rows

    # ------------------------------------------------------------ money

    def paid(self, request):
        region = self.region_of({}, "x")
        return self.rows_of(f"""
            SELECT * FROM (
                SELECT x.*, {region} AS region_id FROM (
                    SELECT p.system, p.kind, p.tender, p.status, nullif(p.gateway, '') AS gateway, p.day, p.channel AS channel_id,
                        nullif(p.place, '') AS location_id, nullif(p.region, '') AS ship_region_id, nullif(p.customer, '') AS customer_key,
                        p.staff = 'Y' AS is_staff, half_up(p.money * CASE p.currency WHEN 'EUR' THEN r.eur ELSE 1000000 END, 1000000) AS money,
                        EXISTS (FROM payment c WHERE c.system = p.system AND c."authorization" = p.payment_id AND c.kind = 'capture'
                                AND c.status = 'success') AS captured
                    FROM payment p JOIN rate r ON r.day = p.day WHERE p.test = 'N') x)
            WHERE {where(request)}""")

    def payments(self, request, spans, key):
        paid = lambda of: self.payments_by(request, of, key)
        rows, net = self.ever_filled(request, paid(spans), spans, ["group_id"], paid), defaultdict(Fraction)
        for row in rows:
            net[row["period_start"]] += row["net_captured"]
        for row in rows:
            row["net_captured_all"] = net[row["period_start"]]
            row |= {"share": ratio(row["net_captured"], row["net_captured_all"]), "success_rate": ratio(row["attempts"] - row["failed_attempts"], row["attempts"]),
                    "capture_rate": ratio(row["captured_authorizations"], row["authorizations"])}
        return rows

    def payments_by(self, request, spans, key):
        rows = []
        for (bucket, partial, of), some in self.rows_by(self.paid(request), spans, key).items():
            good = lambda *kinds: [p for p in some if p["status"] == "success" and p["kind"] in kinds]
            money = lambda payments: Fraction(int(sum(p["money"] for p in payments)), MONEY)
            count = lambda payments: Fraction(len(payments))
            tried = [p for p in some if p["status"] in ("success", "failed") and p["kind"] in ("authorization", "sale")]
            row = {"period_start": bucket[0], "period_end": bucket[1], "is_partial_period": partial, "group_id": of,
                   "captures": count(good("capture", "sale")), "captured": money(good("capture", "sale")), "refunds": count(good("refund")),
                   "refunded": money(good("refund")), "attempts": count(tried), "failed_attempts": count([p for p in tried if p["status"] == "failed"]),
                   "authorizations": count(good("authorization")), "captured_authorizations": count([p for p in good("authorization") if p["captured"]]),
                   "voids": count(good("void"))}
            row["net_captured"] = row["captured"] - row["refunded"]
            rows.append(row)
        return rows

    def payment_mix(self, request, spans):
        level = request.get("level", "tender")
        key = {"tender": lambda p: p["tender"], "gateway": lambda p: p["gateway"] or "N/A", "channel": lambda p: self.shown(p["channel_id"], "channel")}[level]
        rows = self.payments(request, spans, lambda p: (key(p),))
        for row in rows:
            row["group_name"] = self.name_of(row["group_id"], "channel") if level == "channel" else row["group_id"]
        return rows

    def payment_mix_total(self, request, spans):
        window = [((spans[0][0][0], spans[-1][0][1]), (spans[0][1][0], spans[-1][1][1]), False)]
        return self.payments(request, window, lambda p: (None,))[0]

    # ------------------------------------------------------------ tax

    def taxes(self, request, spans, level):
        taxed = lambda of: self.taxes_by(request, of, level)
        keys = ["jurisdiction_id", "jurisdiction_name", "tax_code", "rate"]
        rows, whole = self.ever_filled(request, taxed(spans), spans, keys, taxed), defaultdict(Fraction)
        for row in rows:
            whole[row["period_start"]] += row["tax_amount"]
        for row in rows:
            row["tax_amount_all"] = whole[row["period_start"]]
            row |= {"effective_rate": ratio(row["tax_amount"], row["taxable_base"]), "tax_share": ratio(row["tax_amount"], row["tax_amount_all"])}
        return rows

    def taxes_by(self, request, spans, level):
        region = "(SELECT {0} FROM region r WHERE r.region_id = f.region_id)"
        shown = lambda column: f"CASE WHEN f.region_id IS NULL THEN 'N/A' ELSE coalesce({region.format(column)}, 'UNK') END"
        code = "CASE WHEN f.product_id IS NULL THEN 'N/A' ELSE coalesce((SELECT tax_class FROM product p WHERE p.product_id = f.product_id), 'UNK') END"
        keys = {"jurisdiction_id": shown("country_id"), "jurisdiction_name": shown("country_name"),
                "tax_code": code if level in ("code", "rate") else "NULL", "rate": "f.rate" if level == "rate" else "NULL"}
        if level is None:
            keys = dict.fromkeys(keys, "NULL")
        named = ", ".join(f"{sql} AS {name}" for name, sql in keys.items())
        found = self.rows_of(f"""SELECT day, {named}, sum(net) AS net, sum(tax) AS tax, sum(charge) AS charge, sum(charge_tax) AS charge_tax,
                sum(returned) AS returned, sum(greatest(-tax, 0)) AS refunded_tax
            FROM ({self.source(request, 'all')}) f GROUP BY ALL""")
        rows = []
        for (bucket, partial, *of), some in self.rows_by(found, spans, lambda r: tuple(r[k] for k in keys)).items():
            money = lambda name: Fraction(int(sum(r[name] for r in some)), MONEY)
            row = dict(zip(keys, of)) | {
                "period_start": bucket[0], "period_end": bucket[1], "is_partial_period": partial, "net_sales": money("net"), "tax": money("tax"),
                "charges": money("charge"), "charge_tax": money("charge_tax"), "returns": money("returned"), "refunded_tax": money("refunded_tax")}
            row["rate"] = None if row["rate"] is None else Fraction(int(row["rate"]), 10_000)
            row["taxable_base"] = row["net_sales"] + row["charges"] - row["charge_tax"]
            row["tax_amount"] = row["tax"] + row["charge_tax"]
            rows.append(row)
        return rows

    def tax_summary(self, request, spans):
        return self.taxes(request, spans, request.get("level", "rate"))

    def tax_summary_total(self, request, spans):
        window = [((spans[0][0][0], spans[-1][0][1]), (spans[0][1][0], spans[-1][1][1]), False)]
        return self.taxes(request, window, None)[0]

    # ------------------------------------------------------------ headers and lines

    def channel_order_reconciliation(self, request, spans):
        tolerance = Fraction(request.get("tolerance", "0.01")) * MONEY
        found = self.rows_of(f"""
            WITH since AS (SELECT system, min(day) AS first_day FROM desk_order GROUP BY 1),
            landed AS (
                SELECT l.system, l.order_id, any_value(currency) AS currency, sum(net + tax) AS amount, count(*) AS lines, any_value(status) AS status,
                    any_value(cancelled_on) AS cancelled_on, bool_or(is_copy) AS is_copy, any_value(coalesce(sold_on, created_on)) AS day,
                    any_value(channel_id) AS channel_id, any_value(location_id) AS location_id, any_value(customer_key) AS customer_key,
                    bool_or(is_staff) AS is_staff
                FROM line l JOIN since s ON s.system = l.system AND coalesce(l.sold_on, l.created_on) >= s.first_day
                WHERE NOT removed GROUP BY 1, 2),
            extra AS (SELECT system, order_id, sum(amount) AS amount FROM charge
                      WHERE charge_type IN ('shipping', 'shipping_discount', 'tax', 'duty', 'fee') GROUP BY 1, 2),
            -- Orders of two systems with one buyer, channel, currency and amount, five minutes apart at most, neither of them a copy.
            made AS (SELECT l.system, l.order_id, l.channel_id, l.customer_key, l.currency, l.amount,
                        (SELECT epoch(placed::TIMESTAMPTZ) FROM desk_order d WHERE d.system = l.system AND d.order_id = l.order_id) AS at
                     FROM landed l WHERE NOT is_copy AND customer_key IS NOT NULL),
            asked AS (SELECT a.system, a.order_id FROM made a JOIN made b USING (channel_id, customer_key, currency, amount)
                      WHERE a.system <> b.system AND abs(a.at - b.at) <= 300 GROUP BY ALL)
            SELECT * FROM (
                SELECT coalesce(d.system, l.system) AS system, d.order_id IS NOT NULL AS told, l.order_id IS NOT NULL AS landed,
                    coalesce(d.currency, l.currency) AS currency, coalesce(d.amount, 0) AS told_amount,
                    coalesce(l.amount, 0) + coalesce(e.amount, 0) AS landed_amount, coalesce(l.lines, 0) AS lines,
                    d.order_id IS NULL OR l.order_id IS NULL OR (d.status = l.status AND d.channel = l.channel_id AND d.currency = l.currency
                        AND d.cancelled_on IS NOT DISTINCT FROM l.cancelled_on) AS same,
                    coalesce(l.is_copy, d.system = 'erp' AND coalesce(d.external_no, '') <> '') AS is_copy, a.order_id IS NOT NULL AS asked,
                    coalesce(l.day, d.day) AS day, coalesce(l.channel_id, d.channel) AS channel_id, l.location_id,
                    coalesce(l.customer_key, nullif(d.customer, '')) AS customer_key, coalesce(l.is_staff, d.staff = 'Y') AS is_staff
                FROM desk_order d FULL JOIN landed l ON l.system = d.system AND l.order_id = d.order_id
                LEFT JOIN extra e ON e.system = coalesce(d.system, l.system) AND e.order_id = coalesce(d.order_id, l.order_id)
                LEFT JOIN asked a ON a.system = coalesce(d.system, l.system) AND a.order_id = coalesce(d.order_id, l.order_id))
            WHERE {where(request)}""")
        named = lambda system: "shop_web" if system == "web" else system
        if "source_system" in request:
            found = [o for o in found if named(o["system"]) == request["source_system"]]
        rows = []
        key = lambda o: (named(o["system"]), self.shown(o["channel_id"], "channel"), o["currency"])
        for (bucket, partial, system, channel, currency), some in self.rows_by(found, spans, key).items():
            count = lambda test: Fraction(sum(1 for o in some if test(o)))
            money = lambda of: Fraction(int(sum(of(o) for o in some)), MONEY)
            both = lambda o: o["told"] and o["landed"]
            far = lambda o: abs(o["landed_amount"] - o["told_amount"])
            row = {"period_start": bucket[0], "period_end": bucket[1], "is_partial_period": partial, "source_system": system, "channel_id": channel,
                   "channel_name": self.name_of(channel, "channel"), "source_currency": currency, "told_orders": count(lambda o: o["told"]),
                   "landed_orders": count(lambda o: o["landed"]), "matched_orders": count(both),
                   "missing_orders": count(lambda o: o["told"] and not o["landed"]), "extra_orders": count(lambda o: o["landed"] and not o["told"]),
                   "amount_differs": count(lambda o: both(o) and far(o) > tolerance * o["lines"]), "status_differs": count(lambda o: not o["same"]),
                   "copies": count(lambda o: o["is_copy"]), "open_pairs": count(lambda o: o["asked"]), "told_amount": money(lambda o: o["told_amount"]),
                   "landed_amount": money(lambda o: o["landed_amount"]), "matched_difference": money(lambda o: far(o) if both(o) else 0)}
            row["problems"] = row["missing_orders"] + row["extra_orders"] + row["amount_differs"] + row["status_differs"] + row["open_pairs"]
            row["amount_difference"] = row["landed_amount"] - row["told_amount"]
            if row["problems"] or request.get("show") != "problems":
                rows.append(row)
        return rows
