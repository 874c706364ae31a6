"""asyncpg: prepares everything, wants every value in binary form, and looks up types that it does not know."""

import asyncio
import functools
import ssl
from datetime import date
from decimal import Decimal

import asyncpg

from place import ALL_TYPES, ENDED_WITHIN, NET, SLOW, Timer, equal, holds


def checks(place):
    encrypted = False
    if place.tls:
        encrypted = ssl.create_default_context()
        encrypted.check_hostname, encrypted.verify_mode = False, ssl.CERT_NONE
    words = dict(host=place.host, port=place.port, user=place.user, password=place.password, database=place.database, ssl=encrypted)

    def connected(check):
        @functools.wraps(check)
        def run():
            async def go():
                c = await asyncpg.connect(**words)
                try:
                    await check(c)
                finally:
                    await c.close(timeout=10)

            asyncio.run(go())

        return run

    @connected
    async def every_type_in_binary(c):
        row = await c.fetchrow(ALL_TYPES)
        equal((row["i2"], row["i8"], row["f8"], row["yes"], row["nothing"]), (7, 9007199254740993, 0.1, True, None))
        equal((row["num"], row["day"], row["list"]), (Decimal("-12345678901.2345"), date(2026, 2, 28), ["a", "b,c", 'd"e']))
        equal((row["at"].microsecond, row["tz"].utcoffset().total_seconds()), (123456, 0))

    @connected
    async def arrays_whose_types_it_looks_up(c):
        row = await c.fetchrow("SELECT ARRAY[1, 2] AS i, ARRAY[0.5, NULL] AS f, ARRAY[date '2026-02-28'] AS d, ARRAY[true] AS b")
        equal((row["i"], row["f"], row["d"], row["b"]), ([1, 2], [0.5, None], [date(2026, 2, 28)], [True]))
        equal(await c.fetchval("SELECT cardinality($1::bigint[])", [1, 2, 3]), 3)

    @connected
    async def parameters_by_the_type_that_the_server_tells(c):
        statement = await c.prepare("SELECT count(*) FROM sales_event WHERE business_date >= $1 AND channel_id = ANY($2) AND net_rc > $3")
        equal([p.name for p in statement.get_parameters()], ["date", "text[]", "numeric"])
        equal([a.type.name for a in statement.get_attributes()], ["int8"])
        holds(await statement.fetchval(date(2026, 1, 1), ["web"], Decimal("0.5")) > 0, "no rows")

    @connected
    async def cursors_in_a_transaction(c):
        async with c.transaction(readonly=True):
            cursor = await c.cursor("SELECT a.x FROM generate_series(1, 100) AS a(x) ORDER BY 1")
            equal([r[0] for r in await cursor.fetch(3)], [1, 2, 3])
            await cursor.forward(7)
            equal((await cursor.fetchrow())[0], 11)
        async with c.transaction():
            equal(len([r async for r in c.cursor(NET, prefetch=2)]), len(await c.fetch(NET)))

    @connected
    async def a_time_limit_cancels(c):
        clock = Timer()
        try:
            await c.execute(SLOW, timeout=0.5)
            raise AssertionError("it ended by itself")
        except (asyncio.TimeoutError, asyncpg.QueryCanceledError):
            pass
        clock.within(0.5 + ENDED_WITHIN, "the cancel")
        equal(await c.fetchval("SELECT 1"), 1)

    @connected
    async def copy_of_a_query(c):
        parts = []

        async def keep(data):
            parts.append(data)

        await c.copy_from_query("SELECT channel_id FROM sales_event ORDER BY 1 LIMIT 2", output=keep, format="csv", header=True)
        equal(b"".join(parts).decode().splitlines()[0], "channel_id")

    def a_pool_resets_its_connections():
        async def go():
            async with asyncpg.create_pool(min_size=1, max_size=3, **words) as pool:
                for _ in range(3):
                    async with pool.acquire() as c:
                        await c.execute("SET application_name = 'x'")
                        holds(await c.fetch(NET), "no rows")

        asyncio.run(go())

    return [
        every_type_in_binary,
        arrays_whose_types_it_looks_up,
        parameters_by_the_type_that_the_server_tells,
        cursors_in_a_transaction,
        a_time_limit_cancels,
        copy_of_a_query,
        a_pool_resets_its_connections,
    ]
