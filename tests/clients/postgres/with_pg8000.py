"""pg8000: a driver in Python alone, text only, with an SCRAM of its own; it sends Flush between all messages."""

import ssl
from datetime import date, datetime, timezone
from decimal import Decimal

import pg8000.native
from pg8000.exceptions import DatabaseError

from place import ALL_TYPES, NET, equal, holds


def checks(place):
    def connect(**more):
        encrypted = None
        if place.tls:
            encrypted = ssl.create_default_context()
            encrypted.check_hostname, encrypted.verify_mode = False, ssl.CERT_NONE
        words = dict(host=place.host, port=place.port, password=place.password, database=place.database, ssl_context=encrypted)
        return pg8000.native.Connection(place.user, **(words | more))

    def every_type():
        c = connect()
        values = c.run(ALL_TYPES)[0]
        row = dict(zip([column["name"] for column in c.columns], values))
        equal((row["i2"], row["i8"], row["f8"], row["yes"], row["nothing"]), (7, 9007199254740993, 0.1, True, None))
        equal((row["num"], row["day"], row["list"]), (Decimal("-12345678901.2345"), date(2026, 2, 28), ["a", "b,c", 'd"e']))
        equal(row["tz"], datetime(2026, 2, 28, 13, 14, 15, 123456, tzinfo=timezone.utc))
        c.close()

    def parameters():
        c = connect()
        sql = "SELECT count(*) FROM sales_event WHERE business_date >= :day AND channel_id = :channel AND net_rc > :net"
        holds(c.run(sql, day=date(2026, 1, 1), channel="web", net=Decimal("0.5"))[0][0] > 0, "no rows")
        statement = c.prepare(sql)
        kept = {statement.run(day=date(2026, 1, 1), channel=channel, net=Decimal("0.5"))[0][0] for channel in ("web", "nowhere", "web")}
        statement.close()
        equal(len(kept), 2)
        c.close()

    def errors_and_transactions():
        c = connect()
        try:
            c.run("SELECT * FROM nothing_here")
            raise AssertionError("no error")
        except DatabaseError as error:
            equal(error.args[0]["C"], "42P01")
        c.run("START TRANSACTION")
        holds(c.run(NET), "no rows")
        c.run("COMMIT")
        equal(c.run("SELECT 1"), [[1]])
        c.close()

    def a_wrong_password():
        if place.password is None:
            return
        try:
            connect(password="wrong" * 5).close()
            raise AssertionError("let in")
        except DatabaseError as error:
            equal(error.args[0]["C"], "28P01")

    return [every_type, parameters, errors_and_transactions, a_wrong_password]
