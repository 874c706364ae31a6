"""Finds psql and pgbench, or gets them from Debian's packages without installing a server, which would start one.

psql is in postgresql-client-N, pgbench in postgresql-N (bookworm and later) or postgresql-contrib. Packages are unpacked below the tools'
folder: nothing of the machine changes.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from install import UNAVAILABLE, fail, install

HOMES = ["/usr/lib/postgresql", "/usr/pgsql"]


def found(program):
    """The newest version's own program: Debian's /usr/bin/psql is a script around it."""
    homes = sorted(
        (int(p.parent.parent.name), p) for h in HOMES for p in Path(h).glob(f"*/bin/{program}") if p.parent.parent.name.isdigit()
    )
    return str(homes[-1][1]) if homes else shutil.which(program)


def program(name, tools):
    """Where the program is, and the environment that it needs."""
    if path := found(name):
        return path, dict(os.environ)
    home = tools / "postgresql-programs"
    needs = f"{name} on the PATH, or apt-get with Debian's packages (after `apt-get update`)"
    unpack = (
        f"set -e; cd '{home}'; apt-get download -q libpq5 {' '.join(packages(needs))}; for p in *.deb; do dpkg -x $p root; done; rm *.deb"
    )
    install(home, "psql and pgbench", needs, ["sh", "-c", unpack])
    inside = sorted(home.glob(f"root/usr/lib/postgresql/*/bin/{name}"))
    if not inside:
        fail(f"{name} is not in the packages of {home}; it needs {needs}", UNAVAILABLE)
    libraries = ":".join(str(p) for p in home.glob("root/usr/lib/*-linux-gnu"))
    return str(inside[-1]), os.environ | {"LD_LIBRARY_PATH": libraries}


def packages(needs):
    try:
        run = subprocess.run(["apt-cache", "depends", "postgresql", "postgresql-client"], capture_output=True, text=True)
    except OSError as error:
        fail(f"psql and pgbench are not here: {error.strerror}; it needs {needs}", UNAVAILABLE)
    names = set(re.findall(r"Depends: (postgresql(?:-client)?-\d+)", run.stdout))
    return sorted(names) or fail(f"apt-get knows no package postgresql; it needs {needs}", UNAVAILABLE)


def environment(base, place):
    """How libpq's programs are told where the server is."""
    words = {"PGHOST": place.host, "PGPORT": str(place.port), "PGUSER": place.user, "PGDATABASE": place.database}
    words |= {"PGPASSWORD": place.password or "", "PGSSLMODE": "require" if place.tls else "prefer", "PGCONNECT_TIMEOUT": "10"}
    return base | words | {"LC_ALL": "C.UTF-8", "PSQLRC": "/dev/null", "PGCLIENTENCODING": "UTF8", "PAGER": "cat"}
