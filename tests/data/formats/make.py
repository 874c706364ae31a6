"""Makes the fixtures of tests/data/formats: real bytes of other programs' writers. See README.md there."""
import datetime, gzip, io, json, sys
from decimal import Decimal
import openpyxl, pyarrow as pa, pyarrow.ipc, pyarrow.parquet as pq, xlwt, zstandard

out = sys.argv[1]
path = lambda name: f"{out}/{name}"
D = datetime.datetime

# --- the same ten records in every format ----------------------------------------------------------------------
names = ["order_id", "line", "sold_at", "sku", "name", "quantity", "price"]
goods = [("A-1", "衬衫"), ("A-2", "Größe M, \"weit\""), ("B-7", "café")]
records = []
for i in range(10):
    sku, name = goods[i % 3]
    sold = D(2026, 1, 5 + i, 9 + i, 30, 0)
    records.append((f"O{i // 2 + 1}", str(i % 2 + 1), sold, sku, name, Decimal(i % 4 + 1), Decimal(f"{10 + i}.99")))
text = lambda r: [r[0], r[1], r[2].strftime("%Y-%m-%dT%H:%M:%S"), r[3], r[4], str(r[5]), str(r[6])]

def csv(rows, delimiter=","):
    quote = lambda v: '"' + v.replace('"', '""') + '"' if any(c in v for c in delimiter + '"\n') else v
    return "".join(delimiter.join(map(quote, row)) + "\n" for row in rows)

table = [names] + [text(r) for r in records]
utf8 = csv(table)
# The encodings that have no Chinese or no accents get the letters that they have.
latin = utf8.replace("衬衫", "chemise")
write = lambda name, data: open(path(name), "wb").write(data)
write("orders.csv", utf8.encode())
write("orders_bom.csv", b"\xef\xbb\xbf" + utf8.encode())
write("orders_gb18030.csv", utf8.encode("gb18030"))
write("orders_utf16le.csv", b"\xff\xfe" + utf8.encode("utf-16-le"))
write("orders_utf16be.csv", b"\xfe\xff" + utf8.encode("utf-16-be"))
write("orders_windows1252.csv", latin.encode("windows-1252"))
write("orders_semicolon.csv", ("# exported\n" + csv(table, ";")).encode())
escaped = "".join("\t".join(v.replace("\\", "\\\\").replace("\t", "\\\t") for v in row) + "\n" for row in table)
write("orders.tsv", escaped.encode())
write("orders.csv.zst", zstandard.ZstdCompressor().compress(utf8[:300].encode()) + zstandard.ZstdCompressor().compress(utf8.encode()[len(utf8[:300].encode()):]))
with open(path("orders.csv.gz"), "wb") as f, gzip.GzipFile("", "wb", 9, f, 0) as gz:
    gz.write(utf8.encode())
objects = [dict(zip(names, text(r))) for r in records]
for o in objects:
    o["quantity"], o["line"] = int(o["quantity"]), int(o["line"])
ndjson = "".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects)
write("orders.ndjson", ndjson.encode())
write("orders.json", json.dumps(objects, ensure_ascii=False, indent=2).encode())
write("orders_keyed.json", json.dumps({"made": {"by": "tests"}, "data": {"orders": objects}}, ensure_ascii=False).encode())
columns = {n: [r[i] for r in records] for i, n in enumerate(names)}
typed = pa.table({
    "order_id": columns["order_id"], "line": pa.array(map(int, columns["line"]), pa.int32()),
    "sold_at": pa.array(columns["sold_at"], pa.timestamp("us")), "sku": pa.array(columns["sku"]).dictionary_encode(),
    "name": columns["name"], "quantity": pa.array(columns["quantity"], pa.decimal128(18, 3)),
    "price": pa.array(columns["price"], pa.decimal128(18, 4)),
})
pq.write_table(typed, path("orders.parquet"), compression="snappy")
with pa.OSFile(path("orders.arrow"), "wb") as f, pa.ipc.new_file(f, typed.schema) as w:
    w.write_table(typed)
with pa.OSFile(path("orders.arrows"), "wb") as f, pa.ipc.new_stream(f, typed.schema) as w:
    w.write_table(typed)
with pa.OSFile(path("orders_lz4.arrow"), "wb") as f, pa.ipc.new_file(f, typed.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as w:
    w.write_table(typed)

def xlsx_orders():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Orders"
    sheet.append(names)
    for r in records:
        sheet.append([r[0], int(r[1]), r[2], r[3], r[4], float(r[5]), float(r[6])])
        sheet.cell(sheet.max_row, 3).number_format = "dd.mm.yyyy hh:mm"
    book.save(path("orders.xlsx"))

def xls_orders():
    book = xlwt.Workbook()
    sheet = book.add_sheet("Orders")
    when = xlwt.easyxf(num_format_str="DD.MM.YYYY HH:MM")
    for i, n in enumerate(names):
        sheet.write(0, i, n)
    for j, r in enumerate(records, 1):
        for i, v in enumerate([r[0], int(r[1]), r[2], r[3], r[4], float(r[5]), float(r[6])]):
            sheet.write(j, i, v, *([when] if i == 2 else []))
    book.save(path("orders.xls"))

# --- cells of every kind -----------------------------------------------------------------------------------------
head = ["code", "n", "price", "day", "at", "flag", "name"]
rows = {
    1: ["A report with a title"],
    3: head,
    4: ["00123", 3, 19.99, datetime.date(2026, 1, 31), D(2026, 1, 31, 10, 5), True, "衬衫"],
    6: [None, 6901234567892, -0.5, datetime.date(2026, 2, 1), D(2026, 2, 1), False, None],
    7: ["x", "#N/A", 1],
    8: ["y", 1, 2, None, None, None, None, None, "note"],
}

def xlsx_kinds():
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Kinds"
    for y, row in rows.items():
        for x, v in enumerate(row, 1):
            cell = sheet.cell(y, x)
            cell.value = v
            if isinstance(v, datetime.datetime):
                cell.number_format = "yyyy-mm-dd hh:mm"
            elif isinstance(v, datetime.date):
                cell.number_format = "dd.mm.yyyy"
            if v == "#N/A":
                cell.data_type = "e"
    other = book.create_sheet("Other")
    other.append(["only"])
    other.append([1])
    book.save(path("kinds.xlsx"))

def xls_kinds():
    book = xlwt.Workbook()
    sheet = book.add_sheet("Kinds")
    day, when = xlwt.easyxf(num_format_str="DD.MM.YYYY"), xlwt.easyxf(num_format_str="YYYY-MM-DD HH:MM")
    for y, row in rows.items():
        for x, v in enumerate(row):
            if v == "#N/A":
                sheet.row(y - 1).set_cell_error(x, 0x2A)
            elif isinstance(v, datetime.datetime):
                sheet.write(y - 1, x, v, when)
            elif isinstance(v, datetime.date):
                sheet.write(y - 1, x, v, day)
            elif v is not None:
                sheet.write(y - 1, x, v)
    other = book.add_sheet("Other")
    other.write(0, 0, "only")
    other.write(1, 0, 1)
    book.save(path("kinds.xls"))

xlsx_orders(), xls_orders(), xlsx_kinds(), xls_kinds()
