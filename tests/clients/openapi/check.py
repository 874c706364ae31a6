"""Makes a client of a running server out of its OpenAPI document, and asks with it: python check.py [URL TOKEN]

The document is validated, openapi-python-client generates from it without a warning, and the client's answers are those of plain requests.
The server holds the sample data. Without URL the script only installs what it needs (tests/servers/install.py).
Exit codes: 0 all is as it should be, 69 cannot be installed here, 1 anything else.
This script must not write into the repository.
"""

import csv
import datetime
import importlib
import io
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True  # importing install must leave nothing in the repository
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "servers"))
from install import enter_python, fail, tools_folder  # noqa: E402

FROM, TO = datetime.date(2025, 7, 1), datetime.date(2026, 1, 1)
CHANNELS = ["web", "pos"]
SECONDS = 120  # a generation takes about five


def main(url, token):
    import openapi_spec_validator

    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "openapi.json"
        document.write_bytes(get(url, "/api/v1/openapi.json", token))
        openapi_spec_validator.validate(json.loads(document.read_text("utf-8")))
        generate(document, Path(folder) / "saleslake_client")
        sys.path.insert(0, folder)
        package = importlib.import_module("saleslake_client")
        client = package.AuthenticatedClient(base_url=url, token=token)
        reports_are_listed(url, token, client)
        runs_are_the_same(url, token, client)
        more_is_typed(client)
        tags_are_kept(client)
        problems_are_answers(client, package.Client(base_url=url))


def generate(document, package):
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", document, "--output-path", package]
    command += ["--meta", "none", "--fail-on-warning"]
    # The generator looks for its formatter on the path.
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, env=env)
    if run.returncode != 0:
        fail(f"openapi-python-client does not take the document:\n{run.stdout}{run.stderr}")


def reports_are_listed(url, token, client):
    from saleslake_client.api.reports import get_report, list_reports

    listed = [report.id for report in list_reports.sync(client=client).reports]
    plain = json.loads(get(url, "/api/v1/reports", token))
    same("reports", listed, [report["id"] for report in plain["reports"]])
    for report in listed:
        module = f"saleslake_client.api.reports.run_{report.replace('-', '_')}"
        assert importlib.import_module(module).sync, f"{report} has no operation"
    funnel = get_report.sync("traffic-conversion-funnel", client=client)
    device = next(param for param in funnel.params if param.name == "device")
    assert device.values, "the values that the data has"


def runs_are_the_same(url, token, client):
    from saleslake_client.api.reports import run_report, run_sales_by_region
    from saleslake_client.models import RunReportValues

    answer = run_sales_by_region.sync(client=client, from_=FROM, to=TO, where_channel=CHANNELS)
    query = f"from={FROM}&to={TO}&where.channel={','.join(CHANNELS)}"
    plain = get(url, f"/api/v1/reports/sales-by-region/run?{query}&format=csv", token).decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(plain)))
    assert rows, "the sample sells in these channels"
    same("columns", [column.name for column in answer.columns], list(rows[0]))
    floats = [column.name for column in answer.columns if column.type_ == "DOUBLE"]
    same("rows", [texts(row.to_dict(), floats) for row in answer.rows], [texts(row, floats) for row in rows])
    same("the receipt's rows", answer.receipt.rows, len(rows))
    assert any(row.period_start == FROM for row in answer.rows), "dates are dates"

    values = RunReportValues.from_dict({"from": str(FROM), "to": str(TO), "where.channel": ",".join(CHANNELS)})
    by_id = run_report.sync("sales-by-region", client=client, values=values)
    same("checksums", by_id.receipt.checksum, answer.receipt.checksum)


def more_is_typed(client):
    from saleslake_client.api.reports import run_sales_by_region
    from saleslake_client.models import Comparison, RowKind

    asked = {"from_": FROM, "to": TO, "compare": Comparison.PREVIOUS_YEAR, "totals": True, "order_by": ["-net_sales"]}
    answer = run_sales_by_region.sync(client=client, limit=2, **asked)
    same("kinds of rows", [row.row_kind for row in answer.rows], [RowKind.ROW, RowKind.ROW, RowKind.TOTAL])
    total = answer.rows[-1]
    assert isinstance(total.net_sales_prev, str) and isinstance(total.net_sales_growth, float), total


def tags_are_kept(client):
    from saleslake_client.api.reports import run_sales_by_region

    first = run_sales_by_region.sync_detailed(client=client, from_=FROM, to=TO)
    again = run_sales_by_region.sync_detailed(client=client, from_=FROM, to=TO, if_none_match=first.headers["ETag"])
    same("statuses", (first.status_code, again.status_code), (200, 304))


def problems_are_answers(client, stranger):
    from saleslake_client.api.reports import get_report, run_sales_by_region
    from saleslake_client.api.server import healthz
    from saleslake_client.models import Problem

    for wrong, status, says in [
        (run_sales_by_region.sync(client=client, order_by=["net_sale"]), 400, "net_sales"),
        (get_report.sync("sales-by-regoin", client=client), 404, "sales-by-region"),
        (run_sales_by_region.sync(client=stranger), 401, "Bearer"),
    ]:
        assert isinstance(wrong, Problem), wrong
        same("statuses", wrong.status, status)
        assert says in wrong.hint, wrong
    same("healthz", healthz.sync(client=stranger), "ok\n")


def texts(row, floats):
    """A row as CSV has it; floats are written in more than one way."""
    def text(name, value):
        if value is None or value == "":
            return ""
        if isinstance(value, bool):
            return str(value).lower()
        return str(float(value)) if name in floats else str(value)

    return {name: text(name, value) for name, value in row.items()}


def get(url, path, token):
    request = urllib.request.Request(url + path, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=SECONDS) as response:
        return response.read()


def same(what, ours, theirs):
    assert ours == theirs, f"{what}: {ours} instead of {theirs}"


if __name__ == "__main__":
    enter_python(tools_folder(), HERE / "requirements.txt")
    if len(sys.argv) > 1:
        main(*sys.argv[1:])
