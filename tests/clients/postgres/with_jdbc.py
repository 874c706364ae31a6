"""PostgreSQL's JDBC driver (jdbc/), by which DBeaver, Metabase and Tableau come. It needs Java 17 or newer and Maven."""

import hashlib
import subprocess
import tempfile
from pathlib import Path

from install import install
from place import LARGE, MANY, SLOW, holds

JDBC = Path(__file__).resolve().parent / "jdbc"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
SECONDS = 180  # one that hangs must not keep a test for ever
jars = None


def prepare(tools):
    global jars
    pom = JDBC / "pom.xml"
    home = tools / f"jdbc-{hashlib.sha256(pom.read_bytes()).hexdigest()[:8]}"
    needs = "Java 17 or newer, Maven, and the repository or a mirror that Maven is told of (2 MB)"
    install(
        home,
        "PostgreSQL's JDBC driver",
        needs,
        ["mvn", "--batch-mode", "--quiet", "--file", pom, COPY, f"-DoutputDirectory={home}/jars"],
        ["javac", "-d", home / "try", JDBC / "Check.java"],
    )
    jars = home / "jars"


def checks(place):
    def java():
        mode = "require" if place.tls else "prefer"
        url = f"jdbc:postgresql://{place.host}:{place.port}/{place.database}?sslmode={mode}&connectTimeout=10"
        with tempfile.TemporaryDirectory(prefix="saleslake-jdbc-") as scratch:
            command = ["java", "-XX:TieredStopAtLevel=1", f"-Djava.io.tmpdir={scratch}", "-cp", f"{jars}/*", JDBC / "Check.java"]
            command += [url, place.user, place.password or "", SLOW, LARGE, str(MANY)]
            run = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=SECONDS, capture_output=True, text=True)
        print(run.stdout, end="")
        holds(run.returncode == 0, f"Java ended with {run.returncode}: {run.stderr[-2000:] or 'see above'}")

    return [java]
