"""What the clients' tests share: questions with known answers, and checks that say what is wrong.

Questions must be such that their answer is known without the data, or asked twice in different ways.
"""

import random
import sys
import time
from decimal import Decimal

# One row with a value of every type that clients meet. The last ones are kept in memory in ways that few clients know.
TYPES = """SELECT CAST('tea 茶' AS VARCHAR) AS text_value, DATE '2026-01-31' AS date_value,
    arrow_cast('2026-01-31T12:34:56.789012Z', 'Timestamp(Microsecond, Some("UTC"))') AS instant_value,
    CAST('12345.6789' AS DECIMAL(18,4)) AS decimal_value, true AS bool_value, CAST(7 AS INT) AS int_value,
    CAST(9000000000 AS BIGINT) AS bigint_value, CAST(0.25 AS DOUBLE) AS double_value, make_array(1, 2, 3) AS list_value,
    X'00ff' AS binary_value, CAST(NULL AS VARCHAR) AS null_value, arrow_cast('view', 'Utf8View') AS view_value,
    arrow_cast('dictionary', 'Dictionary(Int32, Utf8)') AS dictionary_value"""

# n is 1 to 1,000,000, in any order.
MILLION = """SELECT a.value * 1000 + b.value AS n, 'row ' || CAST(a.value AS VARCHAR) AS name
    FROM generate_series(0, 999) AS a(value) CROSS JOIN generate_series(1, 1000) AS b(value)"""
MILLION_SUM = 500_000_500_000

# Parameters of every kind, and the same question with their values written out.
FILTERED = """SELECT count(*) AS n FROM base.order_line WHERE line_no >= ? AND channel_id = ? AND business_date >= ?
    AND net_amount > ? AND confirmed_at < ? AND is_test = ?"""
WRITTEN = """SELECT count(*) AS n FROM base.order_line WHERE line_no >= 1 AND channel_id = 'web' AND business_date >= DATE '2026-01-01'
    AND net_amount > CAST('20.5' AS DECIMAL(18,4)) AND confirmed_at < arrow_cast('2026-06-01T00:00:00Z', 'Timestamp(Microsecond, Some("UTC"))')
    AND is_test = false"""

OF_CHANNEL = "SELECT channel_id, count(*) AS n FROM base.order_line WHERE channel_id = ? GROUP BY channel_id"
REPORT = "SELECT region_id, net_sales FROM report('sales-by-region', 'from=2025-01-01', 'to=2026-01-01') ORDER BY region_id"
# An error after most of the rows.
LATE_ERROR = """SELECT CAST(CASE WHEN value = 900000 THEN 'tea' ELSE '1' END AS BIGINT) AS n
    FROM generate_series(1, 1000000) AS t(value)"""
MISSPELT = "SELECT * FROM sales_evnt"
SUGGESTED = "sales_event"  # what the hint to it names

CANCELLED_SECONDS = 2.5  # one second for the server to notice, the rest for a busy machine


def endless():
    """A question that computes for days before its first row. Never the same text twice: its state can be looked up."""
    return f"SELECT sum(value % {random.randint(1000, 999_999)}) AS total FROM generate_series(1, 1000000000000) AS t(value)"


def endless_rows():
    """A question whose rows come at once and never end."""
    return f"SELECT value AS n, value % {random.randint(1000, 999_999)} AS m FROM generate_series(1, 1000000000000) AS t(value)"


def state_of(sql):
    """The question for what became of a question."""
    quoted = sql.replace("'", "''")
    return f"SELECT state FROM system.queries WHERE sql = '{quoted}'"


def receipts(orders):
    """Lines of a till, a tuple each: order_no, channel, sold, sku, qty, price."""
    import datetime

    return [(order, "web", datetime.date(2026, 1, 10), "tea", Decimal("2.000"), Decimal("10.5000")) for order in orders]


def step(name):
    print(f"  {name}", file=sys.stderr, flush=True)


def true(what, found):
    if not found:
        raise AssertionError(what)


def equal(what, found, wanted):
    if found != wanted:
        raise AssertionError(f"{what}: found {found!r}, wanted {wanted!r}")


def holds(what, found, *wanted):
    """All of `wanted` are in `found`."""
    missing = [w for w in wanted if w not in found]
    if missing:
        raise AssertionError(f"{what}: {missing} not in {found!r}")


def fails(what, call, *words):
    """The call fails, and its error says all these words (any case)."""
    try:
        answer = call()
    except Exception as error:
        text = str(error)
        missing = [w for w in words if w.lower() not in text.lower()]
        if missing:
            raise AssertionError(f"{what}: the error does not say {missing}: {type(error).__name__}: {text}") from error
        return error
    raise AssertionError(f"{what}: it should fail, and answered {answer!r}")


def within(what, seconds, call):
    """What the call answers, which it must do in time."""
    begun = time.monotonic()
    answer = call()
    took = time.monotonic() - begun
    if took > seconds:
        raise AssertionError(f"{what}: it took {took:.1f} s, more than {seconds} s")
    return answer


def soon(what, question, wanted, seconds=CANCELLED_SECONDS):
    """The question has this answer within that time."""
    end = time.monotonic() + seconds
    while (found := question()) != wanted:
        if time.monotonic() > end:
            raise AssertionError(f"{what}: {found!r} after {seconds} s, wanted {wanted!r}")
        time.sleep(0.05)
