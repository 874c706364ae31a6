"""psqlODBC: the driver of Excel, Access and, on some machines, Tableau. It sends text, several statements at once, and savepoints.

The driver is Debian's package odbc-postgresql with libodbc2; without them the checks cannot run here.
"""

import glob
from datetime import date
from decimal import Decimal

from install import UNAVAILABLE, fail
from place import LARGE, MANY, equal, holds


def prepare(_tools):
    if not drivers():
        fail("psqlODBC is not here: it needs the package odbc-postgresql (psqlodbcw.so)", UNAVAILABLE)
    try:
        import pyodbc  # noqa: F401
    except ImportError as error:
        fail(f"pyodbc finds no driver manager: {error}; it needs the package libodbc2", UNAVAILABLE)


def drivers():
    return glob.glob("/usr/lib/*/odbc/psqlodbcw.so") + glob.glob("/usr/lib*/psqlodbcw.so")


def checks(place):
    import pyodbc

    def connect(**more):
        words = {"DRIVER": drivers()[0], "SERVER": place.host, "PORT": place.port, "DATABASE": place.database, "UID": place.user}
        words |= {"PWD": place.password or "", "SSLmode": "require" if place.tls else "prefer"} | more
        return pyodbc.connect(";".join(f"{name}={value}" for name, value in words.items()))

    def tables_and_columns():
        with connect() as c:
            tables = {(row.table_schem, row.table_name): row.table_type for row in c.cursor().tables()}
            equal((tables.get(("main", "sales_event")), tables.get(("base", "order_line"))), ("VIEW", "TABLE"))
            holds(not any(schema == "pg_catalog" for schema, _ in tables), "the catalogue's own tables are listed as the user's")
            columns = {row.column_name: row for row in c.cursor().columns("sales_event", schema="main")}
            net = columns["net_rc"]
            equal((net.type_name, net.column_size, net.decimal_digits), ("numeric", 18, 4))
            equal(columns["business_date"].type_name, "date")

    def keys():
        with connect() as c:
            equal(
                [row.column_name for row in c.cursor().primaryKeys("order_line", schema="base")],
                ["source_system", "order_id", "order_line_id"],
            )
            foreign = {(row[7], row[2]) for row in c.cursor().foreignKeys(foreignTable="order_line", foreignSchema="base")}
            holds(("product_id", "product") in foreign, f"{foreign}")
            c.cursor().statistics("order_line", schema="base").fetchall()
            holds(c.cursor().getTypeInfo().fetchall(), "no types")

    def parameters_and_errors():
        with connect() as c:
            cursor = c.cursor()
            cursor.execute(
                "SELECT count(*) FROM sales_event WHERE business_date >= ? AND channel_id = ? AND net_rc > ?",
                date(2026, 1, 1),
                "web",
                Decimal("0.5"),
            )
            holds(cursor.fetchone()[0] > 0, "no rows")
            try:
                cursor.execute("SELECT * FROM nothing_here")
                raise AssertionError("no error")
            except pyodbc.Error as error:
                equal(error.args[0], "42P01")
            equal(cursor.execute("SELECT 1").fetchone()[0], 1, "in the same transaction")
            c.rollback()

    def a_large_result_in_pieces():
        for declare in (0, 1):  # 1: DECLARE and FETCH, as Tableau sets it
            with connect(UseDeclareFetch=declare, Fetch=1000) as c:
                cursor, rows = c.cursor().execute(LARGE), 0
                while part := cursor.fetchmany(10_000):
                    rows += len(part)
                equal(rows, MANY, f"UseDeclareFetch={declare}")

    return [tables_and_columns, keys, parameters_and_errors, a_large_result_in_pieces]
