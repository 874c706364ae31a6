"""Sample data, step 3 for the reports about promotions, coupons and marketing. Written from what the reports promise, with SQL of its own: who led
to which order is found in Python.
"""

from bisect import bisect_left
from collections import defaultdict
from datetime import timedelta
from fractions import Fraction
from itertools import product

from sample_customers import SYSTEMS
from sample_measures import MONEY, derive, ratio, where

TIME = ["period_start", "period_end", "is_partial_period"]
COLUMNS = {
    "promotion-performance": TIME + ["promotion_id", "promotion_name", "promotion_type", "funded_by", "orders", "orders_all", "order_share", "customers",
                                     "new_customers", "gross_sales", "discounts", "promotion_discounts", "discount_depth", "returns", "net_sales",
                                     "net_sales_all", "share", "units_sold", "units_returned", "net_units", "net_sales_with_cost", "cogs", "gross_profit",
                                     "gross_margin_pct", "fixed_cost", "budget"],
    "coupon-redemption": TIME + ["promotion_id", "promotion_name", "coupon_code", "issued", "redeemed", "redemption_rate", "coupon_discounts",
                                 "cost_per_order", "redeemed_sales", "aov_with", "orders_without", "sales_without", "aov_without", "coupon_customers",
                                 "coupon_new_customers", "new_share"],
    "roas-cac": TIME + ["marketing_channel", "spend", "attributed_sales", "attributed_orders", "attributed_new_customers", "roas", "cac", "spend_all",
                        "all_sales", "mer"],
    "campaign-performance": TIME + ["campaign_id", "campaign_name", "marketing_channel", "spend", "impressions", "clicks", "ctr", "cost_per_click", "visits",
                                    "attributed_orders", "attributed_sales", "attributed_new_customers", "new_share", "roas", "cac"],
}
KEYS = {
    "promotion-performance": ["period_start", "promotion_id"], "coupon-redemption": ["period_start", "promotion_id", "coupon_code"],
    "roas-cac": ["period_start", "marketing_channel"], "campaign-performance": ["period_start", "campaign_id"],
}
COMPARED = {
    "promotion-performance": ["net_sales", "orders", "promotion_discounts", "gross_profit"],
    "roas-cac": ["spend", "attributed_sales", "attributed_new_customers"],
    "campaign-performance": ["spend", "clicks", "visits", "attributed_sales"],
}
CLICKED, SEEN = timedelta(days=30), timedelta(days=1)


class Marketing:
    """A part of Golden: self.con, self.names, self.sums, self.first_days and what else is common to all reports."""

    # ------------------------------------------------------------ promotions

    def reduced(self, request, kind="true"):
        """The sliced events with the promotions that reduced their lines, and what each took off."""
        shown = "CASE WHEN promotion IS NULL THEN 'N/A' WHEN promotion IN (SELECT promotion_id FROM promotion) THEN promotion ELSE 'UNK' END"
        return f"""SELECT f.*, t.shown_promotion, t.code, t.amount_rc FROM ({self.source(request)}) f JOIN (
                SELECT system, order_id, line_no, {shown} AS shown_promotion, {self.shown_code(request)} AS code, sum(amount_rc) AS amount_rc
                FROM reduction WHERE {kind} GROUP BY ALL) t
            ON t.system = f.line_system AND t.order_id = f.line_order AND t.line_no = f.line_no"""

    @staticmethod
    def shown_code(request):
        return "coalesce(coupon, 'N/A')" if request.get("level") == "code" else "NULL::VARCHAR"

    def promotions(self):
        found = self.con.execute("SELECT promotion_id, promotion_name, promotion_type, funded_by, fixed_cost, budget FROM promotion").fetchall()
        return {r[0]: r[1:] for r in found}

    def promotion_performance(self, request, spans):
        return [row for span in spans for row in self.promotions_in(request, span)]

    def promotions_in(self, request, span):
        window, first, known, spans = span[1], self.first_days(request), self.promotions(), [span]
        asked = set(request["promotion"].split(",")) if "promotion" in request else None
        whole = self.sums(self.source(request), None, spans)[0]
        source = self.reduced(request, "promotion IS NOT NULL")
        rows = [r for r in self.sums(source, [("promotion_id", "shown_promotion")], spans) if asked is None or r["promotion_id"] in asked]
        if request.get("include_zero") == "true":
            self.zero_filled(request, rows, spans, [{"promotion_id": p} for p in known if asked is None or p in asked], ["promotion_id"])
        new, taken = defaultdict(set), defaultdict(Fraction)
        sql = f"SELECT shown_promotion, buyer, day, amount_rc FROM ({source}) WHERE kind = 'sale' AND day >= ? AND day < ?"
        for promotion, buyer, day, amount in self.con.execute(sql, list(window)).fetchall():
            taken[promotion] += Fraction(int(amount), MONEY)
            if buyer is not None and first[buyer] == day:
                new[promotion].add(buyer)
        for row in rows:
            p = row["promotion_id"]
            name, kind, funder, fixed, budget = known.get(p, (p, None, None, None, None))
            derive(row)
            row |= {"promotion_name": name, "promotion_type": kind, "funded_by": funder, "orders_all": whole["orders"], "net_sales_all": whole["net_sales"],
                    "order_share": ratio(row["orders"], whole["orders"]), "share": ratio(row["net_sales"], whole["net_sales"]),
                    "new_customers": Fraction(len(new[p])), "promotion_discounts": taken[p], "discount_depth": ratio(taken[p], row["gross_sales"]),
                    "fixed_cost": None if fixed is None else Fraction(int(fixed), MONEY), "budget": None if budget is None else Fraction(int(budget), MONEY)}
        return rows

    def coupon_redemption(self, request, spans):
        rows = [row for span in spans for row in self.coupons_in(request, span)]
        self.ever_filled(request, rows, spans, ["promotion_id", "coupon_code"], lambda ever: self.coupons_in(request, ever[0]))
        plain = {span[0][0]: self.without_coupon(request, span[1])[1:] for span in spans}
        for row in rows:
            orders, sold = plain[row["period_start"]]
            row |= {"orders_without": orders, "sales_without": sold, "aov_without": ratio(sold, orders)}
        return rows

    def without_coupon(self, request, window):
        """The days' orders, how many of them have no coupon, and what these come to."""
        orders = {}
        sql = f"SELECT order_id, any_value(buyer), any_value(day), sum(gross - discount) FROM ({self.source(request)}) WHERE kind = 'sale' AND day >= ? AND day < ? GROUP BY 1"
        for order, buyer, day, sold in self.con.execute(sql, list(window)).fetchall():
            orders[order] = buyer, day, Fraction(int(sold), MONEY)
        coupons = self.reduced(request, "type = 'coupon'")
        used = f"SELECT DISTINCT order_id FROM ({coupons}) WHERE kind = 'sale' AND day >= ? AND day < ?"
        plain = set(orders) - {o for o, in self.con.execute(used, list(window)).fetchall()}
        return orders, Fraction(len(plain)), sum((orders[o][2] for o in plain), Fraction(0))

    def coupons_in(self, request, span):
        (start, end), window, partial = span
        first, known, orders = self.first_days(request), self.promotions(), self.without_coupon(request, window)[0]
        used, coupons = defaultdict(dict), self.reduced(request, "type = 'coupon'")
        sql = f"SELECT order_id, shown_promotion, code, sum(amount_rc) FROM ({coupons}) WHERE kind = 'sale' AND day >= ? AND day < ? GROUP BY ALL"
        for order, promotion, code, amount in self.con.execute(sql, list(window)).fetchall():
            used[promotion, code][order] = Fraction(int(amount), MONEY)
        issued = defaultdict(int)
        shown = "CASE WHEN promotion IS NULL THEN 'N/A' WHEN promotion IN (SELECT promotion_id FROM promotion) THEN promotion ELSE 'UNK' END"
        sql = f"""SELECT {shown}, {self.shown_code(request)}, count(*) FROM touch WHERE type = 'coupon_issued' AND day >= ? AND day < ? AND {where(request)} GROUP BY ALL"""
        for promotion, code, n in self.con.execute(sql, list(window)).fetchall():
            issued[promotion, code] = n
        rows = []
        for promotion, code in used.keys() | issued.keys():
            of = used.get((promotion, code), {})
            buyers = {orders[o][0] for o in of} - {None}
            fresh = {orders[o][0] for o in of if orders[o][0] is not None and first[orders[o][0]] == orders[o][1]}
            sold, taken, given = sum((orders[o][2] for o in of), Fraction(0)), sum(of.values(), Fraction(0)), Fraction(issued.get((promotion, code), 0))
            n = Fraction(len(of))
            rows.append({"period_start": start, "period_end": end, "is_partial_period": partial, "promotion_id": promotion,
                         "promotion_name": known[promotion][0] if promotion in known else promotion, "coupon_code": code, "issued": given, "redeemed": n,
                         "redemption_rate": ratio(n, given), "coupon_discounts": taken, "cost_per_order": ratio(taken, n), "redeemed_sales": sold,
                         "aov_with": ratio(sold, n), "coupon_customers": Fraction(len(buyers)), "coupon_new_customers": Fraction(len(fresh)),
                         "new_share": ratio(Fraction(len(fresh)), len(buyers))})
        return rows

    # ------------------------------------------------------------ who led to an order

    def attributed(self, request, window):
        """Every order of the days and each contact that has credit for it: day, channel, campaign, money, part of the order, part of a new customer."""
        contacts = defaultdict(list)
        sql = """SELECT customer_key, happened AT TIME ZONE 'UTC', id, type, means, campaign FROM touch
            WHERE customer_key IS NOT NULL AND type IN ('click', 'email_click', 'impression')"""
        for customer, *contact in self.con.execute(sql).fetchall():
            contacts[customer].append(tuple(contact))
        for of in contacts.values():
            of.sort()
        first, model = self.first_days(request), request.get("attribution", "last")
        sql = f"""SELECT o.order_id, o.day, o.buyer, o.channel_id, o.sold, m.happened AT TIME ZONE 'UTC' FROM (
                SELECT line_system, order_id, day, any_value(buyer) AS buyer, any_value(channel_id) AS channel_id, sum(gross - discount) AS sold
                FROM ({self.source(request)}) WHERE kind = 'sale' GROUP BY ALL) o
            JOIN moment m ON m.system = o.line_system AND m.order_id = o.order_id WHERE o.day >= ? AND o.day < ?"""
        orders = self.con.execute(sql, list(window)).fetchall()
        # Of a customer's orders of the first day the first one; the lake's ids begin with the source's name.
        beginning = {}
        for order, day, buyer, channel, _, at in orders:
            if buyer is not None and first[buyer] == day:
                beginning[buyer] = min(beginning.get(buyer, (at, "\uffff", None)), (at, f"{SYSTEMS.get(channel, channel)}:{order}", order))
        for order, day, buyer, _, sold, at in orders:
            known = contacts.get(buyer, ())
            known = known[bisect_left(known, (at - CLICKED,)):bisect_left(known, (at,))]
            led = [c for c in known if c[2] != "impression" or c[0] >= at - SEEN]
            new = buyer in beginning and beginning[buyer][2] == order
            if not led:
                led, n = [(None, None, None, None, None)], 1
            elif model == "linear":
                n = len(led)
            else:
                led, n = [led[-1] if model == "last" else led[0]], 1
            for i, (_, _, _, means, campaign) in enumerate(led, 1):
                part = lambda whole: whole * i // n - whole * (i - 1) // n
                share = Fraction(part(1_000_000), 1_000_000)
                yield day, means, campaign, Fraction(part(int(sold)), MONEY), share, share if new else Fraction(0)

    def spent(self, window):
        """day, campaign, means as listed, money, impressions, clicks."""
        sql = """SELECT day, campaign, coalesce(c.means, 'UNK'), spend_rc, impressions, clicks FROM spend s LEFT JOIN campaign c ON c.campaign_id = s.campaign
            WHERE day >= ? AND day < ?"""
        for day, campaign, means, money, *seen in self.con.execute(sql, list(window)).fetchall():
            yield day, campaign, means, Fraction(int(money), MONEY), *map(Fraction, seen)

    def roas_cac(self, request, spans):
        window = spans[0][1][0], spans[-1][1][1]
        cells = defaultdict(lambda: [Fraction(0)] * 4)

        def add(day, channel, *amounts):
            span = self.span_of(day, spans)
            cell = cells[span[0], span[2], channel]
            cells[span[0], span[2], channel] = [a + b for a, b in zip(cell, amounts)]

        for day, means, _, money, orders, new in self.attributed(request, window):
            add(day, means or "(unattributed)", 0, money, orders, new)
        for day, _, means, money, *_ in self.spent(window):
            add(day, means, money, 0, 0, 0)
        if request.get("include_zero") == "true":
            for (span, _, partial), (means,) in product(spans, self.con.execute("SELECT DISTINCT means FROM campaign").fetchall()):
                cells[span, partial, means]
        rows = []
        for ((start, end), partial, channel), (spend, sold, orders, new) in cells.items():
            of = [c for (span, _, _), c in cells.items() if span[0] == start]
            spend_all, sold_all = sum(c[0] for c in of), sum(c[1] for c in of)
            rows.append({"period_start": start, "period_end": end, "is_partial_period": partial, "marketing_channel": channel, "spend": spend,
                         "attributed_sales": sold, "attributed_orders": orders, "attributed_new_customers": new, "roas": ratio(sold, spend),
                         "cac": ratio(spend, new), "spend_all": spend_all, "all_sales": sold_all, "mer": ratio(sold_all, spend_all)})
        return sorted(rows, key=lambda r: (r["period_start"], r["marketing_channel"]))

    def campaign_performance(self, request, spans):
        return [row for span in spans for row in self.campaigns_in(request, span)]

    def campaigns_in(self, request, span):
        (start, end), window, partial = span
        known = {r[0]: r[1:] for r in self.con.execute("SELECT campaign_id, campaign_name, means FROM campaign").fetchall()}
        cells = defaultdict(lambda: [Fraction(0)] * 7)

        def add(campaign, *amounts):
            shown = "N/A" if campaign is None else campaign if campaign in known else "UNK"
            if "means" not in request or shown in known and known[shown][1] == request["means"]:
                cells[shown] = [a + b for a, b in zip(cells[shown], amounts)]

        for _, campaign, _, money, shows, clicks in self.spent(window):
            add(campaign, money, shows, clicks, 0, 0, 0, 0)
        visits = """SELECT campaign FROM (SELECT session, timezone('Europe/London', min(happened))::DATE AS day,
                arg_min(campaign, (happened, id)) FILTER (campaign IS NOT NULL) AS campaign FROM visit_event GROUP BY session)
            WHERE day >= ? AND day < ? AND campaign IS NOT NULL"""
        for campaign, in self.con.execute(visits, list(window)).fetchall():
            add(campaign, 0, 0, 0, 1, 0, 0, 0)
        for _, means, campaign, money, orders, new in self.attributed(request, window):
            if means is not None:
                add(campaign, 0, 0, 0, 0, orders, money, new)
        if request.get("include_zero") == "true":
            for campaign in known:
                add(campaign, *[0] * 7)
        self.whole_campaigns = [sum(c) for c in zip(*cells.values())] or [Fraction(0)] * 7
        return [self.campaign(amounts) | {"period_start": start, "period_end": end, "is_partial_period": partial, "campaign_id": c,
                                          "campaign_name": known.get(c, (c, c))[0], "marketing_channel": known.get(c, (c, c))[1]}
                for c, amounts in cells.items()]

    @staticmethod
    def campaign(amounts):
        spend, shows, clicks, visits, orders, sold, new = map(Fraction, amounts)
        return {"spend": spend, "impressions": shows, "clicks": clicks, "ctr": ratio(clicks, shows), "cost_per_click": ratio(spend, clicks), "visits": visits,
                "attributed_orders": orders, "attributed_sales": sold, "attributed_new_customers": new, "new_share": ratio(new, orders),
                "roas": ratio(sold, spend), "cac": ratio(spend, new)}

    def campaign_performance_total(self, request, spans):
        self.campaigns_in(request, ((None, None), (spans[0][1][0], spans[-1][1][1]), None))
        return self.campaign(self.whole_campaigns)
