"""Golden answers for Online Retail, computed by DuckDB from the CSV with SQL of its own.

Run at development time, from the repository's root, with the packages of tests/oracles/requirements.txt:
    python tests/golden/online_retail.py
Writes tests/golden/online_retail/*.csv. It must not read anything that saleslake wrote.
"""

import csv
from pathlib import Path

import duckdb

HERE = Path(__file__).parent
OUT = HERE / "online_retail"
DATA = HERE.parent / "data/online-retail/online_retail_2009_2010.csv.gz"

con = duckdb.connect()
con.execute(f"""
CREATE TABLE raw AS
SELECT Invoice AS inv, upper(trim(StockCode)) AS code, trim(Description) AS name, Quantity::DECIMAL(18,3) AS q,
       Price::DECIMAL(18,4) AS p, InvoiceDate::TIMESTAMP AS sold_at, "Customer ID" AS customer, Country AS country,
       (Quantity::DECIMAL(18,3) * Price::DECIMAL(18,4))::DECIMAL(18,4) AS amount
FROM read_csv('{DATA}', header = true, all_varchar = true)
""")
# One kind per line, in the words of the shop, not of a lake.
con.execute("""
CREATE TABLE line AS
SELECT *, CASE
    WHEN p = 0 THEN 'free or stock adjustment'
    WHEN code LIKE 'GIFT%' AND inv LIKE 'C%' THEN 'cancelled gift voucher'
    WHEN code LIKE 'GIFT%' THEN 'gift voucher'
    WHEN code LIKE 'TEST%' THEN 'test'
    WHEN code IN ('POST', 'DOT', 'C2', 'C3') THEN 'shipping'
    WHEN code = 'BANK CHARGES' THEN 'payment_fee'
    WHEN code = 'AMAZONFEE' THEN 'platform_commission'
    WHEN code IN ('M', 'D', 'S', 'B', 'ADJUST', 'ADJUST2') THEN 'adjustment'
    WHEN inv LIKE 'C%' THEN 'return'
    ELSE 'sale' END AS kind
FROM raw
""")

# gross = sales and positive adjustments; returned = returns and negative adjustments, as positive figures.
EVENTS = """
SELECT sold_at::DATE AS day, code, country, customer, inv, kind,
       CASE WHEN kind = 'sale' OR (kind = 'adjustment' AND amount > 0) THEN amount ELSE 0 END AS gross,
       CASE WHEN kind = 'return' OR (kind = 'adjustment' AND amount < 0) THEN -amount ELSE 0 END AS returned,
       CASE WHEN kind = 'sale' THEN q ELSE 0 END AS units_sold, CASE WHEN kind = 'return' THEN -q ELSE 0 END AS units_returned
FROM line WHERE kind IN ('sale', 'return', 'adjustment')
"""

QUERIES = {
    "monthly": f"""
        SELECT strftime(day, '%Y-%m-01') AS month, sum(gross)::VARCHAR, sum(returned)::VARCHAR, (sum(gross) - sum(returned))::VARCHAR,
               count(DISTINCT CASE WHEN kind = 'sale' THEN inv END)
        FROM ({EVENTS}) GROUP BY 1 ORDER BY 1""",
    "countries": f"""
        SELECT CASE WHEN country = 'Unspecified' THEN 'N/A' ELSE country END, sum(gross)::VARCHAR, (sum(gross) - sum(returned))::VARCHAR,
               count(DISTINCT CASE WHEN kind = 'sale' THEN inv END), count(DISTINCT CASE WHEN kind = 'sale' THEN customer END)
        FROM ({EVENTS}) GROUP BY 1 ORDER BY 1""",
    "products": f"""
        SELECT code, sum(gross)::VARCHAR, sum(returned)::VARCHAR, (sum(gross) - sum(returned))::VARCHAR,
               sum(units_sold)::VARCHAR, sum(units_returned)::VARCHAR
        FROM ({EVENTS}) WHERE kind <> 'adjustment' GROUP BY 1 ORDER BY sum(gross) - sum(returned) DESC, 1 LIMIT 50""",
    "money": """
        SELECT kind, count(*), sum(amount)::VARCHAR FROM line GROUP BY 1
        UNION ALL SELECT 'all', count(*), sum(amount)::VARCHAR FROM line ORDER BY 1""",
}
HEADERS = {
    "monthly": ["month", "gross_sales", "returns", "net_sales", "orders"],
    "countries": ["region_id", "gross_sales", "net_sales", "orders", "customers"],
    "products": ["product_id", "gross_sales", "returns", "net_sales", "units_sold", "units_returned"],
    "money": ["kind", "lines", "amount"],
}

OUT.mkdir(exist_ok=True)
for name, sql in QUERIES.items():
    rows = con.execute(sql).fetchall()
    with open(OUT / f"{name}.csv", "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(HEADERS[name])
        out.writerows(rows)
    print(f"{name}: {len(rows)} rows")
