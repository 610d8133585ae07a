"""`python -m benchmarks`: a table on stdout, or JSON with --json; progress on stderr; three minutes. Linux only."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.measure import BODY_SPANS, Plan, measure
from benchmarks.report import as_json, print_table, surroundings

_RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Measure once, print, and keep the figures as a file in benchmarks/results."""
    options = _options()
    plan = Plan(max(options.spans // BODY_SPANS, 1), options.rate, options.seconds)
    around = surroundings(plan)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        tempfile.TemporaryDirectory(prefix="spandeck-bench-") as folder,
        Progress(*columns, console=Console(stderr=True)) as progress,
    ):
        result = measure(plan, Path(folder), progress)
    text = as_json(result, around)
    _RESULTS.mkdir(exist_ok=True)
    kept = _RESULTS / f"{around['measured_at'].replace(':', '').replace('+0000', 'Z')}.json"
    kept.write_text(text + "\n", encoding="utf-8")
    if options.json:
        print(text)
    else:
        print_table(result, around)
    print(f"Kept as {kept}.", file=sys.stderr)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--spans", type=int, default=160 * BODY_SPANS, help="spans sent at full speed")
    parser.add_argument("--rate", type=float, default=1_000.0, help="spans a second of the paced load")
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the paced load")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
