"""One object store server for one test: python serve.py seaweedfs|moto|google|azurite

Starts a real server on free loopback ports over an empty temporary folder, creates the bucket (or container) `lake`, and then prints
one line of JSON: {"kind", "endpoint", "bucket", "access_key", "secret_key", "region"}. The server ends, and its data with it, when
standard input closes: whoever started this script owns the server. `serve.py moto </dev/null` only installs and proves that it starts.

What is missing is installed first (install.py); once it is, no network is needed.
Exit codes: 0 stopped as asked, 69 cannot be installed here, 1 anything else. All but the JSON goes to standard error.
This script must not share a server between callers: a test that counts objects or races writers needs a lake of its own.
"""

import ctypes
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

sys.dont_write_bytecode = True  # importing install must leave nothing in the repository
from install import UNAVAILABLE, azurite_script, enter_python, fail, say, tools_folder  # noqa: E402

HERE = Path(__file__).resolve().parent

BUCKET = "lake"
REGION = "us-east-1"
KEY, SECRET = "lake-test", secrets.token_hex(16)  # new for each server: nobody talks to another test's by mistake
# Azurite's account and key are public and the same everywhere: Microsoft documents them.
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

START_SECONDS = 60
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded here: a forked child should load nothing


# ---- the servers: each gives its command, how to tell its endpoint from its log, and files it leaves elsewhere -----


def seaweedfs(folder, tools):
    master, master_rpc, volume, volume_rpc, filer, filer_rpc, s3, s3_rpc = ports = free_ports(8)
    credentials = [{"accessKey": KEY, "secretKey": SECRET}]
    identity = {"name": "lake", "credentials": credentials, "actions": ["Admin", "Read", "List", "Tagging", "Write"]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    data = folder / f"data-{s3}"
    data.mkdir()
    command = [Path(sys.prefix) / "bin/weed", "-logtostderr=true", "server", f"-dir={data}"]
    command += ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false"]
    # `none` makes the only master leader at once; otherwise the first write waits three to eight seconds.
    command += ["-master.peers=none", f"-master.port={master}", f"-master.port.grpc={master_rpc}"]
    # A bucket takes seven volumes. They grow as they are written, so generous limits cost nothing.
    command += ["-volume.max=100", "-master.volumeSizeLimitMB=1024"]
    command += [f"-volume.port={volume}", f"-volume.port.grpc={volume_rpc}"]
    command += ["-filer", f"-filer.port={filer}", f"-filer.port.grpc={filer_rpc}", f"-filer.localSocket={folder}/f.sock"]
    command += ["-s3", f"-s3.port={s3}", f"-s3.port.grpc={s3_rpc}", f"-s3.localSocket={folder}/s.sock"]
    command += [f"-s3.config={folder}/s3.json", "-s3.port.iceberg=0", "-s3.port.lance=0"]  # 0: not on their fixed ports
    # Its gRPC sockets are in /tmp whatever it is told.
    left = [f"/tmp/seaweedfs-{role}-grpc-{rpc}.sock" for role, rpc in zip(("master", "volume", "filer", "s3"), ports[1::2])]
    return command, lambda log: f"http://127.0.0.1:{s3}", left


def moto(folder, tools, *words):
    return [sys.executable, HERE / "moto_one_at_a_time.py", *words], lambda log: found(r"Running on (http://[\d.:]+)\s", log), []


def google(folder, tools):
    return moto(folder, tools, "google")


def azurite(folder, tools):
    command = ["node", azurite_script(tools), "--blobHost", "127.0.0.1", "--blobPort", "0", "--location", folder]
    command += ["--silent", "--disableTelemetry", "--disableProductStyleUrl"]
    return command, lambda log: found(r"successfully listens on (http://[\d.:]+)\s", log, f"/{ACCOUNT}"), []


KINDS = {server.__name__: server for server in (seaweedfs, moto, google, azurite)}


def found(pattern, log, path=""):
    """What the server says of the port that the system gave it; None before it does."""
    match = re.search(pattern, log.read_text(errors="replace"))
    return match and match[1] + path


def free_ports(count):
    """Ports for a server that cannot take port 0. Free now; somebody may take one before the server does: see `start`."""
    with ExitStack() as stack:
        bound = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in bound:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in bound]


# ---- ready: the bucket is there and takes a write ------------------------------------------------------------------


def make_bucket(endpoint):
    import boto3
    from botocore.config import Config

    config = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    keys = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET, "region_name": REGION}
    s3 = boto3.client("s3", endpoint_url=endpoint, config=config, **keys)
    if BUCKET not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="ready", Body=b"")  # SeaweedFS answers before it can store anything
    s3.delete_object(Bucket=BUCKET, Key="ready")


def make_container(endpoint):
    from azure.core.exceptions import ResourceExistsError
    from azure.storage.blob import ContainerClient

    # The version that object_store speaks: what the Azure library speaks by default may be newer than Azurite.
    limits = {"api_version": "2023-11-03", "retry_total": 0, "connection_timeout": 2, "read_timeout": 10}
    container = ContainerClient(endpoint, BUCKET, {"account_name": ACCOUNT, "account_key": ACCOUNT_KEY}, **limits)
    try:
        container.create_container()
    except ResourceExistsError:
        pass


def wait_until_ready(server, kind, where, log):
    """The endpoint, or None and what is wrong."""
    make = make_container if kind == "azurite" else make_bucket
    deadline, problem = time.monotonic() + START_SECONDS, "it did not say where it listens"
    while time.monotonic() < deadline:
        if server.poll() is not None:
            return None, f"it ended by itself with {server.returncode}"
        try:
            if endpoint := where(log):
                make(endpoint)
                return endpoint, None
        except Exception as error:  # refused, reset, not ready yet: the exceptions of two libraries
            problem = error
        time.sleep(0.05)
    return None, f"not ready after {START_SECONDS} s: {problem}"


# ---- owning the process ------------------------------------------------------------------------------------------


def die_with_parent():
    """On Linux the kernel ends the server when this script is killed outright. Elsewhere close its standard input instead."""
    if LIBC:
        LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def start(kind, folder, tools, owner):
    """A ready server, its endpoint and its log. `owner` ends it and removes what it leaves."""
    # HOME and TMPDIR: where servers look for configuration and put files without being asked.
    environment = {**os.environ, "HOME": str(folder), "TMPDIR": str(folder)}
    for attempt in range(3):
        command, where, left = KINDS[kind](folder, tools)
        for path in left:
            owner.callback(Path(path).unlink, missing_ok=True)
        log = folder / f"log-{attempt}"
        with open(log, "wb") as out:
            streams = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": out}
            server = subprocess.Popen(command, cwd=folder, env=environment, preexec_fn=die_with_parent, **streams)
        # Killed, not asked to end: nothing of it is kept, and SeaweedFS takes fifteen seconds to end politely.
        owner.callback(server.wait)
        owner.callback(server.kill)
        endpoint, problem = wait_until_ready(server, kind, where, log)
        if endpoint:
            return server, endpoint, log
        show(log)
        say(f"{kind} did not start: {problem}; its output is above")
        if server.poll() is None:
            break  # it runs but is no use. One that ended may have lost a port to somebody: try others
    fail(f"{kind} could not be started")


def show(log):
    print(log.read_text(errors="replace")[-3000:], file=sys.stderr)


def main():
    if sys.version_info < (3, 10):
        fail(f"Python 3.10 or newer is needed, this is {sys.version.split()[0]}", UNAVAILABLE)
    if len(sys.argv) != 2 or sys.argv[1] not in KINDS:
        fail(f"usage: python serve.py {'|'.join(KINDS)}")
    kind = sys.argv[1]
    tools = tools_folder()
    enter_python(tools, HERE / "requirements.txt")
    for name in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(name, lambda number, frame: sys.exit(128 + number))
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"  # no proxy knows this machine's loopback

    with ExitStack() as owner:
        folder = tempfile.TemporaryDirectory(prefix="saleslake-server-", ignore_cleanup_errors=True)
        server, endpoint, log = start(kind, Path(owner.enter_context(folder)), tools, owner)
        access, secret, region = (ACCOUNT, ACCOUNT_KEY, "") if kind == "azurite" else (KEY, SECRET, REGION)
        about = {"kind": kind, "endpoint": endpoint, "bucket": BUCKET, "access_key": access, "secret_key": secret}
        print(json.dumps({**about, "region": region}), flush=True)

        asked = threading.Event()

        def end_when_closed():
            while os.read(0, 4096):  # not sys.stdin: its lock would be held when the script ends for another reason
                pass
            asked.set()
            server.kill()

        threading.Thread(target=end_when_closed, daemon=True).start()
        code = server.wait()
        if not asked.is_set():
            show(log)
            fail(f"{kind} ended by itself with {code}; its output is above")


if __name__ == "__main__":
    main()
