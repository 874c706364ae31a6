"""Sample data, step 2: what a request asks of the clean tables: which rows, in which buckets, added up how, shown in which order.

A small library that knows the words of a request (policies, slicers, grains, compare, totals, order_by, limit) and nothing of one
report. Numbers are exact fractions until they are written.
"""

from datetime import date, timedelta
from fractions import Fraction

TODAY = date(2026, 7, 1)  # the day after the newest business date
DAY = timedelta(days=1)

# ---------------------------------------------------------------- calendars

def retail_year(year):
    """A retail year begins on the day after the Saturday nearest 31 January."""
    end = date(year, 1, 31)
    saturday = min((end + timedelta(days=n) for n in range(-3, 4) if (end + timedelta(days=n)).weekday() == 5), key=lambda d: abs((d - end).days))
    return saturday + DAY


def month_add(d, months):
    at = d.year * 12 + d.month - 1 + months
    return date(at // 12, at % 12 + 1, 1)


def bucket(d, grain, calendar="iso"):
    """First day, and first day after, of the bucket that holds d."""
    retail = calendar.startswith("retail")
    if grain == "day":
        return d, d + DAY
    if grain in ("week", "fiscal_week") and not (grain == "fiscal_week" and calendar == "gregorian_fy_apr"):
        start = d - timedelta(days=(d.weekday() + 1) % 7 if retail else d.weekday())
        return start, start + 7 * DAY
    if retail and grain.startswith("fiscal"):
        year = d.year if retail_year(d.year) <= d else d.year - 1
        start, end = retail_year(year), retail_year(year + 1)
        if grain == "fiscal_year":
            return start, end
        weeks = [13] * 4 if grain == "fiscal_quarter" else ([4, 5, 4] if calendar == "retail_454" else [4, 4, 5]) * 4
        for n, long in enumerate(weeks):
            after = end if n == len(weeks) - 1 else start + 7 * long * DAY  # week 53 belongs to the last one
            if d < after:
                return start, after
            start = after
    if grain == "fiscal_year" and calendar == "gregorian_fy_apr":
        year = d.year if d.month >= 4 else d.year - 1
        return date(year, 4, 1), date(year + 1, 4, 1)
    months = {"month": 1, "fiscal_period": 1, "quarter": 3, "fiscal_quarter": 3, "year": 12, "fiscal_year": 12}[grain]
    start = date(d.year, (d.month - 1) // months * months + 1, 1)
    return start, month_add(start, months)


def buckets(start, end, grain, calendar="iso"):
    """The buckets that the days from start up to end touch; grain all = the days themselves."""
    if grain == "all":
        return [(start, end)]
    found, at = [], start
    while at < end:
        found.append(bucket(at, grain, calendar))
        at = found[-1][1]
    return found


def numbered(grain, calendar):
    """Whether a year before means the bucket of the same number, not the same dates."""
    retail = calendar.startswith("retail")
    return grain in ("week", "fiscal_week") or (retail and grain.startswith("fiscal"))


def year_of(d, grain, calendar):
    """First day, and first day after, of the year in which d's bucket has its number: the ISO year, or the retail year."""
    if calendar.startswith("retail"):
        year = d.year if retail_year(d.year) <= d else d.year - 1
        return retail_year(year), retail_year(year + 1)
    year = d.isocalendar().year
    return date.fromisocalendar(year, 1, 1), date.fromisocalendar(year + 1, 1, 1)


def same_number(d, grain, calendar):
    """The bucket of the year before that has the number of d's bucket; None: it has fewer."""
    this = year_of(d, grain, calendar)
    before = buckets(*year_of(this[0] - DAY, grain, calendar), grain, calendar)
    number = buckets(*this, grain, calendar).index(bucket(d, grain, calendar))
    return before[number] if number < len(before) else None


def number_edge(of, edge, grain, calendar):
    """Where `edge`, a day of the bucket of day `of` or its end, lies in the bucket of that number the year before."""
    (start, end), before = bucket(of, grain, calendar), same_number(of, grain, calendar)
    if before is None:
        return year_of(of, grain, calendar)[0]
    return before[1] if edge == end else min(before[0] + (edge - start), before[1])


def earlier(start, end, mode, grain, calendar="iso"):
    """The window with which a comparison is made."""
    if mode == "previous_year" and numbered(grain, calendar):
        return number_edge(start, start, grain, calendar), number_edge(end - DAY, end, grain, calendar)
    if mode == "previous_year_aligned":
        return start - 364 * DAY, end - 364 * DAY
    if mode == "previous_year":
        back = lambda d: d.replace(year=d.year - 1, day=28 if (d.month, d.day) == (2, 29) else d.day)
        return back(start), back(end)
    months = (end.year - start.year) * 12 + end.month - start.month
    if start.day == end.day == 1 and grain not in ("week", "fiscal_week", "day"):
        return month_add(start, -months), start
    return start - (end - start), start


# ---------------------------------------------------------------- which rows

POLICIES = {"return_basis": "return_date", "cancel_policy": "exclude", "region_basis": "sold", "recognition_basis": "confirmed", "fx_mode": "transaction"}


def facts(policies):
    """Every event of sales and every charge as one SELECT: what happened (`kind`), when it counts, of what, how much; `minute` of the local
    day; of a return its `reason` and whether its sale is `known`; the line's tax `rate`; what of a charge is tax; line_*: the order line that it is
    about."""
    p = POLICIES | policies
    day = {"confirmed": "sold_on", "paid": "paid_on", "shipped": "shipped_on", "delivered": "delivered_on"}[p["recognition_basis"]]
    kept = "NOT cancelled" if p["cancel_policy"] == "exclude" else "true"
    if p["region_basis"] == "sold":
        region = "CASE WHEN x.location_id IS NULL THEN x.ship_region_id ELSE coalesce((SELECT region_id FROM location l WHERE l.location_id = x.location_id), 'UNK') END"
    else:
        region = f"x.{p['region_basis']}_region_id"
    keys = f"x.channel_id, x.location_id, {region} AS region_id, x.customer_key, x.is_staff, x.sales_rep_id"
    zero = "0::HUGEINT"
    returned = "refunded_on" if p["return_basis"] == "return_date" else "coalesce(sold_on, refunded_on)"
    # Minute of the day, reason, whether the sale is known; then the tax rate of a line, the tax of a charge, and the order line that it is about.
    sale, back = "x.sold_minute, NULL, true", "x.refunded_minute, x.reason, x.found"
    line, returned_line = (f"x.rate, {zero}, x.{system}, x.order_id, x.{no}" for system, no in (("system", "line_no"), ("sale_system", "order_line")))
    none = f"NULL, {zero}, NULL, NULL, NULL"
    due = f"NULL, CASE WHEN charge_type = 'tax' THEN {{0}}amount ELSE {zero} END, NULL, NULL, NULL"
    parts = [
        # Goods sold.
        f"""SELECT 'sale' AS kind, {day} AS day, sold_on AS order_day, {keys}, product_id, NULL AS return_channel_id, order_id, x.customer_key AS buyer,
            gross, discount, {zero} AS returned, net, tax, cost, quantity AS sold, {zero} AS back, false AS exchanged, {zero} AS charge,
            x.sold_minute AS minute, NULL AS reason, true AS known, x.rate AS rate, {zero} AS charge_tax,
            x.system AS line_system, x.order_id AS line_order, x.line_no AS line_no, x.fx AS fx
        FROM sold x WHERE {kept} AND line_type IN ('product', 'service', 'bundle_component')""",
        # Goods that came back.
        f"""SELECT 'return', {returned}, coalesce(sold_on, refunded_on), {keys}, product_id, return_channel_id, NULL, NULL,
            {zero}, {zero}, net, -net, -tax, -cost, {zero}, quantity, exchanged, {zero}, {back}, {returned_line}, x.fx FROM refund x""",
        # Amounts given or taken beside the goods.
        f"""SELECT 'adjustment', {day}, sold_on, {keys}, NULL, NULL, NULL, NULL,
            greatest(amount, 0), {zero}, greatest(-amount, 0), amount, {zero}, NULL, {zero}, {zero}, false, {zero}, {sale}, {none}, x.fx
        FROM charged x WHERE {kept} AND charge_type = 'adjustment'""",
        # What is billed beside the goods; a fee that is a line, with its tax; shipping that was given back.
        f"""SELECT 'charge', {day}, sold_on, {keys}, NULL, NULL, NULL, NULL,
            {zero}, {zero}, {zero}, {zero}, {zero}, NULL, {zero}, {zero}, false, amount, {sale}, {due.format('')}, x.fx
        FROM charged x WHERE {kept} AND charge_type IN ('shipping', 'shipping_discount', 'tax', 'duty', 'fee')""",
        f"""SELECT 'charge', {day}, sold_on, {keys}, NULL, NULL, NULL, NULL,
            {zero}, {zero}, {zero}, {zero}, {zero}, NULL, {zero}, {zero}, false, net + tax, {sale}, x.rate, tax, NULL, NULL, NULL, x.fx FROM sold x WHERE {kept} AND line_type = 'fee'""",
        f"""SELECT 'charge', {returned}, coalesce(sold_on, refunded_on), {keys}, NULL, return_channel_id, NULL, NULL,
            {zero}, {zero}, {zero}, {zero}, {zero}, NULL, {zero}, {zero}, false, -shipping, {back}, {none}, x.fx FROM refund x WHERE shipping <> 0""",
    ]
    if p["cancel_policy"] == "sale_then_reversal":
        # Taken back on the day of the cancellation, if it had counted.
        undone = f"cancelled AND {day} IS NOT NULL"
        parts += [
            f"""SELECT 'reversal', cancelled_on, sold_on, {keys}, product_id, NULL, NULL, NULL,
                {zero}, {zero}, net, -net, -tax, -cost, {zero}, quantity, false, {zero}, {sale}, {line}, x.fx
            FROM sold x WHERE {undone} AND line_type IN ('product', 'service', 'bundle_component')""",
            f"""SELECT 'adjustment', cancelled_on, sold_on, {keys}, NULL, NULL, NULL, NULL,
                greatest(-amount, 0), {zero}, greatest(amount, 0), -amount, {zero}, NULL, {zero}, {zero}, false, {zero}, {sale}, {none}, x.fx
            FROM charged x WHERE {undone} AND charge_type = 'adjustment'""",
            f"""SELECT 'charge', cancelled_on, sold_on, {keys}, NULL, NULL, NULL, NULL,
                {zero}, {zero}, {zero}, {zero}, {zero}, NULL, {zero}, {zero}, false, -amount, {sale}, {due.format('-')}, x.fx
            FROM charged x WHERE {undone} AND charge_type IN ('shipping', 'shipping_discount', 'tax', 'duty', 'fee')""",
            f"""SELECT 'charge', cancelled_on, sold_on, {keys}, NULL, NULL, NULL, NULL,
                {zero}, {zero}, {zero}, {zero}, {zero}, NULL, {zero}, {zero}, false, -(net + tax), {sale}, x.rate, -tax, NULL, NULL, NULL, x.fx FROM sold x WHERE {undone} AND line_type = 'fee'""",
        ]
    return restated(" UNION ALL ".join(parts), p["fx_mode"])


def restated(events, mode):
    """The events at the rates of the mode: an amount that came in at `fx` goes back and comes in again, rounded by itself."""
    if mode == "transaction":
        return f"SELECT * EXCLUDE (fx) FROM ({events})"
    month = "'all'" if mode == "constant" else "strftime(day, '%Y-%m')"
    amounts = ", ".join(
        f"CASE WHEN m.rate IS NULL THEN {a} ELSE half_up({a} * m.rate, fx * 100) END AS {a}"
        for a in ("gross", "discount", "returned", "tax", "cost", "charge", "charge_tax")
    )
    return f"""SELECT * REPLACE (gross - discount - returned AS net) FROM (
        SELECT e.* EXCLUDE (fx, month) REPLACE ({amounts})
        FROM (SELECT *, {month} AS month FROM ({events})) e
        LEFT JOIN mode_rate m ON m.mode = '{mode}' AND m.month = e.month AND fx <> 1000000)"""


# slicer → (dimension, its key, columns in which a value is looked for, the fact's column)
SLICERS = {
    "channel": ("channel", "channel_id", ["channel_id", "channel_name"], "channel_id"),
    "return_channel": ("channel", "channel_id", ["channel_id", "channel_name"], "return_channel_id"),
    "location": ("location", "location_id", ["location_id", "location_name"], "location_id"),
    "region": ("region", "region_id", ["region_id", "region_name", "country_id", "country_name"], "region_id"),
    "category": ("product", "product_id", ["category1_id", "category1", "category2_id", "category2", "category3_id", "category3"], "product_id"),
    "brand": ("product", "product_id", ["brand"], "product_id"),
    "product": ("product", "product_id", ["product_id", "sku", "product_name"], "product_id"),
    "sales_rep": ("sales_rep", "sales_rep_id", ["sales_rep_id", "name_masked"], "sales_rep_id"),
    "segment": ("customer", "customer_key", ["customer_group", "membership_tier"], "customer_key"),
}


def text(value):
    return "'" + str(value).replace("'", "''") + "'"


def where(request, of_dimension=None):
    """The request's slicers as SQL; for a dimension's own rows, only those that look into it."""
    tests = ["true"]
    for name, values in request.items():
        slicer = name.removeprefix("where.")
        if slicer == name:
            continue
        if slicer == "staff":
            tests.append(f"is_staff = {values}" if of_dimension is None else "true")
            continue
        dimension, key, columns, fact_key = SLICERS[slicer]
        if of_dimension not in (None, dimension):
            continue
        if of_dimension is None and request.get("attribute_basis") == "as_was" and slicer in ("category", "brand"):
            # What the article was on the day of the order.
            found = " OR ".join(f"h.{c} = {text(v)}" for v in values.split(",") for c in columns)
            tests.append(f"{fact_key} IN (SELECT h.product_id FROM product_past h WHERE h.since <= order_day AND order_day < h.until AND ({found}))")
            continue
        column = fact_key if of_dimension is None else key
        any_of = []
        for value in values.split(","):
            if value == "N/A":
                any_of.append(f"{column} IS NULL")
            elif value == "UNK":
                any_of.append(f"({column} IS NOT NULL AND {column} NOT IN (SELECT {key} FROM {dimension}))")
            else:
                found = " OR ".join(f"{c} = {text(value)}" for c in columns)
                any_of.append(f"{column} IN (SELECT {key} FROM {dimension} WHERE {found})")
        tests.append("(" + " OR ".join(any_of) + ")")
    return " AND ".join(tests)


def member(key, dimension, dimension_key):
    """A key as it is shown: UNK where the dimension does not have it, N/A where there is none."""
    return f"CASE WHEN {key} IS NULL THEN 'N/A' WHEN {key} IN (SELECT {dimension_key} FROM {dimension}) THEN {key} ELSE 'UNK' END"


# ---------------------------------------------------------------- how numbers are made

MONEY, UNITS, COUNT = 10_000, 1_000, 1

MEASURES = {
    "gross_sales": ("sum(gross)", MONEY), "discounts": ("sum(discount)", MONEY), "returns": ("sum(returned)", MONEY),
    "net_sales": ("sum(net)", MONEY), "tax": ("sum(tax)", MONEY), "charges": ("sum(charge)", MONEY),
    "units_sold": ("sum(sold)", UNITS), "units_returned": ("sum(back)", UNITS),
    "orders": ("count(DISTINCT order_id)", COUNT), "customers": ("count(DISTINCT buyer)", COUNT),
    "anonymous_orders": ("count(DISTINCT order_id) FILTER (kind = 'sale' AND buyer IS NULL)", COUNT),
    "net_sales_with_cost": ("sum(net) FILTER (cost IS NOT NULL)", MONEY), "cogs": ("sum(cost)", MONEY),
    # What was sold and what came back, both above 0: by kind, so that an amount is of goods whether its cost is known or not.
    "goods_amount": ("sum(abs(net)) FILTER (kind IN ('sale', 'return', 'reversal'))", MONEY),
    "goods_amount_with_cost": ("sum(abs(net)) FILTER (kind IN ('sale', 'return', 'reversal') AND cost IS NOT NULL)", MONEY),
    "return_lines": ("count(*) FILTER (kind = 'return')", COUNT), "exchange_returns": ("sum(returned) FILTER (exchanged)", MONEY),
}

DERIVED = {
    "net_units": lambda r: r["units_sold"] - r["units_returned"],
    "sales_before_returns": lambda r: r["gross_sales"] - r["discounts"],
    "total_sales": lambda r: r["net_sales"] + r["tax"] + r["charges"],
    "gross_profit": lambda r: r["net_sales_with_cost"] - r["cogs"],
}

RATIOS = {
    "aov": ("sales_before_returns", "orders"), "units_per_order": ("units_sold", "orders"), "asp": ("net_sales", "net_units"),
    "asp_before_returns": ("sales_before_returns", "units_sold"), "gross_margin_pct": ("gross_profit", "net_sales_with_cost"),
    "cost_coverage": ("goods_amount_with_cost", "goods_amount"), "discount_rate": ("discounts", "gross_sales"),
    "return_rate_value": ("returns", "sales_before_returns"), "return_rate_units": ("units_returned", "units_sold"),
    "exchange_share": ("exchange_returns", "returns"), "share": ("net_sales", "net_sales_all"),
}


def ratio(a, b):
    return None if a is None or not b else Ratio(a / b)


class Ratio(Fraction):
    """A quotient: written with six decimals."""


def added_up(con, source, keys, windows):
    """Rows per bucket and keys: every measure over the rows of `source` whose `day` is in a window; keys = [(column, SQL)]."""
    con.execute("CREATE OR REPLACE TEMP TABLE bucket(day DATE, period_start DATE, period_end DATE)")
    days = [(d, s, e) for (s, e), (a, b) in windows for d in (a + n * DAY for n in range((b - a).days))]
    if days:
        con.execute("INSERT INTO bucket SELECT unnest(?::DATE[]), unnest(?::DATE[]), unnest(?::DATE[])", [list(c) for c in zip(*days)])
    shown = ", ".join(["period_start", "period_end"] + [f"{sql} AS {name}" for name, sql in keys]) if keys is not None else "NULL AS period_start, NULL AS period_end"
    group = "GROUP BY ALL" if keys is not None else ""
    measures = ", ".join(f"coalesce({sql}, 0) AS {name}" for name, (sql, _) in MEASURES.items())
    cursor = con.execute(f"SELECT {shown}, {measures} FROM ({source}) JOIN bucket USING (day) {group}")
    names = [c[0] for c in cursor.description]
    rows = [dict(zip(names, row)) for row in cursor.fetchall()]
    for row in rows:
        for name, (_, scale) in MEASURES.items():
            row[name] = Fraction(int(row[name]), scale)
    return rows


def derive(row):
    """Differences and ratios from the sums of a row."""
    for name, of in DERIVED.items():
        row[name] = of(row)
    for name, (a, b) in RATIOS.items():
        row[name] = ratio(row.get(a), row.get(b))
    return row


def nothing():
    return {name: Fraction(0) for name in MEASURES}


# ---------------------------------------------------------------- how answers are written

def shown(value):
    """Text as the tests compare it: exact decimals without zeros at the end, ratios with six, NULL, dates."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Ratio):
        value = Fraction(round(value * 1_000_000), 1_000_000)
    if isinstance(value, Fraction):
        whole = value * 1_000_000
        assert whole.denominator == 1, value
        sign, whole = ("-" if whole < 0 else ""), abs(int(whole))
        return f"{sign}{whole // 1_000_000}.{whole % 1_000_000:06}".rstrip("0").rstrip(".")
    return str(value)


def ordered(rows, order_by):
    """order_by as in a request, -name descending; ties by what follows; NULL last."""
    for name in reversed(order_by.split(",")):
        column, down = name.removeprefix("-"), name.startswith("-")
        known = sorted((r for r in rows if r[column] is not None), key=lambda r: r[column], reverse=down)
        rows = known + [r for r in rows if r[column] is None]
    return rows
