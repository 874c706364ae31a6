"""ADBC's Flight SQL driver, which is its Go driver in a Python package."""

import datetime
import threading
import time
from decimal import Decimal

import adbc_driver_manager
import pyarrow as pa
from adbc_driver_flightsql import DatabaseOptions
from adbc_driver_flightsql.dbapi import connect

import checks
from checks import equal, fails, holds, soon, step, true, within

UTC = datetime.timezone.utc
VALUES = (1, "web", datetime.date(2026, 1, 1), Decimal("20.5"), datetime.datetime(2026, 6, 1, tzinfo=UTC), False)


def opened(uri, **options):
    return connect(uri, db_kwargs=options, autocommit=True)


def table(connection, sql, parameters=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetch_arrow_table()


def value(connection, sql, parameters=None):
    answer = table(connection, sql, parameters)
    equal(f"rows of {sql}", answer.num_rows, 1)
    return answer.column(0)[0].as_py()


def read(asked):
    with opened(asked.uri) as connection:
        for part in (types, parameters, batches, objects, schemas, about, reports, errors, large, other_ways, cancelled, left):
            step(part.__name__)
            part(connection)
    step("plan of a second connection")
    partitions(asked.uri)


def types(connection):
    answer = table(connection, checks.TYPES)
    kinds = {field.name.removesuffix("_value"): field.type for field in answer.schema}
    wanted = {
        "text": pa.string(), "date": pa.date32(), "instant": pa.timestamp("us", "UTC"), "decimal": pa.decimal128(18, 4),
        "bool": pa.bool_(), "int": pa.int32(), "bigint": pa.int64(), "double": pa.float64(), "binary": pa.binary(),
        "null": pa.string(), "view": pa.string(), "dictionary": pa.string(),
    }  # fmt: skip
    for name, kind in wanted.items():
        equal(f"type of {name}", kinds[name], kind)
    true(f"list is a plain list: {kinds['list']}", pa.types.is_list(kinds["list"]))
    instant = datetime.datetime(2026, 1, 31, 12, 34, 56, 789012, tzinfo=UTC)
    row = ("tea 茶", datetime.date(2026, 1, 31), instant, Decimal("12345.6789"), True, 7, 9_000_000_000, 0.25, [1, 2, 3])
    equal("values", tuple(answer.to_pylist()[0].values()), (*row, b"\x00\xff", None, "view", "dictionary"))
    equal("an empty result has its columns", table(connection, checks.TYPES + " WHERE false").schema, answer.schema)


def parameters(connection):
    wanted = value(connection, checks.WRITTEN)
    true("the question finds something", wanted > 0)
    equal("parameters of every kind", value(connection, checks.FILTERED, VALUES), wanted)
    with connection.cursor() as cursor:
        told = cursor.adbc_prepare(checks.FILTERED)
        equal("parameters told", len(told), 6)
        true(f"all may be NULL: {told}", all(field.nullable for field in told))
        kinds = [field.type for field in told]
        equal("inferred text, date and bool", [kinds[1], kinds[2], kinds[5]], [pa.string(), pa.date32(), pa.bool_()])
        true(f"inferred numbers and times: {kinds}", pa.types.is_integer(kinds[0]) and pa.types.is_decimal(kinds[3]) and pa.types.is_timestamp(kinds[4]))
        for _ in range(3):  # bound again on the handle that carries the parameters of the time before
            cursor.execute(checks.FILTERED, VALUES)
            equal("prepared once, run often", cursor.fetchone(), (wanted,))
        cursor.execute(checks.FILTERED, (1, None, *VALUES[2:]))
        equal("NULL equals nothing", cursor.fetchone(), (0,))
    equal("a parameter of no known type is text", value(connection, "SELECT ? AS echo", ("tea",)), "tea")
    equal("$1", value(connection, "SELECT count(*) AS n FROM channel WHERE channel_id = $1", ("web",)), 1)
    evil = "web' OR '1'='1"
    equal("a value is never SQL", value(connection, "SELECT count(*) AS n FROM channel WHERE channel_id = ?", (evil,)), 0)


def batches(connection):
    one_by_one = [table(connection, checks.OF_CHANNEL, (channel,)).to_pylist()[0] for channel in ("web", "pos", "app")]
    rows = pa.record_batch({"channel": pa.array(["web", "pos", "app"])})
    equal("a row of the answer per row of parameters", table(connection, checks.OF_CHANNEL, rows).to_pylist(), one_by_one)
    stream = pa.RecordBatchReader.from_batches(rows.schema, [rows.slice(0, 2), rows.slice(2, 1)])
    equal("parameters in two batches", table(connection, checks.OF_CHANNEL, stream).to_pylist(), one_by_one)
    with connection.cursor() as cursor:
        fails("executemany, which is for writing", lambda: cursor.executemany(checks.OF_CHANNEL, [("web",), ("pos",)]), "read")


def objects(connection):
    def found(**filters):
        return connection.adbc_get_objects(**filters).read_all().to_pylist()

    equal("the one catalog", [c["catalog_name"] for c in found(depth="catalogs")], ["lake"])
    schemas = [s["db_schema_name"] for s in found(depth="db_schemas")[0]["catalog_db_schemas"]]
    holds("schemas", schemas, "main", "base", "system")
    base = found(depth="tables", db_schema_filter="base", table_name_filter="order\\_%")[0]["catalog_db_schemas"]
    tables = [t["table_name"] for s in base for t in s["db_schema_tables"]]
    holds("tables by a pattern", tables, "order_line", "order_charge")
    true(f"nothing else: {tables}", all(t.startswith("order_") for t in tables))
    views = found(depth="tables", table_types_filter=["VIEW"])[0]["catalog_db_schemas"]
    kinds = {t["table_type"] for s in views for t in s["db_schema_tables"]}
    equal("only views", kinds, {"VIEW"})
    deep = found(depth="all", db_schema_filter="base", table_name_filter="order_line", column_name_filter="net%")
    columns = deep[0]["catalog_db_schemas"][0]["db_schema_tables"][0]["table_columns"]
    net = {c["column_name"]: c for c in columns}["net_amount"]
    # The driver passes on the type's name only: neither precision nor what the column means (the pyarrow client looks at those).
    true(f"a column's type: {net}", "DECIMAL" in (net["xdbc_type_name"] or "").upper())
    everything = found(depth="all")[0]["catalog_db_schemas"]
    true("all columns of all tables", sum(len(t["table_columns"]) for s in everything for t in s["db_schema_tables"]) > 300)


def schemas(connection):
    told = connection.adbc_get_table_schema("order_line", db_schema_filter="base")
    equal("type of net_amount", told.field("net_amount").type, pa.decimal128(18, 4))
    given = table(connection, "SELECT * FROM base.order_line LIMIT 1").schema
    equal("columns as the query gives them", [(f.name, f.type) for f in told], [(f.name, f.type) for f in given])
    fails("no such table", lambda: connection.adbc_get_table_schema("no_such_table"), "no")
    holds("types of tables", connection.adbc_get_table_types(), "TABLE", "VIEW")
    with connection.cursor() as cursor:
        equal("a query's schema without running it", cursor.adbc_execute_schema("SELECT 1 AS one").names, ["one"])


def about(connection):
    told = connection.adbc_get_info()
    equal("who it is", told["vendor_name"], "saleslake")
    true(f"its version: {told}", told["vendor_version"][0].isdigit())
    true(f"and its Arrow: {told}", told["vendor_arrow_version"])
    equal("where names are looked up", (connection.adbc_current_catalog, connection.adbc_current_db_schema), ("lake", "main"))
    connection.adbc_current_catalog = "lake"
    connection.adbc_current_db_schema = "main"
    fails("another catalog", lambda: setattr(connection, "adbc_current_catalog", "elsewhere"), "catalog")


def reports(connection):
    answer = table(connection, checks.REPORT)
    true("regions", answer.num_rows > 3)
    equal("money", answer.schema.field("net_sales").type.scale, 4)
    empty = table(connection, checks.REPORT.replace(" ORDER", " WHERE false ORDER"))
    equal("a report's columns are known without running it", empty.schema, answer.schema)


def errors(connection):
    fails("a misspelt table", lambda: table(connection, checks.MISSPELT), "sales_evnt", checks.SUGGESTED)
    fails("bad syntax", lambda: table(connection, "SELEC 1"), "SELEC")
    for sql in ("DELETE FROM base.order_line", "DROP TABLE base.order_line", "INSERT INTO channel VALUES (1)"):
        fails(sql, lambda: table(connection, sql), "read")
        with adbc_driver_manager.AdbcStatement(connection.adbc_connection) as statement:
            statement.set_sql_query(sql)
            fails(f"{sql} as an update", statement.execute_update, "read")
    fails("an error while the rows come", lambda: table(connection, checks.LATE_ERROR), "tea")
    fails("no value for a parameter", lambda: table(connection, checks.OF_CHANNEL), "bound")
    fails("too many values", lambda: table(connection, checks.OF_CHANNEL, ("web", "pos")), "bound")
    error = fails("text for a date", lambda: value(connection, "SELECT count(*) FROM base.order_line WHERE business_date = ?", ("tea",)), "tea")
    true(f"it is the caller's mistake: {error!r}", "INVALID_ARGUMENT" in str(error))


def large(connection):
    with connection.cursor() as cursor:
        cursor.execute(checks.MILLION)
        rows = sum_of_n = most = count = 0
        for batch in cursor.fetch_record_batch():
            rows, count, most = rows + batch.num_rows, count + 1, max(most, batch.nbytes)
            sum_of_n += pa.compute.sum(batch.column("n")).as_py()
    equal("rows and their sum", (rows, sum_of_n), (1_000_000, checks.MILLION_SUM))
    true(f"in {count} messages, the largest of {most} bytes", count > 3 and most < 4 << 20)
    with connection.cursor() as cursor:  # what would never end gives its first rows at once
        cursor.execute(checks.endless_rows())
        within("first rows", 5, lambda: cursor.fetch_record_batch().read_next_batch())


def other_ways(connection):
    """What ADBC calls incremental execution asks by PollFlightInfo."""
    with connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.statement.exec.incremental": "true"})
        parts, schema = cursor.adbc_execute_partitions("SELECT 42 AS answer")
        equal("parts of a polled query", len(parts), 1)
        cursor.adbc_read_partition(parts[0])
        equal("its answer", cursor.fetchall(), [(42,)])
        equal("then it has ended", cursor.adbc_execute_partitions("SELECT 42 AS answer")[0], [])


def partitions(uri):
    with opened(uri) as first, first.cursor() as cursor:
        parts, _ = cursor.adbc_execute_partitions(checks.OF_CHANNEL, ("web",))
        (wanted,) = table(first, checks.OF_CHANNEL, ("web",)).to_pylist()
    with opened(uri) as second, second.cursor() as cursor:
        cursor.adbc_read_partition(parts[0])
        equal("a ticket on another connection", cursor.fetch_arrow_table().to_pylist(), [wanted])


def cancelled(connection):
    sql = checks.endless()
    cursor = connection.cursor()
    cursor.execute(sql)
    threading.Timer(1, cursor.adbc_cancel).start()
    fails("cancelled from another thread", lambda: within("cancelling", 1 + checks.CANCELLED_SECONDS, cursor.fetchone), "cancel")
    soon("the server stopped it", lambda: value(connection, checks.state_of(sql)), "cancelled")
    cursor.close()


def left(connection):
    sql = checks.endless_rows()
    with connection.cursor() as cursor:
        cursor.execute(sql)
        reader = cursor.fetch_record_batch()
        reader.read_next_batch()
        reader.close()
    soon("who leaves stops it", lambda: value(connection, checks.state_of(sql)), "cancelled")


def receipts(orders):
    columns = zip(*checks.receipts(orders))
    kinds = [pa.string(), pa.string(), pa.date32(), pa.string(), pa.decimal128(18, 3), pa.decimal128(18, 4)]
    names = ["order_no", "channel", "sold", "sku", "qty", "price"]
    return pa.table([pa.array(column, kind) for column, kind in zip(columns, kinds)], names=names)


def push(connection, source, data, mode="append"):
    with connection.cursor() as cursor:
        return cursor.adbc_ingest(source, data, mode=mode)


def ingest(asked):
    with opened(asked.uri) as connection:
        held = f"SELECT count(*) AS n FROM base.order_line WHERE source_system = '{asked.source}'"
        equal("nothing yet", value(connection, held), 0)
        step("append")
        first = receipts([f"A{n}" for n in range(100)])
        equal("rows taken", push(connection, asked.source, first), 100)
        soon("they are there", lambda: value(connection, held), 100, seconds=30)
        step("the same again")
        equal("rows taken", push(connection, asked.source, first), 100)
        equal("and not doubled", value(connection, held), 100)
        step("in many batches, some of them known")
        more = receipts([f"A{n}" for n in range(50, 20_000)])
        equal("rows taken", push(connection, asked.source, more.to_reader(max_chunksize=1000)), 19_950)
        soon("the new ones are there", lambda: value(connection, held), 20_000, seconds=30)
        equal("as they were sent", value(connection, f"SELECT sum(net_amount) AS s FROM base.order_line WHERE source_system = '{asked.source}'"), Decimal("420000.0000"))
        step("refused")
        fails("another source", lambda: push(connection, f"{asked.source}x", first), asked.source)
        fails("a table", lambda: push(connection, "order_line", first), "order_line")
        for mode in ("create", "replace"):
            fails(mode, lambda: push(connection, asked.source, first, mode), "append")
        fails("columns that the source does not know", lambda: push(connection, asked.source, pa.table({"x": [1]})), "order_no")
        equal("nothing of it landed", value(connection, held), 20_000)


def access(asked):
    root = open(asked.root).read()
    trusting = {DatabaseOptions.TLS_ROOT_CERTS.value: root}
    bearer = DatabaseOptions.AUTHORIZATION_HEADER.value

    def answers(uri=asked.uri, **options):
        with opened(uri, **options) as connection:
            return value(connection, "SELECT principal FROM system.queries WHERE state = 'running'")

    by_name = {"username": asked.user, "password": asked.token}
    step("user and password")
    equal("who asks", answers(**trusting, **by_name), asked.user)
    equal("any certificate", answers(**{DatabaseOptions.TLS_SKIP_VERIFY.value: "true"}, **by_name), asked.user)
    step("bearer token")
    equal("who asks", answers(**trusting, **{bearer: f"Bearer {asked.token}"}), asked.user)
    step("refused")
    fails("nobody", lambda: answers(**trusting), "UNAUTHENTICATED")
    fails("a wrong password", lambda: answers(**trusting, username=asked.user, password="no-such-token-here"), "UNAUTHENTICATED")
    fails("another's name", lambda: answers(**trusting, username=f"{asked.user}x", password=asked.token), "UNAUTHENTICATED")
    fails("a wrong token", lambda: answers(**trusting, **{bearer: "Bearer no-such-token-here"}), "UNAUTHENTICATED")
    fails("a certificate that nobody vouches for", lambda: answers(**by_name), "certificate")
    fails("without TLS", lambda: answers(asked.uri.replace("+tls", ""), **by_name))
