"""`python -m benchmarks.client.guard`: what the guard finds in independent texts, how often it errs, what it costs.

A table on stdout, or JSON with --json; under a minute. Fails when a figure is outside of its bound. The texts come
from packages that Spandeck does not need:

    uv venv DIR
    uv pip install --python DIR/bin/python --no-deps bastioncorpus==0.6.0 agentdojo==0.1.35 fow-cache==0.1.0 faker
    python -m benchmarks.client.guard --packages DIR/lib/python3.11/site-packages
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.client import guard_injection, guard_redaction
from benchmarks.client.figures import report


def main() -> int:
    """Measure, print, and return 1 where a bound is broken, 2 where the packages are not installed."""
    options = _options()
    sys.path.append(str(options.packages))
    try:
        figures = [*guard_injection.measure(options.packages), *guard_redaction.measure()]
    except (ImportError, FileNotFoundError) as error:
        print(f"A package is missing ({error}): install all and name their folder.\n{__doc__}", file=sys.stderr)
        return 2
    return report(figures, as_json=options.json)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.client.guard",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--packages", type=Path, required=True, help="the site-packages folder of the packages above")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
