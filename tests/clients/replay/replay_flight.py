"""The same replays over Flight SQL: the commands that a tool's driver sends for its connection and its list of tables.

In TOOL.toml a `flight` has a name, a source, a command with its fields, and what the answer must have: columns, rows, least (as a
statement has, see replay.py; values as Python shows them) and table_columns, columns with their Arrow types that the schema of the
first row in `rows` must have. The messages are those of ../flight/wire.py.
"""

import sys
import tomllib
from pathlib import Path

import pyarrow as pa
from pyarrow import flight, ipc

from place import holds
from replay import compare

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "flight"))
TABLE = {"catalog": 1, "db_schema": 2, "table": 3}
FIELDS = {
    "CommandGetSqlInfo": {"info": 1},
    "CommandGetXdbcTypeInfo": {"data_type": 1},
    "CommandGetCatalogs": {},
    "CommandGetDbSchemas": {"catalog": 1, "db_schema_filter_pattern": 2},
    "CommandGetTables": {
        "catalog": 1,
        "db_schema_filter_pattern": 2,
        "table_name_filter_pattern": 3,
        "table_types": 4,
        "include_schema": 5,
    },
    "CommandGetTableTypes": {},
    "CommandGetPrimaryKeys": TABLE,
    "CommandGetImportedKeys": TABLE,
    "CommandGetExportedKeys": TABLE,
    "CommandStatementQuery": {"query": 1},
}


def checks(place, tool):
    plan = tomllib.loads((HERE / f"{tool}.toml").read_text(encoding="utf-8"))
    client = flight.FlightClient(f"grpc{'+tls' if place.tls else ''}://{place.host}:{place.port}", disable_server_verification=place.tls)
    return [named(client, place, asked) for asked in plan["flight"]]


def named(client, place, asked):
    def check():
        from wire import command

        options = None
        if place.password:
            options = flight.FlightCallOptions(headers=[client.authenticate_basic_token(place.user, place.password)])
        numbers = FIELDS[asked["command"]]
        fields = {numbers[name]: value for name, value in asked.get("fields", {}).items()}
        message = command(asked["command"], fields)
        info = client.get_flight_info(flight.FlightDescriptor.for_command(message), options)
        holds(len(info.endpoints) == 1, f"{len(info.endpoints)} endpoints, not one")
        table = client.do_get(info.endpoints[0].ticket, options).read_all()
        rows = table.to_pylist()
        shown = [
            {name: None if value is None else value if isinstance(value, bytes) else str(value) for name, value in row.items()}
            for row in rows
        ]
        compare((table.column_names, shown), asked, {"database": place.database, "user": place.user})
        if wanted := asked.get("table_columns"):
            [row] = [row for row in rows if row["table_name"] == asked["rows"][0]["table_name"]]
            schema = ipc.read_schema(pa.py_buffer(row["table_schema"]))
            for name, kind in wanted.items():
                holds(name in schema.names, f"no column {name} among {schema.names}")
                holds(str(schema.field(name).type) == kind, f"{name} is {schema.field(name).type}, not {kind}")

    check.__name__ = asked["name"]
    return check
