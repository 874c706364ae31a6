"""What it costs to keep rollups current: a day's late rows in a large lake, and landing with rollups on and off.

    python benches/freshness.py --lake DIR [--lines 50000000] [--binary PATH] [--seconds 60] [--parts late,stream] [--out DIR]

A development-time tool; it needs the packages of compare/requirements.txt. DIR is a lake that benches/compare.py landed, or becomes one of --lines.
It stays as it is: all happens in copies below DIR, whose data files are hard links, and which are deleted at the end. Two parts:

late    1. `saleslake rollup refresh` makes all rollups anew in a copy without any: what a refresh of the whole would cost.
        2. As many orders as the 15th of the --months-ago'th month before the end has, with new numbers, of that day, are landed by `saleslake ingest`.
        3. `saleslake rollup refresh` again, in a process of its own: its seconds and what it tells per rollup and month, the bytes of new files in
           the rollups' folders, what it read (rchar: through read calls, from the page cache, too; read_bytes: from the disk) and its peak memory.
        4. Reports over that day and its month are asked with engine.rollups on and off: they must agree, and have the new orders, or the run fails.
stream  A new, small lake, `serve` over it, and `saleslake ingest` of one file of 100,000 lines, a week each, after the other for --seconds: once with
        engine.rollups=true, when the server refreshes in the background, and once with false. Lines per second to the end of the last ingest,
        processes' starts included, which are the same in both; CPU of the server; and how long after the last commit `saleslake rollup list`
        told of no month that is not current (it looks about twice a second, and is work itself). Every line must be there at the end.

Peak memory is VmHWM, looked at every 20 ms. Markdown on standard output; the same as freshness.json in --out. Progress goes to standard error.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "compare"))
sys.dont_write_bytecode = True

import numpy as np  # noqa: E402
import pyarrow.compute as pc  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

import agree  # noqa: E402
import asks  # noqa: E402
import generate  # noqa: E402
import tell  # noqa: E402
from lake import FOLDERS, Lake, Server  # noqa: E402
from peers import moved  # noqa: E402
from process import measured  # noqa: E402

LATE_ORDERS = 5_000_000_000  # the first number of a late order: no other has it
FILE, WEEKS = 100_000, generate.DAYS // 7  # lines of a file of the stream, about, and as many files as there are
CHECKED = {"sales-summary": {}, "sales-over-time": {"grain": "day"}, "sales-by-channel": {}, "sales-by-product": {},
           "sales-weekday-hour": {"include_zero": "false"}}
PATIENCE = 300  # seconds until rollups are current


def note(text):
    print(text, file=sys.stderr, flush=True)


def refreshed(lake):
    """`rollup refresh`: what it took, the bytes of the files it made, and per rollup the months that have rows."""
    before = rollup_files(lake)
    told = lake.root / "refreshed.json"
    took = measured(lake, "rollup", "refresh", "--format", "json", "--output", str(told))
    new = {file: size for file, size in rollup_files(lake).items() if file not in before}
    months = json.loads(told.read_text())["rows"]
    for month in months:
        month["seconds"] = float(month["seconds"])
    del took["said"]
    return took | {"written_bytes": sum(new.values()), "files": len(new), "months": months,
                   "data_bytes": sum(size for file, size in new.items() if "_delta_log" not in file.parts)}


def rollup_files(lake):
    return {file: file.stat().st_size for folder in lake.folder.glob("rollup_*") for file in folder.rglob("*") if file.is_file()}


def copy(lake, root, extra):
    """A lake without rollups: files of data never change, and are linked; all others are copied."""
    def link(source, target):
        (os.link if source.endswith(".parquet") else shutil.copy2)(source, target)
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    shutil.copytree(lake.folder, root / "lake", copy_function=link, ignore=shutil.ignore_patterns("rollup_*"))
    return Lake(root, lake.binary, extra, note)


def asked(lake, opt, day, rollups):
    """(report, window) → the Arrow answer, and what the receipts say of rollups."""
    month = day.replace(day=1)
    windows = {"day": (day, day + timedelta(days=1)), "month": (month, moved(month, 1, "m"))}
    server = Server(lake, opt.threads, settings=("engine.result_cache_mb=0", f"engine.rollups={str(rollups).lower()}"))
    try:
        found, by = {}, {}
        for report, params in CHECKED.items():
            for name, (begin, end) in windows.items():
                params = params | {"from": str(begin), "to": str(end)}
                found[report, name] = agree.table(server.ask(report, params)[1])
                by[report, name] = server.rollup(report, params)
        return found, by
    finally:
        server.close()


def late(base, asked_lines, opt):
    """The part `late`."""
    world = generate.World(asked_lines)
    day = moved(generate.END, -opt.months_ago, "m").replace(day=15)
    number = (day - generate.FIRST).days
    count = int(world.day_ends[number] - world.day_ends[number - 1])
    rows, _ = generate.sold(world, LATE_ORDERS, count, np.full(count, number))
    kept = rows.filter((pc.field("status") == "completed") & (pc.field("test") == "false") & (pc.field("type") != "quote"))
    lake = copy(base, base.root / "freshness", opt.set)
    try:
        note("all rollups anew")
        anew = refreshed(lake)
        before, _ = asked(lake, opt, day, True)
        file = lake.root / "late.parquet"
        pq.write_table(rows, file, compression="zstd")
        note(f"{rows.num_rows:,} late lines of {day}")
        landed = measured(lake, "ingest", "cmp_sales", str(file))
        note("what became old")
        again = refreshed(lake)
        idle = refreshed(lake)
        on, by = asked(lake, opt, day, True)
        off, scanned = asked(lake, opt, day, False)
    finally:
        shutil.rmtree(lake.root)
    questions = {q.id: q for q in asks.questions(list(CHECKED))}
    wrong = [f"{report}, {name}: {d}" for (report, name), answer in on.items()
             for d in agree.differences(questions[report], agree.rows_of(answer), off[report, name])]
    wrong += [f"{report}, {name}: no rollup answers all of it ({by[report, name]})" for report, name in on if by[report, name].startswith(("-", "partly"))]
    wrong += [f"{report}, {name}: a rollup answers though they are off" for report, name in off if scanned[report, name] != "-"]
    orders = [a["sales-summary", "day"].column("orders")[0].as_py() for a in (before, on)]
    if orders[1] - orders[0] != pc.count_distinct(kept["order_no"]).as_py():
        wrong.append(f"{day} had {orders[0]:,} orders, and {orders[1]:,} after {pc.count_distinct(kept['order_no']).as_py():,} more landed")
    del landed["said"]
    return {"day": str(day), "late_lines": rows.num_rows, "ingest": landed, "anew": anew, "late": again, "idle": idle, "wrong": wrong}


def stream(opt):
    """The part `stream`: a row with rollups on and one with them off."""
    world, rows, wrong = generate.World(FILE * WEEKS), [], []
    with tempfile.TemporaryDirectory(prefix="saleslake-freshness-") as folder:
        raw, per, files = Path(folder, "raw"), world.orders // WEEKS, []
        (raw / "dimensions").mkdir(parents=True)
        generate.dimensions(world, raw / "dimensions")
        note("generating files")
        for number in range(min(opt.files or 2 * opt.seconds + 2, WEEKS)):
            day = np.searchsorted(world.day_ends, np.arange(number * per, (number + 1) * per), "right")
            table, _ = generate.sold(world, number * per, per, day)
            pq.write_table(table, raw / f"{number:03}.parquet", compression="zstd")
            files.append((raw / f"{number:03}.parquet", table.num_rows))
        for rollups in ("true", "false"):
            note(f"landing for {opt.seconds} s, engine.rollups={rollups}")
            root = Path(folder, rollups)
            lake = Lake(root, opt.binary.resolve(), [*opt.set, f"engine.rollups={rollups}"], note)
            for source, place in FOLDERS.items():
                if place.endswith(".parquet"):
                    lake.run("ingest", source, str(raw / place))
            lake.run("ingest", "cmp_sales", str(files[0][0]))
            server = Server(lake, opt.threads)
            try:
                current(lake, rollups)
                lines, landed, cpu, began = 0, 1, server.cpu(), time.monotonic()
                while landed < len(files) and time.monotonic() - began < opt.seconds:
                    lake.run("ingest", "cmp_sales", str(files[landed][0]))
                    lines, landed = lines + files[landed][1], landed + 1
                seconds, busy = time.monotonic() - began, server.cpu() - cpu
                after = current(lake, rollups)
                rows.append({"rollups": rollups, "files": landed - 1, "lines": lines, "seconds": seconds, "lines_per_second": lines / seconds,
                             "server_cpu_seconds": busy, "server_cpu_seconds_to_current": server.cpu() - cpu, "current_after_seconds": after,
                             "server_peak_mib": server.peak(), "ran_out": seconds < opt.seconds})
            finally:
                server.close()
            if lake.rows("order_line") != lines + files[0][1]:
                wrong.append(f"engine.rollups={rollups}: {lines + files[0][1]:,} lines were landed, {lake.rows('order_line'):,} are there")
            if after is None and rollups == "true":
                wrong.append(f"rollups were not current {PATIENCE} s after the last commit")
    return {"rows": rows, "wrong": wrong}


def current(lake, rollups):
    """Seconds until the rollups of sales are current; `None`: they are off, or are not for too long. Those of tables without rows never are."""
    began = time.monotonic()
    while rollups == "true" and time.monotonic() - began < PATIENCE:
        kept = json.loads(lake.run("rollup", "list", "--format", "json")[1])["rows"]
        if not any(r["not_current"] for r in kept if r["view"] == "sales_event"):
            return time.monotonic() - began
        time.sleep(0.1)
    return None


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--lines", type=int, default=50_000_000, help="of a lake that is not there yet")
    args.add_argument("--lake", type=Path, help="folder of the landed lake, kept [default: /tmp/saleslake-compare-LINES]")
    args.add_argument("--binary", type=Path, default=HERE.parent / "target" / "debug" / "saleslake")
    args.add_argument("--parts", default="late,stream")
    args.add_argument("--months-ago", type=int, default=5)
    args.add_argument("--seconds", type=int, default=60, help="of the stream, with rollups and without")
    args.add_argument("--files", type=int, help="of the stream at most [default: about two a second]")
    args.add_argument("--threads", type=int, default=os.cpu_count(), help="of the server's engine")
    args.add_argument("--set", action="append", default=[], help="passed on to saleslake")
    args.add_argument("--out", type=Path, help="where freshness.json goes [default: the lake's folder]")
    opt = args.parse_args()
    parts = opt.parts.split(",")
    if set(parts) - {"late", "stream"}:
        sys.exit("parts are late and stream")
    root = (opt.lake or Path(f"/tmp/saleslake-compare-{opt.lines}")).resolve()
    root.mkdir(parents=True, exist_ok=True)
    result = {"threads": opt.threads, "load": os.getloadavg()[0]}
    if "late" in parts:
        base = Lake(root, opt.binary.resolve(), opt.set, note)
        account = base.land(json.loads(base.account.read_text())["asked"] if base.account.exists() else opt.lines, [])
        result |= {"lines": account["lines"], "late": late(base, account["asked"], opt)}
        print(f"{account['lines']:,} order lines, {opt.threads} threads, load before {result['load']:.1f}.\n")
        print(tell.late(result["late"]), flush=True)
    if "stream" in parts:
        result["stream"] = stream(opt)
        print(tell.stream(result["stream"]))
    out = opt.out or root
    out.mkdir(parents=True, exist_ok=True)
    (out / "freshness.json").write_text(json.dumps(result, indent=1) + "\n")
    wrong = [w for part in parts for w in result[part]["wrong"]]
    if wrong:
        sys.exit(f"\n{len(wrong)} faults:\n" + "\n".join(wrong[:40]))


if __name__ == "__main__":
    main()
