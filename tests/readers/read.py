"""What an outside reader answers about a lake: python read.py deltalake|duckdb|spark [LAKE SQL]

- deltalake: the deltalake package reads the log and Arrow the files, with the packages of tests/oracles (the calling Python's own).
- duckdb: DuckDB's delta extension, which a package carries, with the DuckDB that it was built for (requirements.txt beside this).
- spark: Spark with Delta (spark/), which need Java 17 or newer and Maven.

SQL names tables without a schema; the answer is CSV without a header. Without LAKE the script only installs what the reader needs
(tests/servers/install.py); once that is there, no network is needed.
Exit codes: 0 answered, 69 cannot be installed here, 1 anything else. All but the answer goes to standard error.
This script must not write into the lake.
"""

import csv
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

sys.dont_write_bytecode = True  # importing install must leave nothing in the repository
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "servers"))
from install import UNAVAILABLE, enter_python, fail, install, tools_folder  # noqa: E402

SPARK = HERE / "spark"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
SPARK_SECONDS = 300  # it takes about twenty: one that hangs must not keep a test for ever


def deltalake(lake, sql):
    if lake is None:
        return  # tests/oracles/requirements.txt is for whoever calls this
    import duckdb
    from deltalake import DeltaTable

    connection = duckdb.connect()
    for name, folder in tables(lake, sql):
        connection.register(name, DeltaTable(str(folder)).to_pyarrow_dataset())
    show(connection.execute(sql).fetchall())


def duckdb_delta(lake, sql):
    enter_python(tools_folder(), HERE / "requirements.txt")
    if lake is None:
        return
    import duckdb
    import duckdb_extension_delta

    extensions = Path(duckdb_extension_delta.__file__).parent / "extensions"
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    connection.load_extension(str(extensions / f"v{duckdb.__version__}" / "delta.duckdb_extension"))
    for name, folder in tables(lake, sql):
        place = str(folder).replace("'", "''")
        connection.execute(f"CREATE VIEW {name} AS FROM delta_scan('{place}')")
    show(connection.execute(sql).fetchall())


def spark(lake, sql):
    pom = SPARK / "pom.xml"
    home = tools_folder() / f"spark-{hashlib.sha256(pom.read_bytes()).hexdigest()[:8]}"
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"  # or it would say on which network it found this machine's name
    copy = ["mvn", "--batch-mode", "--quiet", "--file", pom, COPY, f"-DoutputDirectory={home}/jars"]
    needs = "Java 17 or newer, Maven, and the repository or a mirror that Maven is told of (300 MB)"
    install(home, "Spark with Delta", needs, copy, ask(home, home, "SELECT 1"))
    if lake is None:
        return
    with tempfile.TemporaryDirectory(prefix="saleslake-spark-") as folder:
        command = ask(home, folder, sql, *(f"{name}={path}" for name, path in tables(lake, sql)))
        try:
            run = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=SPARK_SECONDS)
        except subprocess.TimeoutExpired:
            fail(f"Spark did not answer within {SPARK_SECONDS} s")
    if run.returncode != 0:
        fail(f"Spark ended with {run.returncode}; its output is above")


def ask(home, scratch, *words):
    """Java runs the source as it is: there is nothing to build."""
    java = ["java", f"@{SPARK / 'java.options'}", f"-Djava.io.tmpdir={scratch}"]
    java += [f"-Dlog4j2.configurationFile={SPARK / 'log4j2.properties'}", "-cp", f"{home}/jars/*"]
    return [*java, SPARK / "Ask.java", *words]


READERS = {"deltalake": deltalake, "duckdb": duckdb_delta, "spark": spark}


def tables(lake, sql):
    """Name and folder of the tables that the question names: opening one costs Spark a second."""
    words = set(re.findall(r"\w+", sql))
    found = [(log.parent.name, log.parent) for log in sorted(lake.glob("*/_delta_log")) if log.parent.name in words]
    return found or fail(f"{lake} has no table that the question names")


def show(rows):
    plain = [[format(v, "f") if isinstance(v, Decimal) else "" if v is None else v for v in row] for row in rows]
    csv.writer(sys.stdout, lineterminator="\n").writerows(plain)


def main():
    if len(sys.argv) not in (2, 4) or sys.argv[1] not in READERS:
        fail(f"usage: python read.py {'|'.join(READERS)} [LAKE SQL]")
    lake, sql = (Path(sys.argv[2]).resolve(), sys.argv[3]) if len(sys.argv) == 4 else (None, None)
    READERS[sys.argv[1]](lake, sql)
    # Arrow's read-ahead threads may still run when the interpreter tears down, which then aborts, now and then, with all said and done.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
