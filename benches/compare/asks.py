"""The questions: a report, the peers' SQL for it, and parameters that vary from call to call. It must not know how they are answered.

Each file of sql/ but views.sql is a report of that name. Its header is TOML between two `-- ---`:

    key         columns that tell one row from another; the others that the SQL returns are compared
    window      [least, most] whole months from `from` to `to`; with `history` as many months are left before it
    as_of       a day, with as many months of data before it
    slice       true: some of the calls ask for one channel
    choices     parameter → values, one of which each call takes; a `grain` is known to the SQL's $bucket
    set         parameters that stay; derive: those that follow from others, as the SQL would write them
    pivot       saleslake gives a row per `by`, the peer one row: column → the part of its name behind the row's `by`
    nonzero     a column: only rows in which it is neither 0 nor empty are compared, for who shows what did not happen
"""

import random
import tomllib
from dataclasses import dataclass, field
from datetime import date, timedelta

import generate
from peers import SQL, moved

MONTHS = 36


@dataclass
class Question:
    id: str
    sql: str
    key: list
    window: list = None
    history: int = 0
    as_of: int = None
    slice: bool = False
    choices: dict = field(default_factory=dict)
    set: dict = field(default_factory=dict)
    derive: dict = field(default_factory=dict)
    pivot: dict = None
    nonzero: str = None


@dataclass
class Call:
    """One way to ask: saleslake's parameters, those of the SQL (dates as dates), and its slicers by column."""

    ours: dict
    sql: dict
    slices: dict


def questions(wanted):
    found = []
    for file in sorted(SQL.glob("*.sql")):
        if file.stem != "views" and (not wanted or file.stem in wanted):
            found.append(read(file))
    unknown = set(wanted) - {q.id for q in found}
    if unknown:
        raise SystemExit(f"no question {', '.join(sorted(unknown))} in {SQL}")
    return found


def read(file):
    _, head, sql = file.read_text().split("-- ---\n", 2)
    header = tomllib.loads("".join(line.removeprefix("--").strip() + "\n" for line in head.splitlines()))
    return Question(id=file.stem, sql=sql.strip(), **header)


def calls(question, count, seed):
    """`count` ways to ask, the same for the same seed; no two in a row are equal."""
    dice, made = random.Random(f"{seed} {question.id}"), []
    while len(made) < count:
        call = one(question, dice)
        for _ in range(20):
            if not made or call != made[-1]:
                break
            call = one(question, dice)
        made.append(call)
    return made


def one(question, dice):
    params = {}
    if question.window:
        least, most = question.window
        length = dice.randint(least, min(most, MONTHS - question.history))
        begin = dice.randint(question.history, MONTHS - length)
        params |= {"from": moved(generate.FIRST, begin, "m"), "to": moved(generate.FIRST, begin + length, "m")}
    if question.as_of:
        earliest = moved(generate.FIRST, question.as_of, "m")
        params["as_of"] = earliest + timedelta(days=dice.randrange((generate.END - earliest).days + 1))
    params |= {name: dice.choice(values) for name, values in question.choices.items()}
    # not the smallest channel: of a small lake it would have days without sales, which the SQL does not show
    slices = {"channel_id": dice.choice(generate.CHANNELS[:4])[0]} if question.slice and dice.random() < 0.4 else {}
    ours = {name: str(value) for name, value in params.items()} | question.set
    for name, value in question.derive.items():
        base, days = value.removeprefix("$").split("-")
        ours[name] = str(moved(params[base], -int(days[:-1]), days[-1]))
    ours |= {f"where.{column.removesuffix('_id')}": value for column, value in slices.items()}
    return Call(ours, params | spans(params) | {"today": generate.END}, slices)


def spans(params):
    """The first day of the period to date, and the first day after that period."""
    grain = params.get("to_date_of")
    if not grain:
        return {}
    day = params["as_of"] - timedelta(days=1)
    length = {"month": 1, "quarter": 3, "year": 12}[grain]
    first = date(day.year, (day.month - 1) // length * length + 1, 1)
    return {"first": first, "end": moved(first, length, "m")}
