"""Sample data, step 3 for the reports about what visitors and customers leave behind: carts and feedback. Written from what the reports
promise, with SQL of its own; shares and times are taken apart in Python.
"""

from collections import defaultdict
from datetime import date
from fractions import Fraction
from math import sqrt

from sample_measures import MONEY, TODAY, Ratio, ratio, where

Z = 1.959963984540054  # the normal quantile of 97.5 %
TIME = ["period_start", "period_end", "is_partial_period"]
COLUMNS = {
    "cart-abandonment": TIME + ["group_id", "group_name", "cart_currency", "carts", "bought_carts", "open_carts", "abandoned_carts", "abandonment_rate",
                                "cart_units", "abandoned_units", "cart_value", "abandoned_value", "abandoned_value_per_cart"],
    "customer-satisfaction": TIME + ["group_id", "group_name", "csat_answers", "csat_satisfied", "csat", "csat_lower", "csat_upper", "nps_answers",
                                     "promoters", "detractors", "nps", "nps_margin", "ratings", "rating_points", "mean_rating"],
    "complaints-analysis": TIME + ["group_id", "group_name", "complaints", "complaints_all", "complaints_share", "orders", "complaints_per_1000_orders",
                                   "answered", "resolved", "open_complaints", "first_contact_resolved", "fcr_rate", "response_minutes_p50",
                                   "resolution_minutes_p50", "resolution_minutes_p90"],
}
KEYS = {
    "cart-abandonment": ["period_start", "group_id", "cart_currency"], "customer-satisfaction": ["period_start", "group_id"],
    "complaints-analysis": ["period_start", "group_id"],
}
COMPARED = {
    "cart-abandonment": ["carts", "abandoned_carts", "abandonment_rate"], "customer-satisfaction": ["csat", "nps", "mean_rating"],
    "complaints-analysis": ["complaints", "complaints_per_1000_orders"],
}


def of_double(value):
    """A quotient that passed through a root."""
    return Ratio(Fraction(value))


class Service:
    """A part of Golden: self.con, self.names, self.events and what else is common to all reports."""

    def said_of(self, level):
        """(product, channel, device) → (id, name) of the group in which something is shown."""
        product = {p: (p, n) for p, n in self.names["product"].items()}
        if level == "category":
            product = {p: (c, n) for p, c, n in self.con.execute("SELECT product_id, category1_id, category1 FROM product").fetchall()}
        def shown(known, key):
            return ("N/A", "N/A") if key is None else ("UNK", "UNK") if key not in known else known[key]
        channels = {c: (c, n) for c, n in self.names["channel"].items()}
        if level == "channel":
            return lambda p, c, d: shown(channels, c)
        if level in ("category", "product"):
            return lambda p, c, d: tuple("UNK" if v is None else v for v in shown(product, p))
        return lambda p, c, d: (d or "N/A",) * 2 if level == "device" else (None, None)

    # ------------------------------------------------------------ carts

    def cart_abandonment(self, request, spans):
        carts = lambda of: self.carts(request, of)
        return self.ever_filled(request, carts(spans), spans, ["group_id", "cart_currency"], carts)

    def carts(self, request, spans):
        timeout, as_of = int(request.get("timeout", 24)) * 3600, date.fromisoformat(request.get("as_of", str(TODAY)))
        end, group = (as_of - date(1970, 1, 1)).days * 86400, self.said_of(request.get("level", "all"))
        put = f"""SELECT session, visitor, epoch_us(happened) AS moment, timezone('Europe/London', happened)::DATE AS day, channel_id, region_id, location_id, device, customer_key, product_id,
                units(qty, 3)::BIGINT AS qty, units(price, 2)::BIGINT AS price, currency, id FROM visit_event WHERE name = 'add_to_cart'"""
        made = ", ".join(f"'{c}': {c}" for c in ("visitor", "moment", "day", "channel_id", "region_id", "location_id", "device", "customer_key"))
        first = f"SELECT session, arg_min({{{made}}}, (moment, id)) AS c FROM ({put}) GROUP BY 1"
        sql = f"""SELECT * FROM (SELECT p.session, c.visitor AS visitor, c.moment AS moment, c.day AS day, c.channel_id AS channel_id, c.region_id AS region_id,
                c.location_id AS location_id, c.device AS device, c.customer_key AS customer_key, p.currency AS currency, p.product_id, p.qty, p.price
            FROM ({put}) p JOIN ({first}) f USING (session)) WHERE {where(request)}"""
        bought = defaultdict(list)
        for visitor, at in self.con.execute("SELECT visitor, epoch_us(happened) FROM visit_event WHERE name = 'purchase'").fetchall():
            bought[visitor].append(at)
        found = defaultdict(lambda: {"carts": defaultdict(set), "units": defaultdict(int), "value": defaultdict(int)})
        for session, visitor, at, day, channel, _, _, device, _, currency, product, qty, price in self.con.execute(sql).fetchall():
            span = next((s for s in spans if s[1][0] <= day < s[1][1]), None)
            if span is None:
                continue
            later = [b for b in bought[visitor] if b >= at]
            if later and min(later) - at <= timeout * 1_000_000:
                fate = "bought"
            else:
                fate = "open" if at + timeout * 1_000_000 > end * 1_000_000 else "abandoned"
            cell = found[span[0], span[2], *group(product, channel, device), currency]
            cell["carts"][fate].add(session)
            cell["units"][fate] += qty
            cell["value"][fate] += qty * price
        rows = []
        for ((start, after), partial, of, name, currency), cell in found.items():
            number = lambda fate: Fraction(len(cell["carts"][fate]))
            value = lambda fates: Fraction(sum(cell["value"][f] for f in fates), 100_000)
            units = lambda fates: Fraction(sum(cell["units"][f] for f in fates), 1000)
            every, left = ("bought", "open", "abandoned"), ("abandoned",)
            rows.append({"period_start": start, "period_end": after, "is_partial_period": partial, "group_id": of, "group_name": name, "cart_currency": currency,
                         "carts": sum(map(number, every)), "bought_carts": number("bought"), "open_carts": number("open"), "abandoned_carts": number("abandoned"),
                         "abandonment_rate": ratio(number("abandoned"), number("bought") + number("abandoned")), "cart_units": units(every),
                         "abandoned_units": units(left), "cart_value": value(every), "abandoned_value": value(left),
                         "abandoned_value_per_cart": ratio(value(left), number("abandoned"))})
        return rows

    # ------------------------------------------------------------ feedback

    def said(self, request, kinds):
        listed = ", ".join(f"'{k}'" for k in kinds)
        cursor = self.con.execute(f"SELECT * FROM feedback WHERE type IN ({listed}) AND {where(request)}")
        names = [c[0] for c in cursor.description]
        return [dict(zip(names, r)) for r in cursor.fetchall()]

    def said_by(self, request, spans, kinds, default):
        level, groups = request.get("level", default), defaultdict(list)
        group = self.said_of(level)
        for f in self.said(request, kinds):
            span = next((s for s in spans if s[1][0] <= f["day"] < s[1][1]), None)
            if span:
                of = (f["topic"], f["topic"]) if level == "topic" else group(f["product_id"], f["channel_id"], None)
                groups[span[0], span[2], *of].append(f)
        return groups

    def customer_satisfaction(self, request, spans):
        groups = self.said_by(request, spans, ("csat", "nps", "review", "rating"), "all")
        if request.get("level", "all") == "all" and request.get("include_zero", "true") == "true":
            for span, _, partial in spans:
                groups[span, partial, None, None]
        return [{"period_start": start, "period_end": end, "is_partial_period": partial, "group_id": of, "group_name": name} | self.content(some)
                for ((start, end), partial, of, name), some in sorted(groups.items(), key=lambda g: (g[0][0], g[0][2] or ""))]

    def customer_satisfaction_total(self, request, spans):
        return {"group_id": None} | self.content([f for some in self.said_by(request, spans, ("csat", "nps", "review", "rating"), "all").values() for f in some])

    @staticmethod
    def content(some):
        asked = [f for f in some if f["type"] == "csat"]
        scores = [f["score"] for f in some if f["type"] == "nps"]
        points = [Fraction(5 * f["score"], f["scale"]) for f in some if f["type"] in ("review", "rating")]
        n, k = len(asked), sum(5 * f["score"] >= 4 * f["scale"] for f in asked)
        up, down = sum(s >= 9 for s in scores), sum(s <= 6 for s in scores)
        lower = upper = margin = None
        if n:
            middle, half = k / n + Z * Z / (2 * n), Z * sqrt(k / n * (1 - k / n) / n + Z * Z / (4 * n * n))
            lower, upper = (of_double((middle + side * half) / (1 + Z * Z / n)) for side in (-1, 1))
        if scores:
            mean = Fraction(up - down, len(scores))
            margin = of_double(100 * Z * sqrt((Fraction(up + down, len(scores)) - mean * mean) / len(scores)))
        number = lambda x: Fraction(x)
        return {"csat_answers": number(n), "csat_satisfied": number(k), "csat": ratio(number(k), n), "csat_lower": lower, "csat_upper": upper,
                "nps_answers": number(len(scores)), "promoters": number(up), "detractors": number(down), "nps": ratio(number(100 * (up - down)), len(scores)),
                "nps_margin": margin, "ratings": number(len(points)), "rating_points": sum(points, Fraction(0)),
                "mean_rating": ratio(sum(points, Fraction(0)), len(points))}

    def told_of(self, request, level, group, kind):
        """(id, name) of what complaints could be about: members of a dimension, or the topics of all that was said before the end."""
        if level == "topic":
            said = self.said(request, ("complaint", "ticket") if kind == "both" else (kind,))
            return {(f["topic"],) * 2 for f in said if f["day"] < date.fromisoformat(request["to"])}
        if level == "channel":
            return {group(None, c, None) for c in self.dimension_members(request, "channel")}
        return {group(p, None, None) for p in self.dimension_members(request, "product")}

    def complaints_analysis(self, request, spans):
        level, kind = request.get("level", "topic"), request.get("kind", "complaint")
        groups = self.said_by(request, spans, ("complaint", "ticket") if kind == "both" else (kind,), "topic")
        group, orders, whole = self.said_of(level), defaultdict(set), defaultdict(int)
        if request.get("include_zero") == "true":
            for member in self.told_of(request, level, group, kind):
                for span, _, partial in spans:
                    groups[span, partial, *member]
        for order, day, product, channel in self.events(request, [("order_id", None), ("day", None), ("product_id", None), ("channel_id", None)],
                                                        (spans[0][1][0], spans[-1][1][1])):
            if order is not None:
                span = next(s for s in spans if s[1][0] <= day < s[1][1])
                orders[span[0], None if level == "topic" else group(product, channel, None)[0]].add((channel, order))
        for (span, *_), some in groups.items():
            whole[span] += len(some)
        rows = []
        for (span, partial, of, name), some in groups.items():
            # Complaints about no article have no orders of their own.
            sold = None if of == "N/A" else Fraction(len(orders[span, None if level == "topic" else of]))
            n = Fraction(len(some))
            minutes = lambda field: sorted((f[field] - f["opened"]) // 60 for f in some if f[field] is not None)
            at = lambda times, tenths: Fraction(times[-(-tenths * len(times) // 10) - 1]) if times else None
            answers, ends = minutes("replied"), minutes("resolved")
            once = Fraction(sum(bool(f["at_once"]) for f in some))
            rows.append({"period_start": span[0], "period_end": span[1], "is_partial_period": partial, "group_id": of, "group_name": name, "complaints": n,
                         "complaints_all": Fraction(whole[span]), "complaints_share": ratio(n, whole[span]), "orders": sold,
                         "complaints_per_1000_orders": ratio(1000 * n, sold), "answered": Fraction(len(answers)), "resolved": Fraction(len(ends)),
                         "open_complaints": n - len(ends), "first_contact_resolved": once, "fcr_rate": ratio(once, len(ends)),
                         "response_minutes_p50": at(answers, 5), "resolution_minutes_p50": at(ends, 5), "resolution_minutes_p90": at(ends, 9)})
        return rows
