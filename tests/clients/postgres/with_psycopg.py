"""psycopg 3: the driver of Python programs, of SQLAlchemy and so of Superset. Parameters go to the server, in text or binary form."""

import threading
import time
from datetime import date, datetime, timezone
from decimal import Decimal

import psycopg
from psycopg import pq
from psycopg.rows import dict_row

from place import ALL_TYPES, ENDED_WITHIN, ENDLESS, LARGE, MANY, NET, REPORT, SLOW, TYPES, Timer, equal, holds

VALUES = {
    "i2": 7,
    "i4": -70000,
    "i8": 9007199254740993,
    "f4": 1.5,
    "f8": 0.1,
    "num": Decimal("-12345678901.2345"),
    "txt": "grüße 销售",
    "yes": True,
    "day": date(2026, 2, 28),
    "at": datetime(2026, 2, 28, 13, 14, 15, 123456),
    "tz": datetime(2026, 2, 28, 13, 14, 15, 123456, tzinfo=timezone.utc),
    "nothing": None,
    "no_number": None,
    "list": ["a", "b,c", 'd"e'],
}


def checks(place):
    def connect(**more):
        words = dict(host=place.host, port=place.port, user=place.user, password=place.password, dbname=place.database)
        words |= {"sslmode": "require" if place.tls else "prefer", "connect_timeout": 10, "autocommit": True}
        return psycopg.connect(**(words | more))

    def told_at_connect():
        with connect(application_name="check") as c:
            status = c.info.parameter_status
            equal(status("client_encoding"), "UTF8")
            equal(status("server_encoding"), "UTF8")
            equal(status("integer_datetimes"), "on")
            equal(status("standard_conforming_strings"), "on")
            equal(status("application_name"), "check")
            holds(status("DateStyle").startswith("ISO"), f"DateStyle {status('DateStyle')}")
            holds(c.info.server_version >= 120000, f"server_version {status('server_version')}: drivers take it for an old server")
            holds(c.info.backend_pid, "no BackendKeyData: nothing can be cancelled")
            equal(c.execute("SELECT current_database()").fetchone()[0], place.database)
            equal(c.execute("SELECT current_schema()").fetchone()[0], "main")

    def every_type_in_text_and_binary():
        with connect(row_factory=dict_row) as c:
            for binary in (False, True):
                cursor = c.execute(ALL_TYPES, binary=binary)
                equal(
                    {d.name: d.type_code for d in cursor.description}, {n: oid for n, (_, oid) in TYPES.items()}, f"types, binary {binary}"
                )
                row = cursor.fetchone()
                for name, expected in VALUES.items():
                    equal(row[name], expected, f"{name}, binary {binary}")

    def decimals_say_their_scale():
        with connect() as c:
            found = c.execute("SELECT net_rc FROM sales_event LIMIT 1").description[0]
            equal((found.type_code, found.precision, found.scale), (1700, 18, 4))

    def parameters_of_every_type():
        sent = [7, -70000, 9007199254740993, 1.5, Decimal("-12.5000"), "grüße", True, date(2026, 2, 28), ["a", "b,c"]]
        kinds = ["SMALLINT", "INTEGER", "BIGINT", "DOUBLE PRECISION", "NUMERIC(18,4)", "TEXT", "BOOLEAN", "DATE", "TEXT[]"]
        with connect() as c:
            for mark in ("%t", "%b", "%s"):
                sql = "SELECT " + ", ".join(f"CAST({mark} AS {kind}) AS c{i}" for i, kind in enumerate(kinds))
                equal(list(c.execute(sql, sent).fetchone()), sent, mark)
            moment = datetime(2026, 2, 28, 13, 14, 15, tzinfo=timezone.utc)
            for mark in ("%t", "%b"):
                got = c.execute(f"SELECT CAST({mark} AS TIMESTAMP WITH TIME ZONE), CAST({mark} AS TEXT)", [moment, None]).fetchone()
                equal(got, (moment, None), mark)

    def untyped_parameters_take_the_column_s_type():
        with connect() as c:
            count = (
                "SELECT count(*) FROM sales_event WHERE business_date >= {0} AND business_date < {0} AND channel_id <> {0} AND net_rc > {0}"
            )
            numbers = set()
            for mark, first, limit in (
                ("%s", date(2026, 1, 1), Decimal("0.5")),
                ("%t", "2026-01-01", "0.5"),
                ("%b", date(2026, 1, 1), Decimal("0.5")),
            ):
                numbers.add(c.execute(count.format(mark), (first, date(2027, 1, 1), "nowhere", limit)).fetchone()[0])
            holds(len(numbers) == 1 and numbers.pop() > 0, f"counts differ or are 0: {numbers}")
            with_list = c.execute("SELECT count(*) FROM sales_event WHERE channel_id = ANY(%s)", (["web", "nowhere"],)).fetchone()[0]
            one = c.execute("SELECT count(*) FROM sales_event WHERE channel_id = %s", ("web",)).fetchone()[0]
            equal(with_list, one, "= ANY(list)")
            limited = c.execute("SELECT event_kind FROM sales_event LIMIT %s OFFSET %s", (3, 1)).fetchall()
            equal(len(limited), 3, "LIMIT as a parameter")

    def text_and_binary_agree():
        with connect() as c:
            text = c.execute(NET).fetchall()
            equal(c.execute(NET, binary=True).fetchall(), text)
            holds(len(text) > 1 and all(isinstance(row[1], Decimal) for row in text), f"{text}")

    def prepared_statements():
        with connect(prepare_threshold=1) as c:
            sql = "SELECT count(*) FROM sales_event WHERE business_date >= %s"
            found = [c.execute(sql, (date(2026, month, 1),), prepare=True).fetchone()[0] for month in (1, 1, 2, 6, 1)]
            equal(found[0], found[4])
            holds(found[0] >= found[2] >= found[3], f"{found}")
            for i in range(12):  # more statements than are kept: the driver closes the oldest
                c.prepared_max = 5
                equal(c.execute(f"SELECT {i} + %s::int", (1,), prepare=True).fetchone()[0], i + 1)

    def pipelined_statements():
        with connect() as c, c.pipeline() as pipe:
            cursors = [c.execute("SELECT %s::int AS n", (i,)) for i in range(20)]
            pipe.sync()
            equal([cursor.fetchone()[0] for cursor in cursors], list(range(20)))

    def an_error_in_a_pipeline_ends_it_alone():
        with connect() as c:
            try:
                with c.pipeline():
                    c.execute("SELECT 1")
                    c.execute("SELECT * FROM nothing_here")
                    c.execute("SELECT 2")
                raise AssertionError("no error")
            except psycopg.errors.UndefinedTable:
                pass
            equal(c.execute("SELECT 3").fetchone()[0], 3)

    def cursors_on_the_server():
        with connect(autocommit=False) as c:
            with c.cursor("reader") as cursor:
                cursor.itersize = 7
                cursor.execute("SELECT a.x FROM generate_series(1, 100) AS a(x) WHERE a.x > %s ORDER BY a.x", (10,))
                equal([d.name for d in cursor.description], ["x"])
                equal([row[0] for row in cursor.fetchmany(5)], [11, 12, 13, 14, 15])
                equal(cursor.fetchone()[0], 16)
                equal([row[0] for row in cursor], list(range(17, 101)))
                equal(cursor.fetchmany(5), [])
            with c.cursor("binary", binary=True) as cursor:
                cursor.execute(NET)
                kept = cursor.fetchall()
            equal(c.execute(NET).fetchall(), kept)
            c.commit()
        with connect() as c, c.cursor("held", withhold=True) as cursor:
            cursor.execute("SELECT a.x FROM generate_series(1, 50) AS a(x)")
            equal(len(cursor.fetchmany(20)) + len(cursor.fetchall()), 50)

    def transactions():
        state = pq.TransactionStatus
        with connect(autocommit=False) as c:
            equal(c.info.transaction_status, state.IDLE)
            c.execute("SELECT 1")
            equal(c.info.transaction_status, state.INTRANS)
            c.commit()
            equal(c.info.transaction_status, state.IDLE)
            try:
                c.execute("SELECT * FROM nothing_here")
            except psycopg.errors.UndefinedTable:
                pass
            equal(c.info.transaction_status, state.INERROR)
            try:
                c.execute("SELECT 1")
                raise AssertionError("a failed transaction went on")
            except psycopg.errors.InFailedSqlTransaction:
                pass
            c.rollback()
            equal(c.execute("SELECT 2").fetchone()[0], 2)
            c.rollback()
            with c.transaction():
                c.execute("SELECT 1")
                try:
                    with c.transaction():  # a savepoint
                        c.execute("SELECT * FROM nothing_here")
                except psycopg.errors.UndefinedTable:
                    pass
                equal(c.execute("SELECT 3").fetchone()[0], 3, "after the savepoint")
            equal(c.info.transaction_status, state.IDLE)
            c.read_only, c.isolation_level = True, psycopg.IsolationLevel.REPEATABLE_READ
            equal(c.execute("SELECT 4").fetchone()[0], 4)
            c.commit()

    def a_cancel_from_another_thread():
        for cancel in ("cancel_safe", "cancel"):
            with connect() as c:
                timer = threading.Timer(0.5, getattr(c, cancel))
                timer.start()
                clock = Timer()
                try:
                    c.execute(SLOW)
                    raise AssertionError("it ended by itself")
                except psycopg.errors.QueryCanceled as error:
                    equal(error.sqlstate, "57014")
                clock.within(0.5 + ENDED_WITHIN, cancel)
                timer.join()
                equal(c.execute("SELECT 1").fetchone()[0], 1, "the connection afterwards")

    def statement_timeout():
        def ends(c):
            clock = Timer()
            try:
                c.execute(SLOW)
                raise AssertionError("it ended by itself")
            except psycopg.errors.QueryCanceled as error:
                holds("timeout" in str(error).lower() or "too long" in str(error).lower(), f"{error}")
            clock.within(ENDED_WITHIN, "the timeout")
            equal(c.execute("SELECT 1").fetchone()[0], 1)

        with connect() as c:
            c.execute("SET statement_timeout = '300ms'")
            equal(c.execute("SHOW statement_timeout").fetchone()[0], "300ms")
            ends(c)
            c.execute("SET statement_timeout TO DEFAULT")
        with connect(options="-c statement_timeout=300") as c:
            ends(c)

    def errors_say_what_would_work():
        with connect() as c:
            for sql, codes in (
                ("SELECT * FROM sales_evnt", ["42P01"]),
                ("SELECT net_rcc FROM sales_event", ["42703"]),
                ("SELEC 1", ["42601"]),
                ("SELECT no_such_function(1)", ["42883"]),
                ("SELECT CAST('x' AS INTEGER)", ["22P02"]),
            ):
                for parameters in (None, ()):  # the simple and the extended protocol
                    try:
                        c.execute(sql, parameters, prepare=parameters is not None)
                        raise AssertionError(f"no error: {sql}")
                    except psycopg.Error as error:
                        holds(error.sqlstate in codes, f"{sql}: {error.sqlstate} {error}, expected {codes}")
                        holds(error.diag.severity_nonlocalized == "ERROR", f"{sql}: severity {error.diag.severity_nonlocalized}")
                        if sql.endswith("sales_evnt") and not place.is_reference:
                            holds(error.diag.message_hint, f"{sql}: no hint with: {error}")
            equal(c.execute("SELECT 1").fetchone()[0], 1)

    def nothing_can_be_written():
        statements = [
            "INSERT INTO base.channel (channel_id) VALUES ('x')",
            "UPDATE base.channel SET channel_id = 'x'",
            "DELETE FROM base.channel",
            "CREATE TABLE t (x INTEGER)",
            "CREATE VIEW main.v AS SELECT 1 AS x",
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
            "COPY (SELECT 1 AS x) TO '/tmp/saleslake-must-not-exist.csv'",
            "SELECT * INTO TEMPORARY TABLE t FROM sales_event",
            "DROP VIEW main.sales_event",
            "TRUNCATE base.channel",
        ]
        with connect() as c:
            if place.is_reference:
                return
            for sql in statements:
                for parameters in (None, ()):
                    try:
                        c.execute(sql, parameters)
                        raise AssertionError(f"it was taken: {sql}")
                    except psycopg.Error as error:
                        holds(error.sqlstate in ("25006", "0A000", "42501", "42601"), f"{sql}: {error.sqlstate} {error}")
            try:
                c.execute(statements[0])
            except psycopg.errors.ReadOnlySqlTransaction as error:
                holds(error.diag.message_hint, f"no hint with: {error}")
            holds(c.execute("SELECT count(*) FROM sales_event").fetchone()[0] > 0, "the view is gone")

    def several_statements_at_once():
        with connect() as c:
            cursor = c.execute("SELECT 1 AS a; SET application_name = 'x'; SELECT 2 AS b;")
            equal(cursor.fetchall(), [(1,)])
            cursor.nextset()
            equal(cursor.statusmessage, "SET")
            cursor.nextset()
            equal((cursor.fetchall(), cursor.nextset()), ([(2,)], None))
            try:
                c.execute("SELECT 1; SELECT * FROM nothing_here; SELECT 2")
                raise AssertionError("no error")
            except psycopg.errors.UndefinedTable:
                pass
            for empty in ("", ";", "-- a comment"):
                equal(c.execute(empty).description, None, f"{empty!r}")

    def settings():
        with connect() as c:
            for sql in (
                "SET TIME ZONE 'Europe/London'",
                "SET extra_float_digits = 3",
                "SET search_path TO main, base",
                "RESET ALL",
                "DISCARD ALL",
            ):
                c.execute(sql)
            for name in (
                "server_version",
                "transaction_isolation",
                "standard_conforming_strings",
                "search_path",
                "timezone",
                "max_identifier_length",
            ):
                holds(c.execute(f"SHOW {name}").fetchone()[0], f"SHOW {name} is empty")
            equal(c.execute("SHOW transaction_isolation").fetchone()[0].count(" "), 1, "two words, as 'read committed'")
            c.execute("SET search_path TO base")
            holds(c.execute("SELECT count(*) FROM order_line").fetchone()[0] > 0, "the search path is not used")
            try:
                c.execute("SHOW no_such_setting")
                raise AssertionError("no error")
            except psycopg.Error as error:
                equal(error.sqlstate, "42704")

    def a_large_result_is_streamed():
        with connect() as c:
            total = rows = 0
            clock = Timer()
            first = None
            for x, t in c.cursor().stream(LARGE):
                first = first or time.monotonic() - clock.start
                rows, total = rows + 1, total + x - int(t)
            equal((rows, total), (MANY, 0))
            whole = time.monotonic() - clock.start
            holds(first < max(1.0, whole / 2), f"the first row came after {first:.2f} s of {whole:.2f} s")
            equal(len(c.execute(LARGE, binary=True).fetchall()), MANY)

    def a_reader_that_stops_early():
        with connect() as c:
            stream = c.cursor().stream(ENDLESS)
            holds(all(next(stream)[0] >= 1 for _ in range(3)), "no number")
            clock = Timer()
            stream.close()  # cancels, then reads to the end
            clock.within(2 * ENDED_WITHIN, "leaving the stream")
            equal(c.execute("SELECT 1").fetchone()[0], 1)

    def copy_to_the_client():
        with connect() as c, c.cursor() as cursor:
            with cursor.copy(
                "COPY (SELECT channel_id, net_rc FROM sales_event ORDER BY 1, 2 LIMIT 3) TO STDOUT (FORMAT csv, HEADER)"
            ) as copy:
                lines = b"".join(copy).decode().splitlines()
            equal((lines[0], len(lines)), ("channel_id,net_rc", 4))
            with cursor.copy("COPY (SELECT 1 AS a, CAST(NULL AS TEXT) AS b, 'x\ty' AS c) TO STDOUT") as copy:
                equal(b"".join(copy), b"1\t\\N\tx\\ty\n")

    def a_report():
        with connect() as c:
            cursor = c.execute(REPORT)
            names = [d.name for d in cursor.description]
            holds("region_id" in names and "net_sales" in names, f"{names}")
            rows = cursor.fetchall()
            holds(rows, "no rows")
            equal(c.execute(REPORT, prepare=True, binary=True).fetchall(), rows)

    def logging_in():
        if place.password is None:
            with connect(user="anybody") as c:
                equal(c.execute("SELECT 1").fetchone()[0], 1)
            return
        for wrong in ({"password": "wrong" * 5}, {"password": ""}, {"user": "nobody"}):
            try:
                connect(**wrong).close()
                raise AssertionError(f"let in with {wrong}")
            except psycopg.OperationalError as error:
                holds("password" in str(error) or "authentication" in str(error), f"{wrong}: {error}")
        with connect(require_auth="scram-sha-256") as c:
            holds(c.pgconn.used_password, "no password was asked for")

    def encryption():
        if place.tls:
            with connect() as c:
                holds(c.pgconn.ssl_in_use, "not encrypted")
            with connect(sslmode="prefer", channel_binding="prefer") as c:
                holds(c.pgconn.ssl_in_use, "not encrypted where it could be")
            try:
                connect(sslmode="verify-full", sslrootcert="system").close()
                raise AssertionError("a certificate of nobody's authority was taken")
            except psycopg.OperationalError:
                pass
        else:
            try:
                connect(sslmode="require").close()
                raise AssertionError("sslmode=require was let in without TLS")
            except psycopg.OperationalError as error:
                holds("SSL" in str(error), f"{error}")

    def twenty_at_once():
        problems = []

        def one():
            try:
                with connect() as c:
                    c.execute(NET).fetchall()
            except Exception as error:
                problems.append(error)

        threads = [threading.Thread(target=one) for _ in range(20)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        equal(problems, [])

    return [
        told_at_connect,
        logging_in,
        encryption,
        every_type_in_text_and_binary,
        decimals_say_their_scale,
        parameters_of_every_type,
        untyped_parameters_take_the_column_s_type,
        text_and_binary_agree,
        prepared_statements,
        pipelined_statements,
        an_error_in_a_pipeline_ends_it_alone,
        cursors_on_the_server,
        transactions,
        a_cancel_from_another_thread,
        statement_timeout,
        errors_say_what_would_work,
        nothing_can_be_written,
        several_statements_at_once,
        settings,
        a_large_result_is_streamed,
        a_reader_that_stops_early,
        copy_to_the_client,
        a_report,
        twenty_at_once,
    ]
