"""Sends what a BI tool sends when it connects and reads the schema, and checks that each answer has the rows that the tool needs.

TOOL.toml beside this says what is sent and from where that is known; replays are over the PostgreSQL protocol, step by step as the tool
does it, through libpq without a driver's own ideas. A statement has

- name, source (repository and path, or a public issue), by (simple or extended), sql, parameters (text, as the tool binds them), types
  (of the parameters; unknown = the server decides),
- columns: names that the answer must have; rows: cells that must be found together in one row; absent: cells that must not be;
  least: how many rows there are at least; keep: variable = column, the value in the first row of `rows`, for ${variable} in what follows,
- fails: SQLSTATEs of which one is right for a statement that we refuse; after it the connection must be usable,
- answers: the same keys again for each result of several statements that go in one query.
"""

import os
import re
import tomllib
from pathlib import Path

from psycopg import pq

from place import holds

HERE = Path(__file__).resolve().parent
TYPES = {"unknown": 0, "bool": 16, "int8": 20, "int2": 21, "int4": 23, "text": 25, "oid": 26, "varchar": 1043, "text[]": 1009, "date": 1082}


def checks(place, tool):
    plan = tomllib.loads((HERE / f"{tool}.toml").read_text(encoding="utf-8"))
    connection = Connection(place, plan.get("startup", {}))
    variables = {"database": place.database, "user": place.user}
    return [named(connection, statement, variables) for statement in plan["statement"]]


def named(connection, statement, variables):
    def check():
        results = connection.run(statement, variables)
        if "fails" in statement:
            codes = [state for state, _, _ in results if state]
            holds(codes and codes[-1] in statement["fails"], f"expected one of {statement['fails']}, found {results}")
            connection.run({"by": "simple", "sql": "ROLLBACK"}, variables)
            connection.run({"by": "simple", "sql": "SELECT 1 AS still_usable", "columns": ["still_usable"]}, variables)
            return
        for state, message, _ in results:
            holds(state is None, f"{state} {message}")
        wanted = statement.get("answers", [statement])
        holds(len(results) >= len(wanted), f"{len(results)} results, not {len(wanted)}")
        for (_, _, result), expected in zip(results[-len(wanted) :], wanted):
            compare(result, expected, variables)

    check.__name__ = statement["name"]
    return check


def compare(result, expected, variables):
    names, rows = result
    for column in expected.get("columns", []):
        holds(column in names, f"no column {column} among {names}")
    holds(len(rows) >= expected.get("least", 0), f"{len(rows)} rows, fewer than {expected.get('least')}")
    for cells in expected.get("rows", []):
        found = [row for row in rows if has(row, cells, variables)]
        holds(found, f"no row with {cells} among {len(rows)}: {rows[:4]}")
        if cells is expected["rows"][0]:
            variables |= {name: found[0][column] for name, column in expected.get("keep", {}).items()}
    for cells in expected.get("absent", []):
        holds(not any(has(row, cells, variables) for row in rows), f"a row with {cells}")


def has(row, cells, variables):
    """Cells by name; "*" is anything but NULL, and a list is any of its words."""
    for column, value in cells.items():
        cell = row.get(column)
        if value == "*":
            if not cell:
                return False
            continue
        words = value if isinstance(value, list) else [value]
        if cell not in [filled(word, variables) for word in words]:
            return False
    return True


def filled(text, variables):
    """${name} in braces only: `$1` and `$user` are the statement's own."""
    return re.sub(r"\$\{(\w+)\}", lambda found: variables[found[1]], text)


class Connection:
    """One connection of libpq, made when the first statement needs it."""

    def __init__(self, place, startup):
        self.place, self.startup, self.made = place, startup, None

    def open(self):
        place = self.place
        words = {"host": place.host, "port": place.port, "user": place.user, "dbname": place.database, "connect_timeout": 10}
        words |= {"sslmode": "require" if place.tls else "prefer", "client_encoding": "UTF8"}
        if place.password:
            words["password"] = place.password
        # libpq sends these two from the environment, as other drivers do by themselves.
        os.environ |= {"PGDATESTYLE": self.startup.get("DateStyle", "ISO"), "PGTZ": self.startup.get("TimeZone", "UTC")}
        words |= {name: value for name, value in self.startup.items() if name in ("application_name", "options")}
        quoted = " ".join(f"{name}='{str(value)}'" for name, value in words.items())
        made = pq.PGconn.connect(quoted.encode())
        holds(made.status == pq.ConnStatus.OK, f"no connection: {made.get_error_message()}")
        return made

    def run(self, statement, variables):
        """(SQLSTATE, message, (names, rows)) of every result."""
        self.made = self.made or self.open()
        sql = filled(statement["sql"], variables).encode()
        if statement["by"] == "simple":
            self.made.send_query(sql)
        else:
            values = [filled(str(value), variables).encode() for value in statement.get("parameters", [])]
            types = [TYPES[name] for name in statement.get("types", ["unknown"] * len(values))]
            self.made.send_query_params(sql, values, types, [0] * len(values), 0)
        results = []
        while (result := self.made.get_result()) is not None:
            results.append(told(result))
        holds(results and self.made.status == pq.ConnStatus.OK, f"the connection is gone: {self.made.get_error_message()}")
        return results


def told(result):
    if result.status in (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE):
        state = result.error_field(pq.DiagnosticField.SQLSTATE) or b"?"
        return state.decode(), (result.get_error_message() or "").strip(), ([], [])
    names = [result.fname(i).decode() for i in range(result.nfields)]
    rows = []
    for i in range(result.ntuples):
        cells = [result.get_value(i, j) for j in range(result.nfields)]
        # Of columns with one name the first counts, as drivers look them up.
        rows.append(dict(reversed([(name, None if cell is None else cell.decode()) for name, cell in zip(names, cells)])))
    return None, None, (names, rows)
