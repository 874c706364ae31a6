"""Figures to a Markdown table, JSON and a chart. It must not measure."""

import json
import statistics
from collections import defaultdict


def middle(times):
    return statistics.median(times) if times else None


def p50(report, engine):
    """Milliseconds in the middle, or None where the engine did not answer."""
    return middle(report["ms"].get(engine))


def ms(value):
    if value is None:
        return "–"
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def ratio(report, engine):
    mine, theirs = p50(report, "saleslake"), p50(report, engine)
    return theirs / mine if mine and theirs else None


def shown(value):
    return "–" if value is None else f"{value:.2f}" if value < 10 else f"{value:.0f}"


def mean(values):
    values = [v for v in values if v]
    return statistics.geometric_mean(values) if values else None


def groups(reports):
    """Name → reports: those that rollups answered, those that read tables beside them, those that scanned, all."""
    partly = [r for r in reports if r["rollup"].startswith("partly")]
    scanned = [r for r in reports if r["rollup"] == "-"]
    rolled = [r for r in reports if r not in partly and r not in scanned]
    return {"answered by rollups": rolled, "partly": partly, "scanned": scanned, "all": reports}


def markdown(result):
    engines, reports = result["engines"], result["reports"]
    beside = [e for e in ("duckdb", "duckdb-native") if e in engines and "saleslake" in engines]
    head = ["report", "rollup", *(f"{e} ms" for e in engines), *(f"{e} / saleslake" for e in beside)]
    lines = ["| " + " | ".join(head) + " |", "|---|---|" + "--:|" * (len(head) - 2)]
    for r in reports:
        lines.append("| " + " | ".join([r["id"], r["rollup"], *(ms(p50(r, e)) for e in engines), *(shown(ratio(r, e)) for e in beside)]) + " |")
    for name, some in groups(reports).items():
        if some:
            cells = [ms(mean([p50(r, e) for r in some])) if all(p50(r, e) for r in some) else "–" for e in engines]
            ratios = [f"**{shown(mean([ratio(r, e) for r in some]))}**" for e in beside]
            lines.append("| " + " | ".join([f"**geometric mean, {name}** ({len(some)})", "", *cells, *ratios]) + " |")
    lines.append("")
    lines += [f"{r['id']}: {engine} does not answer: {why}" for r in reports for engine, why in r["cannot"].items()]
    return "\n".join(lines)


def aims(result):
    """What the project asks of this run, and what it reaches."""
    by, lines = groups(result["reports"]), []
    rolled, scanned = by["answered by rollups"], by["partly"] + by["scanned"]
    if rolled:
        slow = [r["id"] for r in rolled if (p50(r, "saleslake") or 1e9) >= 15]
        less = [r["id"] for r in rolled if (ratio(r, "duckdb-native") or 1e9) < 20]
        lines.append("rollups, p50 under 15 ms: " + reached(rolled, slow))
        if "duckdb-native" in result["engines"]:
            lines.append("rollups, 20 times faster than DuckDB native: " + reached(rolled, less))
    for engine, least in (("duckdb", 1), ("duckdb-native", 1 / 1.5)):
        found = mean([ratio(r, engine) for r in scanned])
        if found:
            lines.append(f"scans (and partly), {engine} / saleslake at least {least:.2f}: {found:.2f}")
    return lines


def reached(reports, missed):
    return f"{len(reports) - len(missed)} of {len(reports)}" + (f"; not {', '.join(missed)}" if missed else "")


def grown(result, earlier):
    """Reports that rollups answer, against an earlier run over fewer lines: how much slower they became."""
    before = {r["id"]: p50(r, "saleslake") for r in groups(earlier["reports"])["answered by rollups"]}
    both = {r["id"]: p50(r, "saleslake") / before[r["id"]] for r in groups(result["reports"])["answered by rollups"] if before.get(r["id"])}
    if not both:
        return []
    worst = max(both, key=both.get)
    return [f"from {earlier['lines']:,} to {result['lines']:,} lines reports answered by rollups take {mean(both.values()):.2f} times as long; most: "
            f"{worst} {both[worst]:.2f}"]


def chart(result, file):
    """Horizontal bars, a group per report, milliseconds on a logarithmic axis."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plot
    engines, reports = result["engines"], result["reports"]
    thick = 0.8 / len(engines)
    figure, axes = plot.subplots(figsize=(9, 1.2 + len(reports) * (0.055 * len(engines) + 0.06)))
    for place, engine in enumerate(engines):
        at = [i + place * thick for i, r in enumerate(reports) if p50(r, engine)]
        axes.barh(at, [p50(r, engine) for r in reports if p50(r, engine)], thick, label=engine)
    axes.set_yticks([i + 0.4 - thick / 2 for i in range(len(reports))], [r["id"] + (" *" if r["rollup"] != "-" else "") for r in reports], fontsize=7)
    axes.set_ylim(len(reports), -0.2)
    axes.set_xscale("log")
    axes.set_xlabel("milliseconds, p50" + ("; * answered by a rollup" if any(r["rollup"] != "-" for r in reports) else ""))
    axes.set_title(f"{result['lines']:,} order lines, {result['threads']} threads")
    axes.grid(axis="x", which="both", alpha=0.2)
    axes.legend(fontsize=7, loc="lower right")
    figure.tight_layout()
    figure.savefig(file, dpi=120)


def write(folder, result):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "compare.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "compare.md").write_text(markdown(result) + "\n")
    chart(result, folder / "compare.svg")


def late(found):
    """What benches/freshness.py found of late rows."""
    def row(name, r):
        cells = [f"{r['seconds']:.2f}", f"{r['cpu_seconds']:.2f}", f"{sum(m['rows'] > 0 for m in r['months'])}"]
        cells += [f"{r[b] / 2**20:,.1f}" for b in ("written_bytes", "data_bytes", "read_bytes", "disk_read_bytes")]
        return f"| {name} | {' | '.join(cells)} | {r['peak_mib']:,.0f} |"
    per = defaultdict(lambda: [0, 0, 0.0])
    for month in found["late"]["months"]:
        of = per[month["rollup"]]
        of[0], of[1], of[2] = of[0] + 1, of[1] + month["rows"], of[2] + month["seconds"]
    return "\n".join([
        f"{found['late_lines']:,} late lines of {found['day']}, landed in {found['ingest']['seconds']:.2f} s.\n",
        "| rollup refresh | seconds | CPU s | months made | written MiB | of them data | read MiB | of them from the disk | peak MiB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|", row("everything anew", found["anew"]), row("after the late rows", found["late"]),
        row("nothing new", found["idle"]), "", "| rollup, after the late rows | months | rows | seconds told |", "|---|--:|--:|--:|",
        *(f"| {name} | {months} | {rows:,} | {seconds:.3f} |" for name, (months, rows, seconds) in per.items()), ""])


def stream(found):
    """What it found of landing beside a server."""
    lines = ["| landing beside `serve`, engine.rollups | lines | lines/s | server CPU s | current after s | server peak MiB |", "|---|--:|--:|--:|--:|--:|"]
    for r in found["rows"]:
        after = "–" if r["current_after_seconds"] is None else f"{r['current_after_seconds']:.1f}"
        lines.append(f"| {r['rollups']} | {r['lines']:,} | {r['lines_per_second']:,.0f} | {r['server_cpu_seconds_to_current']:.1f} | {after} "
                     f"| {r['server_peak_mib']:,.0f} |")
    on, off = found["rows"]
    lines.append(f"\nWith rollups {on['lines_per_second'] / off['lines_per_second']:.2f} of the lines/s without"
                 + ("; the files ran out before the time: --files" if on["ran_out"] or off["ran_out"] else "") + ".")
    return "\n".join(lines)
