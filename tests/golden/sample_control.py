"""Sample data, step 3 for dq-reconciliation: what the control files say against what the landing files hold, and the gaps in the
marketplace's order numbers. Written from what the report promises and from sample-data/README.md, with SQL of its own.

Values are whole numbers of ten-thousandths, so that counts, units and amounts are compared alike.
"""

from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction

from sample_measures import TODAY, bucket, member, ratio, where

SCALE = 10_000
TIME = ["period_start", "period_end", "is_partial_period"]
COLUMNS = TIME + ["source_system", "channel_id", "channel_name", "location_id", "location_name", "metric", "source_currency", "status", "control",
                  "landed", "difference", "abs_difference", "difference_share", "comparisons", "differing", "missing_control", "missing_data",
                  "problems", "missing_numbers", "gaps"]
KEYS = ["period_start", "source_system", "channel_id", "location_id", "metric", "source_currency"]


def stage_control(con, text):
    """Tables: told and sent, both (source_system, day, channel_id, location_id, metric, currency, value), and number."""
    amount = lambda column: f"units({column}, 4)"
    told = {
        "order_count": ("tickets", "Bestellungen"), "line_count": ("lines", "Positionen"), "units": ("units", "Menge"),
        "gross_amount": (None, "Warenwert netto"), "total_amount": ("total", "Summe"),
    }
    # The tills count over all currencies, the marketplace per currency; amounts always have one.
    parts = []
    for metric, (till, platform) in told.items():
        if till:
            currency = "currency" if metric == "total_amount" else "NULL::VARCHAR"
            parts.append(f"""SELECT 'shop_pos' AS source_system, day::DATE AS day, 'pos' AS channel_id, store AS location_id, '{metric}' AS metric,
                {currency} AS currency, {amount(till)} AS value FROM {text('control/pos_*.csv', ';')}""")
        parts.append(f"""SELECT 'market_eu', strptime("Tag", '%d.%m.%Y')::DATE, 'market_eu', NULL, '{metric}', "Währung", {amount(f'"{platform}"')}
            FROM {text('control/market_eu_*.csv', ';')}""")
    con.execute("CREATE TABLE told AS " + " UNION ALL ".join(parts))
    # Every clean record in its newest version, whatever became of it: price × quantity in 10^-5.
    con.execute("""CREATE TABLE sent_line AS
        SELECT 'shop_pos' AS source_system, (sold_at::TIMESTAMP - (split_part(day_close, ':', 1) || ' hours')::INTERVAL)::DATE AS day,
            'pos' AS channel_id, store AS location_id, currency, ticket AS order_id, units(qty, 3) AS qty, units(price, 2) * units(qty, 3) AS full_price,
            units(vat, 4) AS rate, (units(discount, 2) + units(ticket_discount, 2)) * 1000 AS off
        FROM pos_row
        UNION ALL
        SELECT 'market_eu', strptime("Bestellt", '%d.%m.%Y %H:%M:%S')::DATE, 'market_eu', NULL, "Währung", "Bestellnummer", units("Menge", 3),
            units("Einzelpreis", 2) * units("Menge", 3), units("USt-Satz", 4), (units("Rabatt", 2) + units("Gutscheinanteil", 2)) * 1000
        FROM eu_row""")
    sums = {
        "order_count": "count(DISTINCT order_id) * 10000", "line_count": "count(*) * 10000", "units": "sum(qty) * 10",
        "gross_amount": "sum(without_tax(full_price, rate))", "total_amount": "sum((full_price - off) // 10)",
    }
    # In the terms of what is told, and from the first day on which it is.
    con.execute("CREATE TABLE sent AS " + " UNION ALL ".join(f"""
        SELECT s.source_system, s.day, s.channel_id, s.location_id, '{metric}' AS metric, CASE WHEN t.per_currency THEN s.currency END AS currency,
            ({of})::HUGEINT AS value
        FROM sent_line s JOIN (SELECT source_system, min(day) AS since, bool_or(currency IS NOT NULL) AS per_currency FROM told
            WHERE metric = '{metric}' GROUP BY ALL) t ON t.source_system = s.source_system AND s.day >= t.since
        GROUP BY ALL""" for metric, of in sums.items()))
    con.execute("""CREATE TABLE number AS
        SELECT 'market_eu' AS source_system, min(strptime("Bestellt", '%d.%m.%Y %H:%M:%S')::DATE) AS day, 'market_eu' AS channel_id,
            NULL::VARCHAR AS location_id, substr("Bestellnummer", 2)::BIGINT AS no
        FROM eu_row GROUP BY no""")


def dq_reconciliation(con, names, request):
    start = date.fromisoformat(request["from"]) if "from" in request else TODAY - timedelta(days=14)
    end = date.fromisoformat(request.get("to", str(TODAY)))
    grain, calendar = request.get("grain", "day"), request.get("calendar", "iso")
    level, tolerance = request.get("level", "source"), Fraction(request.get("tolerance", "0"))
    region = "CASE WHEN location_id IS NOT NULL THEN coalesce((SELECT region_id FROM location l WHERE l.location_id = x.location_id), 'UNK') END"
    channel, place = member("channel_id", "channel", "channel_id"), member("location_id", "location", "location_id")

    def rows_of(columns, table):
        sql = f"SELECT *, {region} AS region_id FROM {table} x WHERE day >= ? AND day < ?"
        return con.execute(f"SELECT {columns} FROM ({sql}) WHERE {where(request)}", [start, end]).fetchall()

    # One comparison per key of which either side says anything; two unknown places stay two.
    keyed = f"day, source_system, channel_id, location_id, metric, currency, value, {channel}, {place}"
    found, shown_as = defaultdict(lambda: [None, None]), {}
    for side, table in enumerate(("told", "sent")):
        for *key, value, c, p in rows_of(keyed, table):
            assert found[tuple(key)][side] is None, key
            found[tuple(key)][side] = value
            shown_as[tuple(key)] = c, p
    comparisons = []
    for key, (told, sent) in found.items():
        far = abs((sent or 0) - (told or 0))
        if told is None:
            status = "missing_control"
        elif sent is None and told != 0:
            status = "missing_data"
        else:
            status = "ok" if far <= tolerance * abs(told) else "differs"
        day, system, _, _, metric, currency = key
        comparisons.append((day, system, *shown_as[key], metric, currency, status, told or 0, sent or 0, None))
    # A gap belongs to the day of the number after it; numbers are those of everything that landed, whatever is asked.
    numbers = con.execute(f"SELECT no FROM number ORDER BY no").fetchall()
    before = {after[0]: first[0] for first, after in zip(numbers, numbers[1:])}
    for day, system, c, p, no in rows_of(f"day, source_system, {channel}, {place}, no", "number"):
        gap = range(before.get(no, no - 1) + 1, no)
        comparisons.append((day, system, c, p, "sequence", None, "differs" if gap else "ok", (len(gap) + 1) * SCALE, SCALE, gap))

    grouped = defaultdict(list)
    for c in comparisons:
        if request.get("metric", c[4]) == c[4]:
            bounds = (start, end) if grain == "all" else bucket(c[0], grain, calendar)
            grouped[(*bounds, c[1], c[2] if level != "source" else None, c[3] if level == "location" else None, c[4], c[5])].append(c)
    rows = [row for key, some in grouped.items() if (row := counted(key, some, (start, end), names))["problems"] or request.get("show") != "problems"]
    return rows


def counted(key, comparisons, window, names):
    begins, ends, system, channel, place, metric, currency = key
    having = lambda status: Fraction(sum(c[6] == status for c in comparisons))
    differing, no_control, no_data = having("differs"), having("missing_control"), having("missing_data")
    status = "missing_data" if no_data else "differs" if differing else "missing_control" if no_control else "ok"
    told, sent = (Fraction(sum(c[i] for c in comparisons), SCALE) for i in (7, 8))
    far = Fraction(sum(abs(c[8] - c[7]) for c in comparisons), SCALE)
    gaps = sorted((g for c in comparisons if (g := c[9])), key=lambda g: g.start)
    shown = ", ".join(str(g.start) if len(g) == 1 else f"{g.start}-{g.stop - 1}" for g in gaps[:10]) or None
    return {
        "period_start": begins, "period_end": ends, "is_partial_period": begins < window[0] or ends > min(window[1], TODAY),
        "source_system": system, "channel_id": channel, "channel_name": names["channel"].get(channel, channel), "location_id": place,
        "location_name": names["location"].get(place, place), "metric": metric, "source_currency": currency, "status": status, "control": told,
        "landed": sent, "difference": sent - told, "abs_difference": far, "difference_share": ratio(far, told),
        "comparisons": Fraction(len(comparisons)), "differing": differing, "missing_control": no_control, "missing_data": no_data,
        "problems": differing + no_control + no_data, "missing_numbers": Fraction(sum(map(len, gaps))), "gaps": shown,
    }
