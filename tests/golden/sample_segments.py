"""Sample data, step 3 for the reports that group customers: by their first purchase, by where they buy, by how recently, often and much.
Written from what the reports promise, with SQL of its own.
"""

from collections import Counter, defaultdict
from datetime import date, timedelta
from fractions import Fraction

from sample_measures import DAY, MONEY, TODAY, bucket, ratio, where

TIME = ["period_start", "period_end", "is_partial_period"]
_COHORT = TIME + ["period_no", "activity_start", "cohort_size"]
COLUMNS = {
    "cohort-retention": _COHORT + ["active_customers", "retention"],
    "cohort-revenue": _COHORT + ["net_sales", "net_sales_with_cost", "cogs", "net_sales_so_far", "gross_profit_so_far", "net_sales_per_customer",
                                 "gross_profit_per_customer"],
    "cross-channel-customers": TIME + ["channels", "channel_count", "customers", "orders", "orders_per_customer", "sales_before_returns", "aov", "returns",
                                       "net_sales", "net_sales_per_customer", "net_sales_all", "share"],
    "rfm-segments": TIME + ["segment", "r_from", "r_to", "customer_count", "customer_count_all", "customer_share", "customer_count_before", "stayed", "came",
                            "gone", "purchase_days", "net_sales", "net_sales_all", "share", "net_sales_per_customer"],
    "customer-lifecycle": TIME + ["stage_before", "stage", "customer_count", "stage_count", "stage_count_before", "customer_count_all", "flow_share", "stage_share",
                                  "net_sales"],
    "customer-360": TIME + ["customer_key", "section", "item", "item_name", "said", "events", "first_date", "last_date", "sales_before_returns", "returns",
                            "net_sales"],
    "customer-segment-export": TIME + ["layout", "customer_key", "segment", "recency_score", "frequency_score", "money_score", "last_day", "purchase_days",
                                       "net_sales", "reason", "segment_size"],
}
KEYS = {
    "customer-segment-export": ["customer_key"],
    "cohort-retention": ["period_start", "period_no"], "cohort-revenue": ["period_start", "period_no"], "cross-channel-customers": ["period_start", "channels"],
    "rfm-segments": ["segment"], "customer-lifecycle": ["stage_before", "stage"], "customer-360": ["section", "item"],
}
COMPARED = {"cross-channel-customers": ["customers", "orders", "net_sales"]}
# By R and FM (domain.md 4.4-R).
SEGMENTS = {
    5: {5: "champions", 4: "champions", 3: "active", 2: "active", 1: "new"},
    4: {5: "loyal", 4: "loyal", 3: "active", 2: "active", 1: "promising"},
    3: {5: "loyal", 4: "loyal", 3: "needs_attention", 2: "needs_attention", 1: "promising"},
    2: {5: "at_risk", 4: "at_risk", 3: "almost_lost", 2: "almost_lost", 1: "dormant"},
    1: {5: "previously_loyal", 4: "previously_loyal", 3: "dormant", 2: "dormant", 1: "dormant"},
}


class Segments:
    """A part of Golden: self.con, self.names, self.sums, self.events and what else is common to all reports."""

    # ------------------------------------------------------------ cohorts

    def cohorts(self, request):
        """Per cohort and period: the customers who bought, and (net, net with cost, cost) of all events; then the cells that are shown."""
        grain, calendar, first = request.get("grain", "month"), request.get("calendar", "iso"), self.first_days(request)
        start, end = date.fromisoformat(request["from"]), date.fromisoformat(request["to"])
        as_of = date.fromisoformat(request["as_of"]) if "as_of" in request else TODAY
        buyers, sums = defaultdict(set), defaultdict(lambda: [Fraction(0)] * 3)
        columns = [("customer_key", None), ("day", None), ("kind", None), ("net", MONEY), ("cost", MONEY)]
        for key, day, kind, net, cost in self.events(request, columns, ("2000-01-01", as_of)):
            if key not in first:
                continue
            cell = bucket(first[key], grain, calendar)[0], bucket(day, grain, calendar)[0]
            if kind == "sale":
                buyers[cell].add(key)
            sums[cell] = [a + b for a, b in zip(sums[cell], (net, net if cost is not None else 0, cost or 0))]
        at = bucket(start, grain, calendar)[0]
        while at < end:
            period, after = at, bucket(at, grain, calendar)[1]
            if request.get("include_zero") == "false" and not buyers[at, at]:
                at = after
                continue
            for no in range(int(request.get("periods", 12)) + 1):
                period_end = bucket(period, grain, calendar)[1]
                yield {"period_start": at, "period_end": after, "is_partial_period": period_end > as_of, "period_no": Fraction(no), "activity_start": period,
                       "cohort_size": Fraction(len(buyers[at, at]))}, len(buyers[at, period]), sums[at, period]
                period = period_end
            at = after

    def cohort_retention(self, request, spans):
        rows = []
        for row, active, _ in self.cohorts(request):
            over = not row["is_partial_period"]
            rows.append(row | {"active_customers": Fraction(active) if over else None, "retention": ratio(active, row["cohort_size"]) if over else None})
        return rows

    def cohort_revenue(self, request, spans):
        rows, so_far = [], {}
        for row, _, (net, with_cost, cost) in self.cohorts(request):
            was = so_far.get(row["period_start"], (Fraction(0), Fraction(0)))
            now = so_far[row["period_start"]] = was[0] + net, was[1] + with_cost - cost
            shown = {"net_sales": net, "net_sales_with_cost": with_cost, "cogs": cost, "net_sales_so_far": now[0], "gross_profit_so_far": now[1],
                     "net_sales_per_customer": ratio(now[0], row["cohort_size"]), "gross_profit_per_customer": ratio(now[1], row["cohort_size"])}
            rows.append(row | {k: None if row["is_partial_period"] else v for k, v in shown.items()})
        return rows

    # ------------------------------------------------------------ channels

    def cross_channel_customers(self, request, spans):
        by_type = request.get("level") == "type"
        shown = lambda channel: "N/A" if channel is None else (self.types if by_type else self.names["channel"]).get(channel, "UNK")
        bought, columns = defaultdict(set), [("customer_key", None), ("day", None), ("kind", None), ("channel_id", None)]
        for key, day, kind, channel in self.events(request, columns, (spans[0][1][0], spans[-1][1][1])):
            if kind == "sale" and key is not None:
                bought[self.span_of(day, spans)[1], key].add(shown(channel))
        self.con.execute("CREATE OR REPLACE TEMP TABLE bought(first_day DATE, end_day DATE, customer_key VARCHAR, channels VARCHAR)")
        if bought:
            told = [(*days, key, " + ".join(sorted(s))) for (days, key), s in bought.items()]
            lists = ", ".join(f"unnest(?::{kind}[])" for kind in ("DATE", "DATE", "VARCHAR", "VARCHAR"))
            self.con.execute(f"INSERT INTO bought SELECT {lists}", [list(c) for c in zip(*told)])
        source = f"""SELECT f.*, CASE WHEN f.customer_key IS NULL THEN 'anonymous' ELSE coalesce(b.channels, 'none') END AS channels
            FROM ({self.source(request)}) f
            LEFT JOIN bought b ON b.customer_key = f.customer_key AND b.first_day <= f.day AND f.day < b.end_day"""
        rows = self.with_share(self.sums(source, [("channels", "channels")], spans))
        for row in rows:
            count = 0 if row["channels"] == "none" else row["channels"].count(" + ") + 1
            row["channel_count"] = None if row["channels"] == "anonymous" else Fraction(count)
            self.per_customer(row)
        return rows

    @staticmethod
    def per_customer(row):
        row["orders_per_customer"], row["net_sales_per_customer"] = (ratio(row[m], row["customers"]) for m in ("orders", "net_sales"))
        return row

    def cross_channel_customers_total(self, request, spans):
        row = self.sums(self.source(request), None, spans)[0]
        row["period_start"] = None
        return self.per_customer(self.with_share([row])[0])

    # ------------------------------------------------------------ RFM

    def rfm(self, request, as_of):
        """Customer → (segment, R or None, days with a purchase, net sales, F, M, last day), as it was at the beginning of a day."""
        since, bought, days, net = as_of - int(request.get("window", 365)) * DAY, set(), defaultdict(set), Counter()
        for key, day, kind, amount in self.events(request, [("customer_key", None), ("day", None), ("kind", None), ("net", MONEY)], ("1900-01-01", as_of)):
            if key is None:
                continue
            if kind == "sale":
                bought.add(key)
            if day >= since:
                net[key] += amount
                if kind == "sale":
                    days[key].add(day)
        def scores(value):
            values = sorted(value(k) for k in days)
            lower = {v: n for n, v in reversed(list(enumerate(values)))}
            return {k: 1 + 5 * lower[value(k)] // len(values) for k in days}
        r, f, m = scores(lambda k: max(days[k])), scores(lambda k: len(days[k])), scores(lambda k: net[k])
        found = {k: (SEGMENTS[r[k]][(f[k] + m[k] + 1) // 2], r[k], len(days[k]), net[k], f[k], m[k], max(days[k])) for k in days}
        found |= {k: ("dormant", None, 0, net[k], None, None, None) for k in bought if k not in days}
        known = self.con.execute(f"SELECT customer_key FROM customer WHERE coalesce(acquired_on, DATE '1970-01-01') < DATE '{as_of}' AND {where(request, 'customer')}").fetchall()
        return found | {k: ("prospects", None, 0, net[k], None, None, None) for k, in known if k not in bought}

    def rfm_segments(self, request):
        as_of = date.fromisoformat(request.get("as_of", str(TODAY)))
        then = date.fromisoformat(request.get("compare_as_of", str(TODAY - timedelta(days=30))))
        now, before = self.rfm(request, as_of), self.rfm(request, then)
        whole, everyone, rows = sum((v[3] for v in now.values()), Fraction(0)), Fraction(len(now)), []
        for segment in sorted({v[0] for v in [*now.values(), *before.values()]}):
            here = {k: v for k, v in now.items() if v[0] == segment}
            there = {k for k, v in before.items() if v[0] == segment}
            scores, count, stayed = [v[1] for v in here.values() if v[1]], Fraction(len(here)), Fraction(len(here.keys() & there))
            net = sum((v[3] for v in here.values()), Fraction(0))
            rows.append({"period_start": as_of - int(request.get("window", 365)) * DAY, "period_end": as_of, "is_partial_period": False, "segment": segment,
                         "r_from": Fraction(min(scores)) if scores else None, "r_to": Fraction(max(scores)) if scores else None, "customer_count": count,
                         "customer_count_all": everyone, "customer_share": ratio(count, everyone), "customer_count_before": Fraction(len(there)),
                         "stayed": stayed, "came": count - stayed, "gone": len(there) - stayed, "purchase_days": Fraction(sum(v[2] for v in here.values())),
                         "net_sales": net, "net_sales_all": whole, "share": ratio(net, whole), "net_sales_per_customer": ratio(net, count)})
        return rows

    def customer_segment_export(self, request):
        as_of, asked = date.fromisoformat(request.get("as_of", str(TODAY))), request.get("rfm_segment", "all")
        # Nobody in the sample agreed to SMS.
        agreed = "consent_email AND consent_profiling" if request.get("consent", "email") == "email" else "false"
        willing = {r[0] for r in self.con.execute(f"SELECT customer_key FROM customer WHERE {agreed}").fetchall()}
        listed = {k: v for k, v in self.rfm(request, as_of).items() if k in willing}
        size, rows = Counter(v[0] for v in listed.values()), []
        for key, (segment, r, days, net, f, m, last) in listed.items():
            if size[segment] < int(request.get("min_group", 5)) or asked not in ("all", segment):
                continue
            why = "never bought" if segment == "prospects" else "nothing bought in the window"
            number = lambda n: None if n is None else Fraction(n)
            rows.append({"period_start": as_of - int(request.get("window", 365)) * DAY, "period_end": as_of, "is_partial_period": False, "layout": Fraction(1),
                         "customer_key": key, "segment": segment, "recency_score": number(r), "frequency_score": number(f), "money_score": number(m),
                         "last_day": last, "purchase_days": Fraction(days), "net_sales": Fraction(net), "segment_size": Fraction(size[segment]),
                         "reason": f"{segment}: R{r} F{f} M{m}, last bought {last}" if r else f"{segment}: {why}"})
        return rows

    # ------------------------------------------------------------ lifecycle

    def stages(self, request, as_of):
        """Customer → (stage, net sales so far), as it was at the beginning of a day."""
        active, dormant, lost = (int(request.get(k, d)) for k, d in (("active_days", 90), ("dormant_days", 180), ("lost_days", 365)))
        days, net = defaultdict(set), Counter()
        for key, day, kind, amount in self.events(request, [("customer_key", None), ("day", None), ("kind", None), ("net", MONEY)], ("1900-01-01", as_of)):
            if key is not None:
                net[key] += amount
                if kind == "sale":
                    days[key].add(day)
        found = {}
        for key, of in days.items():
            of, since = sorted(of), (as_of - max(of)).days
            back = [b for a, b in zip(of, of[1:]) if (b - a).days > lost]
            if since > active:
                stage = "lost" if since > lost else "dormant" if since > dormant else "at_risk"
            elif (as_of - of[0]).days <= active:
                stage = "new"
            else:
                stage = "reactivated" if back and (as_of - back[-1]).days <= active else "active"
            found[key] = stage, Fraction(net[key])
        known = self.con.execute(f"SELECT customer_key FROM customer WHERE coalesce(acquired_on, DATE '1970-01-01') < DATE '{as_of}' AND {where(request, 'customer')}").fetchall()
        return {k: ("prospect", Fraction(net[k])) for k, in known} | found

    def customer_lifecycle(self, request):
        as_of = date.fromisoformat(request.get("as_of", str(TODAY)))
        then = date.fromisoformat(request.get("compare_as_of", str(TODAY - timedelta(days=90))))
        now, before = self.stages(request, as_of), self.stages(request, then)
        none = ("unknown", Fraction(0))
        flows = Counter((before.get(k, none)[0], now.get(k, none)[0]) for k in {*now, *before})
        into, out = Counter(), Counter()
        for (a, b), n in flows.items():
            into[b], out[a] = into[b] + n, out[a] + n
        rows = []
        for (a, b), n in flows.items():
            net = [v for k, (s, v) in now.items() if s == b and before.get(k, none)[0] == a]
            rows.append({"period_start": then, "period_end": as_of, "is_partial_period": False, "stage_before": a, "stage": b, "customer_count": Fraction(n),
                         "stage_count": Fraction(into[b]), "stage_count_before": Fraction(out[a]), "customer_count_all": Fraction(sum(flows.values())),
                         "flow_share": ratio(Fraction(n), out[a]), "stage_share": ratio(Fraction(into[b]), sum(flows.values())),
                         "net_sales": sum(net, Fraction(0)) if net else None})
        return rows

    # ------------------------------------------------------------ one customer

    def customer_360(self, request):
        as_of, n = date.fromisoformat(request.get("as_of", str(TODAY))), int(request.get("n", 20))
        window, wanted = int(request.get("window", 365)), request.get("customer_key")
        wanted = dict(self.con.execute("SELECT customer_key, stands FROM merged").fetchall()).get(wanted, wanted)
        columns = [("customer_key", None), ("day", None), ("kind", None), ("order_id", None), ("channel_id", None), ("product_id", None), ("reason", None),
                   ("gross - discount", MONEY), ("returned", MONEY), ("net", MONEY)]
        names = ("day", "kind", "order", "channel", "product", "reason", "sold", "returns", "net")
        of = defaultdict(list)
        for key, *event in self.events(request, columns, ("1900-01-01", as_of)):
            if key is not None:
                of[key].append(dict(zip(names, event)))
        known = self.con.execute(f"SELECT customer_key FROM customer WHERE coalesce(acquired_on, DATE '1970-01-01') < DATE '{as_of}' AND {where(request, 'customer')}").fetchall()
        keys = {k for k, in known} | set(of)
        keys = [k for k in keys if wanted in (None, k)]
        if not keys:
            return []
        who = min(keys, key=lambda k: (-sum(e["net"] for e in of[k]), k))
        rows, mine = [], of[who]

        def add(section, item, name=None, said=None, events=None, days=(), sold=None, returns=None, net=None):
            days = [d for d in days if d]
            rows.append({"section": section, "item": item, "item_name": name, "said": said, "events": None if events is None else Fraction(events),
                         "first_date": min(days, default=None), "last_date": max(days, default=None), "sales_before_returns": sold, "returns": returns, "net_sales": net})

        profile = self.con.execute("SELECT * FROM profile WHERE customer_key = ?", [who]).fetchone()
        for field, value in zip([c[0] for c in self.con.execute("SELECT * FROM profile LIMIT 0").description][1:], profile[1:] if profile else ()):
            add("profile", field, said=value)
        total = lambda some, field: sum((e[field] for e in some), Fraction(0))
        orders = lambda some: {(e["channel"], e["order"]) for e in some if e["order"] is not None}
        bought = lambda some: [e["day"] for e in some if e["kind"] == "sale"]

        def sums(section, item, name, some):
            add(section, item, name, None, len(orders(some)), bought(some), total(some, "sold"), total(some, "returns"), total(some, "net"))

        if mine:
            sums("total", "total", None, mine)
        category = {p: (c or "UNK", m or "UNK") for p, c, m in self.con.execute("SELECT product_id, category1_id, category1 FROM product").fetchall()}
        named = lambda known, key: ("N/A", "N/A") if key is None else known.get(key, ("UNK", "UNK"))
        channel = {c: (c, m) for c, m in self.names["channel"].items()}
        for section, known, field in (("channel", channel, "channel"), ("category", category, "product")):
            groups = defaultdict(list)
            for e in mine:
                groups[named(known, e[field])].append(e)
            for (item, name), some in groups.items():
                sums(section, item, name, some)
        systems = {"pos": "shop_pos", "web": "shop_web", "app": "shop_web", "live": "shop_web", "tel": "erp", "b2b": "erp"}
        by_order = defaultdict(list)
        for e in mine:
            if e["order"] is not None:
                by_order[f"{systems.get(e['channel'], e['channel'])}:{e['order']}", e["channel"]].append(e)
        for (order, sold_in), some in sorted(by_order.items(), key=lambda o: (max(bought(o[1])), o[0][0]), reverse=True)[:n]:
            add("order", order, named(channel, sold_in)[1], None, 1, bought(some), total(some, "sold"))
        back = defaultdict(list)
        for e in mine:
            if e["kind"] == "return":
                back[e["reason"]].append(e)
        for reason, some in back.items():
            add("return", reason, None, None, len(some), [e["day"] for e in some], None, total(some, "returns"))
        visits = self.con.execute(f"""SELECT day, channel_id FROM (SELECT timezone('Europe/London', min(happened))::DATE AS day,
            arg_min(channel_id, (happened, id)) AS channel_id, arg_min(customer_key, (happened, id)) AS customer_key FROM visit_event GROUP BY session)
            WHERE customer_key = ? AND day < ? AND {where({k: v for k, v in request.items() if k == 'where.channel'})}""", [who, as_of]).fetchall()
        seen = defaultdict(list)
        for day, where_from in visits:
            seen[named(channel, where_from)].append(day)
        for (item, name), some in seen.items():
            add("visit", item, name, None, len(some), some)
        told = self.con.execute(f"""SELECT type, count(*), min(day), max(day) FROM feedback WHERE customer_key = ? AND day < ?
            AND {where({k: v for k, v in request.items() if k == 'where.channel'})} GROUP BY 1""", [who, as_of]).fetchall()
        for kind, count, first, last in told:
            add("feedback", kind, None, None, count, [first, last])
        recent = [e for e in mine if (as_of - e["day"]).days <= window]
        if recent:
            last = max(bought(recent), default=None)
            add("score", "recency", said=None if last is None else str((as_of - last).days))
            add("score", "frequency", said=str(len(set(bought(recent)))))
            add("score", "money", said=f"{float(total(recent, 'net')):.4f}")
        first = min((r["first_date"] for r in rows if r["first_date"]), default=None)
        return [{"period_start": first, "period_end": as_of, "is_partial_period": False, "customer_key": who} | r for r in rows]
