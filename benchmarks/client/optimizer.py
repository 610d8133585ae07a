"""`python -m benchmarks.client.optimizer`: the cache on question pairs, compression on needles, and what both cost.

A table on stdout, or JSON with --json; a minute. Fails when a figure is outside of its bound. The question pairs of
fow-cache and most READMEs come from packages that Spandeck does not need:

    uv venv DIR && uv pip install --python DIR/bin/python fow-cache
    python -m benchmarks.client.optimizer --packages DIR/lib/python3.11/site-packages
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.client import optimizer_needles, optimizer_pairs, optimizer_speed
from benchmarks.client.figures import report


def main() -> int:
    """Measure, print, and return 1 where a bound is broken, 2 where the data are not installed."""
    options = _options()
    if options.packages is not None:
        sys.path.append(str(options.packages))
    try:
        pairs = optimizer_pairs.measure()
    except ImportError:
        print(f"The package fow-cache is missing: install it and name its folder.\n{__doc__}", file=sys.stderr)
        return 2
    figures = [*pairs, *optimizer_needles.measure(), *optimizer_speed.measure()]
    return report(figures, as_json=options.json)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.client.optimizer",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--packages", type=Path, help="a site-packages folder with fow-cache and other packages")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
