"""The lake that is compared: landed by `saleslake ingest`, asked over HTTP. It must not know what is asked.

Settings that a binary does not know are left out (an older one has no result cache to switch off), and told.
"""

import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import generate

TABLES = ["order_line", "return_line", "product", "location", "region", "channel"]
HEADER = """-- ---
-- title = "{0}"
-- source_system = "shop"
-- [read]
-- path = "{0}/*.parquet"
-- format = "parquet"
{1}-- ---
"""
FACTS = """-- [defaults]
-- currency = "GBP"
-- tz = "Europe/London"
"""
# File → what lands from it, in the order of landing.
SOURCES = {
    "cmp_channels": """-- into = "channel"
SELECT id AS channel_id, name AS channel_name, type AS channel_type FROM raw;""",
    "cmp_regions": """-- into = "region"
SELECT id AS region_id, name AS region_name, CAST('2' AS INT) AS region_level, nation AS parent_region_id, nation AS level1_id,
       nation_name AS level1_name, id AS level2_id, name AS level2_name FROM raw;""",
    "cmp_shops": """-- into = "location"
SELECT id AS location_id, name AS location_name, region AS region_id, 'GB' AS country, 'Europe/London' AS tz, 'GBP' AS currency,
       date_of(opened, '%Y-%m-%d') AS opened_on, date_of(closed, '%Y-%m-%d') AS closed_on, CAST(area AS DECIMAL(18,8)) AS selling_area_sqm
FROM raw;""",
    "cmp_articles": """-- into = "product"
SELECT id AS sku, name AS product_name, brand, head AS category_l1_id, head_name AS category_l1_name, sub AS category_l2_id,
       sub_name AS category_l2_name, tax AS tax_code FROM raw;""",
    "cmp_sales": """-- into = "order_line"
SELECT order_no AS order_id, line AS order_line_id, local_time(sold_at, '%Y-%m-%d %H:%M:%S') AS created_at, channel AS channel_id,
       type AS order_type, status AS order_status, local_time(cancelled_at, '%Y-%m-%d %H:%M:%S') AS cancelled_at, CAST(test AS BOOLEAN) AS is_test,
       shop AS location_id, ship_region AS ship_region_id, customer AS customer_key, article AS sku, CAST(quantity AS DECIMAL(18,3)) AS quantity,
       CAST(price AS DECIMAL(18,4)) AS unit_price, CAST(discount AS DECIMAL(18,4)) AS line_discount_amount, CAST(cost AS DECIMAL(18,4)) AS unit_cost,
       CAST(tax_rate AS DECIMAL(18,8)) AS tax_rate
FROM raw;""",
    "cmp_returns": """-- into = "return_line"
SELECT return_no AS return_id, '1' AS return_line_id, order_no AS order_id, line AS order_line_id, type AS return_type,
       local_time(refunded_at, '%Y-%m-%d %H:%M:%S') AS refunded_at, channel AS channel_id, shop AS return_location_id, customer AS customer_key,
       article AS sku, CAST(quantity AS DECIMAL(18,3)) AS quantity, CAST(refund AS DECIMAL(18,4)) AS refund_net_amount,
       CAST(tax AS DECIMAL(18,4)) AS refund_tax_amount, CAST(tax_rate AS DECIMAL(18,8)) AS tax_rate, CAST(cost AS DECIMAL(18,4)) AS cost_amount,
       reason AS reason_code, restock AS restock_type
FROM raw;""",
}
FOLDERS = {"cmp_channels": "dimensions/channels.parquet", "cmp_regions": "dimensions/regions.parquet", "cmp_shops": "dimensions/shops.parquet",
           "cmp_articles": "dimensions/articles.parquet", "cmp_sales": "sales", "cmp_returns": "returns"}


class Lake:
    """A folder with the lake, the definitions that it is landed by, and the active files of its tables, linked for the peers."""

    def __init__(self, root, binary, extra, say):
        self.root, self.binary, self.say = root, str(binary), say
        self.queries, self.folder, self.account = root / "queries", root / "lake", root / "landed.json"
        (self.queries / "sources").mkdir(parents=True, exist_ok=True)
        for name, sql in SOURCES.items():
            (self.queries / "sources" / f"{name}.sql").write_text(
                HEADER.format(name, FACTS if name in ("cmp_sales", "cmp_returns") else "") + "\n" + sql + "\n")
        self.settings = [f"lake.url={self.folder}", "lake.currency=GBP", "lake.zone=Europe/London", f"lake.today={generate.END}",
                         f"queries_dir={self.queries}", f"landing.path={root / 'raw'}", "log.level=error", *extra]

    def command(self, *words, settings=()):
        sets = [word for setting in [*self.settings, *settings] for word in ("--set", setting)]
        return [self.binary, *sets, *words]

    def run(self, *words):
        began = time.monotonic()
        done = subprocess.run(self.command(*words), cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(f"saleslake {' '.join(words[:2])} failed ({done.returncode}):\n{done.stdout[-4000:]}")
        return time.monotonic() - began, done.stdout

    def land(self, lines, then):
        """Generates and lands, unless a run before has; afterwards the commands `then`. What it took, by step, in seconds."""
        if self.account.exists():
            account = json.loads(self.account.read_text())
            if account["asked"] != lines:
                sys.exit(f"{self.root} holds {account['asked']:,} lines, not {lines:,}: name another --lake, or delete it")
            return account
        if self.folder.exists():
            sys.exit(f"{self.folder} was not filled to its end: delete it")
        raw = self.root / "raw"
        shutil.rmtree(raw, ignore_errors=True)
        self.say(f"generating {lines:,} lines")
        written = generate.generate(raw, lines, self.say)
        seconds = {}
        for source, place in FOLDERS.items():
            self.say(f"landing {source}")
            place = raw / place
            files = [place] if place.is_file() else sorted(place.glob("*.parquet"))
            seconds[source], _ = self.run("ingest", source, *map(str, files))
        for words in ["lake optimize", *then]:
            self.say(f"saleslake {words}")
            seconds[words], _ = self.run(*words.split())
        landed = self.rows("order_line")
        if landed != written:
            sys.exit(f"{written:,} lines were written, {landed:,} landed: see `saleslake quarantine list`")
        shutil.rmtree(raw)
        account = {"asked": lines, "lines": written, "seconds": seconds}
        self.account.write_text(json.dumps(account, indent=1))
        return account

    def rows(self, table):
        import deltalake
        return deltalake.DeltaTable(str(self.folder / table)).to_pyarrow_dataset().count_rows()

    def refresh(self):
        """Makes the rollups current, where this saleslake has any, so that no call waits for that or does without. Seconds, or None."""
        helped = subprocess.run([self.binary, "rollup", "--help"], cwd=self.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return None if helped.returncode else self.run("rollup", "refresh")[0]

    def files(self):
        """Table → a folder that holds exactly the active files of its newest version, as hard links, numbered in the table's order; their bytes;
        and a word that is another one when they are others."""
        import deltalake
        folders, size, all_of_them = {}, 0, hashlib.sha256()
        for table in TABLES:
            folder = self.root / "files" / table
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            active = deltalake.DeltaTable(str(self.folder / table)).file_uris()
            for number, uri in enumerate(sorted(active)):
                file = Path(uri.removeprefix("file://"))
                os.link(file, folder / f"{number:05}.parquet")
                all_of_them.update(uri.encode())
                size += file.stat().st_size
            folders[table] = str(folder)
        return folders, size, all_of_them.hexdigest()[:12]


class Server:
    """`saleslake serve` on a free port, or one that runs at `url`; one connection that is kept. Its result cache is off unless `settings` are others."""

    def __init__(self, lake=None, threads=2, url=None, settings=("engine.result_cache_mb=0",)):
        self.process, self.log = None, None
        if url:
            self.host, self.port = urlsplit(url).hostname, urlsplit(url).port or 80
        else:
            self.host, self.port = "127.0.0.1", free_port()
            own = [f"http.bind=127.0.0.1:{self.port}", "flight.enabled=false", "maintenance.every_minutes=0", f"engine.threads={threads}",
                   *known(lake, settings)]
            self.log = open(lake.root / "serve.log", "wb")
            self.process = subprocess.Popen(lake.command("serve", settings=own), cwd=lake.root, stdout=self.log, stderr=self.log)
        self.connection = http.client.HTTPConnection(self.host, self.port, timeout=900)
        for _ in range(1200):
            try:
                if self.get("/readyz")[0] == 200:
                    return
            except OSError:  # not listening yet
                self.connection.close()
            if self.process and self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.close()
        sys.exit("saleslake serve does not become ready" + (f": see {self.log.name}" if self.log else ""))

    def get(self, path):
        self.connection.request("GET", path)
        response = self.connection.getresponse()
        return response.status, response.read()

    def ask(self, report, params):
        """Seconds to the last byte of the Arrow stream, and the stream."""
        path = f"/api/v1/reports/{report}/run?" + urlencode({"format": "arrow", **params})
        began = time.perf_counter()
        status, body = self.get(path)
        seconds = time.perf_counter() - began
        if status != 200:
            raise RuntimeError(f"{status} {body[:400].decode(errors='replace')}")
        return seconds, body

    def rollup(self, report, params):
        """What the receipt says of rollups: see `told`. Only JSON has a receipt, so the report is asked once more."""
        status, body = self.get(f"/api/v1/reports/{report}/run?" + urlencode({**params, "format": "json"}))
        return told(receipts(json.loads(body))) if status == 200 else "-"

    def peak(self):
        """Peak memory in MiB, of a server that was started here."""
        if not self.process:
            return None
        return int(Path(f"/proc/{self.process.pid}/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024

    def cpu(self):
        """CPU seconds so far, of a server that was started here."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.connection.close()
        if self.process:
            self.process.terminate()
            self.process.wait()


def receipts(document):
    """The list `rollups` of a receipt, wherever in the document it stands; rows, which are lists, are not looked at."""
    if not isinstance(document, dict):
        return []
    for key, value in document.items():
        found = value if key == "rollups" else receipts(value)
        if found:
            return found
    return []


def told(lines):
    """`by sales_day`, `by sales_day, 2 months from the tables`, `not by sales_day: …`, a line per aggregate, as one word: the rollups' names where
    they answered all of it, `partly NAMES` where tables were read, too, `-` where none answered."""
    names = dict.fromkeys(line.removeprefix("by ").partition(",")[0] for line in lines if line.startswith("by "))
    whole = all(line.startswith("by ") and "," not in line for line in lines)
    return "-" if not names else ("" if whole else "partly ") + ", ".join(names)


def known(lake, settings):
    """Of `settings` those that the binary takes."""
    taken = []
    for setting in settings:
        done = subprocess.run(lake.command("config", settings=[setting]), cwd=lake.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if done.returncode:
            lake.say(f"this saleslake does not know {setting.partition('=')[0]}")
        else:
            taken.append(setting)
    return taken


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
