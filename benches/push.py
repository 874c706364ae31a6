"""saleslake's push benchmark: tills that post one receipt each, about 1,000 a second.

    python benches/push.py [--rate 1000] [--seconds 60] [--saleslake PATH] [--set http.ingest_group_ms=250]

A development-time tool; the standard library is enough. It starts the server over a new lake in a temporary folder, drives pushes at a
fixed rate over connections that are kept (a push is due whether or not the ones before it are answered, and its time counts from when it
was due), sends again what was refused, and prints a table: p50 and p99 to the acknowledgement, pushes/s reached, refusals, commits and
files made. In the end every acknowledged receipt must be in the lake once, or the run fails.
"""

import argparse
import asyncio
import http.client
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PATIENCE = 120  # seconds for one push, and for the last answers

SOURCE = """-- ---
-- title = "Till"
-- about = "One receipt a push."
-- order = 20
-- [read]
-- path = "till/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "pos"
-- currency = "GBP"
-- tz = "Europe/London"
-- price_includes_tax = false
-- ---
-- into = "order_line"
SELECT receipt AS order_id, line AS order_line_id, store AS location_id, local_time(sold, '%Y-%m-%d %H:%M:%S') AS created_at,
       local_time(sold, '%Y-%m-%d %H:%M:%S') AS paid_at, sku, CAST(qty AS DECIMAL(18,3)) AS quantity,
       CAST(price AS DECIMAL(18,4)) AS unit_price
FROM   raw;
"""


def note(text):
    print(text, file=sys.stderr, flush=True)


def receipt(number):
    """A receipt of two lines, as a till would export it."""
    lines = [f"R{number:08},{line},S{number % 1000:04},2026-01-{number % 28 + 1:02} 12:00:00,SKU{(number * 7 + line) % 500:04},{line},9.99"
             for line in (1, 2)]
    return ("receipt,line,store,sold,sku,qty,price\n" + "\n".join(lines) + "\n").encode()


class Server:
    """`saleslake serve` on a free port over a new lake in `folder`."""

    def __init__(self, saleslake, folder, settings):
        queries = folder / "queries" / "sources"
        queries.mkdir(parents=True)
        (queries / "till.sql").write_text(SOURCE)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.lake = folder / "lake"
        own = [f"lake.url=file://{self.lake}", "lake.currency=GBP", "lake.zone=Europe/London", f"queries_dir={folder}/queries",
               f"http.bind=127.0.0.1:{self.port}", "flight.enabled=false", "http.allow_ingest=true", "http.allow_sql=true"]
        command = [str(saleslake), *(part for setting in [*own, *settings] for part in ("--set", setting)), "serve"]
        self.log = open(folder / "server.log", "w+")
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=self.log, cwd=folder)
        for _ in range(600):
            try:
                if self.ask("GET", "/readyz")[0] == 200:
                    return
            except OSError:  # not listening yet
                time.sleep(0.1)
        self.fail("saleslake serve does not become ready")

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request(method, path, body, {"content-type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()

    def rows(self, sql):
        status, body = self.ask("POST", "/api/v1/sql", json.dumps({"sql": sql, "format": "json"}))
        if status != 200:
            self.fail(f"{sql}: {status} {body[:500]}")
        return json.loads(body)["rows"]

    def fail(self, why):
        self.stop()
        self.log.seek(0)
        sys.exit(f"{why}\n{self.log.read()[-2000:]}")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def used(self):
        """CPU seconds and peak memory in MiB."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        peak = Path(f"/proc/{self.process.pid}/status").read_text().partition("VmHWM:")[2].split()[0]
        return cpu, int(peak) / 1024


class Tills:
    def __init__(self, server):
        self.server, self.due = server, asyncio.Queue()
        self.seconds, self.refused, self.broken, self.idle, self.connections = [], 0, 0, 0, 0
        self.started, self.last = 0.0, 0.0

    async def run(self, rate, seconds, most):
        """Puts `rate` pushes a second into the queue; a connection more whenever none is idle."""
        self.started = self.last = time.perf_counter()
        tills, total = [], int(rate * seconds)
        for number in range(total):
            due = self.started + number / rate
            while (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            self.due.put_nowait((number, due))
            if self.due.qsize() > self.idle and self.connections < most:
                self.connections += 1
                tills.append(asyncio.create_task(self.till()))
            if number % 100 == 0:
                await asyncio.sleep(0)
        for _ in tills:
            self.due.put_nowait(None)
        await asyncio.wait_for(asyncio.gather(*tills), PATIENCE)
        return total

    async def till(self):
        """One connection: posts what is due, one after the other."""
        reader = writer = None
        while True:
            self.idle += 1
            job = await self.due.get()
            self.idle -= 1
            if job is None:
                break
            number, due = job
            while True:
                try:
                    if writer is None:
                        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
                    status, retry, body = await asyncio.wait_for(self.post(reader, writer, number), PATIENCE)
                except (OSError, asyncio.IncompleteReadError):
                    # A connection that broke: the key makes it safe to send again.
                    self.broken, writer = self.broken + 1, None
                    continue
                if status == 200:
                    account = json.loads(body)
                    if account["read"] != 2 or account["landed"] + account["duplicate"] != 2:
                        raise SystemExit(f"receipt {number}: {account}")
                    self.last = time.perf_counter()
                    self.seconds.append(self.last - due)
                    break
                if status not in (429, 503):
                    raise SystemExit(f"receipt {number}: {status} {body.decode()}")
                self.refused += 1
                await asyncio.sleep(retry)
        if writer is not None:
            writer.close()

    @staticmethod
    async def post(reader, writer, number):
        body = receipt(number)
        head = (f"POST /api/v1/ingest/till HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/csv\r\nidempotency-key: bench-{number}\r\n"
                f"content-length: {len(body)}\r\n\r\n")
        writer.write(head.encode() + body)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        first, *lines = head.strip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        answer = await reader.readexactly(int(headers["content-length"]))
        return int(first.split()[1]), int(headers.get("retry-after", 1)), answer


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] * 1000


def files(lake, table):
    """Commits and data files of a table, as they lie there."""
    folder = lake / table
    return len(list((folder / "_delta_log").glob("*[0-9].json"))), len([p for p in folder.rglob("*.parquet") if "_delta_log" not in p.parts])


def main():
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--rate", type=float, default=1000)
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--connections", type=int, default=4000, help="at most")
    arguments.add_argument("--saleslake", type=Path, default=HERE.parent / "target" / "debug" / "saleslake")
    arguments.add_argument("--set", action="append", default=[], help="passed on to saleslake")
    options = arguments.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    with tempfile.TemporaryDirectory(prefix="saleslake-push-") as folder:
        server = Server(options.saleslake.resolve(), Path(folder), options.set)
        try:
            warm = Tills(server)
            asyncio.run(warm.run(10, 1, 10))
            load = os.getloadavg()[0]
            before = {table: files(server.lake, table) for table in ("order_line", "ingest_file")}
            cpu = server.used()[0]
            tills = Tills(server)
            asyncio.run(shifted(tills, options))
            cpu, peak = server.used()[0] - cpu, server.used()[1]
            pushed = len(tills.seconds) + len(warm.seconds)
            held = server.rows("SELECT count(*) AS n, count(DISTINCT order_id) AS orders, sum(quantity) AS q FROM base.order_line")[0]
            if (int(held["n"]), int(held["orders"]), float(held["q"])) != (2 * pushed, pushed, 3.0 * pushed):
                server.fail(f"{pushed} receipts were acknowledged, and the lake holds {held}")
            made = {table: [now - then for now, then in zip(files(server.lake, table), before[table])] for table in before}
        finally:
            server.stop()
    took = tills.last - tills.started
    print("| pushes | pushes/s asked | reached | p50 ms | p99 ms | worst ms | refused | connections | commits | data files | CPU s | peak MiB |")
    print("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    p50, p99, worst = (percentile(tills.seconds, part) for part in (0.5, 0.99, 1))
    print(f"| {len(tills.seconds):,} | {options.rate:,.0f} | {len(tills.seconds) / took:,.0f} | {p50:,.0f} | {p99:,.0f} | {worst:,.0f} "
          f"| {tills.refused:,} | {tills.connections:,} | {made['order_line'][0]:,} | {made['order_line'][1]:,} | {cpu:,.0f} | {peak:,.0f} |")
    print(f"\nCommits and data files of order_line; of ingest_file {made['ingest_file'][0]:,} and {made['ingest_file'][1]:,}. "
          f"{os.cpu_count()} cores for the server and these tills, load before {load:.1f}; {tills.broken} connections broke.")


async def shifted(tills, options):
    """The warm-up had the first ten receipts: these come after them."""
    post = tills.post
    tills.post = lambda reader, writer, number: post(reader, writer, number + 10)
    await tills.run(options.rate, options.seconds, options.connections)


if __name__ == "__main__":
    main()
