"""The SQL of a batch as prepared statements over temporary tables that are filled and emptied in one transaction.

Planning the mapping costs more than running it on a small batch, so every statement is planned once; the tables keep
their definitions, because a statement is planned again whenever a definition changes. The plans must not rest on what
the tables hold while planning: with the optimizers below, DuckDB 1.5 sizes strings by the then empty tables. The last
of them would make a join of every list of words, dozens in the mapping, at ten times the cost of comparing.

Every expression of a plan costs each batch some microseconds, and the whole mapping has thousands: most batches are
normalized by a part of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from spandeck_collector.store.alert_rules import prepare_arrival_rules
from spandeck_collector.store.decode import Batch
from spandeck_collector.store.prices import name_models
from spandeck_collector.store.rollup import Rollup, create_tables
from spandeck_schema import catalog
from spandeck_schema.generated import mapped_spans
from spandeck_schema.mapping import Mapping, load_mapping

_TABLES = (
    ("normalize", "touched_traces"),
    ("normalize", "stored_spans"),
    ("normalize", "outdated_spans"),
    ("normalize", "new_arrivals"),
    ("normalize", "new_spans"),
    ("normalize", "new_logs"),
    ("normalize", "new_metrics"),
    ("normalize", "new_evaluations"),
    ("normalize", "replaced_spans"),
    ("normalize", "changed_spans"),
    ("settle", "near_calls"),
    ("settle", "linked_traces"),
    ("settle", "span_details"),
    ("settle", "span_tree"),
    ("settle", "trace_context"),
    ("settle", "call_spans"),
    ("settle", "tree_calls"),
    ("settle", "id_twins"),
    ("settle", "overlap_twins"),
    ("settle", "call_twins"),
    ("settle", "counted_calls"),
    ("settle", "told_calls"),
    ("settle", "counted_tools"),
    ("settle", "settled_calls"),
    ("settle", "settled_traces"),
    ("settle", "settled_runs"),
    ("settle", "told_alerts"),
)
"""Derived tables, each after those that it reads."""

_NEW_SPANS = "new_spans"
_LINK = ("near_calls", "linked_traces")
_DETAILS = "span_details"
_TOLD = "told_alerts"
_TWINS = ("id_twins", "overlap_twins", "call_twins")
_APART = (*_LINK, _DETAILS, *_TWINS, _TOLD)
_SETTLE = tuple(name for folder, name in _TABLES if folder == "settle" and name not in _APART)
_TREE = _SETTLE[: _SETTLE.index("counted_calls")]
_REST = _SETTLE[len(_TREE) :]
_HARMFUL_OPTIMIZERS = "statistics_propagation,compressed_materialization,empty_result_pullup,in_clause"
_STEP_TRACES = "select trace_id, first_received_at, last_received_at from store.traces limit 0"
_INCOMING = ("incoming_spans", "incoming_events", "incoming_logs", "incoming_metrics", "incoming_content")
_READS = (
    ("normalize", "unnamed_models"),
    ("settle", "call_scopes"),
    ("settle", "details_count"),
    ("settle", "spending_changes"),
)
_EMPTIED = (*_INCOMING, "step_traces", *(name for _, name in _TABLES), "fired_alerts")
_LEAVE_OUTDATED = (
    "replace_outdated_spans",
    "leave_outdated_spans",
    "delete_outdated_spans",
    "delete_outdated_events",
    "delete_outdated_content",
    "delete_outdated_evaluations",
)
_CHANGES = ("call_changes", "span_changes", "trace_changes")
_WRITES = (
    *(("rollup" if name == "replace_outdated_spans" else "normalize", name) for name in _LEAVE_OUTDATED),
    ("normalize", "insert_spans"),
    ("normalize", "insert_span_events"),
    ("normalize", "insert_span_content"),
    ("normalize", "insert_ingest_log"),
    ("normalize", "insert_log_records"),
    ("normalize", "insert_evaluations"),
    ("normalize", "insert_metric_points"),
    ("settle", "add_linked_traces"),
    ("settle", "add_linked_spans"),
    ("settle", "tell_new_spans"),
    ("settle", "tell_stored_spans"),
    ("settle", "delete_calls"),
    ("settle", "insert_calls"),
    ("settle", "delete_traces"),
    ("settle", "insert_traces"),
    ("settle", "delete_runs"),
    ("settle", "insert_runs"),
    ("settle", "mark_told_alerts"),
    ("settle", "add_told_alerts"),
    ("settle", "update_alerts"),
    ("settle", "insert_alerts"),
    ("settle", "delete_alerts"),
)


@contextmanager
def planning(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Plan what is prepared inside without a look at what tables hold now."""
    connection.execute(f"set disabled_optimizers = '{_HARMFUL_OPTIMIZERS}'")
    yield
    connection.execute("reset disabled_optimizers")


class Pipeline:
    """Temporary tables and prepared statements of one connection."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Create the tables (empty) and plan every statement."""
        self._connection = connection
        self._spending_zone: str | None = None
        self._spending_changes: list[tuple[Any, ...]] = []
        self.silenced_rules: tuple[str, ...] = ()
        self.rollup = Rollup(connection)
        self._scopes = set(connection.execute(catalog.sql("settle", "stored_call_scopes")).fetchall())
        with planning(connection):
            self._plan(connection)

    def _plan(self, connection: duckdb.DuckDBPyConnection) -> None:
        for name, table in _tables(Batch()).items():
            connection.register("arrow_rows", table)
            connection.execute(f"create temp table {name} as select * from arrow_rows limit 0")
            connection.unregister("arrow_rows")
        connection.execute(f"create temp table step_traces as {_STEP_TRACES}")
        connection.execute(f"create temp view mapped_spans as {mapped_spans(load_mapping())}")
        for folder, name in _TABLES:
            if name == _DETAILS:
                connection.execute(f"create temp view trace_spans as {catalog.sql('settle', 'trace_spans')}")
            connection.execute(f"create temp table {name} as select * from ({catalog.sql(folder, name)}) limit 0")
        connection.execute("create temp table fired_alerts as select * from store.alerts limit 0")
        create_tables(connection)
        for name in _CHANGES:
            connection.execute(f"create temp view {name} as {catalog.sql('rollup', name)}")
        for folder, name in _TABLES:
            connection.execute(f"prepare fill_{name} as insert into {name} by name {catalog.sql(folder, name)}")
        groups = catalog.sql("rollup", "group_changes")
        connection.execute(f"prepare insert_changed_groups as insert into store.rollup_hour by name {groups}")
        for folder, name in (*_READS, *_WRITES):
            connection.execute(f"prepare {name} as {catalog.sql(folder, name)}")
        for number, part in enumerate(load_mapping().parts):
            self._plan_new_spans(f"{_NEW_SPANS}_{number}", load_mapping().of_slots(part))
        for name in _EMPTIED:
            connection.execute(f"prepare empty_{name} as delete from {name}")
        connection.execute(prepare_arrival_rules())

    def _plan_new_spans(self, name: str, mapping: Mapping) -> None:
        mapped = f"from ({mapped_spans(mapping)}) as mapped_spans"
        query = catalog.sql("normalize", _NEW_SPANS).replace("from mapped_spans", mapped)
        self._connection.execute(f"prepare fill_{name} as insert into {_NEW_SPANS} by name {query}")

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

    def leave_outdated(self) -> None:
        """Delete the stored spans that the batch has with a later end, with all that they told."""
        ((count,),) = self.read("fill_outdated_spans")
        if count:
            self.write(*_LEAVE_OUTDATED)

    def normalize(self, slots: Collection[str] | None = None) -> None:
        """Fill `new_spans` from the incoming spans that `stored_spans` does not hold.

        `slots` are those in which a span has a value; None where that is not known.
        """
        self.fill("new_arrivals", _NEW_SPANS if slots is None else _smallest_part(slots))
        name_models(self._connection, self.read("unnamed_models"))

    def settle(self, *, tells_alerts: bool) -> None:
        """Settle the touched traces, and those told with them, from `stored_spans` and `new_spans`.

        `tells_alerts`: events of the incoming spans tell alerts that their program raised.
        """
        has_twins = self._may_have_twins()
        if has_twins:
            self.fill(*_LINK)
            self.write("add_linked_traces", "add_linked_spans")
        self._tell_details()
        self.fill(*_TREE, *(_TWINS if has_twins else ()), *_REST)
        if self._spending_zone is not None:
            self._spending_changes += self.read(f"spending_changes(zone := '{self._spending_zone}')")
        ((change_count,),) = self.read("insert_changed_groups")
        self.rollup.add(change_count)
        self.write("delete_calls", "insert_calls", "delete_traces", "insert_traces", "delete_runs", "insert_runs")
        self._settle_alerts(tells_alerts=tells_alerts)

    def watch_spending(self, time_zone: str | None) -> None:
        """From now on note what settling changes of spending, by days of the zone; None notes nothing."""
        self._spending_zone = time_zone

    def take_spending_changes(self) -> list[tuple[Any, ...]]:
        """What settling has changed since this was asked last (`spending.Change`)."""
        changes, self._spending_changes = self._spending_changes, []
        return changes

    def _may_have_twins(self) -> bool:
        """Whether two scopes told calls of one kind: of one scope, no call is told again in another trace."""
        self._scopes.update(self.read("call_scopes"))
        return len(self._scopes) > len({kind for kind, _ in self._scopes})

    def _tell_details(self) -> None:
        """Add to the spans at hand what log records say of them; the rows stored keep what the spans told."""
        ((count,),) = self.read("details_count")
        if count:
            self.fill(_DETAILS)
            self.write("tell_new_spans", "tell_stored_spans")

    def _settle_alerts(self, *, tells_alerts: bool) -> None:
        self.write("fire_alerts")
        if self.silenced_rules:
            self._connection.execute(
                "delete from fired_alerts where rule in (select unnest(?::varchar[]))", [list(self.silenced_rules)]
            )
        if tells_alerts:
            self.fill(_TOLD)
            self.write("mark_told_alerts", "add_told_alerts")
        self.write("update_alerts", "insert_alerts", "delete_alerts")

    def take_in(self, batch: Batch) -> None:
        """Put the decoded rows into the incoming tables, and the parts of their content where they stay."""
        for name, table in _tables(batch).items():
            if table.num_rows:
                self._connection.from_arrow(table).insert_into(name)
        parts = batch.contents.parts_table()
        if parts.num_rows:
            # Texts are most of a batch and need no further look: they go into their table at once.
            self._connection.from_arrow(parts).insert_into("store.content_parts")

    def empty(self) -> None:
        """Empty all tables; in the transaction that filled them this frees their memory at once."""
        for name in _EMPTIED:
            self._connection.execute(f"execute empty_{name}")


def _smallest_part(slots: Collection[str]) -> str:
    """The statement of the first part of the mapping that reads all these slots; else of the whole."""
    parts = (number for number, part in enumerate(load_mapping().parts) if part.issuperset(slots))
    number = next(parts, None)
    return _NEW_SPANS if number is None else f"{_NEW_SPANS}_{number}"


def _tables(batch: Batch) -> dict[str, pa.Table]:
    return {
        "incoming_spans": batch.spans.table(batch.resources),
        "incoming_events": batch.events.table(),
        "incoming_logs": batch.logs.table(batch.resources),
        "incoming_metrics": batch.metrics.table(batch.resources),
        "incoming_content": batch.contents.table(),
    }
