"""psql: what its backslash commands list, several statements, COPY, results in pieces, Ctrl-C."""

import signal
import subprocess
import time

import programs
from place import ENDED_WITHIN, LARGE, MANY, REPORT, SLOW, equal, holds

psql = base = None


def prepare(tools):
    global psql, base
    psql, base = programs.program("psql", tools)


def checks(place):
    environment = programs.environment(base, place)

    def run(*commands, fails=False, quiet=True, script=None):
        words = [psql, "--no-psqlrc", "--no-password", "-v", "ON_ERROR_STOP=1", *(["-A", "-t", "-q"] if quiet else [])]
        for command in commands:
            words += ["-c", command]
        out = subprocess.run(words, env=environment, input=script or "", capture_output=True, text=True, timeout=60)
        if not fails:
            holds(out.returncode == 0 and "ERROR" not in out.stderr, f"{commands}: {out.stderr.strip()}")
        return out.stderr if fails else out.stdout

    def lists():
        def shows(command, *lines, without=()):
            found = run(command)
            for line in lines:
                holds(any(row.startswith(line) for row in found.splitlines()), f"{command} lacks {line}: {found}")
            for word in without:
                holds(word not in found, f"{command} shows {word}: {found}")

        shows(r"\dv", "main|sales_event|view")
        shows(r"\d", "main|sales_event|view")
        shows(r"\dt base.*", "base|order_line|table", without=["sales_event"])
        shows(r"\dn", "main|", "base|", without=["pg_catalog"])
        shows(r"\l", f"{place.database}|")
        run(r"\dt")
        run(r"\du")
        for command in (
            r"\df",
            r"\dT",
            r"\di",
            r"\dm",
            r"\ds",
            r"\dn+",
            r"\l+",
            r"\dv+",
            r"\dt+ base.*",
            r"\dp sales_event",
            r"\conninfo",
            r"\encoding",
        ):
            run(command)

    def a_view_is_described():
        for command in (r"\d sales_event", r"\d main.sales_event"):
            lines = run(command).splitlines()
            holds(any(line.startswith("net_rc|numeric(18,4)|") for line in lines), f"{command}: {lines}")
            holds(any(line.startswith("business_date|date|") for line in lines), f"{command}: {lines}")
            equal(sum(line.startswith("net_rc|") for line in lines), 1, "the view once")
        more = run(r"\d+ sales_event")
        holds("reporting currency" in more, f"no descriptions: {more}")

    def a_table_is_described():
        shown = run(r"\d base.order_line", quiet=False)
        holds("order_id" in shown and "timestamp with time zone" in shown and "not null" in shown, shown)
        run(r"\d+ base.order_line")
        said = run(r"\d nothing_here", fails=True, quiet=False)
        holds("Did not find any relation" in said, rf"\d nothing_here said {said!r}")

    def statements():
        equal(run("SELECT 1 AS a; SELECT 2 AS b").split(), ["1", "2"], "both, of psql 15 and newer")
        equal(run("SELECT 1", "SELECT 2").split(), ["1", "2"])
        timed = run(r"\timing on", "SELECT 1 AS one", quiet=False)
        holds("Time:" in timed and "(1 row)" in timed, timed)
        equal(run("BEGIN", "SELECT 1", "COMMIT").split(), ["1"])
        equal(run(r"\set day '2026-01-01'", "SELECT 1 WHERE CAST('2026-01-01' AS DATE) >= '2025-01-01'").split(), ["1"])
        wrong = run("SELECT * FROM sales_evnt", fails=True)
        holds("ERROR:" in wrong and "sales_evnt" in wrong, wrong)
        holds("HINT:" in wrong or place.is_reference, f"no hint: {wrong}")
        csv = r"SELECT CAST(NULL AS TEXT) AS nothing, 'a|b' AS t \g (format=csv null=NULL)" + "\n"
        equal(run(script=csv).split(), ["NULL,a|b"])
        holds("net_sales" in run(REPORT, quiet=False), "the report")
        shown = run(script="SELECT channel_id, business_date, net_rc FROM sales_event LIMIT 1 \\gdesc\n")
        equal(shown.split(), ["channel_id|text", "business_date|date", "net_rc|numeric(18,4)"], r"\gdesc")

    def results_in_pieces():
        equal(len(run(r"\set FETCH_COUNT 1000", LARGE).splitlines()), MANY)

    def copy():
        lines = run(r"\copy (SELECT channel_id, net_rc FROM sales_event ORDER BY 1, 2 LIMIT 3) TO STDOUT (FORMAT csv, HEADER)").splitlines()
        equal((lines[0], len(lines)), ("channel_id,net_rc", 4))
        equal(run(r"\copy (SELECT 1 AS a, CAST(NULL AS TEXT) AS b) TO STDOUT csv").strip(), "1,")

    def an_interrupt_cancels():
        started = time.monotonic()
        words = [psql, "--no-psqlrc", "--no-password", "-c", SLOW]
        out = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(1)
        out.send_signal(signal.SIGINT)
        _, error = out.communicate(timeout=30)
        holds("cancel" in error.lower(), error)
        holds(time.monotonic() - started < 1 + ENDED_WITHIN, "the cancel took too long")

    return [lists, a_view_is_described, a_table_is_described, statements, results_in_pieces, copy, an_interrupt_cancels]
