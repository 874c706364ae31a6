"""Reports in saleslake beside DuckDB, Polars, ClickHouse (chdb) and DataFusion, over the same files in one run.

    python benches/compare.py --lines 30000000 --lake DIR [--binary PATH] [--engines saleslake,duckdb,…] [--reports id,…] [--calls 15] [--out DIR]

A development-time tool; it needs the packages of compare/requirements.txt (an engine that is not installed is told and left out). Steps:

1. Three years of a retailer's sales, returns and dimensions (compare/generate.py) are generated and landed by `saleslake ingest` into DIR,
   unless a run before has; a lake is of one number of lines.
2. The rollups are made current. `saleslake serve`, its result cache off, answers over one kept connection, as Arrow streams that are timed to
   their last byte. Each peer answers the SQL of compare/sql in a process of its own, to an Arrow table: over the lake's own active Parquet
   files, duckdb-native over a DuckDB file made from them in their order. All have the same number of threads, one works at a time.
3. Of every report one untimed call, then --calls timed ones, each with other months, channels and grains (compare/asks.py); for each call the
   engines take turns.
4. The untimed and the first --checked timed answers are compared with saleslake's, row by row: a difference fails the run, at its end.
5. A Markdown table on standard output; the same, all times and a chart in --out. Progress goes to standard error.
"""

import argparse
import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "compare"))
sys.dont_write_bytecode = True

import agree  # noqa: E402
import asks  # noqa: E402
import tell  # noqa: E402
from lake import Lake, Server  # noqa: E402
from peers import ENGINES, Peer  # noqa: E402


def note(text):
    print(text, file=sys.stderr, flush=True)


def measure(question, calls, checked, server, peers):
    """A report's figures: times per engine in milliseconds, which rollup answered, who cannot, and what differs."""
    times = {engine: [] for engine in (["saleslake"] if server else []) + list(peers)}
    cannot, differs, rollups, rows = {}, [], [], 0
    for number, call in enumerate(calls):
        timed, mine = number > 0, None
        if server:
            try:
                seconds, body = server.ask(question.id, call.ours)
            except RuntimeError as error:
                cannot["saleslake"] = str(error)
                break
            if timed:
                times["saleslake"].append(seconds * 1000)
            if number <= checked:
                mine = agree.ours(question, agree.table(body))
                rows = max(rows, len(mine))
                rollups.append(server.rollup(question.id, call.ours))
        for engine, peer in peers.items():
            if engine in cannot:
                continue
            seconds, answer = peer.ask(question.sql, call.sql, call.slices)
            if seconds is None:
                cannot[engine] = " ".join(answer.split())[:240]
                times[engine] = []
                continue
            if timed:
                times[engine].append(seconds * 1000)
            if mine is None and number <= checked:
                mine = agree.rows_of(agree.table(answer))  # without saleslake: the first engine's
            elif number <= checked:
                differs += [f"{question.id}, {engine}, {call.ours}: {d}" for d in agree.differences(question, mine, agree.table(answer))]
    times = {engine: list_ for engine, list_ in times.items() if list_}
    return {"id": question.id, "rollup": one_of(rollups), "rows": rows, "ms": times, "cannot": cannot, "differs": differs,
            "calls": [c.ours for c in calls]}


def one_of(rollups):
    """What answered, of what each call says: `partly` where it is not always the same."""
    different = list(dict.fromkeys(rollups)) or ["-"]
    if len(different) == 1:
        return different[0]
    names = dict.fromkeys(name for r in different if r != "-" for name in r.removeprefix("partly ").split(", "))
    return ("" if not any(r == "-" or r.startswith("partly") for r in different) else "partly ") + ", ".join(names)


def options():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--lines", type=int, default=3_000_000)
    args.add_argument("--lake", type=Path, help="folder of the landed lake, kept [default: /tmp/saleslake-compare-LINES]")
    args.add_argument("--binary", type=Path, default=HERE.parent / "target" / "debug" / "saleslake")
    args.add_argument("--engines", default=",".join(["saleslake", *ENGINES]))
    args.add_argument("--reports", default="", help="some reports, by id [default: all of compare/sql]")
    args.add_argument("--calls", type=int, default=15)
    args.add_argument("--checked", type=int, default=3, help="timed calls whose answers are compared, beside the untimed one")
    args.add_argument("--threads", type=int, default=os.cpu_count())
    args.add_argument("--seed", type=int, default=1, help="of the parameters; the data's is fixed")
    args.add_argument("--server", help="URL of a server over the same lake that runs already, with its cache off")
    args.add_argument("--set", action="append", default=[], help="passed on to saleslake")
    args.add_argument("--then", action="append", default=[], help="a saleslake command after landing, such as 'lake doctor'")
    args.add_argument("--patience", type=int, default=600, help="seconds after which a peer is given up")
    args.add_argument("--beside", type=Path, help="compare.json of a run over fewer lines, for growth")
    args.add_argument("--out", type=Path, help="where the table, JSON and chart go [default: the lake's folder]")
    return args.parse_args()


def main():
    opt = options()
    root = (opt.lake or Path(f"/tmp/saleslake-compare-{opt.lines}")).resolve()
    root.mkdir(parents=True, exist_ok=True)
    engines = opt.engines.split(",")
    unknown = set(engines) - {"saleslake", *ENGINES}
    if unknown:
        sys.exit(f"no engine {', '.join(sorted(unknown))}")
    questions = asks.questions([r for r in opt.reports.split(",") if r])

    lake = Lake(root, opt.binary.resolve(), opt.set, note)
    account = lake.land(opt.lines, opt.then)
    refreshed = lake.refresh() if "saleslake" in engines and not opt.server else None
    folders, size, files = lake.files()
    native = root / f"native-{files}.duckdb"
    for old in root.glob("native-*.duckdb*"):
        if not old.name.startswith(native.name):
            old.unlink()  # made from other files
    server, peers, found = None, {}, []
    try:
        for engine in (e for e in engines if e != "saleslake"):
            note(f"preparing {engine}")
            peer = Peer(engine, folders, opt.threads, native, opt.patience)
            if peer.gone:
                note(f"{engine} is left out: {peer.gone}")
            else:
                peers[engine] = peer
        if "saleslake" in engines:
            server = Server(lake, opt.threads, opt.server)
        for question in questions:
            calls = asks.calls(question, opt.calls + 1, opt.seed)
            found.append(measure(question, calls, opt.checked, server, peers))
            last = found[-1]
            shown = ", ".join(f"{e} {tell.ms(tell.middle(t))}" for e, t in last["ms"].items())
            note(f"{question.id} ({last['rollup']}): {shown}; load {os.getloadavg()[0]:.1f}")
            for line in [f"{e} cannot: {why}" for e, why in last["cannot"].items()] + last["differs"]:
                note(f"  {line}")
    finally:
        peak = server.peak() if server else None
        for each in [*peers.values(), *([server] if server else [])]:
            each.close()

    result = {"lines": account["lines"], "bytes": size, "threads": opt.threads, "calls": opt.calls, "landing_seconds": account["seconds"], "rollup_seconds": refreshed,
              "engines": [e for e in engines if e == "saleslake" or e in peers], "versions": {e: p.version for e, p in peers.items()},
              "server_peak_mib": peak, "load": os.getloadavg()[0], "reports": found}
    tell.write(opt.out or root, result)
    print(f"{account['lines']:,} order lines, {size / 2**20:,.0f} MiB of Parquet, {opt.threads} threads, p50 of {opt.calls} calls in milliseconds; "
          + ", ".join(f"{e} {v}" for e, v in result["versions"].items()) + (f"; the server's peak {peak:,.0f} MiB" if peak else "") + ".\n")
    print(tell.markdown(result))
    print("\n".join(tell.aims(result) + (tell.grown(result, json.loads(opt.beside.read_text())) if opt.beside else [])))
    differs = [d for r in found for d in r["differs"]]
    if differs:
        print(f"\n{len(differs)} answers differ:\n" + "\n".join(differs[:40]))
    unanswered = [r["id"] for r in found if "saleslake" in r["cannot"]]
    if unanswered:
        print(f"\nsaleslake does not answer {', '.join(unanswered)}")
    sys.exit(1 if differs or unanswered else 0)


if __name__ == "__main__":
    main()
