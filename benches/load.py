"""HTTP load on saleslake: requests/s, p50, p99, refusals and peak memory at 1, 8 and 64 clients, by what has to be done for an answer.

    python benches/load.py --lake DIR [--binary PATH] [--seconds 15] [--kinds cached,rollup,scan,mixed] [--clients 1,8,64] [--out DIR]

A development-time tool; it needs `wrk` (Debian and Ubuntu: apt-get install wrk; else https://github.com/wg/wrk) and the packages of
compare/requirements.txt. DIR is a lake that benches/compare.py landed. Steps:

1. The rollups are made current: the lake is written to. Calls of --cheap and --heavy reports are drawn as compare.py draws them (compare/asks.py),
   and each is asked once: a cheap one whose receipt does not say that rollups answered all of it, or a heavy one that a rollup helped, is left out,
   and told.
2. Per kind a server of its own, so that its peak memory is that kind's, and one untimed call of each report. Then for each number of clients wrk
   for --seconds: one connection a client, which asks its next URL when its last is answered, each starting elsewhere in the list.
       cached   one URL, the result cache on as it is by default      scan   the heavy calls, the cache off
       rollup   the cheap calls, the cache off                        mixed  half of the clients cheap, the other half heavy, at once, the cache off
3. A Markdown table on standard output; the same as load.json in --out. Progress goes to standard error.

Times are taken in wrk's script, per connection and status, from the request to the answer's last byte, of answers with 200 alone: wrk's own histogram
counts refusals as fast answers and adds what it thinks that slow ones kept back. A client that is refused waits as long as Retry-After says. What is
unfinished when the time is over is not counted, but told, as clients that got no answer at all. wrk has its part of the same cores. Any status but
200, 429 and 503 and any broken connection fails the run, at its end.
"""

import argparse
import json
import os
import random
import shutil
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "compare"))
sys.dont_write_bytecode = True

import asks  # noqa: E402
from lake import Lake, Server  # noqa: E402
from wrk import Wrk  # noqa: E402

KINDS = ["cached", "rollup", "scan", "mixed"]
CHEAP = "sales-over-time,sales-by-channel,sales-weekday-hour,sales-summary,sales-by-region"
HEAVY = "basket-size-distribution,cohort-retention,top-customers"


def note(text):
    print(text, file=sys.stderr, flush=True)


def url(report, params):
    return f"/api/v1/reports/{report}/run?" + urlencode({"format": "json", **params})


def drawn(server, reports, count, seed, cheap):
    """Report → URLs of calls that are answered as they should be: by rollups alone (`cheap`), or without any."""
    found = {}
    for question in asks.questions(reports):
        for call in asks.calls(question, count, seed):
            rollup = server.rollup(question.id, call.ours)
            if (not rollup.startswith(("-", "partly"))) if cheap else rollup == "-":
                found.setdefault(question.id, []).append(url(question.id, call.ours))
        left = count - len(found.get(question.id, []))
        if left:
            note(f"{question.id}: {left} of {count} calls left out, {'not of rollups alone' if cheap else 'a rollup helped'}")
    if not found:
        sys.exit(f"none of {', '.join(reports)} is " + ("answered by rollups alone" if cheap else "answered without rollups"))
    return found


def idle(server):
    """Waits until the server has put away what wrk broke off at its end."""
    for _ in range(60):
        before = server.cpu()
        time.sleep(0.5)
        if server.cpu() - before < 0.05:
            return
    note("the server does not become idle")


def load(lake, kind, lists, levels, opt):
    """The rows of one kind, from one server."""
    settings = () if kind == "cached" else ("engine.result_cache_mb=0",)
    shapes = {"cached": [("cached", "cheap", 1)], "rollup": [("rollup", "cheap", 1)], "scan": [("scan", "heavy", 1)],
              "mixed": [("mixed: cheap", "cheap", 2), ("mixed: heavy", "heavy", 2)]}[kind]
    rows, server = [], Server(lake, opt.threads, settings=settings)
    try:
        for _, which, _ in shapes:
            for urls in lists[which].values():
                server.get(urls[0])
        start = server.peak()
        for clients in levels:
            if any(clients < share for _, _, share in shapes):
                continue
            before, running = server.cpu(), []
            for name, which, share in shapes:
                urls = [u for of_report in lists[which].values() for u in of_report]
                if kind == "cached":
                    urls = urls[:1]
                random.Random(opt.seed).shuffle(urls)
                running.append((name, Wrk(server, urls, clients // share, opt.seconds)))
            found = [{"kind": name, "of": clients, **wrk.ended()} for name, wrk in running]
            if server.process.poll() is not None:
                sys.exit(f"the server ended: see {server.log.name}")
            for row in found:
                row |= {"peak_mib": server.peak(), "start_mib": start, "server_cpu_seconds": server.cpu() - before}
                note(f"{row['kind']}, {row['clients']} clients: {row['per_second']:,.1f}/s; {row['statuses']}; peak {row['peak_mib']:,.0f} MiB; "
                     f"load {os.getloadavg()[0]:.1f}")
            rows += found
            idle(server)
    finally:
        server.close()
    return rows


def markdown(rows):
    lines = ["| kind | clients | answers/s | p50 ms | p99 ms | worst ms | refused (429, 503) | errors | answers per client, fewest – most | peak MiB |",
             "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for r in rows:
        times = (f"{r[t]:,.1f}" if r[t] is not None else "–" for t in ("p50_ms", "p99_ms", "worst_ms"))
        clients = f"{r['clients']}" + (f" of {r['of']}" if r["of"] != r["clients"] else "")
        refused = f"{r['refused']:,}" + (f" ({r['refused'] / (r['refused'] + r['answers']):.0%})" if r["refused"] else "")
        lines.append(f"| {r['kind']} | {clients} | {r['per_second']:,.1f} | {' | '.join(times)} | {refused} | {r['errors'] + r['broken']:,} "
                     f"| {r['fewest']:,} – {r['most']:,} | {r['peak_mib']:,.0f} |")
    return "\n".join(lines)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--lake", type=Path, required=True, help="a folder that benches/compare.py filled")
    args.add_argument("--binary", type=Path, default=HERE.parent / "target" / "debug" / "saleslake")
    args.add_argument("--seconds", type=int, default=15, help="per kind and number of clients")
    args.add_argument("--kinds", default=",".join(KINDS))
    args.add_argument("--clients", default="1,8,64", help="in this order, which should be a rising one: peak memory is so far")
    args.add_argument("--cheap", default=CHEAP, help="reports that rollups answer")
    args.add_argument("--heavy", default=HEAVY, help="reports that scan")
    args.add_argument("--calls", type=int, default=12, help="ways to ask each report")
    args.add_argument("--threads", type=int, default=os.cpu_count(), help="of the server's engine")
    args.add_argument("--seed", type=int, default=1, help="of the parameters")
    args.add_argument("--set", action="append", default=[], help="passed on to saleslake, such as engine.queued=16")
    args.add_argument("--out", type=Path, help="where load.json goes [default: the lake's folder]")
    opt = args.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is not there: apt-get install wrk, or build https://github.com/wg/wrk")
    kinds, levels, root = opt.kinds.split(","), [int(c) for c in opt.clients.split(",")], opt.lake.resolve()
    if set(kinds) - set(KINDS):
        sys.exit(f"kinds are {', '.join(KINDS)}")
    if not (root / "landed.json").exists():
        sys.exit(f"{root} has no lake of benches/compare.py")

    lake = Lake(root, opt.binary.resolve(), opt.set, note)
    lake.refresh()
    _, config = lake.run("config")
    doors = {line.split()[0]: line.split()[1] for line in config.splitlines() if line.strip().startswith("engine.")}
    server = Server(lake, opt.threads)
    try:
        lists = {"cheap": drawn(server, opt.cheap.split(","), opt.calls, opt.seed, True)} if set(kinds) - {"scan"} else {}
        lists |= {"heavy": drawn(server, opt.heavy.split(","), opt.calls, opt.seed, False)} if {"scan", "mixed"} & set(kinds) else {}
    finally:
        server.close()
    rows = [row for kind in kinds for row in load(lake, kind, lists, levels, opt)]

    lines = json.loads(lake.account.read_text())["lines"]
    out = opt.out or root
    out.mkdir(parents=True, exist_ok=True)
    result = {"lines": lines, "threads": opt.threads, "cores": os.cpu_count(), "seconds": opt.seconds, "engine": doors, "urls": lists, "rows": rows}
    (out / "load.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"{lines:,} order lines, {opt.threads} threads, {os.cpu_count()} cores for the server and wrk, {opt.seconds} s each; at most "
          f"{doors['engine.concurrent']} queries run and {doors['engine.queued']} wait (engine.concurrent, engine.queued), the next is refused with 429; "
          f"cheap: {', '.join(lists.get('cheap', []))}; heavy: {', '.join(lists.get('heavy', []))}.\n")
    print(markdown(rows))
    none = sum(r["unanswered_clients"] for r in rows)
    if none:
        print(f"\n{none} clients got no answer within {opt.seconds} s.")
    sys.exit(1 if any(r["errors"] or r["broken"] for r in rows) else 0)


if __name__ == "__main__":
    main()
