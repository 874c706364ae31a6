"""Sample data, step 3 for the reports about people and targets. Written from what the reports promise, with SQL of its own: credit, plans and
scores are taken apart in Python.
"""

from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction

from sample_measures import DAY, MONEY, TODAY, UNITS, Ratio, bucket, facts, ratio, where

TIME = ["period_start", "period_end", "is_partial_period"]
_GOAL = ["target_set_id", "target_grain"]
COLUMNS = {
    "rep-leaderboard": TIME + ["place", "team_id", "sales_rep_id", "sales_rep_name", "orders", "customers", "new_customers", "sales_before_returns",
                               "returns", "net_sales", "net_sales_all", "share", "aov", "net_sales_with_cost", "cogs", "gross_profit", "gross_margin_pct",
                               "won", "lost", "closed", "won_amount", "win_rate"],
    "rep-scorecard": TIME + ["sales_rep_id", "sales_rep_name", "team_id", "net_sales", "target", "attainment", "net_sales_prev_year", "growth_score",
                             "net_sales_with_cost", "cogs", "gross_margin_pct", "margin_score", "customers_before", "kept_customers", "retention",
                             "planned_activities", "done_activities", "activity_score", "weight_all", "score_index"],
    "target-attainment": TIME + _GOAL + ["dim_id", "dim_name", "target_from", "target_to", "target", "actual", "variance", "attainment", "variance_share"],
    "territory-variance": TIME + _GOAL + ["region_id", "region_name", "category_id", "category_name", "target", "net_sales", "variance", "attainment",
                                          "variance_share"],
    "target-pacing": TIME + _GOAL + ["day_no", "day", "target", "day_weight", "weight_to_date", "weight_all", "target_to_date", "net_sales",
                                     "actual_to_date", "pacing", "forecast", "projected_to_date", "projected_attainment", "days_left", "required_per_day"],
}
KEYS = {
    "rep-leaderboard": ["period_start", "team_id", "sales_rep_id"], "rep-scorecard": ["sales_rep_id"], "target-attainment": _GOAL + ["dim_id"],
    "territory-variance": _GOAL + ["region_id", "category_id"], "target-pacing": _GOAL + ["day_no"],
}
COMPARED = {"rep-leaderboard": ["net_sales", "gross_profit", "orders", "new_customers", "won"]}
SHARES = 10  # shares are told in tenths


def rounded(value, places=4):
    """Half away from zero."""
    unit = 10 ** places
    whole = abs(value) * unit
    return Fraction((-1 if value < 0 else 1) * int(whole + Fraction(1, 2)), unit)


def back(day):
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


class People:
    """A part of Golden: self.con, self.names, self.first_days and what else is common to all reports."""

    def credited(self, request):
        """Every event with who gets the credit and the share of it, in tenths; slicers look at who gets it."""
        policies = {k: v for k, v in request.items() if k in ("return_basis", "cancel_policy", "region_basis", "recognition_basis")}
        assigned = "true" if request.get("rep_credit") == "assigned" else "false"
        return f"""SELECT * FROM (
            SELECT f.* EXCLUDE (sales_rep_id), coalesce(a.rep, f.sales_rep_id) AS sales_rep_id, coalesce(a.share, {SHARES}) AS share
            FROM ({facts(policies)}) f
            LEFT JOIN assignment a ON {assigned} AND a.kind = 'customer' AND a.id = f.customer_key AND f.order_day >= a.since
                AND (a.until IS NULL OR f.order_day < a.until))
            WHERE day IS NOT NULL AND kind <> 'charge' AND {where(request)}"""

    def credits(self, request, window, columns):
        """The credited events of the days as rows: who, share, then the columns with their scales."""
        sql = f"SELECT sales_rep_id, share, {', '.join(c for c, _ in columns)} FROM ({self.credited(request)}) WHERE day >= ? AND day < ?"
        for rep, share, *values in self.con.execute(sql, list(window)).fetchall():
            yield rep, Fraction(share, SHARES), *(v if scale is None or v is None else Fraction(int(v), scale) for v, (_, scale) in zip(values, columns))

    def reps(self):
        return {r[0]: r[1:] for r in self.con.execute("SELECT sales_rep_id, name_masked, team FROM sales_rep").fetchall()}

    # ------------------------------------------------------------ leaderboard

    def rep_leaderboard(self, request, spans):
        return [row for span in spans for row in self.reps_in(request, span)]

    def reps_in(self, request, span):
        (start, end), window, partial = span
        known, first, by_rep = self.reps(), self.first_days(request), request.get("level", "rep") == "rep"
        groups = defaultdict(lambda: {"orders": set(), "customers": set(), "new": set(), "sums": defaultdict(Fraction)})

        def group(rep):
            name, team = known.get(rep, ("UNK", "UNK"))
            if request.get("team", team) != team or ("team" in request and rep not in known):
                return None
            return groups[team, (rep if rep in known else "UNK") if by_rep else None, name if by_rep else None]

        columns = [("day", None), ("order_id", None), ("buyer", None), ("gross - discount", MONEY), ("returned", MONEY), ("net", MONEY), ("cost", MONEY)]
        for rep, share, day, order, buyer, sold, returned, net, cost in self.credits(request, window, columns):
            if rep is None or (of := group(rep)) is None:
                continue
            if order is not None:
                of["orders"].add(order)
            if buyer is not None:
                of["customers"].add(buyer)
                if first[buyer] == day:
                    of["new"].add(buyer)
            for name, amount in (("sales_before_returns", sold), ("returns", returned), ("net_sales", net),
                                 ("net_sales_with_cost", net if cost is not None else 0), ("cogs", cost or 0)):
                of["sums"][name] += share * amount
        deals = f"SELECT * FROM (SELECT owner AS sales_rep_id, status, amount_rc, day FROM opportunity) WHERE status <> 'open' AND day >= ? AND day < ? AND {where(request)}"
        for rep, status, amount, _ in self.con.execute(deals, list(window)).fetchall():
            if (of := group(rep)) is not None:
                of["sums"][status] += 1
                of["sums"]["won_amount"] += Fraction(int(amount), MONEY) if status == "won" else 0
        if request.get("include_zero") == "true":
            for rep in self.dimension_members(request, "sales_rep"):
                group(rep)
        rows = [self.ranked(of) | {"period_start": start, "period_end": end, "is_partial_period": partial, "team_id": team, "sales_rep_id": rep,
                                   "sales_rep_name": name} for (team, rep, name), of in groups.items()]
        rows.sort(key=lambda r: (-r["net_sales"], r["team_id"], r["sales_rep_id"] or ""))
        whole = sum((r["net_sales"] for r in rows), Fraction(0))
        for place, row in enumerate(rows, 1):
            row |= {"place": Fraction(place), "net_sales_all": whole, "share": ratio(row["net_sales"], whole)}
        self.everybody = groups.values()
        return rows

    @staticmethod
    def ranked(of):
        sums = of["sums"]
        row = {name: rounded(sums[name]) for name in ("sales_before_returns", "returns", "net_sales", "net_sales_with_cost", "cogs", "won_amount")}
        row |= {"orders": Fraction(len(of["orders"])), "customers": Fraction(len(of["customers"])), "new_customers": Fraction(len(of["new"])),
                "won": sums["won"], "lost": sums["lost"], "closed": sums["won"] + sums["lost"], "gross_profit": row["net_sales_with_cost"] - row["cogs"]}
        row |= {"aov": ratio(row["sales_before_returns"], row["orders"]), "gross_margin_pct": ratio(row["gross_profit"], row["net_sales_with_cost"]),
                "win_rate": ratio(row["won"], row["closed"])}
        return row

    def rep_leaderboard_total(self, request, spans):
        self.reps_in(request, ((None, None), (spans[0][1][0], spans[-1][1][1]), None))
        whole = {"orders": set(), "customers": set(), "new": set(), "sums": defaultdict(Fraction)}
        for of in self.everybody:
            for name in ("orders", "customers", "new"):
                whole[name] |= of[name]
            for name, amount in of["sums"].items():
                whole["sums"][name] += amount
        row = self.ranked(whole)
        return row | {"net_sales_all": row["net_sales"], "share": ratio(row["net_sales"], row["net_sales"])}

    # ------------------------------------------------------------ plans

    def goals(self, request, kind, metric, window, grain=None):
        """(plan, grain, member) → day → what was planned for it: the running total up to the day less that up to the day before."""
        found, planned = defaultdict(dict), defaultdict(list)
        sql = "SELECT plan, grain, member, start, stop, version, value, approved FROM target WHERE kind = ? AND metric = ?"
        for plan, of_grain, member, start, stop, version, value, approved in self.con.execute(sql, [kind, metric]).fetchall():
            if request.get("target_set", plan) == plan and (grain or of_grain) == of_grain:
                planned[plan, of_grain, member, start, stop].append((version, value, approved))
        for (plan, of_grain, member, start, stop), versions in planned.items():
            if "version" in request:
                held = [v for v in versions if v[0] == int(request["version"])]
            else:
                held = sorted(v for v in versions if v[2])[-1:]
            for _, value, _ in held:
                days = (stop - start).days
                so_far = [(2 * int(value) * n + days) // (2 * days) for n in range(days + 1)]
                for n in range(days):
                    if window[0] <= start + n * DAY < window[1]:
                        found[plan, of_grain, member][start + n * DAY] = Fraction(so_far[n + 1] - so_far[n], MONEY)
        return found

    def target_attainment(self, request, spans):
        (start, end), window, partial = spans[0]
        kind, metric = request.get("dim_type", "region"), request.get("metric", "net_sales")
        category = "(SELECT category1_id FROM product p WHERE p.product_id = f.product_id)"
        member = {"company": "'all'", "region": "region_id", "channel": "channel_id", "location": "location_id", "sales_rep": "sales_rep_id",
                  "product": "product_id", "category": category, "region_category": f"region_id || '/' || {category}"}[kind]
        amount, scale = {"net_sales": ("sum(net * share)", MONEY * SHARES), "net_units": ("sum((sold - back) * share)", UNITS * SHARES),
                         "gross_profit": ("sum((net - cost) * share) FILTER (cost IS NOT NULL)", MONEY * SHARES),
                         "orders": ("count(DISTINCT order_id)", 1)}[metric]
        sql = f"SELECT {member}, day, coalesce({amount}, 0) FROM ({self.credited(request)}) f WHERE day >= ? AND day < ? GROUP BY ALL"
        actual = {(m, day): Fraction(int(n), scale) for m, day, n in self.con.execute(sql, list(window)).fetchall()}
        names = {"sales_rep": {rep: name for rep, (name, _) in self.reps().items()},
                 "category": dict(self.con.execute("SELECT category1_id, min(category1) FROM product GROUP BY ALL").fetchall())} | self.names
        rows = []
        for (plan, grain, m), days in self.goals(request, kind, metric, window).items():
            goal, done = sum(days.values()), rounded(sum((actual.get((m, day), Fraction(0)) for day in days), Fraction(0)))
            rows.append({"period_start": start, "period_end": end, "is_partial_period": partial, "target_set_id": plan, "target_grain": grain, "dim_id": m,
                         "dim_name": names.get(kind, {}).get(m, m), "target_from": min(days), "target_to": max(days) + DAY, "target": goal, "actual": done,
                         "variance": done - goal, "attainment": ratio(done, goal), "variance_share": ratio(done - goal, goal)})
        return rows

    def territory_variance(self, request, spans):
        rows = self.target_attainment(request | {"dim_type": "region_category"}, spans)
        groups = dict(self.con.execute("SELECT category1_id, min(category1) FROM product GROUP BY ALL").fetchall())
        for row in rows:
            row["region_id"], row["category_id"] = row["dim_id"].split("/")
            row |= {"net_sales": row["actual"], "category_name": groups.get(row["category_id"], row["category_id"])}
        return self.named(rows, "region_id", "region")

    def target_pacing(self, request):
        as_of = date.fromisoformat(request.get("as_of", str(TODAY)))
        start, end = bucket(as_of - DAY, request.get("to_date_of", "month"), request.get("calendar", "iso"))
        kind, member = request.get("dim_type", "company"), request.get("dim_id", "all")
        column = {"company": "'all'", "region": "region_id", "channel": "channel_id", "location": "location_id", "sales_rep": "sales_rep_id"}[kind]
        sql = f"SELECT day, sum(net * share) FROM ({self.credited(request)}) WHERE {column} = ? AND day >= ? AND day < ? GROUP BY ALL"
        sold = defaultdict(Fraction, {day: rounded(Fraction(int(n), MONEY * SHARES))
                                      for day, n in self.con.execute(sql, [member, start - timedelta(days=56), as_of]).fetchall()})
        days = [start + n * DAY for n in range((end - start).days)]
        if request.get("day_weights") == "weekday":
            of_weekday = defaultdict(Fraction)
            for n in range(1, 57):
                of_weekday[(start - n * DAY).weekday()] += sold[start - n * DAY]
            usual = lambda day: of_weekday[day.weekday()]
        else:
            usual = lambda day: Fraction(1)
        weights, rows = [usual(day) for day in days], []
        for (plan, grain, of), planned in sorted(self.goals(request, kind, "net_sales", (start, end)).items()):
            if of != member:
                continue
            goal, actual, reached = sum(planned.values()), Fraction(0), Fraction(0)
            for n, day in enumerate(days):
                over = day < as_of
                ahead = None if over else sold[as_of - 7 * DAY + timedelta(days=(day - as_of).days % 7)]
                actual += sold[day] if over else 0
                reached += sold[day] if over else ahead
                upto, whole, left = sum(weights[:n + 1]), sum(weights), len(days) - n - 1
                due = rounded(goal * upto / whole) if whole > 0 else None
                done = actual if over else None
                rows.append({"period_start": start, "period_end": end, "is_partial_period": end > as_of, "target_set_id": plan, "target_grain": grain,
                             "day_no": Fraction(n + 1), "day": day, "target": goal, "day_weight": weights[n], "weight_to_date": upto, "weight_all": whole,
                             "target_to_date": due, "net_sales": sold[day] if over else None, "actual_to_date": done, "pacing": ratio(done, due),
                             "forecast": ahead, "projected_to_date": reached, "projected_attainment": ratio(reached, goal), "days_left": Fraction(left),
                             "required_per_day": ratio(goal - done, left) if over else None})
        return rows

    # ------------------------------------------------------------ scorecard

    def rep_scorecard(self, request, spans):
        (start, end), window, partial = spans[0]
        before, known = tuple(map(back, window)), self.reps()
        cards = defaultdict(lambda: defaultdict(Fraction))
        was, again, targeted = defaultdict(set), defaultdict(set), set()
        columns = [("buyer", None), ("net", MONEY), ("cost", MONEY)]
        for days, now in ((window, True), (before, False)):
            for rep, share, buyer, net, cost in self.credits(request, days, columns):
                if rep is None:
                    continue
                card = cards[rep]
                card["now" if now else "prev"] += share * net
                if now:
                    card["with_cost"] += share * net if cost is not None else 0
                    card["cost"] += share * (cost or 0)
                if buyer is not None:
                    (again if now else was)[rep].add(buyer)
        for (_, _, rep), days in self.goals(request, "sales_rep", "net_sales", window, request.get("target_grain", "quarter")).items():
            cards[rep]["target"] += sum(days.values())
            targeted.add(rep)
        for rep, done in self.con.execute("SELECT rep, done FROM activity WHERE day >= ? AND day < ?", list(window)).fetchall():
            cards[rep]["planned"] += 1
            cards[rep]["done"] += done
        rows = []
        for rep, card in cards.items():
            if rep not in known or request.get("team", known[rep][1]) != known[rep][1]:
                continue
            rows.append({"period_start": start, "period_end": end, "is_partial_period": partial, "sales_rep_id": rep, "sales_rep_name": known[rep][0],
                         "team_id": known[rep][1], "net_sales": rounded(card["now"]), "net_sales_prev_year": rounded(card["prev"]),
                         "net_sales_with_cost": rounded(card["with_cost"]), "cogs": rounded(card["cost"]),
                         "target": rounded(card["target"]) if rep in targeted else None, "customers_before": Fraction(len(was[rep])),
                         "kept_customers": Fraction(len(was[rep] & again[rep])), "planned_activities": card["planned"], "done_activities": card["done"]})
        profit = sum(r["net_sales_with_cost"] - r["cogs"] for r in rows)
        usual = ratio(profit, sum(r["net_sales_with_cost"] for r in rows)) if rows else None
        shares = {"attainment": "0.3", "growth": "0.2", "margin": "0.2", "retention": "0.15", "activity": "0.15"}
        for row in rows:
            margin = ratio(row["net_sales_with_cost"] - row["cogs"], row["net_sales_with_cost"])
            scores = {"attainment": ratio(row["net_sales"], row["target"]), "margin": ratio(margin, usual),
                      "growth": ratio(row["net_sales"], row["net_sales_prev_year"]) if row["net_sales_prev_year"] > 0 else None,
                      "retention": ratio(row["kept_customers"], row["customers_before"]), "activity": ratio(row["done_activities"], row["planned_activities"])}
            weights = {name: Fraction(request.get(f"w_{name}", usually)) for name, usually in shares.items() if scores[name] is not None}
            whole = sum(weights.values(), Fraction(0))
            index = ratio(100 * sum(w * scores[name] for name, w in weights.items()), whole)
            row |= {"attainment": scores["attainment"], "growth_score": scores["growth"], "gross_margin_pct": margin, "margin_score": scores["margin"],
                    "retention": scores["retention"], "activity_score": scores["activity"], "weight_all": Ratio(whole), "score_index": index}
        return rows
