"""SQL made from `rollup/`: the roll-ups as the stored rows alone make them."""

from __future__ import annotations

from spandeck_schema import catalog

_STORED = {"call_changes": "store.calls", "span_changes": "store.spans", "trace_changes": "store.traces"}


def rebuilt_groups() -> str:
    """A SELECT of the groups of `store.rollup_hour`, not merged with any row there, from all stored rows."""
    changes = ",\n".join(f"{name} as (select 1 as sign, * from {table})" for name, table in _STORED.items())
    return f"with {changes}\nselect * from (\n{catalog.sql('rollup', 'group_changes')}) as groups"
