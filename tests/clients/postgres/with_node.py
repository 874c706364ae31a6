"""Node's pg and pg-cursor (node/), by which JavaScript programs and many dashboards come. They need Node 18 or newer with npm."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from install import install
from place import LARGE, MANY, SLOW, holds

NODE = Path(__file__).resolve().parent / "node"
SECONDS = 120  # one that hangs must not keep a test for ever
modules = None


def prepare(tools):
    global modules
    package = NODE / "package.json"
    home = tools / f"node-pg-{hashlib.sha256(package.read_bytes()).hexdigest()[:8]}"
    npm = ["npm", "install", "--prefix", home, "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"]
    npm += ["--fetch-retry-mintimeout=1000"]
    copy = ["cp", package, home]
    install(home, "Node's pg", "Node 18 or newer with npm, and the npm registry or a mirror that npm is told of", copy, npm)
    modules = home / "node_modules"


def checks(place):
    def node():
        program = shutil.which("node") or "node"
        words = [place.host, str(place.port), place.user, place.password or "", place.database, "on" if place.tls else "off"]
        words += [SLOW, LARGE, str(MANY)]
        environment = os.environ | {"NODE_PATH": str(modules)}
        run = subprocess.run(
            [program, NODE / "check.js", *words], stdin=subprocess.DEVNULL, timeout=SECONDS, capture_output=True, text=True, env=environment
        )
        print(run.stdout, end="")
        holds(run.returncode == 0, f"Node ended with {run.returncode}: {run.stderr[-2000:] or 'see above'}")

    return [node]
