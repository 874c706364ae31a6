"""A command from its start to its end, and what it took. It must not know what the command does."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def measured(lake, *words):
    """A saleslake command's seconds, CPU seconds, peak MiB, bytes read (all, and from the disk) and what it printed."""
    with tempfile.TemporaryFile("w+") as out:
        began = time.monotonic()
        child = subprocess.Popen(lake.command(*words), cwd=lake.root, stdout=out, stderr=subprocess.STDOUT)
        peak, place = 0, Path("/proc", str(child.pid))
        # It is left as it ended until its counters are read. ru_maxrss would be this process's, from which it was forked.
        while not os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            told = (place / "status").read_text().partition("VmHWM:")[2].split()
            peak = max(peak, int(told[0]) if told else 0)
            time.sleep(0.02)
        seconds = time.monotonic() - began
        counters = dict(line.split(": ") for line in (place / "io").read_text().splitlines())
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = status
        out.seek(0)
        said = out.read()
    if status:
        sys.exit(f"saleslake {' '.join(words[:2])} failed ({status}):\n{said[-4000:]}")
    return {"seconds": seconds, "cpu_seconds": used.ru_utime + used.ru_stime, "peak_mib": peak / 1024, "read_bytes": int(counters["rchar"]),
            "disk_read_bytes": int(counters["read_bytes"]), "said": said}
