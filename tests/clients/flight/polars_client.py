"""polars over ADBC."""

import datetime
from decimal import Decimal

import polars as pl

import checks
from adbc_client import VALUES, opened
from checks import equal, fails, step, true


def read(asked):
    with opened(asked.uri) as connection:
        for part in (types, parameters, batches, reports, errors):
            step(part.__name__)
            part(connection)
    step("by URI")
    uri = asked.uri.replace("grpc://", "flightsql://") + "?transport=tcp"  # polars takes the driver's name from the scheme
    equal("a frame", pl.read_database_uri("SELECT 42 AS answer", uri, engine="adbc").item(), 42)


def types(connection):
    frame = pl.read_database(checks.TYPES, connection)
    wanted = {
        "text_value": pl.String, "date_value": pl.Date, "instant_value": pl.Datetime("us", "UTC"), "decimal_value": pl.Decimal(18, 4),
        "bool_value": pl.Boolean, "int_value": pl.Int32, "bigint_value": pl.Int64, "double_value": pl.Float64,
        "list_value": pl.List(pl.Int64), "binary_value": pl.Binary, "null_value": pl.String, "view_value": pl.String,
        "dictionary_value": pl.String,
    }  # fmt: skip
    equal("types", dict(frame.schema), wanted)
    row = frame.row(0, named=True)
    equal("a date, an amount, a list", (row["date_value"], row["decimal_value"], row["list_value"]), (datetime.date(2026, 1, 31), Decimal("12345.6789"), [1, 2, 3]))


def parameters(connection):
    wanted = pl.read_database(checks.WRITTEN, connection).item()
    found = pl.read_database(checks.FILTERED, connection, execute_options={"parameters": VALUES}).item()
    equal("parameters of every kind", found, wanted)


def batches(connection):
    parts = list(pl.read_database(checks.MILLION, connection, iter_batches=True, batch_size=50_000))
    true(f"in {len(parts)} parts", len(parts) > 3)
    equal("rows and their sum", (sum(map(len, parts)), sum(part["n"].sum() for part in parts)), (1_000_000, checks.MILLION_SUM))


def reports(connection):
    frame = pl.read_database(checks.REPORT, connection)
    true("a report as a frame", frame.height > 3 and frame.schema["net_sales"].is_decimal())


def errors(connection):
    fails("a misspelt table", lambda: pl.read_database(checks.MISSPELT, connection), checks.SUGGESTED)
