"""A real Flight SQL client against a running server: python run.py CLIENT [URI PART] [--user NAME --token TOKEN --root PEM] [--source NAME]

CLIENT: adbc, dbapi (flightsql-dbapi with SQLAlchemy), jdbc (the Arrow JDBC driver), polars, pyarrow (no Flight SQL client of its own, so
that the bare protocol can be tried). URI: grpc://HOST:PORT, or grpc+tls://HOST:PORT. PART:

- read: everything that reads. The server holds the sample lake, has no tokens and no TLS.
- ingest (adbc, pyarrow): rows are pushed into the source --source, which reads Arrow with the columns of checks.receipts.
- access (all but polars): the server speaks TLS with the certificate --root, and knows --token by the name --user.

Without URI the script only installs what the client needs (tests/servers/install.py); once that is there, no other network is needed.
Exit codes: 0 all is well, 69 cannot be installed here, 1 anything else. What was found wrong goes to standard error.
This script must ask the server only as the client does by itself, so that it is the client that is proved.
"""

import argparse
import hashlib
import importlib
import os
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

sys.dont_write_bytecode = True  # importing must leave nothing in the repository
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "servers"))
from install import enter_python, fail, install, tools_folder  # noqa: E402

JDBC = HERE / "jdbc"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
JDBC_SECONDS = 300  # it takes about twenty: one that hangs must not keep a test for ever
PYTHON = {"adbc": "adbc_client", "dbapi": "dbapi_client", "polars": "polars_client", "pyarrow": "pyarrow_client"}
PARTS = ["read", "ingest", "access"]


def python_client(asked):
    """The client's module has a function per part."""
    enter_python(tools_folder(), HERE / "requirements.txt")
    if asked.uri is None:
        return
    client = importlib.import_module(PYTHON[asked.client])
    part = getattr(client, asked.part, None) or fail(f"{asked.client} has no part {asked.part}")
    try:
        part(asked)
    except Exception:
        fail(f"{asked.client}, {asked.part}:\n{traceback.format_exc()}")


def jdbc(asked):
    home = jdbc_home()
    if asked.uri is None:
        return
    if asked.part == "ingest":
        fail("jdbc has no part ingest: the driver cannot")
    options = [f"{name}={value}" for name, value in vars(asked).items() if value is not None and name != "client"]
    with tempfile.TemporaryDirectory(prefix="saleslake-jdbc-") as folder:
        jars = f"{home}/jars/*"
        run(["javac", "-encoding", "UTF-8", "-d", folder, "-cp", jars, *sorted(JDBC.glob("*.java"))], "javac")
        java = ["java", f"@{JDBC / 'java.options'}", f"-Djava.io.tmpdir={folder}"]
        java += [f"-Djava.util.logging.config.file={JDBC / 'logging.properties'}", "-cp", f"{folder}:{jars}"]
        run([*java, "Main", *options], "the Arrow JDBC driver")


def jdbc_home():
    pom = JDBC / "pom.xml"
    home = tools_folder() / f"jdbc-{hashlib.sha256(pom.read_bytes()).hexdigest()[:8]}"
    copy = ["mvn", "--batch-mode", "--quiet", "--file", pom, COPY, f"-DoutputDirectory={home}/jars"]
    needs = "a Java development kit of version 17 or newer, Maven, and the repository or a mirror that Maven is told of (45 MB)"
    install(home, "the Arrow JDBC driver", needs, copy, ["javac", "-version"])
    return home


def run(command, what):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=JDBC_SECONDS)
    except subprocess.TimeoutExpired:
        fail(f"{what} did not end within {JDBC_SECONDS} s")
    if done.returncode != 0:
        fail(f"{what} ended with {done.returncode}; its output is above")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.splitlines()[0].split(": ", 1)[1])
    parser.add_argument("client", choices=[*PYTHON, "jdbc"])
    parser.add_argument("uri", nargs="?")
    parser.add_argument("part", nargs="?", choices=PARTS, default="read")
    parser.add_argument("--user")
    parser.add_argument("--token")
    parser.add_argument("--root")
    parser.add_argument("--source")
    asked = parser.parse_args()
    (jdbc if asked.client == "jdbc" else python_client)(asked)
    # Arrow's and the driver's threads may still run when the interpreter tears down, which then aborts, now and then, with all done.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
