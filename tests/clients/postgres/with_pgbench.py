"""pgbench with a report and a query: four connections, in each of the three protocols."""

import re
import subprocess
from pathlib import Path

import programs
from place import equal, holds

SCRIPT = Path(__file__).resolve().parent / "report.sql"
pgbench = base = None


def prepare(tools):
    global pgbench, base
    pgbench, base = programs.program("pgbench", tools)


def checks(place):
    environment = programs.environment(base, place)

    def protocol(mode):
        def check():
            words = [pgbench, "--no-vacuum", f"--file={SCRIPT}", "--client=4", "--jobs=2", "--transactions=5", f"--protocol={mode}"]
            run = subprocess.run(words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
            holds(run.returncode == 0, f"{run.stdout} {run.stderr}")
            equal(re.findall(r"actually processed: (\d+)/(\d+)", run.stdout), [("20", "20")], run.stdout)
            print("        " + re.search(r"tps = [^\n]*", run.stdout).group())

        check.__name__ = mode
        return check

    return [protocol(mode) for mode in ("simple", "extended", "prepared")]
