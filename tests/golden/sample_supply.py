"""Sample data, step 3 for the reports of stock over days, and of what to order. Written from what the reports promise, with SQL of its own."""

import math
from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction
from statistics import NormalDist

from sample_measures import DAY, MONEY, TODAY, UNITS, Ratio, facts, ratio, where

TIME = ["period_start", "period_end", "is_partial_period"]
_ITEM = ["location_id", "location_name", "product_id", "product_name"]
_LEVELS = ["location_id", "location_name", "category_id", "category_name", "product_id", "product_name"]
COLUMNS = {
    "low-stock-alert": TIME + _ITEM + ["supplier_id", "stock_day", "on_hand", "available", "in_stock_days", "net_units", "daily_units", "cover_days",
                                       "lead_time_days", "review_period_days", "horizon_days", "projected_out_date", "on_order", "next_expected_date"],
    "stock-cover": TIME + _LEVELS + ["stock_day", "oldest_stock_day", "items", "available", "net_units", "daily_units", "cover_days", "weeks_of_supply"],
    "inventory-turnover": TIME + _LEVELS[:4] + ["days", "cogs", "stock_days", "inventory_cost_days", "average_inventory_cost", "turnover", "days_inventory"],
    "gmroi": TIME + _LEVELS[:4] + ["brand", "product_id", "product_name", "days", "net_sales_with_cost", "cogs", "gross_profit", "gross_margin_pct",
                                   "stock_days", "inventory_cost_days", "average_inventory_cost", "sales_to_stock", "turnover", "gmroi"],
    "sell-through": TIME + _LEVELS + ["opening_units", "received_units", "units_sold", "units_returned", "net_units", "ending_units", "sell_through"],
    "stock-out-rate": TIME + _LEVELS + ["listed", "out_of_stock", "stock_out_rate", "carried"],
    "lost-sales-estimate": TIME + _LEVELS + ["items", "items_without_estimate", "in_stock_days", "out_days", "net_units", "net_sales", "lost_units",
                                             "lost_sales"],
    "overstock-excess": TIME + _LEVELS + ["stock_day", "oldest_stock_day", "items", "items_in_excess", "available", "daily_units", "safety_stock",
                                          "excess_units", "excess_cost"],
    "inventory-movement": TIME + _LEVELS + ["step_no", "step", "quantity", "cost", "movements"],
    "reorder-proposal": TIME + ["layout", "location_id", "supplier_id", "product_id", "order_quantity", "unit_cost", "order_value", "expected_date", "reason",
                                "location_name", "product_name", "stock_day", "available", "on_order", "inventory_position", "in_stock_days", "net_units",
                                "daily_units", "daily_deviation", "lead_time_days", "lead_time_sd", "review_period_days", "service_level", "safety_stock",
                                "reorder_point", "order_up_to", "min_order_qty", "pack_size", "max_stock", "value_until"],
}
_BY_LEVEL = ["location_id", "category_id", "product_id"]
KEYS = {"low-stock-alert": ["location_id", "product_id"], "stock-cover": _BY_LEVEL,
        "inventory-turnover": ["period_start", "location_id", "category_id"], "gmroi": ["period_start", "location_id", "category_id", "brand", "product_id"],
        "sell-through": ["period_start", *_BY_LEVEL], "stock-out-rate": ["period_start", *_BY_LEVEL], "lost-sales-estimate": _BY_LEVEL,
        "overstock-excess": _BY_LEVEL, "inventory-movement": [*_BY_LEVEL, "step_no"], "reorder-proposal": ["location_id", "product_id"]}
COMPARED = {}

POLICIES = ("return_basis", "cancel_policy", "region_basis", "recognition_basis")
# Every article on every day on which its place's stock is known: of the place's last count, at most seven days before; 0 where that count lacks it.
HOLDING = """
CREATE TABLE IF NOT EXISTS known AS
SELECT c.location_id, d::DATE AS day, max(c.day) AS counted
FROM range(DATE '2024-07-01', DATE '2026-07-01', INTERVAL 1 DAY) t(d) JOIN (SELECT DISTINCT location_id, day FROM stock) c ON d::DATE BETWEEN c.day AND c.day + 7
GROUP BY ALL;
CREATE TABLE IF NOT EXISTS holding AS
SELECT k.day, k.counted, k.location_id, f.product_id, coalesce(l.region_id, 'UNK') AS region_id, coalesce(s.on_hand, 0) AS on_hand,
    coalesce(s.available, 0) AS available, coalesce(s.cost, 0) AS cost
FROM known k
JOIN (SELECT location_id, product_id, min(day) AS since FROM stock GROUP BY ALL) f ON f.location_id = k.location_id AND f.since <= k.counted
LEFT JOIN stock s ON s.location_id = k.location_id AND s.product_id = f.product_id AND s.day = k.counted
LEFT JOIN location l ON l.location_id = k.location_id;
"""


def number(value):
    """A computed number, written with six decimals."""
    return None if value is None else Ratio(Fraction(value))


class Supply:
    """A part of Golden: self.con, self.names and what else is common to all reports."""

    def dicts(self, sql):
        cursor = self.con.execute(sql)
        names = [c[0] for c in cursor.description]
        return [dict(zip(names, r)) for r in cursor.fetchall()]

    def sales(self, request):
        """Everything sold, whatever the slicers: what a place sells of an article belongs to the stock beside which it stands."""
        return f"SELECT * FROM ({facts({k: v for k, v in request.items() if k in POLICIES})}) WHERE kind <> 'charge' AND day IS NOT NULL"

    def stocked(self, request, start, end):
        """Articles in places, day by day from start up to end, with what the place sold of them: sliced by the place and the article."""
        self.con.execute(HOLDING)
        sliced = {k: v for k, v in request.items() if k.startswith("where.")}
        return f"""
            SELECT h.*, coalesce(s.units, 0) AS units, coalesce(s.net, 0) AS net FROM (SELECT * FROM holding WHERE {where(sliced)}) h
            LEFT JOIN (SELECT day, location_id, product_id, sum(sold - back) AS units, sum(net) AS net FROM ({self.sales(request)})
                       WHERE location_id IS NOT NULL AND product_id IS NOT NULL GROUP BY ALL) s
            ON s.day = h.day AND s.location_id = h.location_id AND s.product_id = h.product_id
            WHERE h.day >= DATE '{start}' AND h.day < DATE '{end}'"""

    def articles(self, request, as_of, window):
        """Articles as their places have them on the last known day before as_of, with the days on which they could sell and what then sold."""
        return [a for a in self.articles_in_window(request, as_of, window) if a["on_hand"] is not None]

    def articles_in_window(self, request, as_of, window):
        """The same, with those that the last known day does not have."""
        since = as_of - window * DAY
        self.con.execute(HOLDING)
        return self.dicts(f"""
            WITH last AS (SELECT location_id, max(day) AS day FROM known WHERE day < DATE '{as_of}' GROUP BY ALL),
            day_by_day AS (SELECT x.* FROM ({self.stocked(request, "2000-01-01", as_of)}) x JOIN last USING (location_id)
                           WHERE x.day = last.day OR x.day >= DATE '{since}')
            SELECT d.location_id, d.product_id, any_value(last.day) AS stock_day, any_value(on_hand) FILTER (d.day = last.day) AS on_hand,
                any_value(available) FILTER (d.day = last.day) AS available, any_value(cost) FILTER (d.day = last.day) AS cost,
                count(*) FILTER (d.day >= DATE '{since}' AND available > 0) AS in_stock, count(*) FILTER (d.day >= DATE '{since}') AS known_days,
                coalesce(sum(units) FILTER (d.day >= DATE '{since}' AND available > 0), 0) AS units,
                coalesce(sum(units * units) FILTER (d.day >= DATE '{since}' AND available > 0), 0) AS squares,
                any_value(l.location_type) AS location_type, any_value(p.supplier_id) AS supplier_id, any_value(p.product_id) AS known_product
            FROM day_by_day d JOIN last ON last.location_id = d.location_id LEFT JOIN location l ON l.location_id = d.location_id
            LEFT JOIN product p ON p.product_id = d.product_id
            GROUP BY ALL""")

    def selling(self, request, as_of, window):
        """Those in places that sell by themselves."""
        return [a for a in self.articles(request, as_of, window) if a["location_type"] in ("store", "outlet", "vending")]

    def policies(self, as_of):
        rows = self.dicts(f"""FROM policy WHERE valid_from <= DATE '{as_of}'
            QUALIFY row_number() OVER (PARTITION BY location_id, product_id ORDER BY valid_from DESC) = 1""")
        return {(r["location_id"], r["product_id"]): r for r in rows}

    def coming(self, as_of):
        """(still to come, when first) of each article in a place at the beginning of as_of."""
        found = defaultdict(lambda: (Fraction(0), None))
        for r in self.dicts(f"FROM purchase WHERE ordered_on < DATE '{as_of}'"):
            if r["status"] not in ("OPEN", "CONFIRMED", "PART") and not (r["last_on"] and r["last_on"] >= as_of):
                continue
            waits = r["ordered"] if r["first_on"] and r["first_on"] >= as_of else r["ordered"] - r["received"]
            if waits > 0:
                quantity, first = found[r["location_id"], r["product_id"]]
                found[r["location_id"], r["product_id"]] = quantity + Fraction(int(waits), UNITS), min(first or r["expected_on"], r["expected_on"])
        return found

    def lead_days(self, policy, supplier, request):
        known = dict(self.con.execute("SELECT supplier_id, lead_days FROM supplier").fetchall())
        return policy["lead_days"] if policy and policy["lead_days"] is not None else known.get(supplier, float(request.get("lead_days", 7)))

    def named_items(self, rows):
        self.named(rows, "location_id", "location")
        return self.named(rows, "product_id", "product")

    def low_stock_alert(self, request):
        as_of, window = date.fromisoformat(request.get("as_of", str(TODAY))), int(request.get("window", 28))
        policies, coming, rows = self.policies(as_of), self.coming(as_of), []
        for a in self.selling(request, as_of, window):
            if a["units"] <= 0:
                continue
            item = a["location_id"], a["product_id"]
            policy = policies.get(item)
            lead, review = self.lead_days(policy, a["supplier_id"], request), policy["review_days"] if policy else 0
            horizon = float(request["days"]) if "days" in request else lead + review
            cover = Fraction(int(a["available"]) * a["in_stock"], int(a["units"]))
            if cover >= Fraction(horizon):
                continue
            rows.append({"period_start": as_of - window * DAY, "period_end": as_of, "is_partial_period": a["stock_day"] < as_of - DAY,
                         "location_id": item[0], "product_id": self.shown_product(item[1]), "supplier_id": a["supplier_id"], "stock_day": a["stock_day"],
                         "on_hand": Fraction(int(a["on_hand"]), UNITS), "available": Fraction(int(a["available"]), UNITS),
                         "in_stock_days": Fraction(a["in_stock"]), "net_units": Fraction(int(a["units"]), UNITS),
                         "daily_units": number(Fraction(int(a["units"]), UNITS * a["in_stock"])), "cover_days": number(cover),
                         "lead_time_days": number(lead), "review_period_days": Fraction(review), "horizon_days": number(horizon),
                         "projected_out_date": as_of + timedelta(days=math.floor(max(cover, 0))), "on_order": coming[item][0],
                         "next_expected_date": coming[item][1]})
        return self.named_items(rows)

    def grouping(self, level):
        """(key column, of a place and an article) of a level."""
        category = dict(self.con.execute("SELECT product_id, category1_id FROM product").fetchall())
        brand = dict(self.con.execute("SELECT product_id, brand FROM product").fetchall())
        place = lambda l, p: {"location_id": "N/A" if l is None else l if l in self.names["location"] else "UNK"}
        article = lambda l, p: {"product_id": "N/A" if p is None else self.shown_product(p)}
        return {"location": place, "product": article, "item": lambda l, p: place(l, p) | article(l, p), "total": lambda l, p: {},
                "category": lambda l, p: {"category_id": "N/A" if p is None else category.get(p) or "UNK"},
                "brand": lambda l, p: {"brand": "N/A" if p is None else brand.get(p) or "UNK"}}[level]

    def grouped(self, rows, level, place="location_id", article="product_id"):
        """Rows by the key that the level shows, with that key."""
        shown, groups = self.grouping(level), defaultdict(list)
        for row in rows:
            groups[tuple(shown(row[place], row[article]).items())].append(row)
        return [(dict(key), of) for key, of in groups.items()]

    def labelled(self, rows):
        """Keys that the level does not show are NULL; the others have names."""
        names = {None: None, "UNK": "UNK", "N/A": "N/A"} | self.category_names()
        for row in rows:
            for key in ("location_id", "category_id", "product_id"):
                row.setdefault(key, None)
            row["category_name"] = names.get(row["category_id"])
        return self.named_items(rows)

    def no_stock_kept(self, request, start, end):
        """Sales without a place that keeps stock before `end`, sliced as they are."""
        self.con.execute(HOLDING)
        sliced = {k: v for k, v in request.items() if k.startswith("where.")}
        return f"""SELECT * FROM ({self.sales(request)}) s WHERE day >= DATE '{start}' AND day < DATE '{end}' AND product_id IS NOT NULL AND {where(sliced)}
            AND NOT EXISTS (FROM known k WHERE k.location_id = s.location_id AND k.day < DATE '{end}')"""

    def stock_cover(self, request):
        as_of, window, level = date.fromisoformat(request.get("as_of", str(TODAY))), int(request.get("window", 28)), request.get("level", "category")
        items = self.articles_in_window(request, as_of, window)
        online = self.dicts(f"SELECT location_id, product_id, sum(sold - back) AS units FROM ({self.no_stock_kept(request, as_of - window * DAY, as_of)}) GROUP BY ALL")
        sliced, coming = {k: v for k, v in request.items() if k.startswith("where.")}, defaultdict(lambda: [Fraction(0)] * 52)
        for r in self.dicts(f"""SELECT location_id, product_id, day, sold - back AS units FROM ({self.sales(request)})
                                WHERE product_id IS NOT NULL AND day >= DATE '{as_of - 364 * DAY}' AND day < DATE '{as_of}' AND {where(sliced)}"""):
            weeks = coming[tuple(self.grouping(level)(r["location_id"], r["product_id"]).items())]
            at = (r["day"] - (as_of - 364 * DAY)).days // 7
            weeks[at] += Fraction(int(r["units"]), UNITS)
        rows = []
        for key, of in self.grouped(items + online, level):
            there = [a for a in of if a.get("on_hand") is not None]
            if not there:
                continue
            available = sum(Fraction(int(a["available"]), UNITS) for a in there)
            daily = sum(Fraction(int(a["units"]), UNITS) / (a["in_stock"] if "in_stock" in a else window) for a in of if a.get("in_stock", 1))
            days = [a["stock_day"] for a in of if "stock_day" in a]
            weeks = ratio(available, 7 * daily)
            if request.get("method") == "forward":
                weeks, sold = None, Fraction(0)
                for no, units in enumerate(coming[tuple(key.items())]):
                    sold += units
                    if units and sold >= available:
                        weeks = number(no + (available - sold + units) / units)
                        break
                weeks = number(0) if available <= 0 else weeks
            rows.append(key | {"period_start": as_of - window * DAY, "period_end": as_of, "is_partial_period": min(days) < as_of - DAY,
                               "stock_day": max(days), "oldest_stock_day": min(days), "items": Fraction(len(there)), "available": available,
                               "net_units": sum(Fraction(int(a["units"]), UNITS) for a in of), "daily_units": number(daily),
                               "cover_days": ratio(available, daily), "weeks_of_supply": weeks})
        return self.labelled(rows)

    # ------------------------------------------------------------ averages over days

    def stock_days(self, request, start, end):
        """How many days from start up to end the stock of the asked places is known on."""
        self.con.execute(HOLDING)
        places = {k: v for k, v in request.items() if k in ("where.location", "where.region")}
        return Fraction(self.con.execute(f"""SELECT count(DISTINCT k.day) FROM known k JOIN (SELECT DISTINCT location_id, region_id FROM holding) USING (location_id)
            WHERE k.day >= DATE '{start}' AND k.day < DATE '{end}' AND {where(places)}""").fetchone()[0])

    def earned(self, request, start, end, level):
        """Per key: net sales and cost where it is known, and stock at cost added up over the days."""
        sliced = {k: v for k, v in request.items() if k.startswith("where.")}
        self.con.execute(HOLDING)
        rows = self.dicts(f"""
            SELECT location_id, product_id, sum(net) FILTER (cost IS NOT NULL) AS net, sum(cost) AS cost, NULL AS stock, true AS sold FROM ({self.sales(request)})
            WHERE day >= DATE '{start}' AND day < DATE '{end}' AND {where(sliced)} GROUP BY ALL
            UNION ALL
            SELECT location_id, product_id, NULL, NULL, sum(cost), false FROM holding
            WHERE day >= DATE '{start}' AND day < DATE '{end}' AND {where(sliced)} GROUP BY ALL""")
        add = lambda of, column: (lambda v: sum(v, Fraction(0)) if v else None)([Fraction(int(r[column]), MONEY) for r in of if r[column] is not None])
        zero = lambda of: {} if any(r["sold"] for r in of) else {"net": Fraction(0), "cost": Fraction(0)}  # nothing sold costs nothing
        return [(key, {c: add(of, c) for c in ("net", "cost", "stock")} | zero(of)) for key, of in self.grouped(rows, level)]

    @staticmethod
    def turned(amount, stock, known, days):
        return None if amount is None or not stock or not known or not days else ratio(amount * 365 * known, stock * days)

    def inventory_turnover(self, request, spans):
        rows = []
        for (s, e), (a, b), partial in spans:
            days = Fraction(max((min(b, TODAY) - a).days, 0))
            known = self.stock_days(request, a, b)
            for key, of in self.earned(request, a, b, request.get("level", "total")):
                rows.append(key | {"period_start": s, "period_end": e, "is_partial_period": partial, "days": days, "cogs": of["cost"],
                                   "stock_days": known or None, "inventory_cost_days": of["stock"], "average_inventory_cost": ratio(of["stock"], known),
                                   "turnover": self.turned(of["cost"], of["stock"], known, days),
                                   "days_inventory": None if not of["cost"] or of["stock"] is None or not known else ratio(of["stock"] * days, of["cost"] * known)})
            if request.get("include_zero") == "true":
                there = [tuple(r.get(k) for k in ("location_id", "category_id")) for r in rows if r["period_start"] == s]
                rows += [{k: v for k, v in zip(("location_id", "category_id"), key) if v} | {
                    "period_start": s, "period_end": e, "is_partial_period": partial, "days": days, "cogs": Fraction(0), "stock_days": known or None,
                    "inventory_cost_days": Fraction(0), "average_inventory_cost": ratio(Fraction(0), known), "turnover": None, "days_inventory": None}
                    for key in self.could_turn(request, spans[-1][1][1]) if key not in there]
        return self.labelled(rows)

    def could_turn(self, request, end):
        """(place, top category) of every row that there may be."""
        level = request.get("level", "total")
        if level == "location":
            return [(key["location_id"], None) for key, of in self.earned(request, date(2000, 1, 1), end, level) if of["stock"] is not None]
        top = {p: c for p, c in self.con.execute("SELECT product_id, category1_id FROM product").fetchall()}
        return [(None, c) for c in {top[p] or "UNK" for p in self.dimension_members(request, "product")}] if level == "category" else [(None, None)]

    def gmroi(self, request, spans):
        return [row for span in spans for row in self.gmroi_in(request, span)]

    def gmroi_in(self, request, span):
        ((s, e), (a, b), partial), rows = span, []
        known, days = self.stock_days(request, a, b), Fraction(max((min(b, TODAY) - a).days, 0))
        for key, of in self.earned(request, a, b, request.get("level", "category")):
            profit = None if of["cost"] is None else of["net"] - of["cost"]
            rows.append({"brand": None} | key | {
                "period_start": s, "period_end": e, "is_partial_period": partial, "days": days, "net_sales_with_cost": of["net"], "cogs": of["cost"],
                "gross_profit": profit, "gross_margin_pct": ratio(profit, of["net"]), "stock_days": known, "inventory_cost_days": of["stock"],
                "average_inventory_cost": ratio(of["stock"], known), "sales_to_stock": self.turned(of["net"], of["stock"], known, days),
                "turnover": self.turned(of["cost"], of["stock"], known, days), "gmroi": self.turned(profit, of["stock"], known, days)})
        return self.labelled(rows)

    def sell_through(self, request, spans):
        level, variant, sliced = request.get("level", "total"), request.get("variant", "amazon"), {k: v for k, v in request.items() if k.startswith("where.")}
        self.con.execute(HOLDING)
        first, rows, keys = spans[0][1][0], [], {}
        came = "('receipt', 'production_in', 'production_out', 'transfer_in', 'transfer_out', 'supplier_return')"
        place = "coalesce((SELECT region_id FROM location l WHERE l.location_id = m.location_id), 'UNK')"
        add = lambda sql, *columns: {tuple(key.items()): [sum((Fraction(int(r[c]), UNITS) for r in of), Fraction(0)) for c in columns]
                                     for key, of in self.grouped(self.dicts(sql), level)}
        held = lambda day: add(f"SELECT location_id, product_id, sum(on_hand) AS q FROM holding WHERE day = DATE '{day}' AND {where(sliced)} GROUP BY ALL", "q")
        opening, seen = held(first - DAY), set()
        for (s, e), (a, b), partial in spans:
            sold = add(f"""SELECT location_id, product_id, sum(sold) AS sold, sum(back) AS back FROM ({self.sales(request)}) WHERE product_id IS NOT NULL
                           AND day >= DATE '{first}' AND day < DATE '{b}' AND {where(sliced)} GROUP BY ALL""", "sold", "back")
            got = add(f"""SELECT location_id, product_id, sum(quantity) AS q FROM (SELECT m.*, {place} AS region_id FROM movement m) WHERE kind IN {came}
                          AND day >= DATE '{first}' AND day < DATE '{b}' AND {where(sliced)} GROUP BY ALL""", "q")
            ending = held(b - DAY)
            # A key has a row in a bucket in which something was sold, moved or known of it.
            within = lambda what, on="day": add(f"SELECT location_id, product_id, 0 AS q FROM {what} WHERE {on} >= DATE '{a}' AND {on} < DATE '{b}' AND {where(sliced)}", "q")
            here = set(within(f"({self.sales(request)} AND product_id IS NOT NULL)")) | set(ending) | (set(opening) if a == first else set())
            here |= set(within(f"(SELECT m.*, {place} AS region_id FROM movement m WHERE kind IN {came})"))
            for key in here:
                out, back = sold.get(key, [Fraction(0)] * 2)
                received, before, left = got.get(key, [Fraction(0)])[0], opening.get(key, [None])[0], ending.get(key, [None])[0]
                of = {"amazon": None if before is None else before + received, "opening": before, "ending": None if left is None else left + out - back}[variant]
                rows.append(dict(key) | {"period_start": s, "period_end": e, "is_partial_period": partial, "opening_units": before, "received_units": received,
                                         "units_sold": out, "units_returned": back, "net_units": out - back, "ending_units": left,
                                         "sell_through": None if of is None else ratio(out - back, of)})
        return self.labelled(rows)

    def stock_out_rate(self, request, spans):
        sliced, rows = {k: v for k, v in request.items() if k.startswith("where.")}, []
        self.con.execute(HOLDING)
        if request.get("weighting") == "views":
            return []  # The sample's visits do not tell whether an article could be had.
        for (s, e), (a, b), partial in spans:
            last = "" if request.get("weighting") != "outlets" else f"AND day = (SELECT max(k.day) FROM known k WHERE k.location_id = h.location_id AND k.day < DATE '{b}')"
            found = self.dicts(f"""SELECT location_id, product_id, count(*) AS listed, count(*) FILTER (available <= 0) AS gone, count(*) FILTER (day > counted) AS carried
                FROM holding h WHERE day >= DATE '{a}' AND day < DATE '{b}' {last} AND {where(sliced)} GROUP BY ALL""")
            for key, of in self.grouped(found, request.get("level", "total")):
                listed, gone, carried = (Fraction(sum(r[c] for r in of)) for c in ("listed", "gone", "carried"))
                rows.append(key | {"period_start": s, "period_end": e, "is_partial_period": partial, "listed": listed, "out_of_stock": gone,
                                   "stock_out_rate": ratio(gone, listed), "carried": carried})
        return self.labelled(rows)

    def lost_sales_estimate(self, request, spans):
        ((s, e), _, partial), least, rows = spans[0], int(request.get("min_in_stock_days", 21)), []
        found = self.dicts(f"""SELECT d.location_id, d.product_id, count(*) FILTER (available > 0) AS there, count(*) FILTER (available <= 0) AS gone,
                coalesce(sum(units) FILTER (available > 0), 0) AS units, coalesce(sum(net) FILTER (available > 0), 0) AS net
            FROM ({self.stocked(request, s, e)}) d JOIN location l USING (location_id) WHERE l.location_type IN ('store', 'outlet', 'vending')
            GROUP BY ALL HAVING gone > 0""")
        for key, of in self.grouped(found, request.get("level", "category")):
            judged = [r for r in of if r["there"] >= least]
            selling = [r for r in judged if r["units"] > 0]
            lost = lambda column, scale: number(sum((Fraction(int(r[column]) * r["gone"], scale * r["there"]) for r in selling), Fraction(0))) if judged else None
            total = lambda column, scale=1: Fraction(sum(int(r[column]) for r in of), scale)
            rows.append(key | {"period_start": s, "period_end": e, "is_partial_period": partial, "items": Fraction(len(of)),
                               "items_without_estimate": Fraction(len(of) - len(judged)), "in_stock_days": total("there"), "out_days": total("gone"),
                               "net_units": total("units", UNITS), "net_sales": total("net", MONEY), "lost_units": lost("units", UNITS),
                               "lost_sales": lost("net", MONEY)})
        return self.labelled(rows)

    # ------------------------------------------------------------ what is needed

    @staticmethod
    def demand(article):
        """Mean and sample deviation of what sells a day, over the days on which it could."""
        n, units, squares = article["in_stock"], Fraction(int(article["units"]), UNITS), Fraction(int(article["squares"]), UNITS * UNITS)
        if n == 0:
            return 0.0, 0.0
        return float(units / n), math.sqrt((squares - units * units / n) / (n - 1)) if n > 1 else 0.0

    @staticmethod
    def safety(service, mean, deviation, days, lead_sd):
        return NormalDist().inv_cdf(service) * math.sqrt(days * deviation ** 2 + mean ** 2 * lead_sd ** 2)

    def overstock_excess(self, request):
        as_of, window = date.fromisoformat(request.get("as_of", str(TODAY))), int(request.get("window", 28))
        policies, horizon, rows = self.policies(as_of), int(request.get("horizon", 90)), []
        items = [a for a in self.selling(request, as_of, window) if a["available"] > 0]
        for a in items:
            policy = policies.get((a["location_id"], a["product_id"])) or {}
            days = self.lead_days(policy, a["supplier_id"], request) + policy.get("review_days", 0)
            a["daily"], deviation = self.demand(a)
            a["safety"] = self.safety(policy.get("service_level", float(request.get("service_level", 0.95))), a["daily"], deviation, days, policy.get("lead_sd") or 0.0)
            a["excess"] = max(int(a["available"]) / UNITS - a["daily"] * horizon - a["safety"], 0.0)
        for key, of in self.grouped(items, request.get("level", "category")):
            much = [a for a in of if a["excess"] > 0]
            if not much:
                continue
            days = [a["stock_day"] for a in of]
            rows.append(key | {"period_start": as_of - window * DAY, "period_end": as_of, "is_partial_period": min(days) < as_of - DAY, "stock_day": max(days),
                               "oldest_stock_day": min(days), "items": Fraction(len(of)), "items_in_excess": Fraction(len(much)),
                               "available": Fraction(sum(int(a["available"]) for a in of), UNITS), "daily_units": number(math.fsum(a["daily"] for a in of)),
                               "safety_stock": number(math.fsum(a["safety"] for a in of)), "excess_units": number(math.fsum(a["excess"] for a in of)),
                               "excess_cost": number(math.fsum(a["excess"] * int(a["cost"]) * UNITS / int(a["on_hand"]) / MONEY for a in of))})
        return self.labelled(rows)

    def inventory_movement(self, request, spans):
        ((s, e), _, partial), level, sliced = spans[0], request.get("level", "total"), {k: v for k, v in request.items() if k.startswith("where.")}
        self.con.execute(HOLDING)
        steps = ["opening", "receipt", "production_in", "transfer_in", "sale_return", "adjust_up", "count", "sale", "transfer_out", "production_out",
                 "supplier_return", "adjust_down", "damage", "theft", "write_off", "unexplained", "closing"]
        place = "coalesce((SELECT region_id FROM location l WHERE l.location_id = m.location_id), 'UNK')"
        edge = lambda name, day: f"""SELECT '{name}' AS step, h.location_id, product_id, on_hand AS quantity, cost FROM holding h
            JOIN (SELECT location_id, max(day) AS day FROM known WHERE day < DATE '{day}' GROUP BY ALL) last ON last.location_id = h.location_id AND last.day = h.day
            WHERE {where(sliced).replace("location_id", "h.location_id")}"""
        moved = self.dicts(f"""{edge('opening', s)} UNION ALL {edge('closing', e)} UNION ALL
            SELECT kind, location_id, product_id, quantity, cost FROM (SELECT m.*, {place} AS region_id FROM movement m)
            WHERE day >= DATE '{s}' AND day < DATE '{e}' AND {where(sliced)}""")
        rows = []
        for key, of in self.grouped(moved, level):
            sums = {step: [Fraction(sum(int(r[c]) for r in of if r["step"] == step), scale) for c, scale in (("quantity", UNITS), ("cost", MONEY))]
                    for step in {r["step"] for r in of}}
            sums["unexplained"] = [sum((v[k] if step == "closing" else -v[k] for step, v in sums.items()), Fraction(0)) for k in (0, 1)]
            for step, (quantity, cost) in sums.items():
                many = None if step in ("opening", "unexplained", "closing") else Fraction(sum(r["step"] == step for r in of))
                rows.append(key | {"period_start": s, "period_end": e, "is_partial_period": partial, "step_no": Fraction(steps.index(step) + 1), "step": step,
                                   "quantity": quantity, "cost": cost, "movements": many})
        return self.labelled(rows)

    def reorder_proposal(self, request):
        as_of, window, periodic = date.fromisoformat(request.get("as_of", str(TODAY))), int(request.get("window", 56)), request.get("policy") != "continuous"
        policies, coming, since = self.policies(as_of), self.coming(as_of), as_of - window * DAY
        euro = self.con.execute(f"SELECT eur FROM rate WHERE day = DATE '{as_of - DAY}'").fetchone()
        costs = {(r["location_id"], r["product_id"]): r["cost"] for r in self.dicts(f"""
            SELECT location_id, product_id, sum(h.cost) * {UNITS} / sum(on_hand) / {MONEY}::DOUBLE AS cost FROM holding h
            JOIN (SELECT location_id, max(day) AS last FROM known WHERE day < DATE '{as_of}' GROUP BY ALL) USING (location_id)
            WHERE on_hand > 0 AND (h.day = last OR h.day >= DATE '{since}' AND h.day < DATE '{as_of}') GROUP BY ALL""")}
        rows = []
        for a in self.selling(request, as_of, window):
            item, policy = (a["location_id"], a["product_id"]), policies.get((a["location_id"], a["product_id"])) or {}
            if a["units"] <= 0 or a["known_product"] is None:
                continue
            mean, deviation = self.demand(a)
            lead, lead_sd = self.lead_days(policy, a["supplier_id"], request), policy.get("lead_sd") or 0.0
            review, service = policy.get("review_days", int(request.get("review_days", 7))), policy.get("service_level", float(request.get("service_level", 0.95)))
            safety, cost = self.safety(service, mean, deviation, lead + review if periodic else lead, lead_sd), costs.get(item)
            point = mean * lead + safety
            if periodic:
                target = mean * (lead + review) + safety
            elif policy and cost:
                order_cost = policy["order_cost"] * (euro[0] / 1_000_000 if policy["currency"] == "EUR" else 1)
                target = point + math.sqrt(2 * mean * 365 * order_cost / (policy["holding_rate"] * cost))
            else:
                target = point + mean * review
            position = Fraction(int(a["available"]), UNITS) + coming[item][0]
            if position > point:
                continue
            least, pack, most = policy.get("min_order") or 0, policy.get("pack") or 1, policy.get("max_stock")
            quantity = math.ceil(max(least, target - float(position)) / pack - 1e-9) * pack
            if most is not None:
                quantity = min(quantity, math.floor((most - float(position)) / pack + 1e-9) * pack)
            if quantity < max(least, 1):
                continue
            why = "nothing available" if a["available"] <= 0 else "at or below safety stock" if float(position) <= safety else "at or below reorder point"
            gap = target - float(position)
            why += "; more than needed: least order or whole packs" if quantity > gap + 1 else "; less than needed: max_stock" if quantity < gap else ""
            value = None if cost is None else Fraction(math.floor(quantity * cost * MONEY + 0.5), MONEY)
            known = lambda v: None if v is None else Fraction(v)
            rows.append({"period_start": since, "period_end": as_of, "is_partial_period": a["stock_day"] < as_of - DAY, "layout": Fraction(1),
                         "location_id": item[0], "supplier_id": a["supplier_id"], "product_id": item[1], "order_quantity": Fraction(quantity),
                         "unit_cost": number(cost), "order_value": value, "expected_date": as_of + math.ceil(lead) * DAY, "reason": why,
                         "stock_day": a["stock_day"], "available": Fraction(int(a["available"]), UNITS), "on_order": coming[item][0],
                         "inventory_position": position, "in_stock_days": Fraction(a["in_stock"]), "net_units": Fraction(int(a["units"]), UNITS),
                         "daily_units": number(mean), "daily_deviation": number(deviation), "lead_time_days": number(lead), "lead_time_sd": number(lead_sd),
                         "review_period_days": Fraction(review), "service_level": number(service), "safety_stock": number(safety),
                         "reorder_point": number(point), "order_up_to": number(target), "min_order_qty": known(policy.get("min_order")),
                         "pack_size": known(policy.get("pack")), "max_stock": known(most), "cover": position / Fraction(mean)})
        until = Fraction(0)
        for row in sorted(rows, key=lambda r: (r["cover"], r["location_id"], r["product_id"])):
            until += row["order_value"] or 0
            row["value_until"] = until
        rows = [r for r in rows if "budget" not in request or r["value_until"] <= Fraction(request["budget"])]
        return self.named_items(rows)
