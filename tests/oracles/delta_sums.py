"""Counts and sums of a lake's tables as the deltalake package (delta-rs's own reader) and Arrow see them: python delta_sums.py LAKE"""

import os
import sys
from pathlib import Path

import pyarrow.compute as pc
from deltalake import DeltaTable

SUMS = {
    "inventory_snapshot": "on_hand",
    "order_charge": "amount_rc",
    "order_line": "net_amount_rc",
    "return_line": "refund_net_amount_rc",
}

print("t,n,s")
for table, column in SUMS.items():
    rows = DeltaTable(str(Path(sys.argv[1]) / table)).to_pyarrow_table(columns=[column])
    print(f"{table},{rows.num_rows},{pc.sum(rows[column]).as_py()}")
# Arrow's read-ahead threads may still run when the interpreter tears down, which then aborts, now and then, with all said and done.
sys.stdout.flush()
os._exit(0)
