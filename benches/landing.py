"""Landing beside DuckDB: one large CSV file into a table, checked and deduplicated, then one changed row.

    python benches/landing.py --lines 10000000 [--saleslake PATH] [--dir DIR] [--memory-mb 1024] [--alone]

A development-time tool; it needs the packages of tests/oracles/requirements.txt. In DIR it writes a till's CSV of N lines over 24 months
(one in a hundred delivered twice), and then, in one run:

1. `saleslake ingest` lands it into a fresh lake;
2. DuckDB copies the same file into Parquet files partitioned by month, the last version of each key, as many threads as cores;
3. `saleslake ingest` lands a file with one changed line: how long, how much is rewritten, how much memory.

With --alone step 2 is left out, for files that DuckDB has no memory for, and the count is compared with the file's. With --changed only
step 3 runs, in the lake that a run before has left.
Counts and sums of both must be equal, or the run fails. DuckDB checks types only: it keeps no account, no quarantine, no currency
conversion, no product table, no bloom filters; the ratio is what those cost. Markdown on standard output, progress on standard error.
"""

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path

import deltalake
import duckdb

SOURCE = """-- ---
-- title = "A till's lines"
-- [read]
-- path = "till/*.csv"
-- format = "csv"
-- [defaults]
-- channel_id = "shop"
-- currency = "EUR"
-- tz = "Europe/Berlin"
-- ---
-- into = "order_line"
SELECT receipt AS order_id, line AS order_line_id, CAST(version AS BIGINT) AS source_version,
       local_time(sold, '%Y-%m-%d %H:%M:%S') AS created_at, store AS location_id, article AS sku,
       CAST(qty AS DECIMAL(18,3)) AS quantity, CAST(price AS DECIMAL(18,4)) AS unit_price
FROM   raw
-- into = "product", reference = true
SELECT article AS sku FROM raw
"""

# A receipt of three lines every few seconds; one line in a hundred comes again, word for word.
LINES = """
SELECT 'R' || lpad((n // 3)::VARCHAR, 10, '0') AS receipt, n % 3 + 1 AS line, 1 AS version,
       strftime(TIMESTAMP '2024-07-01' + to_seconds((n // 3) * 63072000 // greatest({lines} // 3, 1)), '%Y-%m-%d %H:%M:%S') AS sold,
       'S' || lpad((hash(n // 3) % 90)::VARCHAR, 3, '0') AS store, 'A' || lpad((hash(n, 7) % 5000)::VARCHAR, 5, '0') AS article,
       hash(n, 11) % 3 + 1 AS qty, ((hash(n, 13) % 20000 + 50) / 100)::DECIMAL(18,2) AS price
FROM (SELECT i AS n FROM range({lines}) t(i) UNION ALL SELECT i * 100 FROM range({lines} // 100) t(i))
"""


def say(message):
    print(message, file=sys.stderr, flush=True)


def timed(command, **kwargs):
    """Seconds, CPU seconds and peak MiB of a command."""
    began = time.monotonic()
    child = os.posix_spawn(command[0], command, {**os.environ, **kwargs})
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed ({status})")
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def files_of(lake, table):
    """The data files of a table's newest version, with their sizes."""
    files = [uri.removeprefix("file://") for uri in deltalake.DeltaTable(str(lake / table)).file_uris()]
    return {file: Path(file).stat().st_size for file in files}


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--lines", type=int, default=1_000_000)
    args.add_argument("--saleslake", default="target/debug/saleslake")
    args.add_argument("--dir", default="/tmp/saleslake-landing-bench")
    args.add_argument("--memory-mb", type=int, default=1024)
    args.add_argument("--alone", action="store_true", help="without DuckDB")
    args.add_argument("--changed", action="store_true", help="only the changed line, in the lake of a run before")
    args = args.parse_args()
    program = str(Path(args.saleslake).resolve())
    root = Path(args.dir)
    queries, till = root / "queries", root / f"till-{args.lines}.csv"
    (queries / "sources").mkdir(parents=True, exist_ok=True)
    (queries / "sources" / "till.sql").write_text(SOURCE)
    db = duckdb.connect()
    if not till.exists():
        say(f"writing {till}")
        db.execute(f"COPY ({LINES.format(lines=args.lines)}) TO '{till}' (HEADER)")
    size = till.stat().st_size
    lake, parquet = root / f"lake-{args.lines}", root / f"parquet-{args.lines}"
    settings = [f"lake.url={lake}", "lake.currency=EUR", "lake.zone=Europe/Berlin", f"queries_dir={queries}",
                f"landing.memory_mb={args.memory_mb}", "log.level=error"]
    base = [program] + [word for s in settings for word in ("--set", s)]

    if args.changed:
        one_line(db, base, root, lake, args.lines)
        return
    for folder in (lake, parquet):
        shutil.rmtree(folder, ignore_errors=True)
    say("saleslake lands it")
    ours = timed(base + ["ingest", "till", str(till)])
    say(f"  {ours}")
    if args.alone:
        (landed,) = db.execute("SELECT count(*) FROM read_parquet(?)", [list(files_of(lake, "order_line"))]).fetchone()
        if landed != args.lines:
            raise SystemExit(f"{landed} lines landed of {args.lines}")
        rows = args.lines + args.lines // 100
        print(f"{rows:,} CSV lines ({size / 2**20:,.0f} MiB): {ours[0]:.1f} s, {rows / ours[0]:,.0f} lines/s, CPU {ours[1]:.0f} s, "
              f"peak {ours[2]:,.0f} MiB; {landed:,} different lines are in the table.")
        one_line(db, base, root, lake, args.lines)
        return
    say("DuckDB copies it")
    copy = f"""COPY (SELECT receipt, line, version, strptime(sold, '%Y-%m-%d %H:%M:%S') AS sold, store, article, qty::DECIMAL(18,3) AS qty,
        price::DECIMAL(18,4) AS price, left(sold, 7) AS month FROM read_csv('{till}', all_varchar = true)
        QUALIFY row_number() OVER (PARTITION BY receipt, line ORDER BY version::BIGINT DESC) = 1)
        TO '{parquet}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (month))"""
    script = "import duckdb, sys; duckdb.connect().execute(sys.argv[1])"
    theirs = timed([sys.executable, "-c", script, copy])
    say(f"  {theirs}")

    mine = db.execute("SELECT count(*), sum(quantity * unit_price) FROM read_parquet(?)", [list(files_of(lake, "order_line"))]).fetchone()
    other = db.execute(f"SELECT count(*), sum(qty * price) FROM read_parquet('{parquet}/**/*.parquet')").fetchone()
    if mine != other:
        raise SystemExit(f"the answers differ: saleslake {mine}, DuckDB {other}")
    rows = args.lines + args.lines // 100

    print(f"| landing {rows:,} CSV lines ({size / 2**20:,.0f} MiB), {mine[0]:,} of them different | seconds | lines/s | CPU s | peak MiB |")
    print("|---|--:|--:|--:|--:|")
    print(f"| saleslake, checked, deduplicated, Delta | {ours[0]:.1f} | {rows / ours[0]:,.0f} | {ours[1]:.0f} | {ours[2]:,.0f} |")
    print(f"| DuckDB {duckdb.__version__}, `COPY` to Parquet, deduplicated | {theirs[0]:.1f} | {rows / theirs[0]:,.0f} | {theirs[1]:.0f} | {theirs[2]:,.0f} |")
    print(f"| **ratio** | {ours[0] / theirs[0]:.2f} | | {ours[1] / theirs[1]:.2f} | {ours[2] / theirs[2]:.2f} |")
    print(json.dumps({"ours": ours, "duckdb": theirs}), file=sys.stderr)
    one_line(db, base, root, lake, args.lines)


def one_line(db, base, root, lake, lines):
    """Lands a file with one changed line into a lake that has the others."""
    say("one changed line")
    before = files_of(lake, "order_line")
    changed = root / "changed.csv"
    row = db.execute(f"SELECT * FROM ({LINES.format(lines=lines)}) WHERE receipt = 'R{lines // 6:010d}' AND line = 2").fetchone()
    head = "receipt,line,version,sold,store,article,qty,price\n"
    changed.write_text(head + ",".join(str(v) for v in (*row[:2], int(time.time()), *row[3:7], "1.00")) + "\n")
    one = timed(base + ["ingest", "till", str(changed)])
    after = files_of(lake, "order_line")
    added = sum(size for file, size in after.items() if file not in before)
    (count,) = db.execute("SELECT count(*) FROM read_parquet(?)", [list(after)]).fetchone()
    if count != lines or not added:
        raise SystemExit(f"{count} lines after the change, {added} bytes rewritten")
    print(f"\nOne changed line in {lines:,}: {one[0]:.2f} s, {added / 2**20:,.1f} MiB rewritten of "
          f"{sum(before.values()) / 2**20:,.0f} MiB, peak {one[2]:,.0f} MiB.")



if __name__ == "__main__":
    main()
