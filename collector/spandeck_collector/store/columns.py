"""Arrow columns filled row by row: plain ones, sparse ones, and MAP(VARCHAR, VARCHAR) without an object a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from spandeck_schema.mapping import NO_VALUES

_SPACES = "\u0020\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
"""What `trim` of DuckDB takes off: a value is blank here if and only if it is blank there."""


class Received(NamedTuple):
    """When (Unix microseconds) and from which address a record was received."""

    at_us: int
    address: str | None


class TextMaps:
    """A growing MAP column."""

    def __init__(self) -> None:
        self._offsets = [0]
        self._keys: list[str] = []
        self._values: list[str | None] = []

    def append(self, entries: dict[str, str | None]) -> int:
        """Add one row and return its index."""
        self._keys.extend(entries)
        self._values.extend(entries.values())
        self._offsets.append(len(self._keys))
        return len(self._offsets) - 2

    def array(self) -> pa.Array:
        """All rows as an Arrow array."""
        return pa.MapArray.from_arrays(
            pa.array(self._offsets, pa.int32()), pa.array(self._keys, pa.string()), pa.array(self._values, pa.string())
        )


class Slots:
    """Sparse text columns, one a name that the mapping reads; a row has values in few of them."""

    def __init__(self, names: Sequence[str], prefix: str = "") -> None:
        self._values: dict[str, dict[int, str | None]] = {name: {} for name in names}
        self._known = self._values.keys()
        self._prefix = prefix
        self._rows = 0

    def append(self, entries: dict[str, str | None]) -> None:
        """Add one row; entries without a column are left out, and so are those that tell nothing."""
        for name in self._known & entries.keys():
            value = entries[name]
            if value and value.strip(_SPACES) not in NO_VALUES:
                self._values[name][self._rows] = value
        self._rows += 1

    def present(self) -> frozenset[str]:
        """The prefixed names of the columns in which a row has a value."""
        return frozenset(self._prefix + name for name, values in self._values.items() if values)

    def has_any(self, names: Sequence[str]) -> bool:
        """Whether a row has an entry of one of these names."""
        return any(self._values[name] for name in names)

    def arrays(self) -> dict[str, pa.Array]:
        """All columns as Arrow arrays, by prefixed name."""
        return {self._prefix + name: self._array(values) for name, values in self._values.items()}

    def _array(self, values: Mapping[int, str | None]) -> pa.Array:
        if not values:
            return pa.nulls(self._rows, pa.string())
        dense: list[str | None] = [None] * self._rows
        for row, value in values.items():
            dense[row] = value
        return pa.array(dense, pa.string())


class Resources:
    """The resources of a batch: their maps and their slots, to be spread over the rows that point at them."""

    def __init__(self, names: Sequence[str] = (), prefix: str = "") -> None:
        self._maps = TextMaps()
        self._slots = Slots(names, prefix)

    def append(self, entries: dict[str, str | None]) -> int:
        """Add one resource and return its index."""
        self._slots.append(entries)
        return self._maps.append(entries)

    def present_slots(self) -> frozenset[str]:
        """The slots in which a resource has a value."""
        return self._slots.present()

    def spread(self, rows: Sequence[int], *, with_slots: bool) -> dict[str, pa.Array]:
        """Columns with one entry for each index in `rows`."""
        indices = pa.array(rows, pa.int32())
        arrays = {"resource": self._maps.array()}
        if with_slots:
            arrays |= self._slots.arrays()
        # Dictionaries, because DuckDB takes each resource in once, not once a row.
        return {name: pa.DictionaryArray.from_arrays(indices, array) for name, array in arrays.items()}


class Rows:
    """Rows as tuples under a fixed schema, each with an attribute map and, where it has one, a resource."""

    def __init__(self, schema: Sequence[tuple[str, Any]], slots: Sequence[str] = ()) -> None:
        self._schema = schema
        self._rows: list[tuple[Any, ...]] = []
        self._attributes = TextMaps()
        self._slots = Slots(slots) if slots else None
        self._resource_rows: list[int] = []

    def __len__(self) -> int:
        return len(self._rows)

    def append(
        self,
        row: tuple[Any, ...],
        attributes: dict[str, str | None],
        resource_row: int = -1,
        slots: dict[str, str | None] | None = None,
    ) -> None:
        """Add one row; `resource_row` is the index that `Resources.append` returned.

        The slots are filled from `slots`, where given, because they may read more than the map keeps.
        """
        self._rows.append(row)
        self._attributes.append(attributes)
        self._resource_rows.append(resource_row)
        if self._slots:
            self._slots.append(attributes if slots is None else slots)

    def present_slots(self) -> frozenset[str]:
        """The slots in which a row has a value."""
        return self._slots.present() if self._slots else frozenset()

    def has_any(self, slots: Sequence[str]) -> bool:
        """Whether a row has an entry in one of these slots."""
        return self._slots is not None and self._slots.has_any(slots)

    def table(self, resources: Resources | None = None) -> pa.Table:
        """The rows as an Arrow table: the schema's columns, slots, `attributes`, and `resource` where given."""
        columns = list(zip(*self._rows, strict=True)) or [()] * len(self._schema)
        arrays = {name: pa.array(column, kind) for (name, kind), column in zip(self._schema, columns, strict=True)}
        arrays["attributes"] = self._attributes.array()
        if self._slots:
            arrays |= self._slots.arrays()
        if resources is not None:
            arrays |= resources.spread(self._resource_rows, with_slots=self._slots is not None)
        return pa.table(arrays)
