"""The command `spandeck`."""

from __future__ import annotations

import sys
from importlib.util import find_spec

_SERVER_MODULES = ("duckdb", "typer", "rich", "pyarrow", "platformdirs", "starlette", "streamlit")
INSTALL_LINE = "pip install 'spandeck[server]'"


def main() -> int:
    """Entry point; without the server's packages it says in one sentence how to get them."""
    missing = [name for name in _SERVER_MODULES if find_spec(name) is None]
    if missing:
        print(f"This command needs the server ({missing[0]} is not installed): {INSTALL_LINE}", file=sys.stderr)
        return 1
    from spandeck_collector.cli.app import run  # noqa: PLC0415 - needs the packages looked for above

    return run()
