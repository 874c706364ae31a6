"""saleslake's benchmark: how fast files land, and how fast the nine reports answer beside DuckDB over the same Parquet files.

    python benches/run.py --lines 10000000 [--saleslake PATH] [--dir DIR]

A development-time tool; it needs the packages of tests/oracles/requirements.txt. Steps, in DIR:

1. `saleslake sample --lines N --seed 1`, unless it is there.
2. `saleslake ingest SOURCE` for every source but the control totals into a fresh lake, one process each; time, CPU time and peak memory of each. A lake that this
   script has filled before is kept together with its figures: delete DIR/lake-N and DIR/ingest-N.json to measure again.
3. `saleslake serve`, then each report over HTTP (12 months, otherwise defaults, as CSV, no ETag sent) in turn with the same question in
   DuckDB (benches/duckdb/<report>.sql over the lake's active files, as many threads as cores, all rows fetched). Every column that the
   DuckDB file returns must be equal, row by row, or the run fails: a ratio of two different answers means nothing.
4. Markdown tables on standard output, for the README. Progress goes to standard error.

DuckDB keeps Parquet footers between runs (`parquet_metadata_cache`), as saleslake does; the files are in the system's page cache for both.
"""

import argparse
import csv
import http.client
import io
import json
import math
import os
import socket
import statistics
import subprocess
import sys
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROUNDS, FROM, TO = 5, "2025-07-01", "2026-07-01"  # the last 12 months of the sample

# In the order of the account; what stands later may look up what stands before.
SOURCES = """channels regions locations customers products fx_rates shop_pos_sales shop_web_orders market_cn_orders market_eu_orders
    erp_wholesale shop_returns stock shop_events""".split()
TABLES = "order_line return_line order_charge inventory_snapshot customer_event product location region channel quarantine".split()
WINDOW = {"from": FROM, "to": TO}
REPORTS = {
    "sales-summary": WINDOW, "sales-over-time": WINDOW, "sales-by-product": WINDOW, "sales-by-region": WINDOW, "sales-by-channel": WINDOW,
    "returns-summary": WINDOW, "stock-on-hand": {"as_of": TO}, "traffic-conversion-funnel": WINDOW, "dq-quarantine": {},
}


def note(text):
    print(text, file=sys.stderr, flush=True)


def measured(command):
    """Runs a command to its end: what it printed, seconds, CPU seconds, peak memory in MiB."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    printed = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{printed}")
    return printed, time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def account(printed):
    """From `12 read = …` and `  order_line  10 new, 1 replaced, …`: records read, and rows landed per table."""
    read, rows = 0, {}
    for line in printed.splitlines():
        words = line.split()
        if " read = " in line:
            read += int("".join(words[:words.index("read")]))
        elif " new, " in line:
            rows[words[0]] = rows.get(words[0], 0) + int("".join(words[1:words.index("new,")]))
    return read, rows


def ingest(saleslake, settings):
    figures = {}
    for source in SOURCES:
        printed, seconds, cpu, memory = measured([saleslake, *settings, "ingest", source])
        read, rows = account(printed)
        figures[source] = {"records": read, "rows": rows, "seconds": seconds, "cpu": cpu, "memory": memory}
        note(f"{source}: {read:,} records in {seconds:.1f} s, CPU {cpu:.1f} s, {memory:,.0f} MiB, load {os.getloadavg()[0]:.1f}")
    return figures


def ingest_table(figures):
    lines = ["| source | records | seconds | CPU seconds | records/s | order lines/s | records per CPU second | peak MiB |",
             "|---|--:|--:|--:|--:|--:|--:|--:|"]

    def line(name, some):
        read, seconds, cpu = (sum(f[k] for f in some) for k in ("records", "seconds", "cpu"))
        sold = sum(f["rows"].get("order_line", 0) for f in some)
        lines.append(f"| {name} | {read:,} | {seconds:.1f} | {cpu:.1f} | {read / seconds:,.0f} | {f'{sold / seconds:,.0f}' if sold else '–'} "
                     f"| {read / cpu:,.0f} | {max(f['memory'] for f in some):,.0f} |")

    for source, figure in figures.items():
        if figure["records"] >= 10_000:  # the others time the start of a process
            line(source, [figure])
    line("**order lines**", [f for f in figures.values() if f["rows"].get("order_line")])
    line("**all**", list(figures.values()))
    return lines


class Server:
    """`saleslake serve` on a free port."""

    def __init__(self, saleslake, settings):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [saleslake, *settings, "--set", f"http.bind=127.0.0.1:{self.port}", "--set", "flight.enabled=false", "serve"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
                if self.get("/readyz")[0] == 200:
                    return
            except OSError:  # not listening yet
                time.sleep(0.1)
        self.process.terminate()
        sys.exit("saleslake serve does not become ready")

    def get(self, path):
        self.connection.request("GET", path)
        response = self.connection.getresponse()
        return response.status, response.read()

    def report(self, name, parameters):
        query = "&".join(["format=csv", *(f"{k}={v}" for k, v in parameters.items())])
        status, body = self.get(f"/api/v1/reports/{name}/run?{query}")
        if status != 200:
            sys.exit(f"{name}: {status} {body[:500]}")
        return body

    def peak(self):
        return int(Path(f"/proc/{self.process.pid}/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024


class Duck:
    """DuckDB with each of the lake's tables as a view over its active files."""

    def __init__(self, lake):
        import deltalake
        import duckdb
        self.con = duckdb.connect()
        self.con.execute(f"SET threads = {os.cpu_count()}")
        self.con.execute("SET parquet_metadata_cache = true")
        for table in TABLES:
            files = deltalake.DeltaTable(str(lake / table)).file_uris()
            self.con.execute(f"CREATE VIEW {table}_file AS SELECT * FROM read_parquet({files!r}, hive_partitioning = true)")
        self.con.execute((HERE / "duckdb" / "views.sql").read_text())
        self.version = duckdb.__version__

    def report(self, name):
        sql = (HERE / "duckdb" / f"{name}.sql").read_text().replace("$from", f"DATE '{FROM}'").replace("$to", f"DATE '{TO}'")
        cursor = self.con.execute(sql)
        return [c[0] for c in cursor.description], cursor.fetchall()


def same(text, value):
    if value is None or isinstance(value, bool):
        return text == {None: "", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return text != "" and math.isclose(float(text), value, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(value, (int, Decimal)):
        return text != "" and Decimal(text) == value
    return text == (value.isoformat() if isinstance(value, date) else value)


def must_agree(name, body, columns, rows):
    ours = list(csv.DictReader(io.StringIO(body.decode())))
    if len(ours) != len(rows):
        sys.exit(f"{name}: saleslake gives {len(ours)} rows, DuckDB {len(rows)}")
    for mine, theirs in zip(ours, rows):
        for column, value in zip(columns, theirs):
            if not same(mine[column], value):
                sys.exit(f"{name}, {column}: saleslake {mine[column]!r}, DuckDB {value!r}\n{mine}\n{theirs}")


def timed(call):
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def reports(server, duck):
    """Per report: rows, our times, DuckDB's times, in milliseconds; the first answers of both warm up and are compared."""
    found = {}
    for name, parameters in REPORTS.items():
        columns, rows = duck.report(name)
        must_agree(name, server.report(name, parameters), columns, rows)
        pairs = [(timed(lambda: server.report(name, parameters)), timed(lambda: duck.report(name))) for _ in range(ROUNDS)]
        ours, theirs = zip(*pairs)
        found[name] = len(rows), ours, theirs
        note(f"{name}: {min(ours):.0f} ms, DuckDB {min(theirs):.0f} ms, load {os.getloadavg()[0]:.1f}")
    return found


def report_table(found):
    lines, ratios = ["| report | rows | saleslake ms (min / median) | DuckDB ms (min / median) | saleslake / DuckDB |", "|---|--:|--:|--:|--:|"], []
    for name, (rows, ours, theirs) in found.items():
        ratios.append(min(ours) / min(theirs))
        shown = [f"{min(times):,.0f} / {statistics.median(times):,.0f}" for times in (ours, theirs)]
        lines.append(f"| {name} | {rows:,} | {shown[0]} | {shown[1]} | {ratios[-1]:.2f} |")
    lines.append(f"| **geometric mean** | | | | **{statistics.geometric_mean(ratios):.2f}** |")
    return lines


def main():
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--lines", type=int, default=10_000_000)
    arguments.add_argument("--saleslake", type=Path, default=HERE.parent / "target" / "debug" / "saleslake")
    arguments.add_argument("--dir", type=Path, default=HERE.parent / "target" / "bench")
    arguments.add_argument("--set", action="append", default=[], help="passed on to saleslake, such as queries_dir=queries")
    options = arguments.parse_args()
    saleslake, root = options.saleslake.resolve(), options.dir.resolve()
    root.mkdir(parents=True, exist_ok=True)
    os.chdir(root)  # no stray saleslake.toml
    sample, lake, kept = (root / name for name in (f"sample-{options.lines}", f"lake-{options.lines}", f"ingest-{options.lines}.json"))

    if not (sample / "dirt.csv").exists():
        _, seconds, _, _ = measured([saleslake, "sample", "--lines", str(options.lines), "--seed", "1", "--dir", sample])
        note(f"sample made in {seconds:.0f} s")
    settings = [part for setting in (f"lake.url=file://{lake}", "lake.currency=GBP", "lake.zone=Europe/London", "lake.today=data",
                                     f"landing.path={sample}/landing", *options.set) for part in ("--set", setting)]
    if not kept.exists():
        if lake.exists():
            sys.exit(f"{lake} was not filled to its end: delete it")
        kept.write_text(json.dumps(ingest(saleslake, settings), indent=1))
    figures = json.loads(kept.read_text())

    server = Server(saleslake, settings)
    try:
        duck = Duck(lake)
        found = reports(server, duck)
        peak = server.peak()
    finally:
        server.process.terminate()
        server.process.wait()

    lines, records = (sum(of(f) for f in figures.values()) for of in (lambda f: f["rows"].get("order_line", 0), lambda f: f["records"]))
    size = sum(f.stat().st_size for f in lake.rglob("*.parquet")) / 2**20
    print(f"{lines:,} order lines, {records:,} records, {size:,.0f} MiB of Parquet; {os.cpu_count()} cores, "
          f"load {os.getloadavg()[0]:.1f}; DuckDB {duck.version} with {os.cpu_count()} threads; the server's peak {peak:,.0f} MiB.\n")
    print("\n".join([*report_table(found), "", *ingest_table(figures)]))


if __name__ == "__main__":
    main()
