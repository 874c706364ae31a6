"""Flight SQL's messages, as far as the tests need them, written and read as the bytes that they are.

pyarrow knows Flight but not Flight SQL. A message is a dict of field number to value (int, text, bytes, a message's bytes) or list.
"""

SQL = "type.googleapis.com/arrow.flight.protocol.sql."


def number(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))


def message(fields=None):
    out = b""
    for field, values in (fields or {}).items():
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, int):
                out += number(field << 3) + number(value)
            else:
                raw = value.encode() if isinstance(value, str) else value
                out += number(field << 3 | 2) + number(len(raw)) + raw
    return out


def command(name, fields=None):
    """A Flight SQL command or action's body, in the envelope that says its type."""
    return message({1: SQL + name, 2: message(fields)})


def parsed(raw):
    """Field number to the list of its values: numbers, or bytes."""
    raw, found, at = bytes(raw), {}, 0

    def take():
        nonlocal at
        value = shift = 0
        while True:
            byte = raw[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(raw):
        key = take()
        if key & 7 == 0:
            value = take()
        elif key & 7 == 2:
            size = take()
            value = raw[at : at + size]
            at += size
        else:
            size = {1: 8, 5: 4}[key & 7]
            value = raw[at : at + size]
            at += size
        found.setdefault(key >> 3, []).append(value)
    return found


def unpacked(raw):
    """The fields of a message in its envelope."""
    return parsed(parsed(raw)[2][0])
