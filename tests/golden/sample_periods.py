"""Sample data, step 3 for the reports about returns, times of the day and the growth from one period to another. Written from what the reports
promise, with SQL of its own.
"""

from collections import Counter, defaultdict
from datetime import date
from fractions import Fraction

from sample_measures import DAY, MONEY, TODAY, UNITS, Ratio, bucket, buckets, earlier, member, month_add, ratio

TIME = ["period_start", "period_end", "is_partial_period"]
_GROWTH = ["net_sales", "net_sales_prev", "change", "net_sales_growth", "net_sales_all", "net_sales_all_prev", "contribution"]
COLUMNS = {
    "return-lag": TIME + ["lag_no", "lag", "return_lines", "units_returned", "returns", "lag_lines", "lag_days", "mean_days", "return_lines_all", "line_share"],
    "return-reasons": TIME + ["group_id", "group_name", "reason_code", "return_lines", "units_returned", "returns", "returns_group", "group_share",
                              "returns_all", "returns_share"],
    "sales-weekday-hour": TIME + ["weekday", "hour", "days", "net_sales", "net_sales_per_day", "orders", "orders_per_day", "sales_before_returns", "aov"],
    "product-movers": TIME + ["item_id", "item_name", "direction", *_GROWTH],
    "region-growth-contribution": TIME + ["region_id", "region_name", *_GROWTH, "share", "share_prev"],
    "moving-average-trend": TIME + ["net_sales", "net_sales_window", "n", "moving_average"],
    "moving-annual-total": TIME + ["net_sales", "mat", "mat_prev", "mat_growth", "months_with_sales", "months_with_sales_prev"],
    "sales-to-date": TIME + ["day_no", "day", "day_prev", "net_sales", "net_sales_prev", "net_sales_to_date", "net_sales_to_date_prev",
                             "net_sales_to_date_growth"],
    "like-for-like-sales": TIME + ["comp_group", "location_id", "location_name", "places", *_GROWTH[:-1], "share", "share_prev"],
    "sales-period-comparison": TIME + ["metric_no", "metric", "value", "value_prev", "change", "value_growth", "days", "days_prev", "value_per_day",
                                       "value_per_day_prev", "first_day_prev", "end_day_prev"],
    "sales-intraday-live": TIME + ["slot_no", "slot_start", "net_sales", "net_sales_so_far", "typical_so_far_all", "weeks", "typical_so_far", "ahead", "pace",
                                   "last_slot_start"],
}
KEYS = {
    "sales-intraday-live": ["slot_no"],
    "like-for-like-sales": ["comp_group", "location_id"], "sales-period-comparison": ["metric"],
    "moving-average-trend": ["period_start"], "moving-annual-total": ["period_start"], "sales-to-date": ["day_no"],
    "return-lag": ["period_start", "lag_no"], "return-reasons": ["period_start", "group_id", "reason_code"], "sales-weekday-hour": ["weekday", "hour"],
    "product-movers": ["item_id"], "region-growth-contribution": ["region_id"],
}
COMPARED = {
    "return-lag": ["return_lines", "units_returned", "returns", "mean_days"], "return-reasons": ["return_lines", "units_returned", "returns"],
    "sales-weekday-hour": ["net_sales", "net_sales_per_day", "orders"],
}
LAGS = {-1: "before the sale", 1: "0-30", 2: "31-60", 3: "61-90", 4: "91-120", 5: ">120", 6: "sale not known", 7: "no order"}


def lag_of(day, sold, known, blind):
    if blind or not known:
        return 7 if blind else 6
    days = (day - sold).days
    return -1 if days < 0 else next((no for no, most in ((1, 30), (2, 60), (3, 90), (4, 120)) if days <= most), 5)


# Feasts of 2024 to 2026, by what is published of them; Easter and Black Friday are worked out.
SPRING_FESTIVAL = [date(2024, 2, 10), date(2025, 1, 29), date(2026, 2, 17)]


def easter(year):
    """Gauss's rule, for the years 1900 to 2099."""
    d = (19 * (year % 19) + 24) % 30
    e = (2 * (year % 4) + 4 * (year % 7) + 6 * d + 5) % 7
    days = 22 + d + e - (7 if d == 29 or (d == 28 and e == 6 and year % 19 > 10) else 0)
    return date(year, 3, 1) + (days - 1) * DAY


def black_friday(year):
    return next(d for d in (date(year, 11, 23) + n * DAY for n in range(7)) if d.weekday() == 4)


def feasts(name):
    """Per feast its days of 2023 to 2027, or those that are known, and how far around it the days move with it."""
    years = range(2023, 2028)
    if name == "western":
        return [([easter(y) for y in years], -7, 1), ([black_friday(y) for y in years], -1, 3), ([date(y, 12, 25) for y in years], -7, 7)]
    return [(SPRING_FESTIVAL, -14, 14), ([date(y, 6, 18) for y in years], -17, 0), ([date(y, 11, 11) for y in years], -10, 0)]


def beside(name):
    """day: the day a year before. Each begins with the one 364 days before; each day of a feast then swaps its own for the feast's."""
    of = {d: d - 364 * DAY for d in (date(2023, 6, 1) + n * DAY for n in range(1200))}
    holder = {before: d for d, before in of.items()}
    for times, first, last in feasts(name):
        for before, now in zip(times, times[1:]):
            for n in range(first, last + 1):
                day, wanted = now + n * DAY, before + n * DAY
                if day in of and wanted in holder:
                    other = holder[wanted]
                    of[other], of[day] = of[day], wanted
                    holder[of[other]], holder[wanted] = other, day
    return of


class Periods:
    """A part of Golden: self.con, self.names, self.sums and what else is common to all reports."""

    # ------------------------------------------------------------ returns

    def returned_lines(self, request, columns):
        """(day, lines of columns) of every returned line."""
        sql = f"SELECT day, {', '.join(columns)} FROM ({self.source(request)}) WHERE kind = 'return'"
        return self.con.execute(sql).fetchall()

    @staticmethod
    def span_of(day, spans):
        return next((span for span in spans if span[1][0] <= day < span[1][1]), None)

    def return_lag(self, request, spans):
        found = defaultdict(Counter)
        if request.get("include_zero", "true") == "true":
            for (start, _), _, _ in spans:
                for no in range(1, 6):
                    found[start, no].update(lines=0, lag_lines=0, lag_days=0)
        for day, sold, known, blind, units, money in self.returned_lines(request, ["order_day", "known", "NOT known AND channel_id IS NULL", "back", "returned"]):
            span = self.span_of(day, spans)
            if span is None:
                continue
            no = lag_of(day, sold, known, blind)
            found[span[0][0], no].update(lines=1, units=int(units), money=int(money), lag_lines=known, lag_days=(day - sold).days if known else 0)
        of = {s: (e, partial) for (s, e), _, partial in spans}
        all_lines = Counter()
        for (start, _), sums in found.items():
            all_lines[start] += sums["lines"]
        return [self.lag_row(start, *of[start], no, sums, all_lines[start]) for (start, no), sums in sorted(found.items())]

    @staticmethod
    def lag_row(start, end, partial, no, sums, whole):
        lines, lag_lines, whole = Fraction(sums["lines"]), Fraction(sums["lag_lines"]), Fraction(whole)
        days = Fraction(sums["lag_days"]) if no is None or no < 6 else None
        return {"period_start": start, "period_end": end, "is_partial_period": partial, "lag_no": None if no is None else Fraction(no), "lag": LAGS.get(no),
                "return_lines": lines, "units_returned": Fraction(sums["units"], UNITS), "returns": Fraction(sums["money"], MONEY), "lag_lines": lag_lines,
                "lag_days": days, "mean_days": ratio(days, lag_lines), "return_lines_all": whole, "line_share": ratio(lines, whole)}

    def return_lag_total(self, request, spans):
        sums = Counter()
        for row in self.return_lag(request, spans):
            sums.update(lines=int(row["return_lines"]), units=int(row["units_returned"] * UNITS), money=int(row["returns"] * MONEY),
                        lag_lines=int(row["lag_lines"]), lag_days=int(row["lag_days"] or 0))
        return self.lag_row(None, None, None, None, sums, sums["lines"])

    def return_reasons(self, request, spans):
        level = request.get("level", "reason")
        category = "CASE WHEN product_id IS NULL THEN 'N/A' ELSE coalesce((SELECT category1_id FROM product p WHERE p.product_id = f.product_id), 'UNK') END"
        group = {"reason": "NULL", "channel": member("channel_id", "channel", "channel_id"), "category": category,
                 "product": member("product_id", "product", "product_id")}[level]
        source = f"SELECT *, {group} AS group_id FROM ({self.source(request)}) f WHERE kind = 'return'"
        rows = self.sums(source, [("group_id", "group_id"), ("reason_code", "coalesce(reason, 'unknown')")], spans)
        if request.get("include_zero") == "true":
            ever = self.con.execute(f"SELECT DISTINCT group_id, coalesce(reason, 'unknown') FROM ({source}) WHERE day < DATE '{request['to']}'").fetchall()
            self.zero_filled(request, rows, spans, [{"group_id": g, "reason_code": r} for g, r in ever], ["group_id", "reason_code"])
        names = {"reason": {}, "channel": self.names["channel"], "product": self.names["product"], "category": self.category_names()}[level]
        whole, within = Counter(), Counter()
        for row in rows:
            whole[row["period_start"]] += row["returns"]
            within[row["period_start"], row["group_id"]] += row["returns"]
        for row in rows:
            self.shares_of_returns(row, within[row["period_start"], row["group_id"]], whole[row["period_start"]])
            row["group_name"] = names.get(row["group_id"], row["group_id"])
        return rows

    @staticmethod
    def shares_of_returns(row, within, whole):
        return row.update(returns_group=Fraction(within), group_share=ratio(row["returns"], within), returns_all=Fraction(whole),
                          returns_share=ratio(row["returns"], whole))

    def return_reasons_total(self, request, spans):
        row = self.sums(f"SELECT * FROM ({self.source(request)}) WHERE kind = 'return'", None, spans)[0]
        self.shares_of_returns(row, row["returns"], row["returns"])
        return row

    # ------------------------------------------------------------ hours

    def sales_weekday_hour(self, request, spans):
        (start, end), partial = spans[0][0], spans[0][2]
        as_of = date.fromisoformat(request["as_of"]) if "as_of" in request else TODAY
        rows = self.sums(f"SELECT *, isodow(day) AS weekday, minute // 60 AS hour FROM ({self.source(request)})", [("weekday", "weekday"), ("hour", "hour")], spans)
        if request.get("include_zero", "true") == "true":
            here = {(start + n * DAY).isoweekday() for n in range((end - start).days)}
            self.zero_filled(request, rows, spans, [{"weekday": w, "hour": h} for w in sorted(here) for h in range(24)], ["weekday", "hour"])
        occurs = Counter((start + n * DAY).isoweekday() for n in range((min(end, as_of) - start).days))
        for row in rows:
            self.per_day(row, occurs[row["weekday"]])
            row["weekday"], row["hour"] = Fraction(int(row["weekday"])), Fraction(int(row["hour"]))
        return sorted(rows, key=lambda r: (r["weekday"], r["hour"]))

    @staticmethod
    def per_day(row, days):
        row["days"], row["sales_before_returns"] = Fraction(days), row["gross_sales"] - row["discounts"]
        row |= {"net_sales_per_day": ratio(row["net_sales"], days), "orders_per_day": ratio(row["orders"], days),
                "aov": ratio(row["sales_before_returns"], row["orders"])}
        return row

    def sales_weekday_hour_total(self, request, spans):
        as_of = date.fromisoformat(request["as_of"]) if "as_of" in request else TODAY
        start, end = spans[0][0]
        return self.per_day(self.sums(self.source(request), None, spans)[0], (min(end, as_of) - start).days)

    # ------------------------------------------------------------ growth

    def grown(self, request, spans, key, name):
        """Per `key` (SQL over the events, called f) net sales now and before."""
        (start, end), partial = spans[0][0], spans[0][2]
        against = request.get("against", "previous_year")
        then = self.spans(*earlier(start, end, against, "all"), "all", "iso", {})
        source = f"SELECT *, {key} AS item FROM ({self.source(request)}) f"
        now, before = ({r["item"]: r["net_sales"] for r in self.sums(source, [("item", "item")], days)} for days in (spans, then))
        whole, whole_before = sum(now.values(), Fraction(0)), sum(before.values(), Fraction(0))
        rows = []
        for item in sorted(now.keys() | before.keys()):
            a, b = now.get(item, Fraction(0)), before.get(item, Fraction(0))
            direction = "new" if item not in before else "lost" if item not in now else "up" if a > b else "down" if a < b else "same"
            rows.append({"period_start": start, "period_end": end, "is_partial_period": partial, name + "_id": item, "direction": direction} |
                        self.growth_of(a, b, whole, whole_before, partial))
        return rows

    @staticmethod
    def growth_of(a, b, whole, whole_before, partial):
        return {"net_sales": a, "net_sales_prev": b, "change": a - b, "net_sales_all": whole, "net_sales_all_prev": whole_before,
                "net_sales_growth": None if partial or not b else ratio(a - b, abs(b)),
                "contribution": None if partial else ratio(a - b, abs(whole_before)), "share": ratio(a, whole), "share_prev": ratio(b, whole_before)}

    def product_movers(self, request, spans):
        level = request.get("level", "sku")
        column = {"sku": "product_id", "product": "product_id", "brand": "brand", "category": "category1_id"}[level]
        shown = f"CASE WHEN product_id IS NULL THEN 'N/A' ELSE coalesce((SELECT {column} FROM product p WHERE p.product_id = f.product_id), 'UNK') END"
        names = {"brand": {}, "category": self.category_names()}.get(level, self.names["product"])
        rows = [r for r in self.grown(request, spans, shown, "item") if abs(r["net_sales_prev"]) >= Fraction(request.get("min_base", "0"))]
        for row in rows:
            row["item_name"] = names.get(row["item_id"], row["item_id"])
        return rows

    def region_growth_contribution(self, request, spans):
        shown = member("region_id", "region", "region_id")
        if request.get("region_level") == "1":
            country = "(SELECT country_id FROM region r WHERE r.region_id = f.region_id)"
            shown = f"CASE WHEN region_id IS NULL THEN 'N/A' ELSE coalesce({country}, 'UNK') END"
        return self.named(self.grown(request, spans, shown, "region"), "region_id", "region")

    def region_growth_contribution_total(self, request, spans):
        rows = self.grown(request, spans, "'all'", "region")
        return {k: v for k, v in rows[0].items() if k not in ("region_id", "direction")}

    # ------------------------------------------------------------ running totals

    def net_by_day(self, request):
        """Net sales (0 on other days) of every day with an event, over all time."""
        found = self.con.execute(f"SELECT day, sum(net)::HUGEINT FROM ({self.source(request)}) GROUP BY 1").fetchall()
        return defaultdict(Fraction, {day: Fraction(int(net), MONEY) for day, net in found})

    def moving_average_trend(self, request, spans):
        (start, end), n, net = spans[0][0], int(request.get("n", 7)), self.net_by_day(request)
        as_of = date.fromisoformat(request["as_of"]) if "as_of" in request else TODAY
        rows = []
        for day in (start + k * DAY for k in range((end - start).days)):
            over = sum((net[day - k * DAY] for k in range(n)), Fraction(0)) if day < as_of else None
            rows.append({"period_start": day, "period_end": day + DAY, "is_partial_period": day >= as_of, "net_sales": net[day], "n": Fraction(n),
                         "net_sales_window": over, "moving_average": ratio(over, n)})
        return rows

    def moving_annual_total(self, request, spans):
        (start, end), months = spans[0][0], int(request.get("months", 12))
        as_of = date.fromisoformat(request["as_of"]) if "as_of" in request else TODAY
        by_month, of = self.net_by_day(request), defaultdict(Fraction)
        for day, net in by_month.items():
            of[day.replace(day=1)] += net
        rows = []
        for first, after in buckets(start, end, "month"):
            here = [month_add(first, -k) for k in range(months)]
            before = [month_add(m, -12) for m in here]
            total, total_before = (sum((of[m] for m in ms if m in of), Fraction(0)) if after <= as_of else None for ms in (here, before))
            rows.append({"period_start": first, "period_end": after, "is_partial_period": after > as_of, "net_sales": of.get(first, Fraction(0)),
                         "mat": total, "mat_prev": total_before, "mat_growth": ratio(total - total_before, abs(total_before)) if total is not None else None,
                         "months_with_sales": Fraction(sum(m in of for m in here)), "months_with_sales_prev": Fraction(sum(m in of for m in before))})
        return rows

    def sales_to_date(self, request):
        as_of = date.fromisoformat(request["as_of"]) if "as_of" in request else TODAY
        grain, calendar, net = request.get("to_date_of", "month"), request.get("calendar", "iso"), self.net_by_day(request)
        start, end = bucket(as_of - DAY, grain, calendar)
        weeks = grain in ("week", "fiscal_week") or (grain.startswith("fiscal") and calendar.startswith("retail"))
        if request.get("against") == "previous_period":
            first, after = bucket(start - DAY, grain, calendar)
        elif weeks:
            first, after = start - 364 * DAY, end - 364 * DAY
        else:
            first, after = bucket(start.replace(year=start.year - 1), grain, calendar)
        rows, so_far, so_far_before = [], Fraction(0), Fraction(0)
        for k in range((as_of - start).days):
            there = first + k * DAY if first + k * DAY < after else None
            so_far += net[start + k * DAY]
            so_far_before += net[there] if there else 0
            rows.append({"period_start": start, "period_end": end, "is_partial_period": end > as_of, "day_no": Fraction(k + 1), "day": start + k * DAY,
                         "day_prev": there, "net_sales": net[start + k * DAY], "net_sales_prev": net[there] if there else None, "net_sales_to_date": so_far,
                         "net_sales_to_date_prev": so_far_before, "net_sales_to_date_growth": ratio(so_far - so_far_before, abs(so_far_before))})
        return rows

    # ------------------------------------------------------------ two periods

    def like_for_like_sales(self, request, spans):
        (start, end), partial = spans[0][0], spans[0][2]
        before = earlier(start, end, "previous_year", "all")
        eligible = before[0]
        if request.get("method") == "entire_year":
            year = bucket(start, "fiscal_year", request.get("calendar", "iso"))[0]
            eligible = bucket(year - DAY, "fiscal_year", request.get("calendar", "iso"))[0]
        places = {r[0]: r[1:] for r in self.con.execute("SELECT location_id, opened_on, closed_on FROM location").fetchall()}

        def group(place):
            if place is None or place not in places:
                return "no place" if place is None else "unknown place"
            opened, closed = places[place]
            if closed and closed < end:
                return "not comparable"
            return "comparable" if not opened or opened + int(request.get("exclude_days", 0)) * DAY <= eligible else "not comparable"

        by_place = request.get("level") == "location"
        sums, seen = defaultdict(lambda: [Fraction(0), Fraction(0)]), defaultdict(set)
        for at, (a, b) in enumerate(((start, end), before)):
            found = self.con.execute(f"SELECT location_id, sum(net)::HUGEINT FROM ({self.source(request)}) WHERE day >= ? AND day < ? GROUP BY 1", [a, b])
            for place, net in found.fetchall():
                key = group(place), place if by_place and place in places else None
                sums[key][at] += Fraction(int(net), MONEY)
                seen[key] |= {place} - {None}
        whole, whole_before = (sum((v[at] for v in sums.values()), Fraction(0)) for at in (0, 1))
        rows = [{"period_start": start, "period_end": end, "is_partial_period": partial, "comp_group": g, "location_id": p, "places": Fraction(len(seen[g, p])),
                 "location_name": self.names["location"].get(p)} | self.growth_of(now, then, whole, whole_before, partial)
                for (g, p), (now, then) in sums.items()]
        self.lfl_places = Fraction(len(set().union(*seen.values()))) if seen else Fraction(0)
        return rows

    def like_for_like_sales_total(self, request, spans):
        rows = self.like_for_like_sales(request, spans)
        whole, before = rows[0]["net_sales_all"], rows[0]["net_sales_all_prev"]
        return {"places": self.lfl_places} | self.growth_of(whole, before, whole, before, spans[0][2])

    def sales_period_comparison(self, request, spans):
        (start, end), partial = spans[0][0], spans[0][2]
        against, source = request.get("against", "previous_year"), self.source(request)
        if against == "previous_year_holidays":
            of = beside(request.get("holidays", "western"))
            there = sorted(of[start + n * DAY] for n in range((end - start).days))
            first, after, days_before = there[0], there[-1] + DAY, len(set(there))
            before = f"SELECT * FROM ({source}) WHERE day IN ({', '.join(f'DATE {str(d)!r}' for d in there)})"
        else:
            first, after = earlier(start, end, against, "all")
            days_before, before = (after - first).days, source
        now, then = (self.sums(of_days, None, self.spans(*days, "all", "iso", {}))[0] for of_days, days in ((source, (start, end)), (before, (first, after))))
        for row in (now, then):
            row["gross_profit"] = row["net_sales_with_cost"] - row["cogs"]
        days, rows = (end - start).days, []
        for no, metric in enumerate(["gross_sales", "discounts", "returns", "net_sales", "gross_profit", "units_sold", "units_returned", "orders", "customers"], 1):
            a, b = now[metric], then[metric]
            rows.append({"period_start": start, "period_end": end, "is_partial_period": partial, "metric_no": Fraction(no), "metric": metric, "value": a,
                         "value_prev": b, "change": a - b, "value_growth": None if partial else ratio(a - b, abs(b)), "days": Fraction(days),
                         "days_prev": Fraction(days_before), "value_per_day": ratio(a, days), "value_per_day_prev": ratio(b, days_before),
                         "first_day_prev": first, "end_day_prev": after})
        return rows

    # ------------------------------------------------------------ one day

    def sales_intraday_live(self, request):
        day, weeks = date.fromisoformat(request.get("day", str(TODAY - DAY))), int(request.get("weeks", 8))
        as_of = date.fromisoformat(request["as_of"]) if "as_of" in request else TODAY
        cutoffs = dict(self.con.execute("SELECT location_id, cutoff FROM location").fetchall())
        now, typical = defaultdict(Fraction), defaultdict(Fraction)
        for n in range(weeks + 1):
            at = day - 7 * n * DAY
            for place, minute, net in self.events(request, [("location_id", None), ("minute", None), ("net", MONEY)], (at, at + DAY)):
                slot = (minute + (1440 if minute < (cutoffs.get(place) or 0) else 0)) // 15
                (typical if n else now)[slot] += net
        clock = lambda slot: f"{slot // 4:02}:{slot % 4 * 15:02}"
        last, rows, so_far, so_far_typical = max(now, default=None), [], Fraction(0), Fraction(0)
        for slot in sorted({*range(96), *now, *typical}):
            known = day < as_of or (last is not None and slot <= last)
            net = now.get(slot, Fraction(0))
            so_far, so_far_typical = so_far + net, so_far_typical + typical.get(slot, Fraction(0))
            mean = ratio(so_far_typical, weeks)
            rows.append({"period_start": day, "period_end": day + DAY, "is_partial_period": day >= as_of, "slot_no": Fraction(slot), "slot_start": clock(slot),
                         "net_sales": net if known else None, "net_sales_so_far": so_far if known else None, "typical_so_far_all": so_far_typical,
                         "weeks": Fraction(weeks), "typical_so_far": mean, "ahead": Ratio(so_far - mean) if known else None,
                         "pace": ratio(so_far * weeks, so_far_typical) if known else None, "last_slot_start": None if last is None else clock(last)})
        return rows
