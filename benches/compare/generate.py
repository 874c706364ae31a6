"""A retailer's sales in Parquet, a file a month: what benches/compare.py lands. The same seed and number of lines give the same bytes' worth of
data; a part of a month is in memory at a time. It must not know saleslake or any peer.

Three years to the end of June 2026, in London and pounds: about three lines an order; 200 shops in 12 regions, 20 of them opened on the way
and 5 closed; five channels; 5,000 articles of which few sell much; a customer per ten orders, 30 % of the orders anonymous; 2 % of the orders
cancelled, 1 % tests or quotes; about 5 % of the lines come back, 1 % of those without an order. Prices are without tax.
"""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

FIRST, END, SEED = date(2023, 7, 1), date(2026, 7, 1), 20260701
DAYS = (END - FIRST).days
PART = 250_000  # orders in memory at once
SHOPS, PRODUCTS, BRANDS = 200, 5_000, 60
REGIONS = [("north_east", "North East", 3), ("north_west", "North West", 11), ("yorkshire", "Yorkshire", 8), ("east_midlands", "East Midlands", 7),
           ("west_midlands", "West Midlands", 9), ("east", "East of England", 9), ("london", "London", 16), ("south_east", "South East", 14),
           ("south_west", "South West", 8), ("wales", "Wales", 5), ("scotland", "Scotland", 8), ("northern_ireland", "Northern Ireland", 2)]
NATIONS = {"wales": ("WLS", "Wales"), "scotland": ("SCT", "Scotland"), "northern_ireland": ("NIR", "Northern Ireland")}
# id, name, type, share of the orders, of its lines that come back
CHANNELS = [("pos", "Shops", "pos_store", .50, .03), ("web", "Web shop", "own_web", .22, .09), ("app", "App", "own_app", .13, .09),
            ("marketplace", "Marketplace", "marketplace", .10, .07), ("wholesale", "Wholesale", "b2b", .05, .01)]
REASONS = [("size", .3), ("changed_mind", .25), ("defect", .15), ("not_as_described", .12), ("late", .06), ("unknown", .12)]
RATES = np.array([0, 5, 20])  # tax, in percent
CUTS = np.array([0, 5, 10, 20, 30, 50, 75])  # discounts, in percent


class World:
    """What does not change from day to day: shops, articles and their weights."""

    def __init__(self, lines):
        dice = np.random.default_rng(SEED)
        self.orders = max(lines // 3, 100)
        self.customers = max(self.orders // 10, 10)
        day = np.arange(DAYS)
        week = np.array([.9, .9, .95, 1., 1.2, 1.45, .8])[(day + FIRST.weekday()) % 7]
        season = 1 + .15 * np.sin(day / 365.25 * 2 * np.pi) + .6 * np.exp(-((day % 365 - 168) / 14.) ** 2)
        weight = week * season * 1.12 ** (day / 365.25) * dice.uniform(.85, 1.15, DAYS)
        self.day_ends = np.rint(np.cumsum(weight) / weight.sum() * self.orders).astype(np.int64)
        self.article = dice.permutation(PRODUCTS)  # by popularity
        self.article_ends = ends(1 / (np.arange(PRODUCTS) + 8.) ** .9)
        self.price = np.clip(np.exp(dice.normal(2.9, .8, PRODUCTS)), 1, 400).astype(np.int64) * 100 + 99
        self.cost = self.price * dice.integers(35, 80, PRODUCTS) // 100
        self.cost_known = dice.random(PRODUCTS) > .04
        self.rate = RATES[np.searchsorted([.15, .2], dice.random(PRODUCTS), "right")]
        self.category, self.brand = dice.integers(0, 40, PRODUCTS), np.minimum(dice.zipf(1.4, PRODUCTS), BRANDS) - 1
        self.shop_ends = ends(1 / (np.arange(SHOPS) + 10.) ** .6)
        self.shop_region = np.searchsorted(ends([r[2] for r in REGIONS]), dice.random(SHOPS), "right")
        self.opened, self.closed = np.full(SHOPS, -3650), np.full(SHOPS, DAYS + 1)
        self.opened[-20:] = dice.integers(30, DAYS - 60, 20)
        self.closed[60:65] = dice.integers(200, DAYS - 30, 5)


def ends(weights):
    return np.cumsum(weights) / np.sum(weights)


def pick(dice, ends_, count):
    return np.minimum(np.searchsorted(ends_, dice.random(count), "right"), len(ends_) - 1)


def months():
    """(first day, end) of each month, in days since FIRST."""
    starts = [date(FIRST.year + (FIRST.month - 1 + m) // 12, (FIRST.month - 1 + m) % 12 + 1, 1) for m in range(37)]
    starts = [(s - FIRST).days for s in starts if s <= END]
    return list(zip(starts, starts[1:]))


def code(prefix, numbers, width):
    digits = pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), width, "0")
    return pc.binary_join_element_wise(pa.scalar(prefix), digits, "")


def names(values, index):
    return pc.take(pa.array(values), pa.array(index))


def decimal(units, scale=2, mask=None):
    """Whole numbers of 10⁻ˢᶜᵃˡᵉ as decimals, without a float between."""
    pair = np.empty((len(units), 2), dtype=np.int64)
    pair[:, 0], pair[:, 1] = units, np.where(units < 0, -1, 0)
    made = pa.Array.from_buffers(pa.decimal128(18, scale), len(units), [None, pa.py_buffer(pair)])
    return made if mask is None else pc.if_else(pa.array(~mask), made, pa.scalar(None, made.type))


def clock(seconds):
    """Seconds since FIRST as the shop's clock shows them."""
    began = int((FIRST - date(1970, 1, 1)).total_seconds())
    return pc.strftime(pa.array(seconds + began).cast(pa.timestamp("s")), "%Y-%m-%d %H:%M:%S")


def optional(values, there):
    return pc.if_else(pa.array(there), values, pa.scalar(None, values.type))


def sold(world, first_order, count, day):
    """Order lines as a table, and what the returns desk needs of them, of `count` orders from number `first_order` on."""
    dice = np.random.default_rng([SEED, first_order])
    channel = pick(dice, ends([c[3] for c in CHANNELS]), count)
    shop = pick(dice, world.shop_ends, count)
    shop = np.where((world.opened[shop] <= day) & (day < world.closed[shop]), shop, 0)  # who finds it closed goes to the first one
    hour = np.where(channel == 0, dice.normal(14.2, 2.8, count), dice.normal(16.5, 4, count))
    # nobody buys at night: no hour that the clocks leave out or show twice
    second = day * 86400 + (np.clip(hour, 7, 22.99) * 3600).astype(np.int64)
    region = pick(dice, ends([r[2] for r in REGIONS]), count)
    known = dice.random(count) > .3
    reach = world.customers * (.2 + .8 * day / DAYS)  # of whom there were fewer then
    customer = (reach * dice.random(count) ** 1.4).astype(np.int64) * 387_420_489 % 1_000_000_000
    fate = dice.random(count)  # cancelled, a test, a quote
    cancelled = (fate < .02) & (channel > 0) | (fate < .005)
    per = 1 + dice.poisson(2, count)

    order = np.repeat(np.arange(count), per)
    lines = len(order)
    line = np.arange(lines) - np.repeat(np.cumsum(per) - per, per) + 1
    article = world.article[pick(dice, world.article_ends, lines)]
    bulk = channel[order] == 4
    quantity = 1 + np.searchsorted([.7, .88, .95, .98], dice.random(lines), "right")
    quantity = np.where(bulk, quantity * 12, quantity)
    price = world.price[article] * (100 + 3 * (day[order] // 365)) // 100
    cut = CUTS[np.searchsorted([.62, .74, .85, .93, .97, .995], dice.random(lines), "right")]
    gross = price * quantity
    discount = (gross * cut + 50) // 100
    no_cost = ~world.cost_known[article]
    number = first_order + order
    table = pa.table({
        "order_no": code("R", number, 10), "line": pc.cast(pa.array(line), pa.string()), "sold_at": clock(second[order]),
        "channel": names([c[0] for c in CHANNELS], channel[order]), "type": names(["sale", "wholesale", "quote"], kind(channel, fate)[order]),
        "status": names(["completed", "cancelled"], cancelled[order].astype(np.int8)),
        "cancelled_at": optional(clock(second[order] + 5400), cancelled[order]), "test": pc.cast(pa.array(is_test(fate)[order]), pa.string()),
        "shop": optional(code("S", shop[order], 3), channel[order] == 0),
        "ship_region": optional(names([r[0] for r in REGIONS], region[order]), channel[order] > 0),
        "customer": optional(code("C", customer[order], 9), known[order]), "article": code("A", article, 5),
        "quantity": decimal(quantity * 1000, 3), "price": decimal(price), "discount": decimal(discount),
        "cost": decimal(world.cost[article], 2, no_cost), "tax_rate": decimal(world.rate[article], 2),
    })
    chance = np.array([c[4] for c in CHANNELS])[channel[order]] * (.6 + .8 * (article % 7) / 6)
    back = np.flatnonzero((dice.random(lines) < chance) & ~cancelled[order] & (fate[order] < .99))
    sale = {"number": number, "line": line, "day": day[order], "channel": channel[order], "shop": shop[order], "customer": customer[order],
            "known": known[order], "article": article, "quantity": quantity, "net": gross - discount}
    return table, came_back(world, dice, {name: values[back] for name, values in sale.items()})


def is_test(fate):
    return fate >= .995


def kind(channel, fate):
    return np.where((fate >= .99) & (fate < .995), 2, (channel == 4).astype(np.int8))


def came_back(world, dice, sale):
    """Lines that come back as returns: a dict of arrays, by which the desk's files are made month by month."""
    count, article, channel = len(sale["line"]), sale["article"], sale["channel"]
    lag = 1 + np.minimum(dice.exponential(14, count), 119).astype(np.int64)
    some = 1 + (dice.random(count) * sale["quantity"]).astype(np.int64)  # of its units
    refund, rate = sale["net"] * some // sale["quantity"], world.rate[article]
    restocked = dice.random(count) < .8
    to_shop = (channel == 0) | (dice.random(count) < .25) & (channel < 3)
    return {
        **{name: sale[name] for name in ("number", "line", "shop", "customer", "known", "article")},
        "day": sale["day"] + lag, "second": dice.integers(10 * 3600, 18 * 3600, count), "channel": np.where(to_shop, 0, channel),
        "quantity": some, "refund": refund, "tax": (refund * rate + 50) // 100, "rate": rate, "restocked": restocked,
        "cost": np.where(restocked, world.cost[article] * some, 0), "cost_known": world.cost_known[article],
        "blind": dice.random(count) < .01, "exchange": dice.random(count) < .06, "reason": pick(dice, ends([r[1] for r in REASONS]), count),
    }


def returned(r):
    """The desk's table of returns."""
    return pa.table({
        "return_no": code("T", r["number"] * 100 + r["line"], 12), "order_no": optional(code("R", r["number"], 10), ~r["blind"]),
        "line": optional(pc.cast(pa.array(r["line"]), pa.string()), ~r["blind"]), "refunded_at": clock(r["day"] * 86400 + r["second"]),
        "type": names(["refund", "exchange"], r["exchange"].astype(np.int8)), "channel": names([c[0] for c in CHANNELS], r["channel"]),
        "shop": optional(code("S", r["shop"], 3), r["channel"] == 0), "customer": optional(code("C", r["customer"], 9), r["known"]),
        "article": code("A", r["article"], 5), "quantity": decimal(r["quantity"] * 1000, 3), "refund": decimal(r["refund"]), "tax": decimal(r["tax"]),
        "tax_rate": decimal(r["rate"]), "cost": decimal(r["cost"], 2, ~r["cost_known"]), "reason": names([x[0] for x in REASONS], r["reason"]),
        "restock": names(["damaged", "return_to_stock"], r["restocked"].astype(np.int8)),
    })


def generate(folder, lines, say):
    """Writes sales/, returns/ and dimensions/ below `folder`; the number of order lines."""
    world, written, pending = World(lines), 0, []
    for part in ("sales", "returns", "dimensions"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    dimensions(world, folder / "dimensions")
    order = 0
    for first, end in months():
        month = f"{FIRST + timedelta(days=first):%Y-%m}"
        last, writer = int(world.day_ends[end - 1]), None
        while order < last:
            count = min(PART, last - order)
            day = np.searchsorted(world.day_ends, np.arange(order, order + count), "right")
            table, back = sold(world, order, count, day)
            pending.append(back)
            writer = writer or pq.ParquetWriter(folder / "sales" / f"{month}.parquet", table.schema, compression="zstd")
            writer.write_table(table)
            order, written = order + count, written + table.num_rows
        if writer:
            writer.close()
        pending = desk(pending, end, folder / "returns" / f"{month}.parquet")
        say(f"  {month}: {written:,} lines")
    return written


def desk(pending, end, file):
    """Writes the returns up to `end`; those that come later stay."""
    if not pending:
        return []
    every = {name: np.concatenate([p[name] for p in pending]) for name in pending[0]}
    now = every["day"] < end
    if now.any():
        pq.write_table(returned({name: values[now] for name, values in every.items()}), file, compression="zstd")
    return [{name: values[~now] for name, values in every.items()}]


def dimensions(world, folder):
    def write(name, rows):
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")

    def iso(day):
        return str(FIRST + timedelta(days=int(day)))

    write("channels", [{"id": c[0], "name": c[1], "type": c[2]} for c in CHANNELS])
    write("regions", [{"id": r[0], "name": r[1], "nation": NATIONS.get(r[0], ("ENG", "England"))[0],
                       "nation_name": NATIONS.get(r[0], ("ENG", "England"))[1]} for r in REGIONS])
    write("shops", [{"id": f"S{s:03}", "name": f"Shop {s}", "region": REGIONS[world.shop_region[s]][0], "opened": iso(world.opened[s]),
                     "closed": iso(world.closed[s]) if world.closed[s] < DAYS else None, "area": str(120 + s * 37 % 900)} for s in range(SHOPS)])
    write("articles", [{"id": f"A{p:05}", "name": f"Article {p}", "brand": f"Brand {world.brand[p] + 1}", "tax": f"VAT{world.rate[p]}",
                        **category(*divmod(int(world.category[p]), 5))} for p in range(PRODUCTS)])


def category(head, sub):
    return {"head": f"K{head:02}", "head_name": f"Category {head}", "sub": f"K{head:02}-{sub}", "sub_name": f"Category {head}.{sub}"}
