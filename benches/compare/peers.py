"""The peers: engines that answer the SQL of benches/compare/sql over the lake's own files, each in a process of its own, so that what one does to
its memory or threads is not another's. It must not know saleslake.

One dialect, and a few words that are another in each engine:

    $bucket(x)        the first day of x's bucket of $grain, as a date          $weekday(x)   1 = Monday … 7
    $days(a, b)       days from b to a                                          $median(x)    the lower median: of n the ⌈n/2⌉th
    $list(x)          its values, sorted, joined by ' + '
    $from, $to, …     a parameter; $from-12m, $to+1d, $as_of-1y a date so far from it; $slice the slicers as a condition
"""

import multiprocessing
import os
import re
import time
import traceback
from datetime import date, timedelta
from pathlib import Path

SQL = Path(__file__).resolve().parent / "sql"
ENGINES = ["duckdb", "duckdb-native", "polars", "chdb", "datafusion"]
TRUNC = "CAST(date_trunc('{grain}', {x}) AS DATE)"
WORDS = {
    "duckdb": {"bucket": TRUNC, "weekday": "isodow({x})", "days": "date_diff('day', {y}, {x})", "median": "quantile_disc({x}, 0.5)",
               "list": "string_agg({x}, ' + ' ORDER BY {x})"},
    "datafusion": {"bucket": TRUNC, "weekday": "CAST((date_part('dow', {x}) + 6) % 7 + 1 AS BIGINT)", "days": "(CAST({x} AS INT) - CAST({y} AS INT))",
                   "median": "array_element(array_sort(array_agg({x})), CAST((count({x}) + 1) / 2 AS BIGINT))",
                   "list": "string_agg({x}, ' + ' ORDER BY {x})"},
    "chdb": {"bucket": TRUNC, "weekday": "toDayOfWeek({x})", "days": "dateDiff('day', {y}, {x})", "median": "quantileExactLow(0.5)({x})",
             "list": "arrayStringConcat(arraySort(groupArray({x})), ' + ')"},
    "polars": {"bucket": "CAST(DATE_TRUNC('{grain}', {x}) AS DATE)", "weekday": "EXTRACT(ISODOW FROM {x})",
               "days": "(CAST({x} AS INT) - CAST({y} AS INT))", "median": "QUANTILE_DISC({x}, 0.5)",
               "list": "ARRAY_TO_STRING(ARRAY_AGG({x} ORDER BY {x}), ' + ')"},
}


def views():
    """Name → SELECT, in their order."""
    parts = re.split(r"^-- view: (\w+)\n", (SQL / "views.sql").read_text(), flags=re.M)[1:]
    return dict(zip(parts[::2], (p.strip() for p in parts[1::2])))


def moved(day, number, unit):
    if unit == "d":
        return day + timedelta(days=number)
    month = day.year * 12 + day.month - 1 + number * (12 if unit == "y" else 1)
    first = date(month // 12, month % 12 + 1, 1)
    longest = (date((month + 1) // 12, (month + 1) % 12 + 1, 1) - first).days
    return first.replace(day=min(day.day, longest))


def spelled(sql, engine, params, slices):
    """The SQL in the engine's words, with the parameters in it. Raises KeyError for a word that the engine does not have."""
    words = WORDS[engine.removesuffix("-native")]

    def word(found):
        x, _, y = found[2].partition(",")
        if found[1] not in words:
            raise KeyError(f"no ${found[1]} in {engine}")
        return words[found[1]].format(x=x.strip(), y=y.strip(), grain=params.get("grain", ""))

    def value(found):
        if found[1] == "slice":
            return " AND ".join(f"{column} = '{v}'" for column, v in slices.items()) or "1 = 1"
        given = params[found[1]]
        if isinstance(given, date):
            return f"CAST('{moved(given, int(found[2] or 0), found[3] or 'd')}' AS DATE)"
        return f"'{given}'" if isinstance(given, str) else str(given)

    sql = re.sub(r"\$(bucket|weekday|days|median|list)\(([\w., $+-]+)\)", word, sql)
    return re.sub(r"\$(\w+)(?:([+-]\d+)([dmy]))?\b", value, sql)


class DuckDB:
    def __init__(self, folders, threads, native):
        import duckdb
        self.version = duckdb.__version__
        self.con = duckdb.connect(str(native) if native else ":memory:")
        self.con.execute(f"SET threads = {threads}")
        self.con.execute("SET parquet_metadata_cache = true")
        for table, folder in folders.items():
            source = f"read_parquet('{folder}/*.parquet', hive_partitioning = false)"
            if native:
                self.copy(table, source)
            else:
                self.con.execute(f"CREATE VIEW {table} AS SELECT * FROM {source}")
        for name, sql in views().items():
            self.con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {sql}")

    def copy(self, table, source):
        """The table in DuckDB's own file, in the files' order: the columns that any question names, for columns are stored one by one and others
        would cost nothing but the time to copy them."""
        named = set(re.findall(r"\w+", "".join(p.read_text() for p in SQL.glob("*.sql"))))
        wanted = [row[0] for row in self.con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall() if row[0] in named]
        have = self.con.execute("SELECT column_name FROM duckdb_columns() WHERE table_name = ?", [table]).fetchall()
        if not set(wanted) <= {row[0] for row in have}:
            self.con.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT {', '.join(wanted)} FROM {source}")
            self.con.execute("CHECKPOINT")  # into the file, compressed

    def ask(self, sql):
        return self.con.sql(sql).to_arrow_table()


class Polars:
    def __init__(self, folders, threads, _native):
        os.environ["POLARS_MAX_THREADS"] = str(threads)
        import polars
        self.version, self.polars = polars.__version__, polars
        self.con = polars.SQLContext()
        for table, folder in folders.items():
            self.con.register(table, polars.scan_parquet(f"{folder}/*.parquet", hive_partitioning=False))
        for name, sql in views().items():
            self.con.register(name, self.con.execute(sql))

    def ask(self, sql):
        return self.con.execute(sql).collect(engine="streaming").to_arrow()


class ChDB:
    def __init__(self, folders, threads, _native):
        import chdb
        from chdb import session
        self.version = chdb.__version__
        self.con = session.Session()
        for setting in (f"max_threads = {threads}", "join_use_nulls = 1", "cast_keep_nullable = 1", "prefer_column_name_to_alias = 1"):
            self.con.query(f"SET {setting}")
        self.con.query("CREATE DATABASE lake")
        self.con.query("USE lake")
        for table, folder in folders.items():
            self.con.query(f"CREATE VIEW {table} AS SELECT * FROM file('{folder}/*.parquet', Parquet)")
        for name, sql in views().items():
            self.con.query(f"CREATE VIEW {name} AS {sql}")

    def ask(self, sql):
        import pyarrow
        answer = self.con.query(sql, "ArrowStream")
        return pyarrow.ipc.open_stream(pyarrow.py_buffer(answer.bytes())).read_all()


class DataFusion:
    def __init__(self, folders, threads, _native):
        os.environ["TOKIO_WORKER_THREADS"] = str(threads)
        import datafusion
        self.version = datafusion.__version__
        self.con = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(threads).set(
            "datafusion.execution.parquet.pushdown_filters", "true"))
        for table, folder in folders.items():
            self.con.register_parquet(table, folder)
        for name, sql in views().items():
            self.con.sql(f"CREATE VIEW {name} AS {sql}").collect()

    def ask(self, sql):
        return self.con.sql(sql).to_arrow_table()


KINDS = {"duckdb": DuckDB, "duckdb-native": DuckDB, "polars": Polars, "chdb": ChDB, "datafusion": DataFusion}


def serve(pipe, engine, folders, threads, native):
    """In the engine's process: SQL in, (seconds, the answer as an Arrow stream) or (None, what went wrong) out."""
    try:
        peer = KINDS[engine](folders, threads, native if engine == "duckdb-native" else None)
        pipe.send((peer.version, None))
    except Exception:
        pipe.send((None, traceback.format_exc(limit=1)))
        return
    import pyarrow
    while True:
        sql = pipe.recv()
        if sql is None:
            break
        try:
            began = time.perf_counter()
            table = peer.ask(sql)
            seconds = time.perf_counter() - began
            out = pyarrow.BufferOutputStream()
            with pyarrow.ipc.new_stream(out, table.schema) as writer:
                writer.write_table(table)
            pipe.send((seconds, out.getvalue().to_pybytes()))
        except Exception as error:  # an engine that cannot, says why, and goes on with the next question
            pipe.send((None, f"{type(error).__name__}: {error}"))
    os._exit(0)  # no engine's end is waited for


class Peer:
    """An engine in a process of its own."""

    def __init__(self, engine, folders, threads, native, patience):
        self.engine, self.patience, self.gone = engine, patience, None
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, engine, folders, threads, native), daemon=True)
        self.process.start()
        theirs.close()
        self.version, self.gone = self.receive(6 * 3600)

    def receive(self, seconds):
        try:
            if self.pipe.poll(seconds):
                return self.pipe.recv()
            self.gone = f"no answer within {seconds} s"
        except (EOFError, OSError):
            self.gone = "its process died"
        self.close()
        return None, self.gone

    def ask(self, sql, params, slices):
        """(seconds, Arrow stream) or (None, why not)."""
        if self.gone:
            return None, self.gone
        try:
            sql = spelled(sql, self.engine, params, slices)
        except KeyError as lacks:
            return None, lacks.args[0]
        self.pipe.send(sql)
        return self.receive(self.patience)

    def close(self):
        if self.process.is_alive():
            try:
                self.pipe.send(None)
            except OSError:
                pass
            self.process.join(2)
            if self.process.is_alive():
                self.process.terminate()
