"""Whether two answers are the same: rows by key, whole numbers and decimals exactly, floating-point ratios to 1e-9. It must not ask."""

import math
from datetime import date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa


def table(stream):
    return pa.ipc.open_stream(pa.py_buffer(stream)).read_all()


def rows_of(answer):
    return answer.to_pylist()


def ours(question, answer):
    """saleslake's rows as the peers' SQL gives them."""
    rows = rows_of(answer)
    if question.pivot:
        by, columns = question.pivot["by"], question.pivot["columns"]
        rows = [{f"{row[by]}{end}": row[column] for row in rows for end, column in columns.items()}]
    return rows


def differences(question, mine, theirs, most=3):
    """What differs, at most so many lines of text. `mine` are rows of `ours`, `theirs` a peer's Arrow table."""
    other = rows_of(theirs)
    if question.nonzero:
        mine, other = ([row for row in rows if row[question.nonzero]] for rows in (mine, other))
    a, b = by_key(question, mine), by_key(question, other)
    found = []
    if len(a) != len(mine) or len(b) != len(other):
        return [f"the key {question.key} is not unique: {len(mine)} and {len(other)} rows, {len(a)} and {len(b)} keys"]
    for key in sorted(set(a) ^ set(b), key=str)[:most]:
        found.append(f"{key}: only {'saleslake' if key in a else 'the peer'} has it ({len(a)} and {len(b)} rows)")
    for key in [k for k in a if k in b]:
        for column in theirs.schema.names:
            if len(found) >= most:
                return found
            if column not in a[key]:
                return [f"saleslake has no column {column}"]
            x, y = a[key][column], b[key][column]
            if not same(x, y):
                found.append(f"{key}, {column}: saleslake {plain(x)}, the peer {plain(y)}")
    return found[:most]


def by_key(question, rows):
    return {tuple(plain(row[column]) for column in question.key): row for row in rows}


def plain(value):
    """Engines tell the same key as different types."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and not value.is_integer():
        return value
    return value.normalize() + 0 if isinstance(value, Decimal) else int(value)


def same(x, y):
    if x is None or y is None:
        return x is None and y is None
    if isinstance(x, date) and isinstance(y, int):  # ClickHouse gives days since 1970
        return x == date(1970, 1, 1) + timedelta(days=y)
    if isinstance(x, float) or isinstance(y, float):
        return math.isclose(float(x), float(y), rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(x, (int, Decimal)) and isinstance(y, (int, Decimal)):
        return Decimal(x) == Decimal(y)
    return plain(x) == plain(y)
