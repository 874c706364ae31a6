"""saleslake's doors measured: rows over Flight SQL and the PostgreSQL wire beside DuckDB in-process, and what metadata calls take.

    python benches/doors.py [--rows 10000000] [--views 1000] [--saleslake PATH] [--dir DIR]

A development-time tool; it needs the packages of tests/oracles/requirements.txt, adbc-driver-flightsql,
adbc-driver-manager and psycopg[binary]. Steps, in DIR:

1. A lake of --rows order lines, unless it is there (as benches/run.py makes it).
2. `saleslake serve` with all doors. One query, `SELECT` of seven columns of all order lines without an order, fetched as Arrow: from DuckDB
   in this process over the same Parquet files, over Flight SQL by pyarrow, over Flight SQL by ADBC, and over the PostgreSQL wire by
   psycopg (binary rows, 10,000 at a time, its own Python values). Best of three each; MB are those of the Arrow batches, for all of them.
   The rows' number and the sum of one column must agree, or the run fails.
3. A second server over an empty lake with --views more views of 20 columns: p50, p99 and the slowest of 200 calls each of GetTables (all, with
   schemas, and one pattern), GetDbSchemas, GetSqlInfo, GetPrimaryKeys, and of the queries that `psql \\d` sends. It fails where a p99 is above
   50 ms.
4. Markdown tables on standard output. Progress goes to standard error.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
COLUMNS = "business_date, channel_id, location_id, product_id, quantity, net_amount_rc, created_at"
ROUNDS, CALLS = 3, 200
LIMIT = 50  # ms that 99 of 100 metadata calls may take
SOURCES = "channels regions locations products fx_rates shop_pos_sales shop_web_orders market_cn_orders market_eu_orders erp_wholesale".split()


def note(text):
    print(text, file=sys.stderr, flush=True)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Server:
    """`saleslake serve` with every door open, on free ports."""

    def __init__(self, saleslake, settings):
        self.flight, self.postgres = free_port(), free_port()
        own = ["http.bind=127.0.0.1:0", f"flight.bind=127.0.0.1:{self.flight}", "postgres.enabled=true",
               f"postgres.bind=127.0.0.1:{self.postgres}", "engine.row_limit=1000000000", "engine.timeout_seconds=600"]
        command = [str(saleslake), *(part for s in [*own, *settings] for part in ("--set", s)), "serve"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for port in (self.flight, self.postgres):
            self.wait(port)

    def wait(self, port):
        for _ in range(600):
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                return
            except OSError:
                time.sleep(0.1)
        sys.exit("saleslake serve does not become ready")

    def peak(self):
        return int(Path(f"/proc/{self.process.pid}/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024

    def close(self):
        self.process.terminate()
        self.process.wait()


def lake(saleslake, folder, rows):
    """Sample data of about `rows` order lines, landed once."""
    sample, lake = folder / f"sample-{rows}", folder / f"lake-{rows}"
    if not (sample / "dirt.csv").exists():
        note(f"generating {rows:,} order lines")
        subprocess.run([saleslake, "sample", "--lines", str(rows), "--seed", "1", "--dir", sample], check=True, stdout=subprocess.DEVNULL)
    settings = [f"lake.url=file://{lake}", "lake.currency=GBP", "lake.zone=Europe/London", f"landing.path={sample}/landing"]
    if not lake.exists():
        for source in SOURCES:
            note(f"landing {source}")
            arguments = [part for s in settings for part in ("--set", s)]
            subprocess.run([saleslake, *arguments, "ingest", source], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return lake, settings


def duckdb_rows(lake):
    import deltalake
    import duckdb
    connection = duckdb.connect()
    connection.execute(f"SET threads = {os.cpu_count()}")
    files = deltalake.DeltaTable(str(lake / "order_line")).file_uris()
    reader = connection.execute(f"SELECT {COLUMNS} FROM read_parquet({files!r}, hive_partitioning = true)").to_arrow_reader(100_000)
    return batches(reader)


def batches(reader):
    """Rows, the sum of net_amount_rc and bytes of an Arrow reader, batch by batch."""
    import pyarrow.compute as pc
    rows = size = total = 0
    for batch in reader:
        rows, size = rows + batch.num_rows, size + batch.nbytes
        total += pc.sum(batch.column("net_amount_rc")).as_py() or 0
    return rows, total, size


def flight_rows(server):
    import pyarrow.flight as flight
    client = flight.connect(f"grpc://127.0.0.1:{server.flight}")
    info = client.get_flight_info(flight.FlightDescriptor.for_command(statement(f"SELECT {COLUMNS} FROM base.order_line")))
    reader = client.do_get(info.endpoints[0].ticket)
    return batches(chunk.data for chunk in reader)


def adbc_rows(server):
    import adbc_driver_flightsql.dbapi as dbapi
    with dbapi.connect(f"grpc://127.0.0.1:{server.flight}") as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM base.order_line")
        return batches(cursor.fetch_record_batch())


def postgres_rows(server):
    import psycopg
    rows = total = 0
    with psycopg.connect(host="127.0.0.1", port=server.postgres, user="bench", dbname="lake") as connection:
        with connection.cursor(name="rows", binary=True) as cursor:
            cursor.itersize = 10_000
            cursor.execute(f"SELECT {COLUMNS} FROM base.order_line")
            for row in cursor:
                rows, total = rows + 1, total + row[5]
    return rows, total, None


def statement(sql):
    return command("CommandStatementQuery", field(1, sql.encode()))


def field(number, value):
    """A length-delimited protobuf field."""
    return bytes([number << 3 | 2]) + varint(len(value)) + value


def varint(number):
    out = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        out.append(low | (0x80 if number else 0))
        if not number:
            return bytes(out)


def command(name, body=b""):
    """A Flight SQL command: google.protobuf.Any around it."""
    url = f"type.googleapis.com/arrow.flight.protocol.sql.{name}".encode()
    return field(1, url) + field(2, body)


def throughput(server, lake):
    ways = {"DuckDB in-process": lambda: duckdb_rows(lake), "Flight SQL, pyarrow": lambda: flight_rows(server),
            "Flight SQL, ADBC": lambda: adbc_rows(server), "PostgreSQL wire, psycopg": lambda: postgres_rows(server)}
    best, seen = {}, {}
    for turn in range(ROUNDS):
        for name, way in ways.items():
            if name.startswith("PostgreSQL") and turn:
                continue  # minutes of Python's own work
            started = time.perf_counter()
            answer = way()
            best[name] = min(best.get(name, 1e9), time.perf_counter() - started)
            seen.setdefault(name, answer)
            note(f"{name}: {answer[0]:,} rows in {time.perf_counter() - started:.2f} s")
    answers = {(rows, total) for rows, total, _ in seen.values()}
    if len(answers) != 1:
        sys.exit(f"the answers differ: {seen}")
    size = seen["Flight SQL, pyarrow"][2] / 1e6
    yield f"{next(iter(answers))[0]:,} rows, {size:,.0f} MB as Arrow; the server takes {server.peak():,.0f} MiB at most.\n"
    yield "| way | seconds | MB/s | rows/s |\n|---|--:|--:|--:|"
    for name, seconds in best.items():
        yield f"| {name} | {seconds:.2f} | {size / seconds:,.0f} | {seen[name][0] / seconds:,.0f} |"


def many_views(folder, count):
    views = folder / "queries" / "views"
    views.mkdir(parents=True)
    columns = ", ".join(f"max(l.net_amount_rc) AS measure_{n}" for n in range(18))
    for n in range(count):
        text = f'-- ---\n-- about = "View {n}."\n-- ---\nSELECT l.channel_id, l.product_id, {columns} FROM base.order_line l GROUP BY 1, 2\n'
        (views / f"generated_{n:04}.sql").write_text(text)


def timed(call):
    took = []
    for _ in range(CALLS):
        started = time.perf_counter()
        call()
        took.append((time.perf_counter() - started) * 1000)
    took.sort()
    return took[CALLS // 2], took[CALLS * 99 // 100], took[-1]


def metadata(server, views):
    import psycopg
    import pyarrow.flight as flight
    client = flight.connect(f"grpc://127.0.0.1:{server.flight}")

    def ask(descriptor):
        info = client.get_flight_info(flight.FlightDescriptor.for_command(descriptor))
        return client.do_get(info.endpoints[0].ticket).read_all()

    tables = command("CommandGetTables", b"\x28\x01")  # include_schema
    found = ask(command("CommandGetTables")).num_rows
    if found < views:
        sys.exit(f"GetTables tells of {found} tables, not of {views} views")
    calls = {
        f"GetTables, all {found}": lambda: ask(command("CommandGetTables")),
        f"GetTables, all {found} with schemas": lambda: ask(tables),
        "GetTables, table_name LIKE 'generated\\_00%' with schemas": lambda: ask(command("CommandGetTables", field(3, b"generated\\_00%") + b"\x28\x01")),
        "GetDbSchemas": lambda: ask(command("CommandGetDbSchemas")),
        "GetSqlInfo": lambda: ask(command("CommandGetSqlInfo")),
        "GetPrimaryKeys": lambda: ask(command("CommandGetPrimaryKeys", field(3, b"product"))),
    }
    with psycopg.connect(host="127.0.0.1", port=server.postgres, user="bench", dbname="lake", autocommit=True) as connection:
        calls["psql \\dt"] = lambda: connection.execute(
            "SELECT n.nspname, c.relname, c.relkind FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind IN ('r','v') AND n.nspname <> 'pg_catalog' AND n.nspname <> 'information_schema' ORDER BY 1,2").fetchall()
        calls["psql \\d NAME (columns)"] = lambda: connection.execute(
            "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull FROM pg_catalog.pg_attribute a "
            "JOIN pg_catalog.pg_class c ON c.oid = a.attrelid WHERE c.relname = 'generated_0007' AND a.attnum > 0 ORDER BY a.attnum").fetchall()
        yield "| metadata call | p50 ms | p99 ms | max ms |\n|---|--:|--:|--:|"
        slow = []
        for name, call in calls.items():
            middle, late, last = timed(call)
            note(f"{name}: {middle:.1f} / {late:.1f} / {last:.1f} ms")
            yield f"| {name} | {middle:.1f} | {late:.1f} | {last:.1f} |"
            if late > LIMIT:
                slow.append(f"{name}: p99 {late:.1f} ms")
        if slow:
            sys.exit(f"metadata calls above {LIMIT} ms: {'; '.join(slow)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--views", type=int, default=1000)
    parser.add_argument("--saleslake", type=Path, default=HERE.parent / "target/debug/saleslake")
    parser.add_argument("--dir", type=Path, default=Path(tempfile.gettempdir()) / "saleslake-doors")
    given = parser.parse_args()
    given.dir.mkdir(parents=True, exist_ok=True)
    if given.rows:
        place, settings = lake(given.saleslake, given.dir, given.rows)
        server = Server(given.saleslake, settings)
        try:
            for line in throughput(server, place):
                print(line, flush=True)
        finally:
            server.close()
    if given.views:
        with tempfile.TemporaryDirectory() as folder:
            many_views(Path(folder), given.views)
            empty = Path(folder) / "lake"
            subprocess.run([given.saleslake, "--set", f"lake.url={empty}", "--set", f"landing.path={HERE.parent}/sample-data/landing",
                            "ingest", "products"], check=True, stdout=subprocess.DEVNULL)
            server = Server(given.saleslake, [f"lake.url={empty}", f"queries_dir={folder}/queries"])
            try:
                print()
                for line in metadata(server, given.views):
                    print(line, flush=True)
            finally:
                server.close()


if __name__ == "__main__":
    main()
