"""flightsql-dbapi, by which SQLAlchemy (and so Superset and pandas) speaks Flight SQL. It knows no TLS roots of one's own by URL."""

import datetime
from urllib.parse import quote, urlsplit

import flightsql.sqlalchemy  # noqa: F401 (registers the dialect)
import pandas
from flightsql import FlightSQLClient, connect
from sqlalchemy import column, create_engine, func, inspect, select, table, text

import checks
from checks import equal, fails, holds, step, true

LINES = table("order_line", column("channel_id"), column("business_date"), column("net_amount"), schema="base")


def engine(uri, user="", **options):
    query = "&".join(f"{name}={quote(str(value))}" for name, value in options.items())
    return create_engine(f"datafusion+flightsql://{user}{urlsplit(uri).netloc}?{query}")


def read(asked):
    lake = engine(asked.uri, insecure="true", **{"feature-sqlalchemy-primary-keys": "on"})
    with lake.connect() as connection:
        for part in (quoting, inspected, queried, built, errors):
            step(part.__name__)
            part(connection)
    step("prepared")
    prepared(asked.uri)


def quoting(connection):
    equal("the quote of the server", connection.dialect.identifier_preparer.initial_quote, '"')
    equal("a column that needs it", connection.execute(text('SELECT 1 AS "Größe m²"')).keys()._keys, ["Größe m²"])


def inspected(connection):
    seen = inspect(connection)
    holds("schemas", seen.get_schema_names(), "main", "base", "system")
    holds("tables of base", seen.get_table_names(schema="base"), "order_line", "return_line")
    holds("tables of main", seen.get_table_names(schema="main"), "sales_event", "channel")
    true("there it is", connection.dialect.has_table(connection, "sales_event", "main"))
    columns = {c["name"]: c for c in seen.get_columns("order_line", schema="base")}
    kinds = {name: columns[name]["type"].__visit_name__.upper() for name in ("order_id", "business_date", "net_amount", "is_test", "line_no", "created_at")}
    wanted = {"order_id": "TEXT", "business_date": "DATE", "net_amount": "DECIMAL", "is_test": "BOOLEAN", "line_no": "INTEGER", "created_at": "TIMESTAMP"}
    equal("types of columns", kinds, wanted)
    equal("a key column is never NULL", columns["order_id"]["nullable"], False)
    key = seen.get_pk_constraint("order_line", schema="base")["constrained_columns"]
    equal("the primary key", key, ["source_system", "order_id", "order_line_id"])


def queried(connection):
    (row,) = connection.execute(text(checks.TYPES)).fetchall()
    names = ["text_value", "decimal_value", "bool_value", "int_value", "bigint_value", "double_value", "null_value", "view_value", "dictionary_value"]
    wanted = ["tea 茶", checks.Decimal("12345.6789"), True, 7, 9_000_000_000, 0.25, None, "view", "dictionary"]
    found = [None if pandas.api.types.is_scalar(row[name]) and pandas.isna(row[name]) else row[name] for name in names]
    equal("values", found, wanted)
    equal("the date", pandas.Timestamp(row["date_value"]).date(), datetime.date(2026, 1, 31))
    equal("the instant", pandas.Timestamp(row["instant_value"]).isoformat(), "2026-01-31T12:34:56.789012+00:00")
    regions = connection.execute(text(checks.REPORT)).fetchall()
    true("a report's rows", len(regions) > 3 and list(regions[0].keys()) == ["region_id", "net_sales"])


def built(connection):
    """A query as SQLAlchemy writes it, as charts of Superset do; its values go into the text."""
    since = datetime.date(2026, 1, 1)
    sums = select([LINES.c.channel_id, func.count().label("n"), func.sum(LINES.c.net_amount).label("net")])
    sums = sums.where(LINES.c.channel_id.in_(["web", "pos"])).where(LINES.c.business_date >= text(f"DATE '{since}'"))
    rows = connection.execute(sums.group_by(LINES.c.channel_id).order_by(LINES.c.channel_id).limit(10)).fetchall()
    equal("channels", [row["channel_id"] for row in rows], ["pos", "web"])
    wanted = "SELECT count(*) AS n FROM base.order_line WHERE channel_id = 'pos' AND business_date >= DATE '2026-01-01'"
    equal("lines of one", rows[0]["n"], connection.execute(text(wanted)).scalar())


def errors(connection):
    fails("a misspelt table", lambda: connection.execute(text(checks.MISSPELT)), checks.SUGGESTED)
    fails("a deletion", lambda: connection.execute(text("DELETE FROM base.order_line")), "read")


def client(uri, **options):
    place = urlsplit(uri)
    return FlightSQLClient(host=place.hostname, port=place.port, **options)


def prepared(uri):
    """It does not take the handle that carries the values: it must hear so, and must not get an answer without them."""
    with connect(client(uri, insecure=True)) as connection:
        fails("values of a prepared statement", lambda: connection.execute(checks.OF_CHANNEL, ["web"]), "bound")
        equal("without values", connection.execute("SELECT 42 AS answer").fetchall(), [[42]])


def access(asked):
    principal = text("SELECT principal FROM system.queries WHERE state = 'running'")
    step("user and password, any certificate")
    by_name = engine(asked.uri, f"{asked.user}:{quote(asked.token)}@", disable_server_verification="true")
    with by_name.connect() as connection:
        equal("who asks", connection.execute(principal).scalar(), asked.user)
    step("token")
    with engine(asked.uri, disable_server_verification="true", token=asked.token).connect() as connection:
        equal("who asks", connection.execute(principal).scalar(), asked.user)
    step("the server's own certificate")
    with open(asked.root, "rb") as file, connect(client(asked.uri, token=asked.token, tls_root_certs=file.read())) as connection:
        equal("who asks", connection.execute(str(principal)).fetchall(), [[asked.user]])
    step("refused")
    fails("nobody", lambda: engine(asked.uri, disable_server_verification="true").connect())
    fails("a wrong token", lambda: engine(asked.uri, disable_server_verification="true", token="no-such-token-here").connect())
