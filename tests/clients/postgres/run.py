"""A PostgreSQL client against a running server: python run.py CLIENT [HOST PORT [user=NAME] [password=WORD] [database=NAME] [tls=on]]

CLIENT is one of psycopg, asyncpg, pg8000, sqlalchemy, adbc, odbc, node, jdbc, psql, pgbench; or `replay TOOL`, which sends what a BI tool
sends when it connects and reads the schema (../replay); or `replay-flight TOOL`, which does so over Flight SQL. The server must hold the
sample data. Every check is named on standard output; the failed ones say why. Without HOST the script only installs what the client needs
(tests/servers/install.py); once that is there, no network is needed.
Exit codes: 0 all checks hold, 69 cannot be installed here, 1 anything else.
This script must not change anything on the server, and it must not name one client's ways to another: each is a module of its own.
"""

import importlib
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # importing must leave nothing in the repository
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / "servers"), str(HERE.parent / "replay")]
from install import enter_python, fail, tools_folder  # noqa: E402
from place import Place, run_checks  # noqa: E402

PYTHON = {  # modules that run in the virtual environment of requirements.txt
    "psycopg": "with_psycopg",
    "asyncpg": "with_asyncpg",
    "pg8000": "with_pg8000",
    "sqlalchemy": "with_sqlalchemy",
    "adbc": "with_adbc",
    "odbc": "with_odbc",
    "replay": "replay",
    "replay-flight": "replay_flight",
}
PROGRAMS = {"node": "with_node", "jdbc": "with_jdbc", "psql": "with_psql", "pgbench": "with_pgbench"}


def main():
    words = sys.argv[1:]
    clients = "|".join(f"{name} TOOL" if name.startswith("replay") else name for name in PYTHON | PROGRAMS)
    if not words or words[0] not in PYTHON | PROGRAMS:
        fail(f"usage: python run.py {clients} [HOST PORT [user=NAME] [password=WORD] [database=NAME] [tls=on]]")
    client = words.pop(0)
    tool = [words.pop(0)] if client.startswith("replay") and words else []
    if client in PYTHON:
        enter_python(tools_folder(), HERE / "requirements.txt")
    module = importlib.import_module((PYTHON | PROGRAMS)[client])
    if hasattr(module, "prepare"):
        module.prepare(tools_folder())
    if not words:
        return
    if len(words) < 2:
        fail("give HOST and PORT, or neither")
    place = Place.parse(words)
    name = " ".join([client, *tool])
    sys.exit(run_checks(name, module.checks(place, *tool)))


if __name__ == "__main__":
    main()
