"""Installs what serve.py and readers/read.py need, once, in pinned versions, below $SALESLAKE_SERVERS or ~/.cache/saleslake-servers.

This script must never write into the repository, and must say what is missing when something cannot be had.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
AZURITE = "azurite@3.35.0"  # the newest that runs on Node 20: 3.36 wants 21, 3.37 wants 22
UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h


def say(message):
    print(f"{Path(sys.argv[0]).name}: {message}", file=sys.stderr)


def fail(message, code=1):
    say(message)
    raise SystemExit(code)


def tools_folder():
    tools = Path(os.environ.get("SALESLAKE_SERVERS") or "~/.cache/saleslake-servers").expanduser().resolve()
    if tools.is_relative_to(REPOSITORY):
        fail(f"SALESLAKE_SERVERS={tools} is inside the repository; name a folder outside of it")
    tools.mkdir(parents=True, exist_ok=True)
    return tools


def install(folder, what, needs, *commands):
    """Runs the commands unless they once succeeded for this folder. Under a lock: tests that start together install once."""
    done = folder / "installed"
    with open(f"{folder}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if done.exists():
            return
        shutil.rmtree(folder, ignore_errors=True)  # what an interrupted installation left
        folder.mkdir()
        say(f"installing {what} into {folder}")
        for command in commands:
            shown = " ".join(map(str, command))
            try:
                run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
            except OSError as error:
                fail(f"{what} cannot be installed: `{shown}`: {error.strerror}; it needs {needs}", UNAVAILABLE)
            if run.returncode != 0:
                print("\n".join((run.stdout + run.stderr).splitlines()[-15:]), file=sys.stderr)
                fail(f"{what} cannot be installed: `{shown}` failed as above; it needs {needs}", UNAVAILABLE)
        done.touch()


def enter_python(tools, requirements):
    """Goes on in a virtual environment with these packages. The process, and so its standard input, stays the same."""
    pins = hashlib.sha256(requirements.read_bytes()).hexdigest()[:8]
    venv = tools / f"python-{sys.version_info.major}.{sys.version_info.minor}-{pins}"
    if Path(sys.prefix).resolve() == venv.resolve():
        return
    python = venv / "bin/python"
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]
    named = requirements.relative_to(REPOSITORY)
    needs = f"Python's venv module, and the packages of {named} from PyPI or a mirror that pip is told of"
    install(venv, f"the packages of {named}", needs, [sys.executable, "-m", "venv", venv], pip)
    os.execv(python, [python, *sys.argv])


def azurite_script(tools):
    home = tools / AZURITE.replace("@", "-")
    npm = ["npm", "install", "--prefix", home, "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"]
    npm += ["--fetch-retry-mintimeout=1000", AZURITE]  # else a missing network is noticed after two minutes
    install(home, AZURITE, "Node 20 or newer with npm, and the npm registry or a mirror that npm is told of", npm)
    return home / "node_modules/azurite/dist/src/blob/main.js"
