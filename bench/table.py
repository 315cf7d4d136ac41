#!/usr/bin/env python3
"""Prints the results of bench.py as a table.

table.py RESULTS.jsonl
"""

import json
import sys
from pathlib import Path

COLUMNS = (  # heading, key in a row
    ("x bare", "bare_multiple"),
    ("lowest", "bare_multiple_min"),
    ("highest", "bare_multiple_max"),
    ("CPU ms", "server_cpu_ms_per_request"),
    ("per s", "rps"),
    ("p50 ms", "p50_ms"),
    ("p99 ms", "p99_ms"),
    ("other cores", "other_cores"),
)


def main(path: str) -> None:
    rows = [json.loads(line) for line in Path(path).read_text().splitlines()]
    print(f"{'operation':22}" + "".join(f"{heading:>13}" for heading, _ in COLUMNS))
    for row in rows:
        if row["op"] == "memory":
            continue
        figures = "".join(f"{row.get(key, ''):>13}" for _, key in COLUMNS)
        print(f"{row['op']:22}{figures}")
        for key in ("problem", "note", "skipped"):
            if key in row:
                print(f"  {key}: {row[key]}")
    for row in rows:
        if row["op"] == "memory":
            print(f"memory: {row['pss_mib']} MiB")


if __name__ == "__main__":
    main(sys.argv[1])
