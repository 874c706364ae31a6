"""Golden answers for the sample data, computed by DuckDB from the landing files with SQL of its own.

Run at development time, from the repository's root, with the packages of tests/oracles/requirements.txt:
    python tests/golden/sample.py
Writes tests/golden/sample/<report>/<case>.csv: the request as `# name=value` lines, then the columns that are compared and the rows.
`# unordered=true`: the order of rows is not compared. It must not read anything that saleslake's lake, views or reports wrote.

    sample_staging.py, sample_plans.py    landing files → clean tables
    sample_measures.py   words of a request → rows and sums
    sample_reports.py    the reports
    sample_products.py, sample_customers.py, sample_segments.py, sample_periods.py, sample_stock.py, sample_supply.py, sample_people.py,
    sample_marketing.py, sample_quality.py, sample_service.py    more of them, by what they are about; sample_requests.py asks them
    sample_orders.py     what becomes of orders: the order desk's files and the reports about them
    sample_control.py    control totals and the report that compares them
"""

import csv
import shutil
import sys
from pathlib import Path

import sample_requests
from sample_measures import shown
from sample_reports import Golden, read_dirt
from sample_staging import stage

HERE = Path(__file__).parent
OUT = HERE / "sample"

QUARTER = {"from": "2025-07-01", "to": "2025-10-01"}
BORDER = {"from": "2024-12-30", "to": "2025-01-03"}
NEVER = {"from": "2020-01-01", "to": "2020-02-01"}
ALL_TIME = {"from": "2024-07-01", "to": "2026-07-01"}
MARCH = {"from": "2025-03-01", "to": "2025-04-01"}  # the month of the tills' unknown keys
TOP = {"order_by": "-net_sales", "limit": "12"}

# Every report that adds up sales events: windows, policies and slicers.
WINDOWS = {"quarter": QUARTER, "year-border": BORDER, "never": NEVER}
POLICIES = {
    "sale-date": QUARTER | {"return_basis": "sale_date"},
    "cancelled-reversed": QUARTER | {"cancel_policy": "sale_then_reversal"},
    "cancelled-gross": QUARTER | {"cancel_policy": "include_gross"},
    "shipped-to": QUARTER | {"region_basis": "ship"},
    "billed-to": QUARTER | {"region_basis": "bill", "where.region": "GB"},
    "paid": QUARTER | {"recognition_basis": "paid"},
    "shipped": QUARTER | {"recognition_basis": "shipped"},
    "rates-of-the-month": QUARTER | {"fx_mode": "period_average"},
    "rates-of-today": QUARTER | {"fx_mode": "constant", "return_basis": "sale_date"},
    "delivered-reversed": QUARTER | {"recognition_basis": "delivered", "cancel_policy": "sale_then_reversal"},
    "paid-reversed-sale-date": QUARTER | {"recognition_basis": "paid", "cancel_policy": "sale_then_reversal", "return_basis": "sale_date"},
}
SLICES = {
    "channels": QUARTER | {"where.channel": "web,app"},
    "channel-by-name": QUARTER | {"where.channel": "Marktplatz Mitte"},
    "channel-unknown": {"from": "2025-04-01", "to": "2025-05-01", "where.channel": "UNK"},
    "channel-none": QUARTER | {"where.channel": "N/A"},
    "shop": QUARTER | {"where.location": "S001,S036"},
    "shop-unknown": MARCH | {"where.location": "UNK"},
    "no-shop": QUARTER | {"where.location": "N/A", "where.channel": "app"},
    "region": QUARTER | {"where.region": "Scotland"},
    "country": QUARTER | {"where.region": "DE"},
    "region-unknown": MARCH | {"to": "2025-12-01", "where.region": "UNK"},
    "region-none": QUARTER | {"where.region": "N/A"},
    "category": QUARTER | {"where.category": "KIT"},
    "category-by-name": QUARTER | {"where.category": "Garden,Board games"},
    "category-none": QUARTER | {"where.category": "N/A"},
    "brand": QUARTER | {"where.brand": "Kestrel"},
    "product": QUARTER | {"where.product": "001077,001084,SV0001"},
    "product-unknown": MARCH | {"to": "2025-07-01", "where.product": "UNK"},
    "staff": QUARTER | {"where.staff": "true"},
    "members": QUARTER | {"where.segment": "gold"},
    "sales-reps": QUARTER | {"where.sales_rep": "R03,E010,E011"},
    "sales-rep-none": {"from": "2025-07-01", "to": "2025-07-15", "where.sales_rep": "N/A"},
    "returned-in-shops": QUARTER | {"where.return_channel": "pos"},
}


def every(extra=None, skip=()):
    """Windows, policies and slices with something added to each request."""
    return {name: request | (extra or {}) for name, request in (WINDOWS | POLICIES | SLICES).items() if name not in skip}


CASES = {
    "sales-summary": every() | {
        "months": {"from": "2025-01-15", "to": "2025-04-10", "grain": "month"},
        "all-time": ALL_TIME,
        "partial-today": {"from": "2026-06-01", "to": "2026-08-01", "grain": "month"},
        "previous-period": QUARTER | {"compare": "previous_period"},
        "previous-year": {"from": "2025-07-01", "to": "2025-08-01", "compare": "previous_year"},
        "previous-year-unfinished": {"from": "2026-06-01", "to": "2026-08-01", "compare": "previous_year"},
        "previous-year-aligned": {"from": "2025-07-07", "to": "2025-08-04", "compare": "previous_year_aligned"},
        "totals": {"from": "2025-01-01", "to": "2025-04-01", "grain": "month", "totals": "true"},
    },
    "sales-over-time": every(skip=["quarter"]) | {
        "days": {"from": "2024-12-20", "to": "2025-01-06", "grain": "day"},
        "days-one-shop": {"from": "2025-03-24", "to": "2025-04-06", "grain": "day", "where.location": "S001"},
        "weeks-iso": {"from": "2024-12-18", "to": "2025-01-22", "grain": "week"},
        "weeks-retail": {"from": "2024-12-18", "to": "2025-01-22", "grain": "week", "calendar": "retail_454"},
        "months": {"from": "2024-07-01", "to": "2026-07-01", "grain": "month"},
        "quarters": {"from": "2024-07-01", "to": "2026-07-01", "grain": "quarter"},
        "years": {"from": "2024-07-01", "to": "2026-07-01", "grain": "year"},
        "fiscal-weeks": {"from": "2025-01-12", "to": "2025-03-02", "grain": "fiscal_week", "calendar": "retail_454"},
        "fiscal-periods": {"from": "2025-02-02", "to": "2026-02-01", "grain": "fiscal_period", "calendar": "retail_454"},
        "fiscal-periods-445": {"from": "2025-02-02", "to": "2026-02-01", "grain": "fiscal_period", "calendar": "retail_445"},
        "fiscal-quarters": {"from": "2025-02-02", "to": "2026-02-01", "grain": "fiscal_quarter", "calendar": "retail_454"},
        "fiscal-years": ALL_TIME | {"grain": "fiscal_year", "calendar": "retail_454"},
        "fiscal-years-april": ALL_TIME | {"grain": "fiscal_year", "calendar": "gregorian_fy_apr"},
        "no-empty-days": {"from": "2025-07-01", "to": "2025-08-01", "grain": "day", "where.brand": "Veldt", "where.location": "S002", "include_zero": "false"},
        "empty-days": {"from": "2025-07-01", "to": "2025-08-01", "grain": "day", "where.brand": "Veldt", "where.location": "S002"},
        "previous-period": {"from": "2025-10-01", "to": "2026-01-01", "grain": "month", "compare": "previous_period"},
        "previous-period-days": {"from": "2025-11-24", "to": "2025-12-01", "grain": "day", "compare": "previous_period"},
        "previous-year": {"from": "2025-10-01", "to": "2026-01-01", "grain": "month", "compare": "previous_year"},
        "previous-year-days": {"from": "2026-02-25", "to": "2026-03-03", "grain": "day", "compare": "previous_year"},
        "previous-year-aligned": {"from": "2025-11-24", "to": "2025-12-08", "grain": "day", "compare": "previous_year_aligned"},
        "previous-year-aligned-weeks": {"from": "2025-11-24", "to": "2025-12-22", "grain": "week", "compare": "previous_year_aligned"},
        "previous-year-cut": {"from": "2025-07-10", "to": "2025-09-20", "grain": "month", "compare": "previous_year"},
        "previous-year-weeks": {"from": "2026-01-05", "to": "2026-02-09", "grain": "week", "compare": "previous_year"},
        "previous-year-weeks-cut": {"from": "2025-12-17", "to": "2026-01-14", "grain": "week", "compare": "previous_year"},
        "previous-year-retail": {"from": "2026-02-01", "to": "2026-07-05", "grain": "fiscal_period", "calendar": "retail_454", "compare": "previous_year"},
        "previous-period-cut": {"from": "2025-07-10", "to": "2025-09-20", "grain": "month", "compare": "previous_period"},
        "totals": {"from": "2025-01-01", "to": "2025-04-01", "grain": "month", "totals": "true"},
        "best-weeks": {"from": "2025-01-06", "to": "2025-12-29", "grain": "week", "order_by": "-orders", "limit": "5"},
    },
    "sales-by-product": every(TOP, skip=["never", "product-unknown", "category-none"]) | {
        "never": NEVER,
        "border-all": BORDER,
        "unknown-and-none": MARCH | {"where.product": "UNK,N/A"},
        "category-none": QUARTER | {"where.category": "N/A"},
        "styles": QUARTER | TOP | {"level": "product"},
        "totals": QUARTER | TOP | {"totals": "true"},
        "months": QUARTER | {"grain": "month", "where.brand": "Wren"},
        "with-zero": BORDER | {"include_zero": "true", "where.brand": "Harrow Mill", "where.channel": "pos"},
        "previous-period": {"from": "2025-08-01", "to": "2025-08-02", "compare": "previous_period", "where.channel": "tel"},
        "cheapest": QUARTER | {"order_by": "asp", "limit": "8", "where.category": "KIT"},
        "china-only": {"from": "2025-10-01", "to": "2026-01-01", "where.product": "CN0001,CN0003"},
    },
    "sales-by-region": every() | {
        "ship-unknown": MARCH | {"to": "2025-12-01", "region_basis": "ship"},
        "countries": QUARTER | {"region_level": "1"},
        "countries-with-zero": BORDER | {"region_level": "1", "include_zero": "true", "where.location": "S001"},
        "within-country": QUARTER | {"where.region": "GB", "region_level": "2"},
        "with-zero": BORDER | {"include_zero": "true", "where.brand": "Calder"},
        "months": QUARTER | {"grain": "month"},
        "totals": QUARTER | {"totals": "true"},
        "previous-year": {"from": "2025-08-01", "to": "2025-09-01", "compare": "previous_year"},
        "best": QUARTER | {"order_by": "-net_sales", "limit": "3"},
        "first-and-others": MARCH | {"top_n": "2"},
    },
    "sales-by-channel": every() | {
        "all-members": {"from": "2025-03-01", "to": "2025-06-01"},
        "types": QUARTER | {"level": "type"},
        "outlets": MARCH | {"level": "outlet"},
        "outlets-with-zero": BORDER | {"level": "outlet", "include_zero": "true", "where.brand": "Kestrel"},
        "totals-previous-year": {"from": "2025-08-01", "to": "2025-09-01", "totals": "true", "compare": "previous_year"},
        "with-zero": BORDER | {"include_zero": "true", "where.product": "001077"},
        "quarters": {"from": "2025-01-01", "to": "2026-01-01", "grain": "quarter"},
        "totals": {"from": "2025-03-01", "to": "2025-06-01", "totals": "true"},
        "previous-period": QUARTER | {"compare": "previous_period"},
        "best": QUARTER | {"order_by": "-orders", "limit": "3"},
    },
    "returns-summary": every(skip=["sale-date", "rates-of-today", "paid-reversed-sale-date"]) | {
        "weeks": {"from": "2024-12-16", "to": "2025-01-20", "grain": "week"},
        "all-time": ALL_TIME | {"grain": "all"},
        "years": ALL_TIME | {"grain": "year"},
        "paid-reversed": QUARTER | {"recognition_basis": "paid", "cancel_policy": "sale_then_reversal"},
        "previous-period": {"from": "2025-08-01", "to": "2025-09-01", "compare": "previous_period"},
        "fiscal-periods": {"from": "2025-02-02", "to": "2025-05-04", "grain": "fiscal_period", "calendar": "retail_454"},
        "totals": QUARTER | {"totals": "true"},
        "no-empty-days": {"from": "2025-07-01", "to": "2025-07-15", "grain": "day", "where.location": "S003", "include_zero": "false"},
    },
    "stock-on-hand": {
        "default": {},
        "month-end": {"as_of": "2025-07-01"},
        "mid-month": {"as_of": "2025-07-20"},
        "missed-count": {"as_of": "2026-06-18"},
        "never": {"as_of": "2024-07-01"},
        "products": {"level": "product", "order_by": "-on_hand,product_id", "limit": "20"},
        "items": {"level": "item", "where.location": "S002", "as_of": "2026-06-18"},
        "items-with-zero": {"level": "item", "where.location": "S004,S005", "include_zero": "true", "as_of": "2026-06-20"},
        "no-zero": {"level": "item", "where.location": "S004,S005", "as_of": "2026-06-20", "where.category": "KIT"},
        "category": {"where.category": "FOO"},
        "brand": {"where.brand": "Rosenau", "level": "product"},
        "product": {"where.product": "001077"},
        "region": {"where.region": "DE"},
        "place-unknown": {"where.location": "UNK"},
        "totals": {"totals": "true"},
        "fullest": {"order_by": "-on_hand_cost", "limit": "4"},
    },
    "traffic-conversion-funnel": {
        "plain": {"from": "2026-03-01", "to": "2026-04-01"},
        "closed": {"from": "2026-03-01", "to": "2026-04-01", "funnel": "closed"},
        "month-border": {"from": "2026-02-27", "to": "2026-03-02", "grain": "day"},
        "never": {"from": "2025-01-01", "to": "2025-02-01"},
        "never-shown": {"from": "2025-01-01", "to": "2025-02-01", "include_zero": "false"},
        "months": {"from": "2025-12-01", "to": "2026-07-01", "grain": "month"},
        "app": {"from": "2026-03-01", "to": "2026-04-01", "where.channel": "app"},
        "region": {"from": "2026-03-01", "to": "2026-04-01", "where.region": "Scotland"},
        "no-place": {"from": "2026-03-01", "to": "2026-04-01", "where.location": "N/A"},
        "device": {"from": "2026-03-01", "to": "2026-04-01", "device": "tablet"},
        "source": {"from": "2026-03-01", "to": "2026-04-01", "source": "newsletter"},
        "previous-period": {"from": "2026-03-01", "to": "2026-04-01", "compare": "previous_period"},
        "previous-period-weeks": {"from": "2026-03-02", "to": "2026-03-30", "grain": "week", "compare": "previous_period", "where.channel": "live"},
        "busiest-days": {"from": "2026-03-01", "to": "2026-04-01", "grain": "day", "order_by": "-sessions,period_start,stage_no", "limit": "9"},
        "channels": {"from": "2026-03-01", "to": "2026-04-01", "where.channel": "web,live"},
        # The sample's visits all name a channel and a region that there is: of UNK and N/A there are none, and none may be added.
        "channel-unknown": {"from": "2026-03-01", "to": "2026-04-01", "where.channel": "UNK"},
        "channel-unknown-or-app": {"from": "2026-03-01", "to": "2026-04-01", "where.channel": "UNK,app"},
        "channel-none": {"from": "2026-03-01", "to": "2026-04-01", "where.channel": "N/A"},
        "country": {"from": "2026-03-01", "to": "2026-04-01", "where.region": "DE"},
        "region-unknown": {"from": "2026-03-01", "to": "2026-04-01", "where.region": "UNK"},
        "region-unknown-or-none-or-one": {"from": "2026-03-01", "to": "2026-04-01", "where.region": "UNK,N/A,Scotland"},
        "region-none": {"from": "2026-03-01", "to": "2026-04-01", "where.region": "N/A"},
        "place-unknown": {"from": "2026-03-01", "to": "2026-04-01", "where.location": "UNK"},
        # Two visitors of three are not recognised: their customer is N/A.
        "members": {"from": "2026-03-01", "to": "2026-04-01", "where.segment": "gold"},
        "members-none": {"from": "2026-03-01", "to": "2026-04-01", "where.segment": "N/A"},
        "members-none-closed": {"from": "2026-03-01", "to": "2026-04-01", "where.segment": "N/A", "funnel": "closed"},
        "members-gold-or-none": {"from": "2026-03-01", "to": "2026-04-01", "where.segment": "gold,N/A", "grain": "week"},
        "members-unknown": {"from": "2026-03-01", "to": "2026-04-01", "where.segment": "UNK"},
    },
    "dq-quarantine": {
        "all": {},
        "detected-today": {"from": "2026-07-01", "to": "2026-07-02"},
        "never": {"from": "2020-01-01", "to": "2020-02-01"},
        "resolved": {"state": "resolved"},
        "every-state": {"state": "all"},
    },
    "dq-reconciliation": {
        "default": {},
        "never": NEVER,
        "before-the-first": {"from": "2025-02-20", "to": "2025-03-04", "level": "location", "show": "problems"},
        "places": {"from": "2026-03-30", "to": "2026-04-01", "level": "location"},
        "channels": {"from": "2026-03-29", "to": "2026-04-02", "level": "channel"},
        "wrong-on-purpose": ALL_TIME | {"level": "location", "show": "problems"},
        "within-one-percent": ALL_TIME | {"level": "location", "show": "problems", "tolerance": "0.01"},
        "within-a-half": ALL_TIME | {"show": "problems", "tolerance": "0.5", "grain": "month"},
        "dirty-till": {"from": "2025-03-18", "to": "2025-03-20", "level": "location", "where.channel": "pos"},
        "dirty-platform": {"from": "2025-06-15", "to": "2025-06-20", "where.channel": "market_eu"},
        "gaps": ALL_TIME | {"metric": "sequence", "show": "problems"},
        "gaps-all-time": ALL_TIME | {"metric": "sequence", "grain": "all"},
        "months": ALL_TIME | {"grain": "month"},
        "weeks": {"from": "2025-10-20", "to": "2025-11-10", "grain": "week", "level": "channel"},
        "fiscal-periods": {"from": "2025-03-02", "to": "2025-11-30", "grain": "fiscal_period", "calendar": "retail_445", "metric": "gross_amount"},
        "all-time": ALL_TIME | {"grain": "all", "level": "location"},
        "shop": ALL_TIME | {"grain": "month", "level": "location", "where.location": "S001,S036"},
        "shop-unknown": MARCH | {"level": "location", "where.location": "UNK"},
        "no-shop": {"from": "2025-06-15", "to": "2025-06-20", "level": "location", "where.location": "N/A"},
        "region": {"from": "2025-10-24", "to": "2025-10-28", "level": "location", "where.region": "DE"},
        "region-unknown": MARCH | {"where.region": "UNK"},
        "channel-by-name": {"from": "2025-06-15", "to": "2025-06-20", "where.channel": "Marktplatz Mitte"},
        "channel-without-totals": QUARTER | {"where.channel": "web"},
        "partial": {"from": "2026-06-10", "to": "2026-08-01", "grain": "month"},
        "farthest-off": ALL_TIME | {"grain": "all", "level": "location", "metric": "total_amount", "order_by": "-abs_difference,location_id", "limit": "6"},
    },
}
CASES |= sample_requests.CASES
# Reports whose own order is that of time; others are compared in order only where the request gives one.
IN_TIME = {
    "sales-summary", "sales-over-time", "returns-summary", "traffic-conversion-funnel", "new-vs-returning", "return-lag", "sales-weekday-hour",
    "order-cycle-time", "moving-average-trend", "moving-annual-total", "sales-to-date", "cohort-retention", "cohort-revenue", "sales-intraday-live",
}


def write(report, case, request, columns, rows):
    path = OUT / report / f"{case}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as f:
        for name, value in request.items():
            f.write(f"# {name}={value}\n")
        if report not in IN_TIME and "order_by" not in request:
            f.write("# unordered=true\n")
            rows = sorted(rows, key=lambda r: [shown(r[c]) for c in columns])
        out = csv.writer(f, lineterminator="\n")
        out.writerow(columns)
        out.writerows([shown(row[c]) for c in columns] for row in rows)


def main(sample):
    golden = Golden(stage(sample), read_dirt(Path(sample) / "dirt.csv"))
    if OUT.exists():
        shutil.rmtree(OUT)
    for report, cases in CASES.items():
        for case, request in cases.items():
            columns, rows = golden.answer(report, request)
            write(report, case, request, columns, rows)
        print(f"{report}: {len(cases)} cases")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else HERE.parent.parent / "sample-data")
