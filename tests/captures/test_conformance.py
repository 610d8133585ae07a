"""Every recorded export is understood as what it was, in whatever way it arrives."""

import subprocess
import sys
from collections.abc import Iterator
from itertools import count, zip_longest
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spandeck_collector.journal import Position, Record, Signal
from spandeck_collector.receiver.admission import Media, admit
from spandeck_collector.receiver.otlp_signals import SIGNALS
from tests.schema.sandbox import Sandbox
from tests.support.stack import ready_stack

from .conformance.backends import CALLS_SQL, TRACES_SQL, with_first_tokens
from .conformance.feeding import Arrival, Round
from .conformance.scenarios import Export, Scenario, load
from .conformance.scoring import differences

CHECK = Path(__file__).with_name("check.py")
SCENARIOS = load()
SIGNAL = {otlp.name: otlp for otlp in SIGNALS}
MINUTE_NS = 60_000_000_000
RECORDED_NS = 1_790_000_000_000_000_000
"""A time after all of the recorded spans."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Sandbox]:
    """An empty database with the shipped prices alone."""
    result = Sandbox(tmp_path)
    yield result
    result.connection.close()


@pytest.fixture
def numbers() -> Iterator[int]:
    """Places in the journal."""
    return count(1)


def record(export: Export, received_at_ns: int, number: int) -> Record:
    """What the receiver would append to the journal."""
    otlp = SIGNAL[export.signal]
    body = admit(otlp, export.plain, Media(export.media_type)).body
    return Record(otlp.signal, received_at_ns, body, Position(1, number))


def take(store: Sandbox, exports: Round, received_at_ns: int, numbers: Iterator[int]) -> None:
    """Store exports that are received within a millisecond, in one batch."""
    store.ingest.store([record(export, received_at_ns, next(numbers)) for _, export in exports])


def wrong_scenarios(store: Sandbox) -> dict[str, list[str]]:
    """What is wrong, by scenario."""
    rows = {row["trace_id"]: row for row in with_first_tokens(store.rows(TRACES_SQL), store.rows(CALLS_SQL))}
    found = {
        scenario.name: differences(scenario.expected, [rows[own] for own in scenario.trace_ids() if own in rows])
        for scenario in SCENARIOS
    }
    return {name: wrong for name, wrong in found.items() if wrong}


def report(wrong: dict[str, list[str]]) -> str:
    """The differences of each scenario in a line."""
    lines = [f"{name}: {'; '.join(sentences)}" for name, sentences in wrong.items()]
    return "\n".join([f"{len(SCENARIOS) - len(wrong)} of {len(SCENARIOS)} scenarios right", *lines])


@pytest.mark.integration
@pytest.mark.parametrize(
    "arrival",
    [
        Arrival(),
        Arrival(reversed_order=True),
        Arrival(twice=True),
        Arrival(apart_s=60),
        Arrival(reversed_order=True, twice=True, apart_s=60),
    ],
    ids=["as recorded", "files reversed", "files twice", "files a minute apart", "all of these"],
)
def test_every_scenario_is_right_however_its_files_arrive(
    arrival: Arrival, store: Sandbox, numbers: Iterator[int]
) -> None:
    """Between files that are a minute apart the database is written out, closed and opened again."""
    for minute, exports in enumerate(arrival.rounds(SCENARIOS)):
        if minute:
            store.ingest.checkpoint(wait_for_queries=True)
            store.restart()
        take(store, exports, RECORDED_NS + minute * MINUTE_NS, numbers)
    wrong = wrong_scenarios(store)
    assert not wrong, report(wrong)


@pytest.mark.integration
@pytest.mark.parametrize("step", [1, -1], ids=["first to last", "last to first"])
def test_every_scenario_is_right_when_its_spans_arrive_one_by_one(
    step: int, store: Sandbox, numbers: Iterator[int]
) -> None:
    queues = [pieces(scenario)[::step] for scenario in SCENARIOS]
    for turn in zip_longest(*queues):
        bodies = [piece for piece in turn if piece]
        store.ingest.store([Record(signal, RECORDED_NS, body, Position(1, next(numbers))) for signal, body in bodies])
    wrong = wrong_scenarios(store)
    assert not wrong, report(wrong)


def pieces(scenario: Scenario) -> list[tuple[Signal, bytes]]:
    """The exports of a scenario as requests of one span each; logs stay together."""
    found = []
    for export in scenario.exports:
        whole = record(export, RECORDED_NS, 1)
        bodies = each_span(whole.body) if whole.signal == Signal.TRACES else [whole.body]
        found += [(whole.signal, body) for body in bodies]
    return found


def each_span(body: bytes) -> Iterator[bytes]:
    """Requests of one span, with its resource and scope."""
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                request = ExportTraceServiceRequest()
                envelope = request.resource_spans.add(resource=resource.resource)
                envelope.scope_spans.add(scope=scope.scope, spans=[span])
                yield request.SerializeToString()


def run_check(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the script against real processes of an empty store."""
    with ready_stack(folder, "up", "--no-ui") as stack:
        query = stack.settings.url(stack.settings.query_port) + "/query"
        addresses = ("--http", stack.receiver_url, "--query", query)
        return subprocess.run(
            [sys.executable, CHECK, *addresses, *options], capture_output=True, text=True, check=False
        )


@pytest.mark.integration
def test_the_script_finds_every_scenario_right_over_real_sockets(tmp_path: Path) -> None:
    done = run_check(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == f"{len(SCENARIOS)} of {len(SCENARIOS)} scenarios right\n"


@pytest.mark.chaos
@pytest.mark.parametrize("options", [(), ("--order", "reversed", "--twice")], ids=" ".join)
def test_every_scenario_is_right_when_its_files_are_truly_a_minute_apart(
    options: tuple[str, ...], tmp_path: Path
) -> None:
    done = run_check(tmp_path, "--apart", "60", *options)
    assert done.returncode == 0, done.stdout + done.stderr
