"""A real database with a real `Ingest`, fed with journal records and asked with SQL."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from spandeck_collector.journal import Signal
from spandeck_collector.store.content import MOST_CONTENT_BYTES
from spandeck_collector.store.database import open_database
from spandeck_collector.store.ingest import Ingest

from . import otlp

# Made-up models of a made-up provider in USD per million tokens: input, output, cache read, cache write.
PRICES = {"acme-1": (3.0, 15.0, 0.3, 3.75), "acme-dear": (30.0, 60.0, None, None)}


class Sandbox:
    """`take` stores a batch, `rows` answers a query with a dictionary a row."""

    def __init__(self, folder: Path, content_bytes: int = MOST_CONTENT_BYTES) -> None:
        self.folder = folder
        self.content_bytes = content_bytes
        self.batch_count = 0
        self.prices_text = ""
        self._open()
        for model, prices in PRICES.items():
            self.price(model, *prices)

    def _open(self) -> None:
        self.connection: duckdb.DuckDBPyConnection = open_database(self.folder / "spandeck.duckdb", "500MB")
        self.ingest = Ingest(self.connection, self.folder / "quarantine", self.content_bytes)

    def price(
        self,
        model: str,
        *usd: float | None,
        since: str = "1970-01-01",
        until: str = "9999-01-01",
    ) -> None:
        """Give acme's `model` a price: input, output, cache read, cache write in USD per million tokens."""
        names = ("input", "output", "cache_read", "cache_write")
        rates = (f"{name}_usd_per_mtok = {rate}" for name, rate in zip(names, usd, strict=False) if rate is not None)
        lines = (f"valid_from = {since}", f"valid_to = {until}", *rates)
        self.prices_text += "\n".join(("[[prices]]", 'provider = "acme"', f'model = "{model}"', *lines, ""))
        self.connection.execute("delete from store.own_prices")
        self.connection.execute("insert into store.own_prices values (?)", [self.prices_text])

    def restart(self) -> None:
        """As after a stop of the process: close the file and open it again."""
        self.connection.close()
        self._open()

    def take(self, *bodies: tuple[Signal, bytes]) -> None:
        """Store one batch of these records."""
        records = otlp.records(bodies, self.batch_count + 1)
        self.batch_count += len(bodies)
        self.ingest.store(records)

    def spans(self, *spans: otlp.Words) -> None:
        """Store one batch of one request with these spans."""
        self.take((Signal.TRACES, otlp.traces(spans)))

    def rows(self, sql: str, params: Iterable[Any] = ()) -> list[dict[str, Any]]:
        """The answer, a dictionary a row."""
        result = self.connection.execute(sql, list(params))
        columns = [column[0] for column in result.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]

    def row(self, sql: str, params: Iterable[Any] = ()) -> dict[str, Any]:
        """The answer's only row."""
        (row,) = self.rows(sql, params)
        return row
