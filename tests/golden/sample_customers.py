"""Sample data, step 3 for the reports about customers and baskets. Written from what the reports promise, with SQL of its own: customers,
orders and pairs are taken apart in Python.
"""

from collections import Counter, defaultdict
from datetime import date
from fractions import Fraction
from itertools import combinations

from sample_measures import MONEY, TODAY, UNITS, Ratio, bucket, derive, facts, ratio

TIME = ["period_start", "period_end", "is_partial_period"]
COLUMNS = {
    "new-vs-returning": TIME + ["customer_kind", "customers", "orders", "sales_before_returns", "aov", "returns", "net_sales", "net_sales_all", "share"],
    "top-customers": TIME + ["customer_key", "customer_type", "customer_group", "membership_tier", "place", "orders", "last_order_date",
                             "sales_before_returns", "returns", "net_sales", "net_sales_with_cost", "cogs", "gross_profit", "gross_margin_pct",
                             "cumulative_net_sales", "net_sales_all", "cumulative_share"],
    "inactive-customers": TIME + ["customer_key", "customer_type", "customer_group", "membership_tier", "first_order_date", "last_order_date", "days_since",
                                  "last_order_id", "last_order_sales", "orders", "sales_before_returns", "returns", "net_sales"],
    "basket-size-distribution": TIME + ["band_no", "band_from", "band_to", "baskets", "basket_sales", "basket_units", "baskets_all", "basket_share",
                                        "size_all", "mean_size", "median_size", "p90_size"],
    "basket-affinity": TIME + ["a_id", "a_name", "b_id", "b_name", "pair_orders", "a_orders", "b_orders", "all_orders", "support", "confidence_a_b",
                               "confidence_b_a", "lift", "leverage", "conviction_a_b", "conviction_b_a"],
    "customer-acquisition": TIME + ["channel_id", "channel_name", "new_customers", "new_customers_all", "new_share", "first_day_orders", "first_day_sales",
                                    "first_order_value", "first_day_orders_per_customer", "marketing_spend", "cac"],
}
KEYS = {
    "customer-acquisition": ["period_start", "channel_id"],
    "new-vs-returning": ["period_start", "customer_kind"], "top-customers": ["period_start", "customer_key"], "inactive-customers": ["customer_key"],
    "basket-size-distribution": ["period_start", "band_no"], "basket-affinity": ["a_id", "b_id"],
}
COMPARED = {"new-vs-returning": ["customers", "orders", "net_sales"], "customer-acquisition": ["new_customers", "first_day_orders", "first_day_sales"]}
# The systems as the lake calls them, by channel.
SYSTEMS = {"pos": "shop_pos", "web": "shop_web", "app": "shop_web", "live": "shop_web", "tel": "erp", "b2b": "erp"}


def policies(request):
    return {k: v for k, v in request.items() if k in ("return_basis", "cancel_policy", "region_basis", "recognition_basis")}


class Customers:
    """A part of Golden: self.con, self.names, self.sums and what else is common to all reports."""

    def first_days(self, request):
        """Each customer's first day of buying ever; slicers do not matter, policies do."""
        bought = f"SELECT customer_key, min(day) FROM ({facts(policies(request))}) WHERE kind = 'sale' AND day IS NOT NULL AND customer_key IS NOT NULL"
        return dict(self.con.execute(bought + " GROUP BY 1").fetchall())

    def events(self, request, columns, days=None):
        """The sliced events as rows of their own, amounts as fractions where a scale is given: columns = [(SQL, scale or None)]."""
        sql = f"SELECT {', '.join(c for c, _ in columns)} FROM ({self.source(request)})"
        if days:
            sql += f" WHERE day >= DATE '{days[0]}' AND day < DATE '{days[1]}'"
        for row in self.con.execute(sql).fetchall():
            yield [v if scale is None or v is None else Fraction(int(v), scale) for v, (_, scale) in zip(row, columns)]

    def customers(self):
        found = self.con.execute("SELECT customer_key, customer_type, customer_group, membership_tier FROM customer").fetchall()
        return {r[0]: dict(zip(("customer_type", "customer_group", "membership_tier"), r[1:])) for r in found}

    def new_vs_returning(self, request, spans):
        first = self.first_days(request)
        grain, calendar = request.get("grain", "month"), request.get("calendar", "iso")
        self.con.execute("CREATE OR REPLACE TEMP TABLE first_day(customer_key VARCHAR, span DATE)")
        spanned = [(k, spans[0][0][0] if spans[0][0][0] <= d < spans[0][0][1] else None) if grain == "all" else (k, bucket(d, grain, calendar)[0])
                   for k, d in first.items()]
        self.con.execute("INSERT INTO first_day SELECT unnest(?::VARCHAR[]), unnest(?::DATE[])", [list(c) for c in zip(*spanned)])
        kind = "CASE WHEN customer_key IS NULL THEN 'anonymous' WHEN period_start = span THEN 'new' ELSE 'returning' END"
        source = f"SELECT f.*, d.span FROM ({self.source(request)}) f LEFT JOIN first_day d ON d.customer_key = f.customer_key"
        rows = self.sums(source, [("customer_kind", kind)], spans)
        if request.get("include_zero", "true") == "true":
            self.zero_filled(request, rows, spans, [{"customer_kind": k} for k in ("new", "returning", "anonymous")], ["customer_kind"])
        rows = self.with_share(rows)
        return sorted(rows, key=lambda r: (r["period_start"], r["customer_kind"]))

    def customer_acquisition(self, request, spans):
        first, orders = self.first_days(request), defaultdict(lambda: defaultdict(lambda: [None, Fraction(0)]))
        columns = [("customer_key", None), ("day", None), ("kind", None), ("order_id", None), ("channel_id", None), ("gross - discount", MONEY)]
        for key, day, kind, order, channel, sold in self.events(request, columns, (spans[0][1][0], spans[-1][1][1])):
            if kind == "sale" and key is not None and first[key] == day:
                orders[key][order][0] = channel
                orders[key][order][1] += sold
        known, sums = set(self.names["channel"]), defaultdict(lambda: [0, 0, Fraction(0)])
        for key, of in orders.items():
            # The lake's ids begin with the source's name.
            channel = of[min(of, key=lambda o: f"{SYSTEMS.get(of[o][0], of[o][0])}:{o}")][0]
            span = self.span_of(first[key], spans)
            cell = sums[span[0], span[2], "N/A" if channel is None else channel if channel in known else "UNK"]
            cell[0], cell[1], cell[2] = cell[0] + 1, cell[1] + len(of), cell[2] + sum((s for _, s in of.values()), Fraction(0))
        if request.get("include_zero") == "true":
            for span, _, partial in spans:
                for channel in self.dimension_members(request, "channel"):
                    sums[span, partial, channel]
        whole = Counter()
        for (span, _, _), cell in sums.items():
            whole[span] += cell[0]
        spend = {span: self.marketing_spend(days) for span, days, _ in spans}
        rows = [{"period_start": span[0], "period_end": span[1], "is_partial_period": partial, "channel_id": channel} | self.acquired(cell, whole[span], spend[span])
                for (span, partial, channel), cell in sums.items()]
        return self.named(rows, "channel_id", "channel")

    def marketing_spend(self, days):
        """All of it, whatever is sliced."""
        found = self.con.execute("SELECT coalesce(sum(spend_rc), 0) FROM spend WHERE day >= ? AND day < ?", list(days)).fetchone()
        return Fraction(int(found[0]), MONEY)

    @staticmethod
    def acquired(cell, whole, spend):
        new, orders, sold = Fraction(cell[0]), Fraction(cell[1]), cell[2]
        return {"new_customers": new, "new_customers_all": Fraction(whole), "new_share": ratio(new, whole), "first_day_orders": orders, "first_day_sales": sold,
                "first_order_value": ratio(sold, orders), "first_day_orders_per_customer": ratio(orders, new), "marketing_spend": spend, "cac": ratio(spend, whole)}

    def customer_acquisition_total(self, request, spans):
        rows = self.customer_acquisition(request, spans)
        cell = [sum(r[c] for r in rows) for c in ("new_customers", "first_day_orders", "first_day_sales")]
        return self.acquired(cell, cell[0], self.marketing_spend((spans[0][1][0], spans[-1][1][1])))

    def top_customers(self, request, spans):
        rows = self.sums(self.source(request), [("customer_key", "customer_key")], spans)
        last, known, shown = {}, self.customers(), []
        for key, day, kind in self.events(request, [("customer_key", None), ("day", None), ("kind", None)], (request["from"], request["to"])):
            if kind == "sale" and key is not None:
                span = self.span_of(day, spans)[0][0]
                last[span, key] = max(day, last.get((span, key), day))
        for (start, _), _, _ in spans:
            here = [r for r in rows if r["period_start"] == start]
            whole, so_far = sum((r["net_sales"] for r in here), Fraction(0)), Fraction(0)
            here = sorted((r for r in here if r["customer_key"] is not None), key=lambda r: (-r["net_sales"], r["customer_key"]))
            for place, row in enumerate(here, 1):
                so_far += row["net_sales"]
                row |= {"place": Fraction(place), "cumulative_net_sales": so_far, "last_order_date": last.get((start, row["customer_key"]))}
                row["cumulative_share"] = ratio(so_far, whole)
                row |= known.get(row["customer_key"], {"customer_type": "UNK", "customer_group": None, "membership_tier": None})
                derive(row)
                row["net_sales_all"] = whole
            shown += here[:int(request.get("n", 100))]
        return shown

    def inactive_customers(self, request):
        as_of = date.fromisoformat(request.get("as_of", str(TODAY)))
        days, least = int(request.get("days", 180)), int(request.get("min_orders", 1))
        columns = [("customer_key", None), ("day", None), ("channel_id", None), ("order_id", None), ("gross - discount", MONEY), ("returned", MONEY), ("net", MONEY)]
        orders, sums = defaultdict(lambda: defaultdict(Fraction)), defaultdict(Counter)
        for key, day, channel, order, sold, back, net in self.events(request, columns, ("2000-01-01", as_of)):
            if key is None:
                continue
            if order is not None:
                orders[key][day, f"{SYSTEMS.get(channel, channel)}:{order}"] += sold
            sums[key].update({"sales_before_returns": sold, "returns": back, "net_sales": net})
        known, rows = self.customers(), []
        for key, of in orders.items():
            last = max(of)
            if len(of) < least or (as_of - last[0]).days < days:
                continue
            rows.append({"period_start": date.fromordinal(as_of.toordinal() - days), "period_end": as_of, "is_partial_period": False, "customer_key": key,
                         "first_order_date": min(of)[0], "last_order_date": last[0], "days_since": Fraction((as_of - last[0]).days), "last_order_id": last[1],
                         "last_order_sales": of[last], "orders": Fraction(len(of)), **{m: Fraction(sums[key][m]) for m in ("sales_before_returns", "returns", "net_sales")},
                         **known.get(key, {"customer_type": "UNK", "customer_group": None, "membership_tier": None})})
        return sorted(rows, key=lambda r: (-r["net_sales"], r["customer_key"]))

    # ------------------------------------------------------------ baskets

    def basket_size_distribution(self, request, spans):
        width, bands = Fraction(request.get("width", "10")), int(request.get("bands", 20))
        baskets = {start: defaultdict(lambda: [Fraction(0), Fraction(0)]) for (start, _), _, _ in spans}
        columns = [("order_id", None), ("day", None), ("gross - discount", MONEY), ("sold", UNITS)]
        for order, day, sold, units in self.events(request, columns, (request["from"], request["to"])):
            if order is not None:
                basket = baskets[self.span_of(day, spans)[0][0]][order]
                basket[0], basket[1] = basket[0] + sold, basket[1] + units
        size, rows = lambda basket: basket[1] if request.get("by") == "units" else basket[0], []
        for (start, end), _, partial in spans:
            sizes = sorted(size(b) for b in baskets[start].values())
            at = lambda tenths: sizes[-(-tenths * len(sizes) // 10) - 1] if sizes else None
            found = {no: [] for no in range(1, bands + 1)} if request.get("include_zero") == "true" else {}
            for basket in baskets[start].values():
                found.setdefault(min(bands, 1 + int(size(basket) // width)), []).append(basket)
            whole = sum(sizes, Fraction(0))
            rows += [{"period_start": start, "period_end": end, "is_partial_period": partial, "band_no": Fraction(no), "band_from": (no - 1) * width,
                      "band_to": no * width if no < bands else None, "baskets": Fraction(len(of)), "basket_sales": sum((b[0] for b in of), Fraction(0)),
                      "basket_units": sum((b[1] for b in of), Fraction(0)), "baskets_all": Fraction(len(sizes)),
                      "basket_share": ratio(Fraction(len(of)), len(sizes)), "size_all": whole, "mean_size": ratio(whole, len(sizes)), "median_size": at(5),
                      "p90_size": at(9)} for no, of in sorted(found.items())]
        return rows

    def basket_affinity(self, request, spans):
        level = request.get("level", "sku")
        shown = {"sku": ("product_id", "product_name"), "product": ("product_id", "product_name"), "brand": ("brand", "brand"),
                 "category": ("category1_id", "category1")}[level]
        items = {p: (i, n) for p, i, n in self.con.execute(f"SELECT product_id, {shown[0]}, {shown[1]} FROM product").fetchall() if i is not None}
        baskets = defaultdict(set)
        for order, product in self.events(request, [("order_id", None), ("product_id", None)], (request["from"], request["to"])):
            if order is not None:
                baskets[order].add(items.get(product))
        for basket in baskets.values():
            basket.discard(None)
        single = Counter(i for b in baskets.values() for i in b)
        pairs = Counter(p for b in baskets.values() for p in combinations(sorted(b), 2))
        least, support, lift = (Fraction(request.get(k, d)) for k, d in (("min_orders", "5"), ("min_support", "0"), ("min_lift", "0")))
        whole, (start, end), partial = Fraction(len(baskets)), spans[0][0], spans[0][2]
        rows = []
        for (a, b), both in pairs.items():
            n_a, n_b = Fraction(single[a]), Fraction(single[b])
            if both < least or both < support * whole or both * whole < lift * n_a * n_b:
                continue
            rows.append({"period_start": start, "period_end": end, "is_partial_period": partial, "a_id": a[0], "a_name": a[1], "b_id": b[0], "b_name": b[1],
                         "pair_orders": Fraction(both), "a_orders": n_a, "b_orders": n_b, "all_orders": whole, "support": ratio(both, whole),
                         "confidence_a_b": ratio(both, n_a), "confidence_b_a": ratio(both, n_b), "lift": ratio(both * whole, n_a * n_b),
                         "leverage": Ratio(both / whole - n_a * n_b / whole / whole),
                         "conviction_a_b": ratio(1 - n_b / whole, 1 - both / n_a), "conviction_b_a": ratio(1 - n_a / whole, 1 - both / n_b)})
        return rows
