"""Sample data, step 3: the reports, each as a function from a request to rows. Written from what the reports promise (their headers
and the metric dictionary), not from their SQL."""

import csv
from collections import Counter
from datetime import date

import sample_customers
import sample_marketing
import sample_people
import sample_orders
import sample_periods
import sample_products
import sample_quality
import sample_segments
import sample_service
import sample_stock
import sample_supply
from sample_control import COLUMNS as RECONCILED, KEYS as RECONCILED_BY, dq_reconciliation
from sample_measures import (
    DAY, TODAY, Fraction, Ratio, added_up, buckets, derive, earlier, facts, member, nothing, numbered, ordered, ratio, same_number, text, where,
)

TIME = ["period_start", "period_end", "is_partial_period"]
COMPARED = {
    "sales-summary": ["gross_sales", "discounts", "returns", "net_sales", "total_sales", "net_units", "orders", "aov", "customers", "gross_profit"],
    "sales-over-time": ["net_sales", "orders", "net_units", "aov"],
    "sales-by-product": ["gross_sales", "returns", "net_sales", "net_units", "asp", "gross_profit"],
    "sales-by-region": ["net_sales", "orders", "customers", "gross_profit"],
    "sales-by-channel": ["gross_sales", "discounts", "returns", "net_sales", "total_sales", "net_units", "orders", "gross_profit"],
    "returns-summary": ["returns", "units_returned", "return_rate_value", "returns_by_sale_date", "return_rate_value_by_sale_date", "exchange_share"],
    "traffic-conversion-funnel": ["sessions", "conversion_rate"],
}
_MARGIN = ["net_sales_with_cost", "cogs", "gross_profit", "gross_margin_pct"]
_RETURNED = ["returns", "units_returned", "return_lines", "exchange_returns", "exchange_share", "sales_before_returns", "units_sold",
             "return_rate_value", "return_rate_units"]
COLUMNS = {
    "sales-summary": TIME + ["gross_sales", "discounts", "returns", "net_sales", "tax", "charges", "total_sales", "units_sold", "units_returned",
                             "net_units", "orders", "anonymous_orders", "customers", "sales_before_returns", "aov", "units_per_order", *_MARGIN,
                             "goods_amount", "goods_amount_with_cost", "cost_coverage", "discount_rate", "return_rate_value", "return_rate_units"],
    "sales-over-time": TIME + ["gross_sales", "discounts", "returns", "net_sales", "units_sold", "units_returned", "net_units", "orders",
                               "sales_before_returns", "aov"],
    "sales-by-product": TIME + ["product_id", "product_name", "gross_sales", "discounts", "returns", "net_sales", "units_sold", "units_returned",
                                "net_units", "asp", "sales_before_returns", "asp_before_returns", *_MARGIN, "return_rate_value",
                                "return_rate_units", "net_sales_all", "share"],
    "sales-by-region": TIME + ["region_id", "region_name", "net_sales", "orders", "customers", *_MARGIN, "net_sales_all", "share"],
    "sales-by-channel": TIME + ["channel_type", "channel_id", "channel_name", "location_id", "location_name", "gross_sales", "discounts", "returns",
                                "net_sales", "tax", "charges", "total_sales", "units_sold", "units_returned", "net_units", "orders", *_MARGIN,
                                "sales_before_returns", "return_rate_value", "return_rate_units", "net_sales_all", "share"],
    "returns-summary": TIME + _RETURNED + [c + "_by_sale_date" for c in _RETURNED],
    "stock-on-hand": TIME + ["location_id", "location_name", "product_id", "product_name", "snapshot_day", "oldest_snapshot_day", "days_old",
                             "is_stale", "items", "on_hand", "available", "committed", "damaged", "on_hand_cost", "retail_value"],
    "traffic-conversion-funnel": TIME + ["stage_no", "stage", "sessions", "sessions_before", "all_sessions", "step_rate", "conversion_rate"],
    "dq-quarantine": ["rule", "source", "table_name", "severity", "records", "open_records", "files"],
    "dq-reconciliation": RECONCILED,
}
KEYS = {
    "sales-summary": ["period_start"], "sales-over-time": ["period_start"], "sales-by-product": ["period_start", "product_id"],
    "sales-by-region": ["period_start", "region_id"], "sales-by-channel": ["period_start", "channel_type", "channel_id", "location_id"],
    "returns-summary": ["period_start"], "traffic-conversion-funnel": ["period_start", "stage_no"],
    "stock-on-hand": ["location_id", "product_id"], "dq-quarantine": ["rule", "source", "table_name", "severity"],
    "dq-reconciliation": RECONCILED_BY,
}
for more in (sample_products, sample_customers, sample_segments, sample_periods, sample_stock, sample_quality, sample_service, sample_orders,
             sample_people, sample_marketing, sample_supply):
    COLUMNS |= more.COLUMNS
    KEYS |= more.KEYS
    COMPARED |= more.COMPARED
GRAIN = {"sales-over-time": "month", "returns-summary": "month", "channel-mix-over-time": "month", "new-vs-returning": "month", "customer-acquisition": "month",
         "customer-satisfaction": "month", "roas-cac": "month",
         "inventory-turnover": "month", "sell-through": "week", "stock-out-rate": "month"}
# How the reports that are asked for top_n name a group: column → SQL.
OTHERS = {
    "sales-by-brand": {"brand": "CASE WHEN product_id IS NULL THEN 'N/A' ELSE coalesce((SELECT brand FROM product p WHERE p.product_id = f.product_id), 'UNK') END"},
    "sales-by-region": {"region_id": member("region_id", "region", "region_id")},
}
IN_KEYS = {"sales-weekday-hour", "new-vs-returning", "return-lag", "order-cycle-time"}  # reports in the order of their keys
# Reports that ask for a day, not for a span of days.
AS_OF = {"stock-on-hand", "inventory-valuation", "dead-slow-stock", "dq-quarantine", "inactive-customers", "rfm-segments", "sales-to-date",
         "sales-intraday-live", "customer-segment-export", "dq-duplicates", "dq-scorecard", "customer-lifecycle", "customer-360", "order-backlog",
         "target-pacing", "low-stock-alert", "stock-cover", "overstock-excess", "reorder-proposal"}
ZERO = {"sales-summary", "sales-over-time", "returns-summary", "traffic-conversion-funnel"}  # empty buckets are shown unless asked not to


class Golden(sample_products.Products, sample_customers.Customers, sample_segments.Segments, sample_periods.Periods, sample_stock.Stock,
             sample_quality.Quality, sample_service.Service, sample_orders.Orders, sample_people.People, sample_marketing.Marketing,
             sample_supply.Supply):
    """Answers requests from the clean tables."""

    def __init__(self, con, dirt):
        self.con, self.dirt = con, dirt
        self.names = {t: dict(con.execute(f"SELECT {t}_id, {t}_name FROM {t}").fetchall()) for t in ("region", "channel", "location", "product")}
        self.types = dict(con.execute("SELECT channel_id, channel_type FROM channel").fetchall())

    def answer(self, report, request):
        """Columns and rows of a report."""
        columns = [c for c in COLUMNS[report]]
        if report == "dq-reconciliation":
            rows = dq_reconciliation(self.con, self.names, request)
            if request.get("metric") == "sequence":  # numbers, not totals: what tests/it/golden/measures.rs says of those columns is not of them
                columns = [c for c in columns if c not in ("control", "landed")]
        elif report in AS_OF:
            rows = getattr(self, report.replace("-", "_"))(request)
        else:
            rows = self.over_days(report, request)
            if request.get("compare"):
                columns += [f"{m}_{x}" for m in COMPARED[report] for x in ("prev", "growth")]
        if request.get("totals") == "true" or "top_n" in request:
            columns = [c for c in columns if c not in TIME[1:] and not c.endswith("_name")] + ["row_kind"]
        totals = [r for r in rows if r.get("row_kind") == "total"]
        if "top_n" in request:
            (key, sql), = OTHERS[report].items()
            first = ordered([r for r in rows if r["row_kind"] == "row"], request.get("order_by", f"-net_sales,{key}"))[:int(request["top_n"])]
            return columns, first + [self.others(report, request, key, sql, first)] + totals
        rows = [r for r in rows if r.get("row_kind") != "total"]
        if "order_by" in request:
            rows = ordered(rows, request["order_by"])
        if "limit" in request:
            rows = rows[:int(request["limit"])]
        return columns, rows + totals

    # ------------------------------------------------------------ reports over days

    def over_days(self, report, request):
        start, end = date.fromisoformat(request["from"]), date.fromisoformat(request["to"])
        grain, calendar = request.get("grain", GRAIN.get(report, "all")), request.get("calendar", "iso")
        body = getattr(self, report.replace("-", "_"))
        now = self.spans(start, end, grain, calendar, request)
        rows = body(request, now)
        total = self.total(report, request, now) if request.get("totals") == "true" else None
        mode = request.get("compare")
        if mode:
            before_start, before_end = earlier(start, end, mode, grain, calendar)
            before = self.spans(before_start, before_end, grain, calendar, request)
            same_days = {"previous_year": ("all", "day", "month", "quarter", "year"), "previous_year_aligned": ("all", "day", "week")}
            aligned = grain in same_days.get(mode, ())
            self.beside(report, rows, self.forward(body(request, before), before, now, mode, grain, calendar), aligned)
            if total:
                self.growths(report, total, self.total(report, request, before), aligned)
        for row in rows:
            row["row_kind"] = "row"
        if report in IN_KEYS:
            rows.sort(key=lambda r: [r[k] for k in KEYS[report]])
        return rows + ([total] if total else [])

    @staticmethod
    def spans(start, end, grain, calendar, request):
        """(bucket, its asked days, whether it is partial)."""
        as_of = date.fromisoformat(request["as_of"]) if "as_of" in request else TODAY
        return [((s, e), (max(s, start), min(e, end)), s < start or e > end or e > as_of) for s, e in buckets(start, end, grain, calendar)]

    @staticmethod
    def forward(rows, before, now, mode, grain, calendar):
        """Earlier rows with the period beside which they are shown."""
        to = {}
        for k, ((s, _), _, _) in enumerate(before):
            if grain == "all":
                to[s] = now[0][0]
            elif mode == "previous_year" and grain in ("day", "month", "quarter", "year"):
                to[s] = next((b for b, _, _ in now if b[0] == s.replace(year=s.year + 1)), None)
            elif mode == "previous_year" and numbered(grain, calendar):
                to[s] = next((b for b, _, _ in now if (same_number(b[0], grain, calendar) or (None,))[0] == s), None)
            elif mode == "previous_year_aligned" and grain in ("day", "week"):
                to[s] = next((b for b, _, _ in now if b[0] == s + 364 * DAY), None)
            else:
                to[s] = now[k][0] if k < len(now) else None
        return [row | dict(zip(TIME, to[row["period_start"]])) for row in rows if to[row["period_start"]]]

    @staticmethod
    def growths(report, row, before, aligned):
        """x_prev and x_growth; of a cut period only where the earlier one is cut at the same days (`aligned`)."""
        cuts = [bool(r and r.get("is_partial_period")) for r in (row, before)]
        comparable = cuts[0] == cuts[1] if aligned else not any(cuts)
        for m in COMPARED[report]:
            prev = before.get(m) if before else None
            row[f"{m}_prev"] = prev
            row[f"{m}_growth"] = None if row[m] is None or not prev or not comparable else ratio(row[m] - prev, abs(prev))

    def beside(self, report, rows, before, aligned):
        key = lambda r: tuple(r[k] for k in KEYS[report])
        earlier_rows = {key(r): r for r in before}
        for row in rows:
            self.growths(report, row, earlier_rows.pop(key(row), None), aligned)
        for row in earlier_rows.values():
            # What says which row it is stays; how much it was is x_prev.
            says = {c: row[c] for c in COLUMNS[report] if isinstance(row.get(c), (str, bool, date))}
            only = {c: row[c] for c in [*KEYS[report], *TIME] if c in row} | says
            absent = {c: None for c in COLUMNS[report] if c not in only}
            rows.append(absent | only | {f"{m}_prev": row[m] for m in COMPARED[report]} | {f"{m}_growth": None for m in COMPARED[report]})

    def source(self, request, parts="goods"):
        of = "kind <> 'charge'" if parts == "goods" else "true"
        return f"SELECT * FROM ({facts(request_policies(request))}) WHERE day IS NOT NULL AND {of} AND {where(request)}"

    def sums(self, source, keys, spans):
        """Rows with every measure and ratio, per bucket and keys."""
        partial = {s: p for (s, _), _, p in spans}
        rows = added_up(self.con, source, keys, [(b, days) for b, days, _ in spans])
        for row in rows:
            row["is_partial_period"] = partial.get(row["period_start"])
        return rows

    def with_share(self, rows):
        """`share` is of everything that the filters leave in the bucket."""
        whole = Counter()
        for row in rows:
            whole[row["period_start"]] += row["net_sales"]
        for row in rows:
            row["net_sales_all"] = Fraction(whole[row["period_start"]])
        return [derive(row) for row in rows]

    def zero_filled(self, request, rows, spans, members, keep=()):
        """Adds a row of nothing for every bucket and member that has none."""
        there = {(r["period_start"], *(r[k] for k in keep)) for r in rows}
        for (s, e), _, partial in spans:
            for m in members:
                if (s, *(m[k] for k in keep)) not in there:
                    rows.append(nothing() | {"period_start": s, "period_end": e, "is_partial_period": partial} | m)
        return rows

    @staticmethod
    def ever_filled(request, rows, spans, keys, before):
        """With include_zero a row of nothing for every bucket and every key that has a row in `before`, a function from buckets to rows."""
        if request.get("include_zero") != "true":
            return rows
        of = lambda row: tuple(row[k] for k in keys)
        days = date(2000, 1, 1), spans[-1][1][1]
        there = {(row["period_start"], of(row)) for row in rows}
        for row in before([(days, days, False)]):
            zero = {c: v if c in keys or not isinstance(v, Fraction) else None if isinstance(v, Ratio) else Fraction(0) for c, v in row.items()}
            rows += [zero | {"period_start": s, "period_end": e, "is_partial_period": partial} for (s, e), _, partial in spans if (s, of(row)) not in there]
        return rows

    def buckets_filled(self, report, request, rows, spans):
        show = request.get("include_zero", "true" if report in ZERO else "false") == "true"
        return self.zero_filled(request, rows, spans, [{}] if show else [])

    def total(self, report, request, spans):
        """Everything in one row, from the events and not from the rows."""
        parts = "all" if report in ("sales-summary", "sales-by-channel") else "goods"
        own = getattr(self, report.replace("-", "_") + "_total", None)
        if report == "returns-summary":
            row = self.returned(request, spans, None)[0]
        elif own:
            row = own(request, spans)
        else:
            row = self.sums(self.source(request, parts), None, spans)[0]
            row["net_sales_all"] = row["net_sales"]
            derive(row)
        # A report without buckets is of the asked days, in the totals row, too.
        start = None if "period_start" in KEYS[report] else spans[0][0][0]
        return {c: None for c in COLUMNS[report]} | row | {"row_kind": "total", "period_start": start}

    def others(self, report, request, key, sql, first):
        """Everything but what the first rows are made of, in one row, from the events; shares are of everything."""
        spans = [(self.days(request), self.days(request), False)]
        shown = ", ".join(text(r[key]) for r in first)
        row, = self.sums(f"SELECT * FROM ({self.source(request)}) f WHERE {sql} NOT IN ({shown})", None, spans)
        whole, = self.sums(self.source(request), None, spans)
        row["net_sales_all"] = whole["net_sales"]
        return {c: None for c in COLUMNS[report]} | derive(row) | {"row_kind": "others", "period_start": None}

    @staticmethod
    def days(request):
        return date.fromisoformat(request["from"]), date.fromisoformat(request["to"])

    def sales_summary(self, request, spans):
        rows = self.sums(self.source(request, "all"), [], spans)
        return [derive(r) for r in sorted(self.buckets_filled("sales-summary", request, rows, spans), key=lambda r: r["period_start"])]

    def sales_over_time(self, request, spans):
        rows = self.sums(self.source(request), [], spans)
        return [derive(r) for r in sorted(self.buckets_filled("sales-over-time", request, rows, spans), key=lambda r: r["period_start"])]

    def named(self, rows, key, dimension):
        for row in rows:
            row[dimension + "_name"] = self.names[dimension].get(row[key], row[key])
        return rows

    def dimension_members(self, request, dimension):
        return [r[0] for r in self.con.execute(f"SELECT {dimension}_id FROM {dimension} WHERE {where(request, dimension)}").fetchall()]

    def sales_by_product(self, request, spans):
        rows = self.sums(self.source(request), [("product_id", member("product_id", "product", "product_id"))], spans)
        if request.get("include_zero") == "true":
            members = [{"product_id": p} for p in self.dimension_members(request, "product")]
            self.zero_filled(request, rows, spans, members, ["product_id"])
        return self.with_share(self.named(rows, "product_id", "product"))

    def sales_by_region(self, request, spans):
        level = int(request.get("region_level", 0))
        shown = member("region_id", "region", "region_id")
        if level == 1:
            country = "(SELECT country_id FROM region r WHERE r.region_id = f.region_id)"
            shown = f"CASE WHEN region_id IS NULL THEN 'N/A' ELSE coalesce({country}, 'UNK') END"
        source = f"SELECT * REPLACE ({shown} AS region_id) FROM ({self.source(request)}) f"
        rows = self.sums(source, [("region_id", "region_id")], spans)
        if request.get("include_zero") == "true":
            ids = self.dimension_members(request, "region")
            if level == 1:
                ids = sorted({self.con.execute("SELECT country_id FROM region WHERE region_id = ?", [i]).fetchone()[0] for i in ids})
            self.zero_filled(request, rows, spans, [{"region_id": r} for r in ids], ["region_id"])
        return self.with_share(self.named(rows, "region_id", "region"))

    def sales_by_channel(self, request, spans):
        level = request.get("level", "channel")
        channel = member("channel_id", "channel", "channel_id")
        kind = "CASE WHEN channel_id IS NULL THEN 'N/A' ELSE coalesce((SELECT channel_type FROM channel c WHERE c.channel_id = f.channel_id), 'UNK') END"
        source = f"SELECT *, {kind} AS shown_type FROM ({self.source(request, 'all')}) f"
        keys = [("channel_type", "shown_type")]
        keys += [("channel_id", channel)] if level != "type" else []
        keys += [("location_id", member("location_id", "location", "location_id"))] if level == "outlet" else []
        rows = self.sums(source, keys, spans)
        if request.get("include_zero") == "true" and level != "outlet":
            channels = [{"channel_type": self.types[c], "channel_id": c} for c in self.dimension_members(request, "channel")]
            kinds = [{"channel_type": t} for t in sorted({c["channel_type"] for c in channels})]
            self.zero_filled(request, rows, spans, channels if level == "channel" else kinds, [k for k, _ in keys])
        elif request.get("include_zero") == "true":
            # Every channel and place that ever sold or took back anything before the end.
            shown = ", ".join(f"{sql} AS {name}" for name, sql in keys)
            ever = f"SELECT DISTINCT {shown} FROM ({source}) WHERE kind <> 'charge' AND day < DATE '{request['to']}'"
            cursor = self.con.execute(ever)
            self.zero_filled(request, rows, spans, [dict(zip([k for k, _ in keys], r)) for r in cursor.fetchall()], [k for k, _ in keys])
        for row in rows:
            row.setdefault("channel_id", None), row.setdefault("location_id", None)
        self.named(rows, "channel_id", "channel"), self.named(rows, "location_id", "location")
        return self.with_share(rows)

    def returned(self, request, spans, keys):
        """The same returns by the day of the refund and by the day of the sale."""
        source = self.source(request)
        by_refund = self.sums(source, keys, spans)
        by_sale = self.sums(f"SELECT * REPLACE (order_day AS day) FROM ({source})", keys, spans)
        if keys is not None:
            self.buckets_filled("returns-summary", request, by_refund, spans), self.buckets_filled("returns-summary", request, by_sale, spans)
        old = {r["period_start"]: derive(r) for r in by_sale}
        rows = []
        for row in by_refund:
            other = old.get(row["period_start"])
            rows.append(derive(row) | {f"{c}_by_sale_date": other[c] for c in _RETURNED})
        return sorted(rows, key=lambda r: str(r["period_start"]))

    def returns_summary(self, request, spans):
        return self.returned(request, spans, [])

    # ------------------------------------------------------------ visits

    def traffic_conversion_funnel(self, request, spans):
        closed = request.get("funnel") == "closed"
        started = """SELECT session, timezone('Europe/London', min(happened))::DATE AS day, arg_min(channel_id, (happened, id)) AS channel_id,
                arg_min(region_id, (happened, id)) AS region_id, arg_min(device, (happened, id)) AS device, arg_min(source, (happened, id)) AS source,
                arg_min(customer_key, (happened, id)) AS customer_key, NULL AS location_id,
                bool_or(name = 'view_item') AS s2, bool_or(name = 'add_to_cart') AS s3, bool_or(name = 'begin_checkout') AS s4, bool_or(name = 'purchase') AS s5
            FROM visit_event GROUP BY session"""
        tests = [where(request)] + [f"{c} = {text(request[c])}" for c in ("device", "source") if c in request]
        rows = []
        for (s, e), (a, b), partial in spans:
            visits = self.con.execute(f"SELECT true, s2, s3, s4, s5 FROM ({started}) WHERE day >= ? AND day < ? AND {' AND '.join(tests)}", [a, b]).fetchall()
            if not visits and request.get("include_zero") == "false":
                continue
            reached = [sum(all(v[:k + 1]) if closed else v[k] for v in visits) for k in range(5)]
            for k, stage in enumerate(["session", "view", "cart", "checkout", "purchase"]):
                before = Fraction(reached[k - 1]) if k else None
                rows.append({"period_start": s, "period_end": e, "is_partial_period": partial, "stage_no": k + 1, "stage": stage,
                             "sessions": Fraction(reached[k]), "sessions_before": before, "all_sessions": Fraction(reached[0]),
                             "step_rate": ratio(Fraction(reached[k]), before), "conversion_rate": ratio(Fraction(reached[k]), Fraction(reached[0]))})
        return rows

    # ------------------------------------------------------------ stock

    def stock_on_hand(self, request):
        as_of = date.fromisoformat(request.get("as_of", str(TODAY)))
        level, zero = request.get("level", "location"), request.get("include_zero") == "true"
        keys = {"location": ["location_id"], "product": ["product_id"], "item": ["location_id", "product_id"]}[level]
        shown_keys = {"location_id": member("location_id", "location", "location_id"), "product_id": member("product_id", "product", "product_id")}
        keys_sql = ", ".join(f"{shown_keys[k]} AS {k}" for k in keys)
        total = request.get("totals") == "true"
        # Each article at each place on its last day; 0 where the place was counted later without it.
        last = f"""
            WITH known AS (FROM stock WHERE day < DATE '{as_of}'),
            place AS (SELECT location_id, max(day) AS counted FROM known GROUP BY ALL),
            item AS (FROM known QUALIFY row_number() OVER (PARTITION BY location_id, product_id ORDER BY day DESC) = 1),
            now AS (SELECT i.location_id, i.product_id, l.region_id AS own_region, i.day < p.counted AS gone, p.counted AS day,
                        CASE WHEN gone THEN 0 ELSE on_hand END AS on_hand, CASE WHEN gone THEN 0 ELSE available END AS available,
                        CASE WHEN gone THEN 0 ELSE cost END AS cost, CASE WHEN gone THEN 0 ELSE retail END AS retail
                    FROM item i JOIN place p USING (location_id) LEFT JOIN location l USING (location_id))
            SELECT * EXCLUDE (own_region), coalesce(own_region, 'UNK') AS region_id FROM now"""
        measures = """max(day) AS snapshot_day, min(day) AS oldest_snapshot_day, count(*) AS items, sum(on_hand) AS on_hand,
            sum(available) AS available, sum(cost) AS on_hand_cost, sum(retail) AS retail_value"""
        filters = f"{where(request)} AND {'true' if zero else 'NOT gone'}"

        def run(select, group):
            cursor = self.con.execute(f"SELECT {select} {measures} FROM ({last}) WHERE {filters} {group}")
            names = [c[0] for c in cursor.description]
            return [dict(zip(names, r)) for r in cursor.fetchall()]

        rows = run(keys_sql + ",", "GROUP BY ALL")
        for row in rows:
            row["row_kind"] = "row"
        if total:
            rows += [r | {"row_kind": "total"} for r in run("", "")]
        for row in rows:
            row["days_old"] = (as_of - DAY - row["oldest_snapshot_day"]).days
            row["is_stale"] = row["days_old"] > 7
            for c, scale in (("on_hand", 1000), ("available", 1000), ("on_hand_cost", 10_000), ("retail_value", 10_000)):
                row[c] = Fraction(int(row[c]), scale)
            row |= {"period_start": as_of - DAY, "period_end": as_of, "is_partial_period": row["oldest_snapshot_day"] < as_of - DAY,
                    "committed": None, "damaged": None}
            row.setdefault("location_id", None), row.setdefault("product_id", None)
        self.named(rows, "location_id", "location"), self.named(rows, "product_id", "product")
        return rows

    # ------------------------------------------------------------ quarantine

    def dq_quarantine(self, request):
        # Everything is stopped on the day on which the test lands the sample; nothing is mended.
        if request.get("state") == "resolved" or not request.get("from", "") <= str(TODAY) < request.get("to", "9"):
            return []
        found, pairs = {}, set()
        for row in self.dirt:
            if row["severity"] == "warn":
                continue
            if row["pair"] and row["pair"] not in pairs:
                pairs.add(row["pair"])
                continue
            source, table = refuser(row)
            found.setdefault((row["rule"], source, table, row["severity"]), []).append(row["file"])
        return [{"rule": rule, "source": source, "table_name": table, "severity": severity, "records": Fraction(len(files)),
                 "open_records": Fraction(len(files)), "files": Fraction(len(set(files)))} for (rule, source, table, severity), files in found.items()]


def refuser(dirty):
    """The source that read a dirty record, and the table whose column is wrong; '' for a record that cannot be read."""
    folder, _, name = dirty["file"].partition("/")
    lists = {"channels": "channel", "locations": "location", "products": "product", "customers": "customer", "fx_rates": "fx_rate",
             "sales_reps": "sales_rep", "promotions": "promotion", "promotion_products": "promotion_product", "campaigns": "campaign",
             "suppliers": "supplier", "customer_ids": "customer_identity", "stock_policies": "product_location_policy",
             "product_costs": "product_cost", "price_lists": "price_list", "product_bundles": "product_bundle"}
    plans = {"assignments": ("rep_assignments", "rep_assignment"), "targets": ("targets", "target"), "activities": ("sales_activities", "sales_activity"),
             "opportunities": ("opportunities", "opportunity"), "spend": ("marketing_spend", "marketing_cost"),
             "touches": ("marketing_touches", "marketing_touch"), "discounts": ("order_discounts", "order_line_discount")}
    if folder == "dimensions":
        source = name.split(".")[0]
        table = lists[source]
    elif (kind := name.split(".")[0].split("_")[0]) in plans and folder in ("people", "marketing", "discounts"):
        source, table = plans[kind]
    else:
        source, table = {
            "pos": ("shop_pos_sales", "order_line"), "web": ("shop_web_orders", "order_line"), "market_eu": ("market_eu_orders", "order_line"),
            "market_cn": ("market_cn_orders", "order_line"), "erp": ("erp_wholesale", "order_line"), "returns": ("shop_returns", "return_line"),
            "events": ("shop_events", "customer_event"), "feedback": ("shop_feedback", "feedback"), "stock": ("stock", "inventory_snapshot"),
            "payments": ("payments", "payment"), "movements": ("stock_movements", "inventory_movement"),
            "purchasing": ("purchase_orders", "purchase_order_line"),
            "orders": {"orders": ("desk_orders", "order_header"), "steps": ("desk_steps", "order_status_event"),
                       "parcels": ("desk_parcels", "fulfilment_line")}.get(name.split("_")[0])}[folder]
    if dirty["field"] == "charge_type":
        table = "order_charge"
    if dirty["field"].startswith("refund"):
        table = "return_line"
    return source, "" if dirty["rule"] == "V00" else table


def request_policies(request):
    return {k: v for k, v in request.items() if k in ("return_basis", "cancel_policy", "region_basis", "recognition_basis", "fx_mode")}


def read_dirt(path):
    with open(path, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))
