#!/usr/bin/env python3
"""Run the conformance set against a backend: `python tests/captures/check.py --help`."""

import sys

# As a script it finds the package beside it, wherever the folder lies.
from conformance.command import main  # type: ignore[import-not-found]

if __name__ == "__main__":
    sys.exit(main())
