"""Sample data, step 3 for the reports that value stock and look for what does not sell. Written from what the reports promise, with SQL of
its own.
"""

import math
from collections import defaultdict
from datetime import date
from fractions import Fraction

from sample_measures import DAY, MONEY, TODAY, UNITS, ratio, where

TIME = ["period_start", "period_end", "is_partial_period"]
_STOCK = ["on_hand", "on_hand_cost", "retail_value"]
COLUMNS = {
    "inventory-valuation": TIME + ["location_id", "location_name", "category_id", "category_name", "product_id", "product_name", "snapshot_day",
                                   "oldest_snapshot_day", "items", *_STOCK, "items_negative", "on_hand_negative", "cost_negative", "units_without_cost",
                                   "potential_profit", "cost_method", "stock_value", "units_at_snapshot_cost", "units_at_product_cost", "cost_all", "cost_share"],
    "dead-slow-stock": TIME + ["location_id", "location_name", "product_id", "product_name", "snapshot_day", "first_stock_day", *_STOCK, "units_sold",
                               "units_returned", "last_sale_date", "days_since_sale"],
}
KEYS = {"inventory-valuation": ["location_id", "category_id", "product_id"], "dead-slow-stock": ["location_id", "product_id"]}
COMPARED = {}


class Stock:
    """A part of Golden: self.con, self.names, self.events and what else is common to all reports."""

    def items(self, request, as_of):
        """Every article in a place as it was counted last, if the place's last count has it: (place, article, day, first day, on hand, cost, retail)."""
        sliced = {k: v for k, v in request.items() if k.startswith("where.")}
        found = self.con.execute(f"""
            WITH known AS (FROM stock WHERE day < DATE '{as_of}'),
            whole AS (SELECT location_id, max(day) AS counted FROM known GROUP BY 1)
            SELECT location_id, product_id, day, since, on_hand, cost, retail FROM (
                SELECT k.*, min(day) OVER (PARTITION BY location_id, product_id) AS since, coalesce(l.region_id, 'UNK') AS region_id
                FROM known k LEFT JOIN location l USING (location_id))
            JOIN whole USING (location_id) WHERE day = counted AND {where(sliced)}""").fetchall()
        amount = lambda v, scale: None if v is None else Fraction(int(v), scale)
        return [(*r[:4], amount(r[4], UNITS), amount(r[5], MONEY), amount(r[6], MONEY)) for r in found]

    def listed(self, as_of):
        """(unit cost, rate into pounds) of the day before as_of by (place, article), place None = every place."""
        last = self.con.execute(f"SELECT eur FROM rate WHERE day < DATE '{as_of}' ORDER BY day DESC LIMIT 1").fetchone()
        rates = {"GBP": Fraction(1)} | ({"EUR": Fraction(int(last[0]), 10**6)} if last else {})
        found = self.con.execute(f"""SELECT location_id, product_id, unit_cost, currency FROM article_cost
            WHERE since < DATE '{as_of}' AND (until IS NULL OR until >= DATE '{as_of}')""").fetchall()
        return {(place, product): (Fraction(int(cost), MONEY), rates[currency]) for place, product, cost, currency in found if currency in rates}

    def valued(self, items, as_of, method):
        """(value by the method, units at the snapshot's cost, units at the list's cost) of each article in a place; receipts from the last one back."""
        came = defaultdict(list)
        if method != "snapshot":
            for place, product, quantity, cost in self.con.execute(f"""SELECT location_id, product_id, quantity, cost FROM movement
                    WHERE kind IN ('receipt', 'production_in', 'transfer_in') AND day < DATE '{as_of}' ORDER BY day DESC, moved_at DESC, movement_id""").fetchall():
                came[place, product].append((Fraction(int(quantity), UNITS), Fraction(int(cost), MONEY)))
        away = lambda v: Fraction(math.floor(abs(v) * MONEY + Fraction(1, 2)), MONEY) * (1 if v >= 0 else -1)
        cut, found, listed = lambda v: Fraction(math.floor(v * MONEY + Fraction(1, 2)), MONEY), {}, self.listed(as_of)
        for place, product, _, _, on_hand, cost, _ in items:
            layers = came[place, product] if on_hand > 0 else []
            at_list = cost is None and (own := listed.get((place, product), listed.get((None, product)))) is not None
            if at_list:
                cost = away(away(own[0] * on_hand) * own[1])
            if not layers:
                found[place, product] = cost, Fraction(0) if at_list else on_hand, on_hand if at_list else Fraction(0)
            elif method == "average":
                found[place, product] = cut(on_hand * sum(c for _, c in layers) / sum(q for q, _ in layers)), Fraction(0), Fraction(0)
            else:
                left, value = on_hand, Fraction(0)
                for quantity, amount in layers:
                    part = min(left, quantity)
                    left, value = left - part, value + cut(part * amount / quantity)
                worth = value + (cut(left * cost / on_hand) if left else 0) if cost is not None or not left else None
                found[place, product] = worth, Fraction(0) if at_list else left, left if at_list else Fraction(0)
        return found

    def shown_product(self, product):
        return product if product in self.names["product"] else "UNK"

    def inventory_valuation(self, request):
        as_of, level = date.fromisoformat(request.get("as_of", str(TODAY))), request.get("level", "location")
        category = dict(self.con.execute("SELECT product_id, category1_id FROM product").fetchall())
        key = {"location": lambda i: i[0] if i[0] in self.names["location"] else "UNK", "product": lambda i: self.shown_product(i[1]),
               "category": lambda i: category.get(i[1]) or "UNK"}[level]
        items, groups = self.items(request, as_of), defaultdict(list)
        for item in items:
            groups[key(item)].append(item)
        method = request.get("cost_method", "snapshot")
        values = self.valued(items, as_of, method)
        total = [("total", items)] if request.get("totals") == "true" else []
        add = lambda values: sum((v for v in values if v is not None), Fraction(0)) if any(v is not None for v in values) else None
        whole, names, rows = add([i[5] for i in items]), {"UNK": "UNK"} | self.category_names(), []
        for kind, group, of in [("row", g, o) for g, o in groups.items()] + [(k, None, o) for k, o in total]:
            below = [i for i in of if i[4] < 0]
            row = {"period_start": as_of - DAY, "period_end": as_of, "is_partial_period": min(i[2] for i in of) < as_of - DAY, "row_kind": kind,
                   "location_id": None, "category_id": None, "product_id": None, "snapshot_day": max(i[2] for i in of),
                   "oldest_snapshot_day": min(i[2] for i in of), "items": Fraction(len(of)), "on_hand": add([i[4] for i in of]),
                   "on_hand_cost": add([i[5] for i in of]), "retail_value": add([i[6] for i in of]), "items_negative": Fraction(len(below)),
                   "on_hand_negative": sum((i[4] for i in below), Fraction(0)), "cost_negative": sum((i[5] or 0 for i in below), Fraction(0)),
                   "units_without_cost": sum((i[4] for i in of if i[4] > 0 and i[5] is None), Fraction(0)),
                   "potential_profit": add([i[6] - i[5] if i[5] is not None and i[6] is not None else None for i in of])}
            if kind == "row":
                row[level + "_id"] = group
            row |= {"cost_method": method, "stock_value": add([values[i[:2]][0] for i in of]), "units_at_snapshot_cost": add([values[i[:2]][1] for i in of]),
                    "units_at_product_cost": add([values[i[:2]][2] for i in of])}
            row["cost_all"], row["cost_share"] = whole, ratio(row["on_hand_cost"], whole)
            row["category_name"] = names.get(row["category_id"])
            rows.append(row)
        return self.named(self.named(rows, "location_id", "location"), "product_id", "product")

    def dead_slow_stock(self, request):
        as_of, days, by_place = date.fromisoformat(request.get("as_of", str(TODAY))), int(request.get("days", 90)), request.get("level") == "item"
        selling = {r[0] for r in self.con.execute("SELECT location_id FROM location WHERE location_type IN ('store', 'outlet', 'vending')").fetchall()}
        since, found = as_of - days * DAY, defaultdict(list)
        for item in self.items(request, as_of):
            if not by_place or item[0] in selling:
                found[item[0] if by_place else None, self.shown_product(item[1])].append(item)
        sold, back, last = defaultdict(Fraction), defaultdict(Fraction), {}
        columns = [("location_id", None), ("product_id", None), ("day", None), ("kind", None), ("sold", UNITS), ("back", UNITS)]
        for place, product, day, kind, units, returned in self.events(request, columns, ("1900-01-01", as_of)):
            if product is None:
                continue
            key = place if by_place else None, self.shown_product(product)
            if day >= since:
                sold[key] += units
                back[key] += returned
            if kind == "sale":
                last[key] = max(day, last.get(key, day))
        rows = []
        for key, of in found.items():
            first, on_hand = min(i[3] for i in of), sum(i[4] for i in of)
            if on_hand <= 0 or sold[key] > back[key] or first > since:
                continue
            rows.append({"period_start": since, "period_end": as_of, "is_partial_period": False, "location_id": key[0], "product_id": key[1],
                         "snapshot_day": max(i[2] for i in of), "first_stock_day": first, "on_hand": on_hand, "on_hand_cost": sum(i[5] for i in of),
                         "retail_value": sum(i[6] for i in of), "units_sold": sold[key], "units_returned": back[key], "last_sale_date": last.get(key),
                         "days_since_sale": Fraction((as_of - last[key]).days) if key in last else None})
        return self.named(self.named(rows, "location_id", "location"), "product_id", "product")
