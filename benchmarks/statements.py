"""What the statements of the store cost: CPU seconds of this process, by the prepared statement's name."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import duckdb


@dataclass
class StatementClock:
    """A connection that is timed: `cpu_s` by the name that follows `execute`, else by the statement's first word."""

    connection: duckdb.DuckDBPyConnection
    cpu_s: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def as_connection(self) -> duckdb.DuckDBPyConnection:
        """For what takes a connection."""
        return cast(duckdb.DuckDBPyConnection, self)

    def execute(self, query: str, *parameters: Any) -> duckdb.DuckDBPyConnection:
        """As the connection does; DuckDB runs the statement before it returns, with one thread in this one."""
        began = time.process_time()
        result = self.connection.execute(query, *parameters)
        self.cpu_s[_name(query)] += time.process_time() - began
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def of(self, *prefixes: str) -> float:
        """CPU seconds of the statements whose names begin with one of `prefixes`."""
        return sum(seconds for name, seconds in self.cpu_s.items() if name.startswith(prefixes))

    def dearest(self) -> Iterator[tuple[str, float]]:
        """Names and CPU seconds, the dearest first."""
        yield from sorted(self.cpu_s.items(), key=lambda item: -item[1])


def _name(query: str) -> str:
    words = query.replace("(", " ").split(maxsplit=2)
    return words[1] if words[0] == "execute" else words[0]
