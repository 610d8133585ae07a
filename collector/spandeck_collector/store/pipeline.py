"""The SQL of a batch as prepared statements over temporary tables that are filled and emptied in one transaction.

Planning the mapping costs more than running it on a small batch, so every statement is planned once; the tables keep
their definitions, because a statement is planned again whenever a definition changes. The plans must not rest on what
the tables hold while planning: with the optimizers below, DuckDB 1.5 sizes strings by the then empty tables.
"""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa

from spandeck_collector.store.alert_rules import fire, prepare_rule, shipped_rules
from spandeck_collector.store.decode import Batch
from spandeck_schema import catalog
from spandeck_schema.generated import mapped_spans
from spandeck_schema.mapping import load_mapping

_TABLES = (
    ("normalize", "touched_traces"),
    ("normalize", "stored_spans"),
    ("normalize", "new_arrivals"),
    ("normalize", "mapped_spans"),
    ("normalize", "new_spans"),
    ("settle", "trace_spans"),
    ("settle", "span_tree"),
    ("settle", "trace_context"),
    ("settle", "counted_calls"),
    ("settle", "settled_calls"),
    ("settle", "settled_traces"),
)
"""Derived tables, each after those that it reads."""

_HARMFUL_OPTIMIZERS = "statistics_propagation,compressed_materialization,empty_result_pullup,in_clause"
_INCOMING = ("incoming_spans", "incoming_events", "incoming_logs", "incoming_metrics")
_READS = (("normalize", "unnamed_models"), ("settle", "settled_extent"))
_EMPTIED = (*_INCOMING, *(name for _, name in _TABLES), "fired_alerts")
_WRITES = (
    ("normalize", "insert_spans"),
    ("normalize", "insert_span_events"),
    ("normalize", "insert_ingest_log"),
    ("normalize", "insert_log_records"),
    ("normalize", "insert_metric_points"),
    ("settle", "delete_calls"),
    ("settle", "insert_calls"),
    ("settle", "delete_traces"),
    ("settle", "insert_traces"),
    ("settle", "update_alerts"),
    ("settle", "insert_alerts"),
    ("settle", "delete_alerts"),
)


class Pipeline:
    """Temporary tables and prepared statements of one connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Create the tables (empty) and plan every statement."""
        self._connection = connection
        connection.execute(f"set disabled_optimizers = '{_HARMFUL_OPTIMIZERS}'")
        for name, table in _tables(Batch()).items():
            connection.register("arrow_rows", table)
            connection.execute(f"create temp table {name} as select * from arrow_rows limit 0")
            connection.unregister("arrow_rows")
        for folder, name in _TABLES:
            connection.execute(f"create temp table {name} as select * from ({_select(folder, name)}) limit 0")
        connection.execute("create temp table fired_alerts as select * from store.alerts limit 0")
        for folder, name in _TABLES:
            connection.execute(f"prepare fill_{name} as insert into {name} by name {_select(folder, name)}")
        for folder, name in (*_READS, *_WRITES):
            connection.execute(f"prepare {name} as {catalog.sql(folder, name)}")
        for name in _EMPTIED:
            connection.execute(f"prepare empty_{name} as delete from {name}")
        for rule in shipped_rules():
            prepare_rule(connection, rule)
        connection.execute("reset disabled_optimizers")

    def fill(self, *names: str) -> None:
        """Fill derived tables in the order given."""
        for name in names:
            self._connection.execute(f"execute fill_{name}")

    def write(self, *names: str) -> None:
        """Run writing statements in the order given."""
        for name in names:
            self._connection.execute(f"execute {name}")

    def read(self, name: str) -> list[tuple[Any, ...]]:
        """The rows of a reading statement."""
        return self._connection.execute(f"execute {name}").fetchall()

    def settle_alerts(self) -> None:
        """Bring the alerts of the touched traces up to date: new ones, grown ones, and those that hold no longer."""
        for since, until in self.read("settled_extent"):
            for rule in shipped_rules():
                fire(self._connection, rule, since, until)
        self.write("update_alerts", "insert_alerts", "delete_alerts")

    def take_in(self, batch: Batch) -> None:
        """Put the decoded rows into the incoming tables."""
        for name, table in _tables(batch).items():
            if table.num_rows:
                self._connection.from_arrow(table).insert_into(name)

    def empty(self) -> None:
        """Empty all tables; in the transaction that filled them this frees their memory at once."""
        for name in _EMPTIED:
            self._connection.execute(f"execute empty_{name}")


def _tables(batch: Batch) -> dict[str, pa.Table]:
    return {
        "incoming_spans": batch.spans.table(batch.resources),
        "incoming_events": batch.events.table(),
        "incoming_logs": batch.logs.table(batch.resources),
        "incoming_metrics": batch.metrics.table(batch.resources),
    }


def _select(folder: str, name: str) -> str:
    return mapped_spans(load_mapping()) if name == "mapped_spans" else catalog.sql(folder, name)
