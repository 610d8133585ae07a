"""Takes secrets out of journal records before they are read: one look over the bytes, more only where it finds some.

The look is one regular expression of RE2, which Arrow brings along: 3 µs a span of 2.5 KB, a fifteenth of decoding.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from spandeck_collector.journal import Record
from spandeck_collector.redaction import redacted_bodies
from spandeck_schema.secrets import hint


def redact_records(records: Sequence[Record]) -> Sequence[Record]:
    """The records with `[REDACTED]` in place of secrets; applied again, it changes nothing more."""
    indices = _suspects([record.body for record in records], pa.large_binary())
    if not indices:
        return records
    clean = redacted_bodies([(records[index].signal, records[index].body) for index in indices], suspect_texts)
    bodies = dict(zip(indices, clean, strict=True))
    return [record._replace(body=bodies.get(index, record.body)) for index, record in enumerate(records)]


def suspect_texts(texts: Sequence[str]) -> Sequence[int]:
    """Which texts may hold a secret, by their index."""
    return _suspects(texts, pa.large_string())


def _suspects(texts: Sequence[str] | Sequence[bytes], kind: pa.DataType) -> list[int]:
    # Bytes are matched one by one, as Latin-1: a message is no UTF-8, the texts in it are.
    matches = pc.match_substring_regex(pa.array(texts, kind), pattern=hint())
    return [index for index, matched in enumerate(matches.to_pylist()) if matched]
