"""The bare protocol through pyarrow's Flight client: what tools send that know Flight but no driver, and what no driver lets one send."""

import threading

import pyarrow as pa
import pyarrow.flight as flight

import checks
import wire
from adbc_client import opened, push, receipts
from checks import equal, fails, holds, soon, step, true, within

ACTIONS = ["CreatePreparedStatement", "ClosePreparedStatement", "CancelQuery", "CancelFlightInfo"]
CANCELLED = 1  # of CancelStatus and CancelResult
CLOSED = 1


class Client:
    def __init__(self, uri, headers=(), **options):
        self.uri = uri
        self.flight = flight.FlightClient(uri, **options)
        self.options = flight.FlightCallOptions(headers=list(headers))

    def descriptor(self, name, fields):
        return flight.FlightDescriptor.for_command(wire.command(name, fields))

    def info(self, name, fields=None):
        return self.flight.get_flight_info(self.descriptor(name, fields), self.options)

    def query(self, sql):
        return self.info("CommandStatementQuery", {1: sql})

    def fetch(self, ticket):
        return self.flight.do_get(ticket, self.options).read_all()

    def all(self, info):
        (endpoint,) = info.endpoints
        equal("an endpoint is this server", endpoint.locations, [])
        return self.fetch(endpoint.ticket)

    def rows(self, sql):
        return self.all(self.query(sql)).to_pylist()

    def action(self, kind, body=b""):
        return [bytes(result.body) for result in self.flight.do_action(flight.Action(kind, body), self.options)]

    def sql_action(self, kind, message, fields):
        return [wire.unpacked(body) for body in self.action(kind, wire.command(message, fields))]


def read(asked):
    client = Client(asked.uri)
    for part in (actions, metadata, infos, schema, prepared, unbound, tickets, updates, cancels, sessions, strangers, slow_reader):
        step(part.__name__)
        part(client)


def actions(client):
    told = {action.type for action in client.flight.list_actions(client.options)}
    holds("actions", told, *ACTIONS)
    for wrong in ("BeginTransaction", "EndTransaction", "BeginSavepoint", "EndSavepoint", "CreatePreparedSubstraitPlan"):
        true(f"{wrong} is not offered", wrong not in told)


def metadata(client):
    tables = client.all(client.info("CommandGetTables", {1: "lake", 2: "base", 3: "order\\_%", 5: 1})).to_pylist()
    found = [row["table_name"] for row in tables]
    equal("tables, in order", found, sorted(found))
    holds("tables", found, "order_line", "order_charge")
    line = tables[found.index("order_line")]
    told = pa.ipc.open_stream(line["table_schema"]).schema
    equal("a column's type", told.field("net_amount").type, pa.decimal128(18, 4))
    about = told.field("net_amount").metadata
    equal("its precision and scale", (about[b"ARROW:FLIGHT:SQL:PRECISION"], about[b"ARROW:FLIGHT:SQL:SCALE"]), (b"18", b"4"))
    true(f"what it means: {about}", about[b"ARROW:FLIGHT:SQL:REMARKS"])
    keys = client.all(client.info("CommandGetPrimaryKeys", {1: "lake", 2: "base", 3: "order_line"})).to_pylist()
    wanted = [("source_system", 1), ("order_id", 2), ("order_line_id", 3)]
    equal("the primary key", [(row["column_name"], row["key_sequence"]) for row in keys], wanted)
    imported = client.all(client.info("CommandGetImportedKeys", {1: "lake", 2: "base", 3: "order_line"}))
    to = {(row["fk_column_name"], row["pk_table_name"], row["pk_column_name"]) for row in imported.to_pylist()}
    holds("foreign keys", to, ("channel_id", "channel", "channel_id"))
    parent = next(row for row in imported.to_pylist() if row["fk_column_name"] == "channel_id")
    pk = {1: "lake", 2: parent["pk_db_schema_name"], 3: "channel"}
    exported = client.all(client.info("CommandGetExportedKeys", pk)).to_pylist()
    holds("who refers to channel", [row["fk_table_name"] for row in exported], "order_line")
    cross = client.all(client.info("CommandGetCrossReference", {**pk, 4: "lake", 5: "base", 6: "order_line"})).to_pylist()
    equal("between the two", [(row["pk_table_name"], row["fk_table_name"], row["fk_column_name"]) for row in cross], [("channel", "order_line", "channel_id")])
    kinds = client.all(client.info("CommandGetXdbcTypeInfo")).to_pylist()
    true("types of the database", len(kinds) > 8)
    some = kinds[0]["data_type"]
    picked = client.all(client.info("CommandGetXdbcTypeInfo", {1: some})).to_pylist() if some >= 0 else []
    true(f"one of them: {picked}", all(row["data_type"] == some for row in picked))
    for command in ("CommandGetCatalogs", "CommandGetDbSchemas", "CommandGetTables", "CommandGetTableTypes", "CommandGetSqlInfo", "CommandGetXdbcTypeInfo"):
        info = client.info(command)
        equal(f"schema told for {command}", info.schema, client.all(info).schema)
    nothing = client.all(client.info("CommandGetTables", {1: ""}))
    equal("tables without a catalog", nothing.num_rows, 0)


def infos(client):
    everything = client.all(client.info("CommandGetSqlInfo")).to_pylist()
    values = {row["info_name"]: row["value"] for row in everything}
    # What drivers ask: see the drivers' DatabaseMetaData, GetInfo and dialects.
    wanted = [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, *range(500, 577)]
    equal("what is not told", [id for id in wanted if id not in values], [])
    equal("name, read only, quote", (values[0], values[3], values[504]), ("saleslake", True, '"'))
    equal("transactions, cancel", (values[8], values[9]), (0, True))
    for kind, ids in {str: [0, 1, 2, 504, 513], bool: [3, 4, 5, 9, 10, 11, 515, 536, 563], int: [541, 562, 522, 564], list: [508, 509, 510, 511, 512]}.items():
        equal(f"told as {kind.__name__}", [id for id in ids if not isinstance(values[id], kind)], [])
    true("its ids are the specification's", all(id in range(12) or id in (100, 101) or 500 <= id <= 576 for id in values))
    some = client.all(client.info("CommandGetSqlInfo", {1: [0, 3, 504, 9999]})).to_pylist()
    equal("only what was asked", [row["info_name"] for row in some], [0, 3, 504])


def schema(client):
    sql = "SELECT channel_id, count(*) AS n FROM base.order_line GROUP BY channel_id"
    told = client.flight.get_schema(client.descriptor("CommandStatementQuery", {1: sql}), client.options).schema
    info = client.query(sql)
    equal("GetSchema and GetFlightInfo", told, info.schema)
    equal("and the rows", told, client.all(info).schema)
    true("no column is called by its description", all(not (f.metadata or {}).get(b"ARROW:FLIGHT:SQL:REMARKS") for f in told))
    equal("how many rows is not known", info.total_records, -1)
    tables = client.flight.get_schema(client.descriptor("CommandGetTables", {5: 1}), client.options).schema
    equal("GetSchema of a metadata command", tables.names[-1], "table_schema")


def create(client, sql):
    (made,) = client.sql_action("CreatePreparedStatement", "ActionCreatePreparedStatementRequest", {1: sql})
    return made


def bind(client, handle, rows):
    """The handle that carries the values."""
    writer, reader = client.flight.do_put(client.descriptor("CommandPreparedStatementQuery", {1: handle}), rows.schema, client.options)
    writer.write_batch(rows)
    writer.done_writing()
    answer = reader.read()
    writer.close()  # says what went wrong
    return wire.parsed(answer.to_pybytes())[1][0]


def prepared(client):
    made = create(client, checks.OF_CHANNEL)
    equal("the parameters' schema", len(pa.ipc.open_stream(made[3][0]).schema), 1)
    equal("the answer's schema", pa.ipc.open_stream(made[2][0]).schema.names, ["channel_id", "n"])
    channels = pa.record_batch({"any name": pa.array(["web", "pos"])})
    handle = bind(client, made[1][0], channels)
    info = client.info("CommandPreparedStatementQuery", {1: handle})
    rows = client.all(info).to_pylist()
    equal("an answer per row", [row["channel_id"] for row in rows], ["web", "pos"])
    typed = [pa.array(["web"], pa.large_string()), pa.array(["web"]).dictionary_encode(), pa.array(["web"], pa.string_view())]
    for array in typed:
        found = client.all(client.info("CommandPreparedStatementQuery", {1: bind(client, handle, pa.record_batch({"p": array}))}))
        equal(f"bound as {array.type}", found.to_pylist(), rows[:1])
    for old in (made[1][0], handle):
        client.action("ClosePreparedStatement", wire.command("ActionClosePreparedStatementRequest", {1: old}))
    other = Client(client.uri)
    equal("handles are of no connection", other.all(other.info("CommandPreparedStatementQuery", {1: handle})).to_pylist(), rows)


def unbound(client):
    handle = create(client, checks.OF_CHANNEL)[1][0]
    fails("a statement without its values", lambda: client.all(client.info("CommandPreparedStatementQuery", {1: handle})), "bound")
    two = pa.record_batch({"a": ["web"], "b": ["pos"]})
    fails("too many values", lambda: bind(client, handle, two), "bound")
    none = pa.record_batch({"a": pa.array([], pa.string())})
    info = client.info("CommandPreparedStatementQuery", {1: bind(client, handle, none)})
    equal("no row of values, no rows", client.all(info).num_rows, 0)


def tampered(raw):
    """The same bytes with one changed: at the start, in the middle, at the end; and cut off."""
    raw = bytearray(raw)
    for at in (0, len(raw) // 3, len(raw) // 2, len(raw) - 1):
        changed = raw.copy()
        changed[at] ^= 1
        yield bytes(changed)
    yield bytes(raw[:-1])
    yield b""
    yield b"ticket"


def tickets(client):
    (endpoint,) = client.query("SELECT 42 AS answer").endpoints
    for _ in range(2):
        equal("a ticket works more than once", client.fetch(endpoint.ticket).to_pylist(), [{"answer": 42}])
    for raw in tampered(endpoint.ticket.ticket):
        fails("a changed ticket", lambda: client.fetch(flight.Ticket(raw)))
    handle = create(client, "SELECT 42 AS answer")[1][0]
    for raw in tampered(handle):
        fails("a changed handle", lambda: client.all(client.info("CommandPreparedStatementQuery", {1: raw})))
    fails("a statement in a ticket's place", lambda: client.fetch(flight.Ticket(wire.command("CommandStatementQuery", {1: "SELECT 1"}))))


def updates(client):
    for name in ("CommandStatementUpdate", "CommandPreparedStatementUpdate"):
        handle = create(client, checks.OF_CHANNEL)[1][0]
        fields = {1: "DELETE FROM base.order_line" if name == "CommandStatementUpdate" else handle}

        def update():
            writer, reader = client.flight.do_put(client.descriptor(name, fields), pa.schema([]), client.options)
            writer.done_writing()
            reader.read()
            writer.close()

        fails(name, update, "read")
    for kind in ("BeginTransaction", "BeginSavepoint"):
        fails(kind, lambda: client.sql_action(kind, f"Action{kind}Request", {}))


def cancels(client):
    for kind in ("CancelFlightInfo", "CancelQuery"):
        sql = checks.endless()
        info = client.query(sql)
        failed = []

        def run():
            try:
                # Not read_all: when that is cancelled it interrupts the main thread, as Ctrl-C would.
                client.flight.do_get(info.endpoints[0].ticket, client.options).read_chunk()
            except Exception as error:
                failed.append(str(error))

        running = threading.Thread(target=run, daemon=True)
        running.start()
        soon("it runs", lambda: client.rows(checks.state_of(sql)), [{"state": "running"}], seconds=5)
        if kind == "CancelFlightInfo":
            (body,) = client.action(kind, wire.message({1: info.serialize()}))
            answer = wire.parsed(body)
        else:
            (answer,) = client.sql_action(kind, "ActionCancelQueryRequest", {1: info.serialize()})
        equal(f"{kind} says so", answer[1], [CANCELLED])
        running.join(checks.CANCELLED_SECONDS)
        true(f"{kind} ends the reader", not running.is_alive())
        true(f"the reader is told: {failed}", len(failed) == 1 and "cancel" in failed[0].lower())
        soon(f"{kind} stops the work", lambda: client.rows(checks.state_of(sql)), [{"state": "cancelled"}])


def sessions(client):
    lake = wire.message({1: "lake"})
    option = wire.message({1: "catalog", 2: lake})
    (body,) = client.action("SetSessionOptions", wire.message({1: option}))
    true(f"the catalog is ours: {body}", not wire.parsed(body).get(1))
    wrong = wire.message({1: "catalog", 2: wire.message({1: "elsewhere"})})
    (body,) = client.action("SetSessionOptions", wire.message({1: wrong}))
    true(f"another is not: {body}", wire.parsed(body).get(1))
    (body,) = client.action("CloseSession", b"")
    equal("closed", wire.parsed(body).get(1), [CLOSED])


def strangers(client):
    error = fails("an unknown action", lambda: client.action("no.such.action"), "no.such.action")
    true(f"it is not implemented: {error!r}", isinstance(error, NotImplementedError))
    for name in ("CommandNoSuchThing", "CommandStatementSubstraitPlan"):
        fails(name, lambda: client.info(name))
    fails("a descriptor that is no command", lambda: client.flight.get_flight_info(flight.FlightDescriptor.for_path("a", "b"), client.options))
    fails("a command that is no message", lambda: client.flight.get_flight_info(flight.FlightDescriptor.for_command(b"\xff\xff"), client.options))
    fails("DoExchange", lambda: client.flight.do_exchange(client.descriptor("CommandStatementQuery", {1: "SELECT 1"}), client.options)[1].read_chunk())
    error = fails("a misspelt table", lambda: client.query(checks.MISSPELT), checks.SUGGESTED)
    true(f"on a line of its own: {error}", "\n" in str(error))


def slow_reader(client):
    """Who reads slowly gets all, in order, and holds the server up only for himself."""
    (endpoint,) = client.query("SELECT value AS n FROM generate_series(1, 1000000) AS t(value) ORDER BY n").endpoints
    reader = client.flight.do_get(endpoint.ticket, client.options)
    first = reader.read_chunk().data
    for _ in range(20):
        client.rows("SELECT 1 AS one")
    rest = reader.read_all()
    equal("rows", first.num_rows + rest.num_rows, 1_000_000)
    equal("the last of them", rest.column("n")[-1].as_py(), 1_000_000)


def ingest(asked):
    """A ticket answers from the state of its time, whatever has landed since."""
    client = Client(asked.uri)
    held = f"SELECT count(*) AS n FROM base.order_line WHERE source_system = '{asked.source}'"
    (before,) = client.rows(held)
    (endpoint,) = client.query(held).endpoints
    handle = create(client, held)[1][0]
    with opened(asked.uri) as connection:
        equal("rows taken", push(connection, asked.source, receipts([f"P{n}" for n in range(10)])), 10)
    after = {"n": before["n"] + 10}
    soon("the new rows are there", lambda: client.rows(held), [after], seconds=30)
    equal("the ticket of before", client.fetch(endpoint.ticket).to_pylist(), [before])
    step("a prepared statement reads one state, whichever")
    true("it answers", client.all(client.info("CommandPreparedStatementQuery", {1: handle})).to_pylist() in ([before], [after]))
    step("an ingest of nothing ends")
    for send in (True, False):
        empty = receipts(["x"]).slice(0, 0) if send else None
        try:
            writer, reader = client.flight.do_put(client.descriptor("CommandStatementIngest", ingest_fields(asked.source)), receipts(["x"]).schema, client.options)
            if empty is not None:
                writer.write_table(empty)
            writer.done_writing()
            within("an answer", 10, reader.read)
            writer.close()
        except flight.FlightError:
            pass  # refused is as good
    equal("nothing came of it", client.rows(held), [after])


def ingest_fields(source):
    fail, append = 2, 2
    return {1: wire.message({1: fail, 2: append}), 2: source}


def access(asked):
    with open(asked.root, "rb") as file:
        root = file.read()

    def principal(client):
        return client.rows("SELECT principal FROM system.queries WHERE state = 'running'")[0]["principal"]

    step("bearer token")
    for scheme in (b"Bearer ", b"bearer "):
        headers = [(b"authorization", scheme + asked.token.encode())]
        equal("who asks", principal(Client(asked.uri, headers, tls_root_certs=root)), asked.user)
    step("handshake with user and password")
    client = Client(asked.uri, tls_root_certs=root)
    pair = client.flight.authenticate_basic_token(asked.user, asked.token)
    true(f"it answers with a token: {pair}", pair[0] == b"authorization" and pair[1].lower().startswith(b"bearer "))
    equal("who asks", principal(Client(asked.uri, [pair], tls_root_certs=root)), asked.user)
    step("another's ticket")
    (endpoint,) = Client(asked.uri, [pair], tls_root_certs=root).query("SELECT 1 AS one").endpoints
    fails("a ticket without a token", lambda: Client(asked.uri, tls_root_certs=root).fetch(endpoint.ticket))
    step("refused")
    wrong = Client(asked.uri, [(b"authorization", b"Bearer no-such-token-here")], tls_root_certs=root)
    for call in (lambda c: c.rows("SELECT 1"), lambda c: c.info("CommandGetCatalogs"), lambda c: c.action("CloseSession")):
        for client in (wrong, Client(asked.uri, tls_root_certs=root)):
            error = fails("without a token", lambda: call(client))
            true(f"it is not known: {error!r}", isinstance(error, flight.FlightUnauthenticatedError))
    fails("a wrong password", lambda: client.flight.authenticate_basic_token(asked.user, "no-such-token-here"))
    fails("a certificate that nobody vouches for", lambda: Client(asked.uri, [pair]).rows("SELECT 1"))
