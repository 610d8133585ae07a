"""A part of the mapping reads of its own slots what the whole reads."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spandeck_collector.journal import Signal
from spandeck_collector.store.database import open_database
from spandeck_collector.store.decode import decode
from spandeck_collector.store.pipeline import Pipeline, planning
from spandeck_schema.mapping import RESOURCE_PREFIX, load_mapping

from . import otlp

pytestmark = pytest.mark.integration

PARTS = load_mapping().parts
_VALUES = st.one_of(
    st.sampled_from(["acme", "chat", "llm", "TOOL", "true", "2", '{"a": 1}', '["stop"]', "None"]),
    st.integers(-1, 10**9),
    st.text(max_size=4),
)
_SCOPES = sorted({scope.replace("*", "x") for dialect in load_mapping().dialects for scope in dialect.scopes})


@st.composite
def spans(draw: st.DrawFn, part: frozenset[str]) -> otlp.Words:
    """A span with values in slots of the part."""
    told = draw(st.dictionaries(st.sampled_from(sorted(part)), _VALUES, min_size=1, max_size=12))
    own = {name: value for name, value in told.items() if not name.startswith(RESOURCE_PREFIX)}
    resource = {name.removeprefix(RESOURCE_PREFIX): value for name, value in told.items() if name not in own}
    return {"scope": draw(st.sampled_from(_SCOPES)), "resource": resource, "attributes": own}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    folder: Path = tmp_path_factory.mktemp("parts")
    with open_database(folder / "spandeck.duckdb", "500MB") as connection:
        pipeline = Pipeline(connection)
        with planning(connection):
            connection.execute("prepare new_rows as from new_spans order by arrival")
        yield pipeline


def rows(pipeline: Pipeline, traces: bytes, name: str) -> list[Any]:
    """The normalized rows of a request, by this statement."""
    ((batch, _),) = decode(otlp.records([(Signal.TRACES, traces)]))
    pipeline.take_in(batch)
    pipeline.fill("new_arrivals", name)
    found = pipeline.read("new_rows")
    pipeline.empty()
    return found


@pytest.mark.parametrize("number", range(len(PARTS)))
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_part_reads_what_the_whole_reads(number: int, pipeline: Pipeline, data: st.DataObject) -> None:
    told = data.draw(st.lists(spans(PARTS[number]), min_size=1, max_size=6))
    traces = otlp.traces({**span, "id": place} for place, span in enumerate(told, start=1))
    assert rows(pipeline, traces, f"new_spans_{number}") == rows(pipeline, traces, "new_spans")


def test_a_batch_that_tells_more_than_a_part_is_read_by_the_whole(pipeline: Pipeline) -> None:
    told = {"ai.model.id": "acme-1", "ai.operationId": "ai.generateText.doGenerate"}
    traces = otlp.traces([{"id": 1, "attributes": told}])
    ((batch, _),) = decode(otlp.records([(Signal.TRACES, traces)]))
    assert not any(part.issuperset(batch.present_slots) for part in PARTS)
    pipeline.take_in(batch)
    pipeline.normalize(batch.present_slots)
    (row,) = pipeline.read("new_rows")
    pipeline.empty()
    assert {"acme-1", "llm"} <= {value for value in row if isinstance(value, str)}
