"""Sample data, step 3 for the reports about products, places and the mix of channels. Written from what the reports promise, with SQL of
its own. Numbers are exact fractions; what the reports compute in DOUBLE (Wilson's interval) is computed in Python's.
"""

from collections import Counter
from datetime import date
from fractions import Fraction
from math import sqrt

from sample_measures import MONEY, TODAY, Ratio, derive, member, ratio, where

TIME = ["period_start", "period_end", "is_partial_period"]
_SALES = ["gross_sales", "discounts", "returns", "net_sales", "units_sold", "units_returned", "net_units", "orders"]
_MARGIN = ["net_sales_with_cost", "cogs", "gross_profit", "gross_margin_pct"]
_RATES = ["sales_before_returns", "return_rate_value", "return_rate_units", "net_sales_all", "share"]
COLUMNS = {
    "sales-by-category": TIME + ["category_id", "category_name", *_SALES, *_MARGIN, *_RATES],
    "sales-by-brand": TIME + ["brand", "place", *_SALES, *_MARGIN, *_RATES],
    "channel-mix-over-time": TIME + ["channel_type", "channel_id", "channel_name", "net_sales", "orders", "net_sales_all", "share"],
    "store-ranking": TIME + ["location_id", "location_name", "peer_group", "place", "place_in_peers", "peer_count", "below_peers", "percentile",
                             *_SALES, "sales_before_returns", "aov", "units_per_order", *_MARGIN, "return_rate_value", "selling_area_sqm",
                             "sales_per_sqm"],
    "product-margin": TIME + ["product_id", "product_name", "category_id", "category_name", "place_in_category", "net_sales", "net_units", *_MARGIN,
                              "goods_amount", "goods_amount_with_cost", "cost_coverage", "gross_profit_all", "profit_share"],
    "product-top-bottom": TIME + ["product_id", "product_name", "place", "place_from_below", "ranked", "side", "gross_sales", "discounts", "returns",
                                  "net_sales", "net_units", "net_sales_with_cost", "cogs", "gross_profit"],
    "abc-classification": TIME + ["product_id", "product_name", "place", "class", "net_sales", "net_units", "net_sales_with_cost", "cogs",
                                  "gross_profit", "metric_value", "metric_before", "metric_all", "share_before", "metric_share"],
    "return-rate-by-product": TIME + ["product_id", "product_name", "place", "units_sold", "units_returned", "return_rate_units", "rate_lower",
                                      "rate_upper", "return_lines", "sales_before_returns", "returns", "return_rate_value"],
    "discount-depth": TIME + ["band_no", "band", "lines", "gross_sales", "discounts", "discount_rate", "units_sold", "sales_before_returns",
                              "sales_before_returns_all", "sales_share", "sales_with_cost", "cost_of_sales", "profit_before_returns",
                              "margin_before_returns"],
    "dq-unmapped-dimensions": TIME + ["dimension", "unknown_key", "events", "net_sales", "net_sales_all", "share",
                                      "first_date", "last_date"],
    "order-status-funnel": TIME + ["status_no", "order_status", "age_no", "age", "status_orders", "status_orders_all", "order_share", "reached_orders",
                                   "line_value", "line_value_all", "value_share", "oldest_date"],
}
KEYS = {
    "order-status-funnel": ["status_no", "age_no"],
    "discount-depth": ["period_start", "band_no"], "dq-unmapped-dimensions": ["dimension", "unknown_key"],
    "sales-by-category": ["period_start", "category_id"], "sales-by-brand": ["period_start", "brand"],
    "channel-mix-over-time": ["period_start", "channel_type", "channel_id"], "store-ranking": ["period_start", "location_id"],
    "product-margin": ["period_start", "product_id"], "product-top-bottom": ["period_start", "product_id"], "abc-classification": ["product_id"],
    "return-rate-by-product": ["period_start", "product_id"],
}
COMPARED = {
    "discount-depth": ["gross_sales", "discounts", "units_sold", "profit_before_returns"],
    "sales-by-category": ["gross_sales", "returns", "net_sales", "net_units", "orders", "gross_profit"],
    "sales-by-brand": ["gross_sales", "returns", "net_sales", "net_units", "orders", "gross_profit"],
    "channel-mix-over-time": ["net_sales", "orders"],
    "store-ranking": ["net_sales", "orders", "aov", "gross_profit"],
    "product-margin": ["net_sales", "net_units", "gross_profit"],
    "return-rate-by-product": ["units_sold", "units_returned", "return_rate_units", "returns", "return_rate_value"],
}
Z = 1.95996398454
STATUSES = ["created", "confirmed", "paid", "partially_fulfilled", "fulfilled", "completed", "closed", "cancelled"]
AGES = ["done", "0-1", "2-3", "4-7", "8-14", "15-30", ">30"]
DEPTHS = [(1, "none", 0), (2, "up to 5 %", 5), (3, "up to 10 %", 10), (4, "up to 20 %", 20), (5, "up to 30 %", 30), (6, "up to 50 %", 50),
          (7, "up to 70 %", 70), (8, "above 70 %", 100)]


def numbered(rows, name, value, by=lambda row: None):
    """`name` = 1, 2 … within each group `by`, the most first; NULL last; equal ones by the texts behind the value."""
    for group in {by(r) for r in rows}:
        of_group = [r for r in rows if by(r) == group]
        of_group.sort(key=lambda r: (value(r)[0] is None, -(value(r)[0] or 0), *value(r)[1:]))
        for n, row in enumerate(of_group, 1):
            row[name] = Fraction(n)
    return rows


def wilson(k, n):
    """Between what bounds the share of k of n lies, by Wilson's interval of 95 %; no bounds where k is more than n."""
    n, k = float(n), float(k)
    if not 0 < n or k > n:
        return {"rate_lower": None, "rate_upper": None}
    p = k / n
    half = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    bound = lambda sign: Ratio(Fraction((p + Z * Z / (2 * n) + sign * half) / (1 + Z * Z / n)))
    return {"rate_lower": bound(-1) if k else Ratio(0), "rate_upper": bound(1)}


class Products:
    """A part of Golden: self.con, self.names, self.sums and what else is common to all reports."""

    def by_product(self, request, spans, known=False, filled=False):
        """Sums per article as it is shown; `known` leaves out UNK and N/A, `filled` adds articles without events. cogs and gross_profit are
        NULL where no cost is known."""
        rows = self.sums(self.source(request), [("product_id", member("product_id", "product", "product_id"))], spans)
        costs = self.sums(f"SELECT * FROM ({self.source(request)}) WHERE cost IS NOT NULL",
                          [("product_id", member("product_id", "product", "product_id"))], spans)
        costed = {(r["period_start"], r["product_id"]) for r in costs}
        if filled:
            self.zero_filled(request, rows, spans, [{"product_id": p} for p in self.dimension_members(request, "product")], ["product_id"])
        for row in rows:
            derive(row)
            if (row["period_start"], row["product_id"]) not in costed:
                row |= {"cogs": None, "gross_profit": None, "gross_margin_pct": None}
        return self.named([r for r in rows if not known or r["product_id"] not in ("UNK", "N/A")], "product_id", "product")

    def attribute(self, request, name):
        """An article's attribute, as it is or as it was on the day of the order."""
        if request.get("attribute_basis") == "as_was":
            known = f"(SELECT {name} FROM product_past h WHERE h.product_id = f.product_id AND h.since <= f.order_day AND f.order_day < h.until)"
        else:
            known = f"(SELECT {name} FROM product p WHERE p.product_id = f.product_id)"
        return f"CASE WHEN product_id IS NULL THEN 'N/A' ELSE coalesce({known}, 'UNK') END"

    def category_names(self):
        found = {"UNK": "UNK", "N/A": "N/A"}
        for level in (1, 2, 3):
            found |= dict(self.con.execute(f"SELECT category{level}_id, category{level} FROM product WHERE category1_id IS NOT NULL").fetchall())
        return found

    def sales_by_category(self, request, spans):
        level = int(request.get("category_level", 1))
        shown = self.attribute(request, f"category{min(level, 3)}_id")
        rows = self.sums(f"SELECT *, {shown} AS category_id FROM ({self.source(request)}) f", [("category_id", "category_id")], spans)
        if request.get("include_zero") == "true":
            members = self.con.execute(f"SELECT DISTINCT coalesce(category{min(level, 3)}_id, 'UNK') FROM product WHERE {where(request, 'product')}")
            self.zero_filled(request, rows, spans, [{"category_id": m} for m, in members.fetchall()], ["category_id"])
        names = self.category_names()
        for row in rows:
            row["category_name"] = names[row["category_id"]]
        return self.with_share(rows)

    def sales_by_brand(self, request, spans):
        brand = self.attribute(request, "brand")
        rows = self.sums(f"SELECT *, {brand} AS brand FROM ({self.source(request)}) f", [("brand", "brand")], spans)
        if request.get("include_zero") == "true":
            members = self.con.execute(f"SELECT DISTINCT coalesce(brand, 'UNK') FROM product WHERE {where(request, 'product')}").fetchall()
            self.zero_filled(request, rows, spans, [{"brand": m} for m, in members], ["brand"])
        return numbered(self.with_share(rows), "place", lambda r: (r["net_sales"], r["brand"]), lambda r: r["period_start"])

    def channel_mix_over_time(self, request, spans):
        level = request.get("level", "channel")
        kind = "CASE WHEN channel_id IS NULL THEN 'N/A' ELSE coalesce((SELECT channel_type FROM channel c WHERE c.channel_id = f.channel_id), 'UNK') END"
        keys = [("channel_type", "shown_type")] + ([("channel_id", member("channel_id", "channel", "channel_id"))] if level == "channel" else [])
        rows = self.sums(f"SELECT *, {kind} AS shown_type FROM ({self.source(request)}) f", keys, spans)
        if request.get("include_zero", "true") == "true":
            names = [k for k, _ in keys]
            seen = {tuple(r[k] for k in names) for r in rows}
            self.zero_filled(request, rows, spans, [dict(zip(names, m)) for m in sorted(seen)], names)
        for row in rows:
            row.setdefault("channel_id", None)
        return self.with_share(self.named(rows, "channel_id", "channel"))

    def store_ranking(self, request, spans):
        at_a_place = f"SELECT * FROM ({self.source(request)}) WHERE location_id IS NOT NULL"
        sold = lambda spans: self.sums(at_a_place, [("location_id", member("location_id", "location", "location_id"))], spans)
        rows = self.ever_filled(request, sold(spans), spans, ["location_id"], sold)
        places = {r[0]: dict(zip(("region", "country", "location_type", "area"), r[1:])) for r in self.con.execute(
            "SELECT location_id, region_id, country, location_type, area FROM location").fetchall()}
        peers = request.get("peers", "region")
        for row in self.named(rows, "location_id", "location"):
            of = places.get(row["location_id"], {"area": None})
            area = of["area"]
            row["peer_group"] = "all" if peers == "all" else of.get(peers, "UNK")
            row["selling_area_sqm"] = None if area is None else Fraction(int(area))
            derive(row)
            row["sales_per_sqm"] = ratio(row["net_sales"], row["selling_area_sqm"])
        group = lambda r: (r["period_start"], r["peer_group"])
        numbered(rows, "place", lambda r: (r["net_sales"], r["location_id"]), lambda r: r["period_start"])
        numbered(rows, "place_in_peers", lambda r: (r["net_sales"], r["location_id"]), group)
        for row in rows:
            others = [r for r in rows if group(r) == group(row)]
            row["peer_count"] = Fraction(len(others))
            row["below_peers"] = Fraction(sum(r["net_sales"] < row["net_sales"] for r in others))
            row["percentile"] = ratio(row["below_peers"], row["peer_count"] - 1)
        return rows

    def store_ranking_total(self, request, spans):
        return derive(self.sums(f"SELECT * FROM ({self.source(request)}) WHERE location_id IS NOT NULL", None, spans)[0])

    def product_margin(self, request, spans):
        least = Fraction(request.get("min_cost_coverage", "0"))
        zero = request.get("include_zero") == "true"
        rows = [r for r in self.by_product(request, spans, filled=zero) if r["goods_amount_with_cost"] >= least * r["goods_amount"]]
        of = dict(self.con.execute("SELECT product_id, category1_id FROM product").fetchall())
        names = self.category_names()
        whole = Counter()
        for row in rows:
            whole[row["period_start"]] += row["gross_profit"] or 0
        for row in rows:
            id = row["product_id"]
            row["category_id"] = id if id == "N/A" else of.get(id) or "UNK"
            row["category_name"] = names[row["category_id"]]
            row["gross_profit_all"] = Fraction(whole[row["period_start"]])
            row["profit_share"] = ratio(row["gross_profit"], row["gross_profit_all"])
        return numbered(rows, "place_in_category", lambda r: (r["gross_profit"], r["product_id"]), lambda r: (r["period_start"], r["category_id"]))

    def product_margin_total(self, request, spans):
        row = derive(self.sums(self.source(request), None, spans)[0])
        return row | {"gross_profit_all": row["gross_profit"], "profit_share": ratio(row["gross_profit"], row["gross_profit"])}

    def product_top_bottom(self, request, spans):
        metric, n = request.get("metric", "net_sales"), int(request.get("n", 10))
        zero = request.get("include_zero") == "true"
        rows = [r for r in self.by_product(request, spans, known=True, filled=zero) if r[metric] is not None]
        span = lambda r: r["period_start"]
        numbered(rows, "place", lambda r: (r[metric], r["product_id"]), span)
        numbered(rows, "place_from_below", lambda r: (-r[metric], r["product_id"]), span)
        ranked = Counter(map(span, rows))
        shown = [r for r in rows if r["place"] <= n or r["place_from_below"] <= n]
        for row in shown:
            row["ranked"] = Fraction(ranked[span(row)])
            row["side"] = "both" if row["place"] <= n and row["place_from_below"] <= n else "top" if row["place"] <= n else "bottom"
        return shown

    def abc_classification(self, request, spans):
        metric = request.get("metric", "net_sales")
        cuts = Fraction(request.get("cut_a", "0.8")), Fraction(request.get("cut_b", "0.95"))
        rows = self.by_product(request, spans, known=True)
        if request.get("include_zero", "true") == "true":
            members = [{"product_id": p} for p in self.dimension_members(request, "product")]
            there = {r["product_id"] for r in rows}
            rows += self.named([derive(r) for r in self.zero_filled(request, [], spans, [m for m in members if m["product_id"] not in there],
                                                                    ["product_id"])], "product_id", "product")
        rows.sort(key=lambda r: (r[metric] is None, -(r[metric] or 0), r["product_id"]))
        whole = sum((r[metric] for r in rows if r[metric] is not None and r[metric] > 0), Fraction(0))
        before = Fraction(0)
        for place, row in enumerate(rows, 1):
            value = row[metric]
            row |= {"place": Fraction(place), "metric_value": value, "metric_before": before, "metric_all": whole, "share_before": None,
                    "metric_share": None}
            if value is None:
                row["class"] = None
            elif value <= 0:
                row["class"] = "N" if value == 0 else "R"
            else:
                row["class"] = "A" if before < cuts[0] * whole else "B" if before < cuts[1] * whole else "C"
                row["share_before"], row["metric_share"] = ratio(before, whole), ratio(value, whole)
                before += value
        return rows

    def return_rate_by_product(self, request, spans):
        least = Fraction(request.get("min_units", "10"))
        zero = request.get("include_zero") == "true"
        rows = [r for r in self.by_product(request, spans, filled=zero) if r["product_id"] != "N/A" and r["units_sold"] >= least]
        for row in rows:
            row |= wilson(row["units_returned"], row["units_sold"])
        key = lambda r: (r["rate_lower"] is None, -(r["rate_lower"] or 0), r["return_rate_units"] is None, -(r["return_rate_units"] or 0), r["product_id"])
        for start in {r["period_start"] for r in rows}:
            for place, row in enumerate(sorted((r for r in rows if r["period_start"] == start), key=key), 1):
                row["place"] = Fraction(place)
        return rows

    def return_rate_by_product_total(self, request, spans):
        row = derive(self.sums(f"SELECT * FROM ({self.source(request)}) WHERE product_id IS NOT NULL", None, spans)[0])
        return row | wilson(row["units_returned"], row["units_sold"])

    # ------------------------------------------------------------ discounts

    @staticmethod
    def depth(row, whole):
        """What a band shows beside its sums."""
        row["discount_rate"] = ratio(row["discounts"], row["gross_sales"])
        row["sales_before_returns"] = row["gross_sales"] - row["discounts"]
        row["profit_before_returns"] = row["sales_with_cost"] - row["cost_of_sales"]
        row["margin_before_returns"] = ratio(row["profit_before_returns"], row["sales_with_cost"])
        row["sales_before_returns_all"], row["sales_share"] = whole, ratio(row["sales_before_returns"], whole)
        return row

    def discount_depth(self, request, spans):
        bands = " ".join(f"WHEN 100 * discount <= {most} * gross THEN {no}" for no, _, most in DEPTHS[:-1])
        source = f"SELECT *, CASE {bands} ELSE 8 END AS band_no FROM ({self.source(request)}) WHERE kind = 'sale'"
        zero = [{"band_no": no} for no, _, _ in DEPTHS] if request.get("include_zero") == "true" else []
        return self.depths(source, [("band_no", "band_no")], spans, zero)

    def depths(self, source, keys, spans, zero=()):
        rows, lines = self.sums(source, keys, spans), {}
        # Of what has a cost, and how many lines, by the same bands.
        costed = self.sums(f"SELECT * FROM ({source}) WHERE cost IS NOT NULL", keys, spans)
        counted = self.sums(f"SELECT * REPLACE (1000 AS sold) FROM ({source})", keys, spans)
        key = lambda r: (r["period_start"], r.get("band_no"))
        costed, lines = {key(r): r for r in costed}, {key(r): r["units_sold"] for r in counted}
        self.zero_filled({}, rows, spans, zero, ["band_no"] if zero else ())
        whole = {}
        for row in rows:
            whole[row["period_start"]] = whole.get(row["period_start"], Fraction(0)) + row["gross_sales"] - row["discounts"]
        for row in rows:
            known = costed.get(key(row))
            row |= {"lines": lines.get(key(row), Fraction(0)), "sales_with_cost": known["gross_sales"] - known["discounts"] if known else Fraction(0),
                    "cost_of_sales": known["cogs"] if known else Fraction(0)}
            self.depth(row, whole[row["period_start"]])
            if "band_no" in row:
                row["band"] = DEPTHS[row["band_no"] - 1][1]
                row["band_no"] = Fraction(row["band_no"])
        return rows

    def discount_depth_total(self, request, spans):
        return self.depths(f"SELECT * FROM ({self.source(request)}) WHERE kind = 'sale'", None, spans)[0]

    # ------------------------------------------------------------ unknown keys

    def dq_unmapped_dimensions(self, request, spans):
        (start, end), partial = spans[0][0], spans[0][2]
        whole = self.sums(self.source(request), None, spans)[0]["net_sales"]
        rows = []
        for dimension, column in (("channel", "channel_id"), ("location", "location_id"), ("region", "region_id"), ("product", "product_id"),
                                  ("customer", "customer_key")):
            if request.get("dimension", "all") not in ("all", dimension):
                continue
            found = self.con.execute(f"""SELECT {column}, count(*), sum(net)::HUGEINT, min(day), max(day)
                FROM ({self.source(request)}) WHERE day >= DATE '{start}' AND day < DATE '{end}' AND {column} NOT IN (SELECT {column} FROM {dimension})
                GROUP BY 1""").fetchall()
            for key, events, net, first, last in found:
                rows.append({"period_start": start, "period_end": end, "is_partial_period": partial, "dimension": dimension, "unknown_key": key,
                             "events": Fraction(events), "net_sales": Fraction(int(net), MONEY), "net_sales_all": whole, "share": ratio(Fraction(int(net), MONEY), whole),
                             "first_date": first, "last_date": last})
        return rows

    # ------------------------------------------------------------ orders under way

    def order_status_funnel(self, request, spans):
        (start, end), partial, as_of = spans[0][0], spans[0][2], date.fromisoformat(request.get("as_of", str(TODAY)))
        region = "coalesce(l.region_id, CASE WHEN o.location_id IS NULL THEN o.ship_region_id ELSE 'UNK' END)"
        if request.get("region_basis", "sold") != "sold":
            region = f"o.{request['region_basis']}_region_id"
        lines = self.con.execute(f"""SELECT order_id, status, cancelled OR cancelled_on IS NOT NULL, day, net FROM (
                SELECT o.*, {region} AS region_id FROM ordered o LEFT JOIN location l USING (location_id))
            WHERE day >= DATE '{start}' AND day < DATE '{end}' AND {where({k: v for k, v in request.items() if k.startswith('where.')})}""").fetchall()
        orders, cells = {}, {}
        for order, status, cancelled, day, net in lines:
            orders.setdefault(order, []).append((STATUSES.index(status) + 1, cancelled or status == "cancelled", day, Fraction(int(net), MONEY)))
        for of in orders.values():
            alive = [l for l in of if not l[1]]
            status, day = min((l[0] for l in alive), default=8), min(l[2] for l in of)
            age = None
            if request.get("level") == "age":
                days = (as_of - day).days
                age = 0 if status >= 6 else next((n for n, most in enumerate((1, 3, 7, 14, 30), 1) if days <= most), 6)
            cell = cells.setdefault((status, age), [0, Fraction(0), day])
            cell[0], cell[1], cell[2] = cell[0] + 1, cell[1] + sum((l[3] for l in alive or of), Fraction(0)), min(cell[2], day)
        whole, value = Fraction(len(orders)), sum((c[1] for c in cells.values()), Fraction(0))
        return [{"period_start": start, "period_end": end, "is_partial_period": partial, "status_no": Fraction(status), "order_status": STATUSES[status - 1],
                 "age_no": None if age is None else Fraction(age), "age": None if age is None else AGES[age], "status_orders": Fraction(count),
                 "status_orders_all": whole, "order_share": ratio(count, whole), "line_value": net, "line_value_all": value, "value_share": ratio(net, value),
                 "reached_orders": Fraction(sum(c[0] for (s, _), c in cells.items() if status <= s < 8)) if age is None and status < 8 else None,
                 "oldest_date": oldest} for (status, age), (count, net, oldest) in sorted(cells.items(), key=str)]
