"""SQLAlchemy with psycopg, as Superset uses it, and pandas over it: the inspector's words and how frames are read."""

from decimal import Decimal

import pandas
import sqlalchemy as sa

from place import LARGE, MANY, NET, REPORT, equal, holds


def checks(place):
    options = {"sslmode": "require" if place.tls else "prefer"}
    url = sa.URL.create("postgresql+psycopg", place.user, place.password, place.host, place.port, place.database, query=options)
    engine = sa.create_engine(url, pool_pre_ping=True)

    def connects():
        with engine.connect() as c:
            equal(c.execute(sa.text("SELECT 1")).scalar(), 1)
            holds(c.dialect.server_version_info >= (12,), f"{c.dialect.server_version_info}")
            equal(c.dialect.default_schema_name, "main")
            level = c.get_isolation_level()
            holds(level in ("READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"), f"isolation level {level}")

    def schemas_tables_and_views():
        names = sa.inspect(engine)
        schemas = set(names.get_schema_names())
        holds({"main", "base"} <= schemas and not any(s.startswith("pg_") for s in schemas), f"{schemas}")
        holds({"order_line", "product", "channel"} <= set(names.get_table_names("base")), f"{names.get_table_names('base')}")
        holds("sales_event" in names.get_view_names("main"), f"{names.get_view_names('main')}")
        holds("sales_event" in names.get_view_names(), f"without a schema: {names.get_view_names()}")
        equal(names.get_materialized_view_names("main"), [])
        equal(
            (names.has_table("sales_event", "main"), names.has_table("sales_event"), names.has_table("nothing", "main")),
            (True, True, False),
        )

    def columns_with_types_and_comments():
        columns = {c["name"]: c for c in sa.inspect(engine).get_columns("sales_event", "main")}
        net = columns["net_rc"]
        equal((type(net["type"]).__name__, net["type"].precision, net["type"].scale), ("NUMERIC", 18, 4))
        equal(str(columns["business_date"]["type"]), "DATE")
        equal(str(columns["channel_id"]["type"]), "TEXT")
        equal(str(columns["sale_lines"]["type"]), "BIGINT")
        holds("reporting currency" in (net["comment"] or ""), f"comment {net['comment']}")
        order = {c["name"]: c for c in sa.inspect(engine).get_columns("order_line", "base")}
        equal((order["order_id"]["nullable"], order["created_at"]["type"].timezone), (False, True))

    def keys_and_comments():
        names = sa.inspect(engine)
        equal(names.get_pk_constraint("order_line", "base")["constrained_columns"], ["source_system", "order_id", "order_line_id"])
        foreign = {
            (*key["constrained_columns"], key["referred_schema"] or "main", key["referred_table"], *key["referred_columns"])
            for key in names.get_foreign_keys("order_line", "base")
        }
        holds(("product_id", "main", "product", "product_id") in foreign, f"{foreign}")
        holds("event" in (names.get_table_comment("sales_event", "main")["text"] or ""), "no comment on sales_event")
        for listed in (names.get_indexes, names.get_unique_constraints, names.get_check_constraints):
            holds(isinstance(listed("order_line", "base"), list), "no list")
        equal(names.get_pk_constraint("sales_event", "main")["constrained_columns"], [])

    def reflection_and_expressions():
        event = sa.Table("sales_event", sa.MetaData(), autoload_with=engine)
        query = (
            sa.select(event.c.channel_id, sa.func.sum(event.c.net_rc).label("net"))
            .where(event.c.business_date >= sa.text("DATE '2026-01-01'"), event.c.channel_id.in_(["web", "app", "shop"]))
            .group_by(event.c.channel_id)
            .order_by(sa.desc("net"))
            .limit(3)
        )
        with engine.connect() as c:
            rows = c.execute(query).all()
        holds(rows and all(isinstance(row.net, Decimal) for row in rows), f"{rows}")

    def a_month_as_superset_asks():
        sql = """SELECT DATE_TRUNC('month', business_date) AS __timestamp, channel_id AS channel_id, SUM(net_rc) AS "SUM(net_rc)"
                 FROM main.sales_event WHERE business_date >= TO_DATE('2026-01-01', 'YYYY-MM-DD') AND business_date < TO_DATE('2027-01-01', 'YYYY-MM-DD')
                 GROUP BY DATE_TRUNC('month', business_date), channel_id ORDER BY "SUM(net_rc)" DESC LIMIT 10000"""
        with engine.connect() as c:
            holds(c.execute(sa.text(sql)).all(), "no rows")

    def frames():
        frame = pandas.read_sql(NET, engine)
        equal(list(frame.columns), ["channel_id", "net", "n"])
        holds(len(frame) > 1 and frame["n"].sum() > 0, f"{frame}")
        with_parameter = pandas.read_sql(
            sa.text("SELECT net_rc FROM sales_event WHERE channel_id = :channel"), engine, params={"channel": "web"}, coerce_float=True
        )
        holds(with_parameter["net_rc"].dtype == "float64" and len(with_parameter), f"{with_parameter.dtypes}")
        holds(len(pandas.read_sql(REPORT, engine)), "no rows in the report")

    def a_large_result_in_pieces():
        with engine.connect().execution_options(stream_results=True, max_row_buffer=5000) as c:
            equal(sum(len(part) for part in c.execute(sa.text(LARGE)).partitions(10_000)), MANY)

    def autocommit_and_disposal():
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
            equal(c.execute(sa.text("SELECT 1")).scalar(), 1)
        with engine.begin() as c, c.begin_nested():
            equal(c.execute(sa.text("SELECT 2")).scalar(), 2)
        engine.dispose()

    return [
        connects,
        schemas_tables_and_views,
        columns_with_types_and_comments,
        keys_and_comments,
        reflection_and_expressions,
        a_month_as_superset_asks,
        frames,
        a_large_result_in_pieces,
        autocommit_and_disposal,
    ]
