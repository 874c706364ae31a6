"""ADBC's PostgreSQL driver: it reads every type at connect, and fetches queries without parameters by COPY … (FORMAT binary)."""

from decimal import Decimal
from urllib.parse import quote

import adbc_driver_postgresql.dbapi as adbc

from place import LARGE, MANY, NET, equal, holds


def checks(place):
    login = quote(place.user) + (f":{quote(place.password)}" if place.password else "")
    mode = "require" if place.tls else "prefer"
    uri = f"postgresql://{login}@{place.host}:{place.port}/{place.database}?sslmode={mode}"

    def fetched(sql, parameters=None, options=None):
        with adbc.connect(uri, autocommit=True) as c, c.cursor(adbc_stmt_kwargs=options) as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetch_arrow_table()

    def by_copy_and_without():
        plain = fetched(NET, options={"adbc.postgresql.use_copy": "false"})
        copied = fetched(NET)
        holds(plain.num_rows > 1, f"{plain}")
        equal(copied.to_pylist(), plain.to_pylist())
        # It has no decimals: numeric comes as text.
        holds(all(Decimal(str(row["net"])).is_finite() for row in copied.to_pylist()), f"{copied}")

    def types():
        casts = ["1 AS SMALLINT", "2 AS BIGINT", "0.5 AS DOUBLE PRECISION", "'x' AS TEXT", "'2026-02-28' AS DATE"]
        columns = [f"CAST({cast})" for cast in casts] + ["(1 = 1)", "ARRAY['a','b']", "CAST(NULL AS TEXT)"]
        sql = "SELECT " + ", ".join(f"{column} AS {name}" for name, column in zip("abcdefgh", columns))
        table = fetched(sql)
        equal([str(f.type) for f in table.schema][:6], ["int16", "int64", "double", "string", "date32[day]", "bool"])
        equal((table["g"][0].as_py(), table["h"][0].as_py()), (["a", "b"], None))

    def parameters():
        equal(fetched("SELECT count(*) AS n FROM sales_event WHERE channel_id = $1", ("nowhere",)).to_pylist(), [{"n": 0}])

    def a_table_s_schema():
        with adbc.connect(uri, autocommit=True) as c:
            schema = c.adbc_get_table_schema("order_line", db_schema_filter="base")
            equal(str(schema.field("business_date").type), "date32[day]")

    def all_objects():
        # Columns and keys take `CROSS JOIN UNNEST(…) WITH ORDINALITY`, which the catalogue cannot answer: see docs/postgres.md.
        with adbc.connect(uri, autocommit=True) as c:
            catalogs = c.adbc_get_objects(depth="tables", catalog_filter=place.database).read_all().to_pylist()
        schemas = {s["db_schema_name"]: s for s in catalogs[0]["catalog_db_schemas"]}
        holds({"sales_event"} <= {t["table_name"] for t in schemas["main"]["db_schema_tables"]}, f"{list(schemas)}")
        holds({"order_line"} <= {t["table_name"] for t in schemas["base"]["db_schema_tables"]}, f"{list(schemas)}")

    def a_large_result():
        equal(fetched(LARGE).num_rows, MANY)

    return [by_copy_and_without, types, parameters, a_table_s_schema, all_objects, a_large_result]
