"""One run of wrk over a list of URLs, and what came of it. It must not know what is asked."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

REFUSED = (429, 503)
# A thread has one connection, so what is measured between `request` and `response` is of one request. Each thread writes a file of its own, which
# is whole when wrk has ended: a line per answer, its status and microseconds.
SCRIPT = """
local ffi = require("ffi")
ffi.cdef[[ typedef struct { long s; long ns; } moment; int clock_gettime(int, moment *); ]]
local moment, urls, threads, at, out, asked, pause = ffi.new("moment"), {%(urls)s}, {}, 0, nil, 0, 0
local function now() ffi.C.clock_gettime(1, moment); return tonumber(moment.s) * 1e6 + tonumber(moment.ns) / 1e3 end
function setup(thread) table.insert(threads, thread); thread:set("place", #threads) end
function init(args)
    at = math.floor((place - 1) * #urls / %(clients)d)
    out = io.open("%(folder)s/" .. place, "w")
end
function delay() return pause end
function request()
    local url = urls[at %% #urls + 1]
    at, asked, pause = at + 1, now(), 0
    return wrk.format("GET", url)
end
function response(status, headers, body)
    out:write(status, " ", math.floor(now() - asked), "\\n")
    if status ~= 200 then pause = (tonumber(headers["retry-after"]) or 0) * 1000 end
end
function done(summary, latency, requests)
    local e = summary.errors
    io.stderr:write(summary.duration, " ", summary.bytes, " ", e.connect + e.read + e.write, " ", e.timeout, "\\n")
end
"""


class Wrk:
    """One wrk with `clients` connections that walk `urls`."""

    def __init__(self, server, urls, clients, seconds):
        self.clients, self.folder = clients, tempfile.TemporaryDirectory(prefix="saleslake-load-")
        values = {"urls": ", ".join(json.dumps(u) for u in urls), "clients": clients, "folder": self.folder.name}
        script = Path(self.folder.name, "walk.lua")
        script.write_text(SCRIPT % values)
        self.process = subprocess.Popen(
            ["wrk", "-t", str(clients), "-c", str(clients), "-d", f"{seconds}s", "--timeout", "600s", "-s", str(script),
             f"http://{server.host}:{server.port}"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def ended(self):
        """What came of it: times in milliseconds."""
        said = self.process.stderr.read()
        _, status, used = os.wait4(self.process.pid, 0)
        self.process.returncode = status
        try:
            micros, size, broken, late = map(int, said.split()[-4:])
        except ValueError:
            status = status or 1
        if status:
            sys.exit(f"wrk failed: {said[-2000:]}")
        statuses, times, each = Counter(), [], []
        for place in range(1, self.clients + 1):
            answers = [line.split() for line in Path(self.folder.name, str(place)).read_text().splitlines()]
            statuses.update(int(status) for status, _ in answers)
            mine = [int(took) / 1000 for status, took in answers if status == "200"]
            times += mine
            each.append(len(mine))
        self.folder.cleanup()
        times.sort()
        refused = sum(statuses[s] for s in REFUSED)
        return {"clients": self.clients, "seconds": micros / 1e6, "answers": len(times), "per_second": len(times) / (micros / 1e6),
                "p50_ms": percentile(times, 0.5), "p99_ms": percentile(times, 0.99), "worst_ms": percentile(times, 1), "refused": refused,
                "statuses": dict(statuses), "broken": broken + late, "errors": sum(statuses.values()) - len(times) - refused,
                "fewest": min(each), "most": max(each), "unanswered_clients": each.count(0), "mib_per_second": size / 2**20 / (micros / 1e6),
                "wrk_cpu_seconds": used.ru_utime + used.ru_stime}


def percentile(values, part):
    return values[min(len(values) - 1, int(len(values) * part))] if values else None
