"""Turns stored spans into incoming ones again, so that the present mapping can be run over history."""

from __future__ import annotations

from spandeck_schema import catalog
from spandeck_schema.mapping import NO_VALUES, RESOURCE_PREFIX, Mapping, attribute_slots, resource_slots


def restored_spans(mapping: Mapping) -> str:
    """A SELECT of the stored spans of `step_traces` as `incoming_spans` had them when they came.

    The slots of the mapping are read out of the attribute maps; the maps themselves and the links stay where they are.
    """
    slots = [_slot("attributes", name, name) for name in attribute_slots(mapping)]
    slots += [_slot("resource", name, RESOURCE_PREFIX + name) for name in resource_slots(mapping)]
    columns = ",\n    ".join(("* exclude (attributes, resource)", *slots))
    return f"select\n    {columns}\nfrom (\n{catalog.sql('normalize', 'step_spans')})"


def _slot(column: str, name: str, slot: str) -> str:
    quoted_name, quoted_slot = name.replace("'", "''"), slot.replace('"', '""')
    value = f"{column}['{quoted_name}']"
    return f'case when trim({value}) not in {NO_VALUES} then {value} end as "{quoted_slot}"'
