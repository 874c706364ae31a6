"""Where the server is, what all clients ask of it, and how checks are run and told. It must not name any client."""

import sys
import time
import traceback
from dataclasses import dataclass, fields

SLOW = "SELECT sum(a.x % 7) AS s FROM generate_series(1, 1000000000000) AS a(x)"  # hours: only a cancel ends it
ENDED_WITHIN = 5.0  # seconds from a cancel or a time limit to its answer on a busy machine; the server has one second for its part
# As many rows as nobody reads, the first ones at once.
ENDLESS = "SELECT a.x AS x FROM generate_series(1, 1000000) AS a(x) CROSS JOIN generate_series(1, 1000000) AS b(y)"
MANY = 300_000
LARGE = f"SELECT a.x AS x, CAST(a.x AS TEXT) AS t FROM generate_series(1, {MANY}) AS a(x)"
NET = "SELECT channel_id, sum(net_rc) AS net, count(*) AS n FROM sales_event GROUP BY channel_id ORDER BY channel_id"
REPORT = "SELECT * FROM report('sales-by-region', 'from=2025-01-01')"
# One column of each type: names, SQL and the type's number in pg_type.
TYPES = {
    "i2": ("CAST(7 AS SMALLINT)", 21),
    "i4": ("CAST(-70000 AS INTEGER)", 23),
    "i8": ("CAST(9007199254740993 AS BIGINT)", 20),
    "f4": ("CAST(1.5 AS REAL)", 700),
    "f8": ("CAST(0.1 AS DOUBLE PRECISION)", 701),
    "num": ("CAST('-12345678901.2345' AS NUMERIC(18,4))", 1700),
    "txt": ("CAST('grüße 销售' AS TEXT)", 25),
    "yes": ("(1 = 1)", 16),
    "day": ("CAST('2026-02-28' AS DATE)", 1082),
    "at": ("CAST('2026-02-28T13:14:15.123456' AS TIMESTAMP)", 1114),
    "tz": ("CAST('2026-02-28T13:14:15.123456Z' AS TIMESTAMP WITH TIME ZONE)", 1184),
    "nothing": ("CAST(NULL AS TEXT)", 25),
    "no_number": ("CAST(NULL AS NUMERIC(18,4))", 1700),
    "list": ("ARRAY['a', 'b,c', 'd\"e']", 1009),
}
ALL_TYPES = "SELECT " + ", ".join(f"{sql} AS {name}" for name, (sql, _) in TYPES.items())


@dataclass(frozen=True)
class Place:
    host: str
    port: int
    user: str = "analyst"
    password: str | None = None
    database: str = "lake"
    tls: bool = False
    is_reference: bool = False  # a PostgreSQL, to try the checks themselves: it can write, and hints less

    @staticmethod
    def parse(words):
        known = {field.name for field in fields(Place)} - {"host", "port"}
        named = dict(word.split("=", 1) for word in words[2:])
        if unknown := set(named) - known:
            raise SystemExit(f"unknown settings {sorted(unknown)}: there are {sorted(known)}")
        for switch in ("tls", "is_reference"):
            if switch in named:
                named[switch] = named[switch] == "on"
        return Place(words[0], int(words[1]), **named)


def run_checks(client, checks):
    """Runs them all, so that one run tells everything that is wrong; what it returns is the exit code."""
    failed = 0
    for check in checks:
        name = check.__name__.replace("_", " ")
        started = time.monotonic()
        try:
            check()
            print(f"ok      {client}: {name} ({time.monotonic() - started:.2f} s)", flush=True)
        except Exception as error:  # whatever a driver raises
            failed += 1
            where = traceback.extract_tb(error.__traceback__)[1:2]
            line = f" in `{where[0].line}`" if where else ""
            print(f"FAILED  {client}: {name}: {type(error).__name__}: {error}{line}", flush=True)
    print(f"{client}: {failed} checks failed" if failed else f"{client}: all checks hold", file=sys.stderr)
    return 1 if failed else 0


def equal(found, expected, what=""):
    """An assertion that says both."""
    if found != expected:
        raise AssertionError(f"{what}{': ' if what else ''}found {found!r}, expected {expected!r}")


def holds(condition, says):
    if not condition:
        raise AssertionError(says)


class Timer:
    """Seconds since it was made."""

    def __init__(self):
        self.start = time.monotonic()

    def within(self, seconds, what):
        took = time.monotonic() - self.start
        holds(took < seconds, f"{what} took {took:.1f} s, more than {seconds}")
