"""What the client tells on its own account: work that stays open, and what it had to drop."""

import pytest

import spandeck
from spandeck import Limits

from .sink import DEADLINE_S, Sink

pytestmark = pytest.mark.integration

EAGER = Limits(interval_s=0.01, first_backoff_s=0.02, open_after_s=0.02)


def test_work_that_stays_open_is_announced_once_before_it_ends(sink: Sink) -> None:
    telemetry = spandeck.configure(sink.endpoint, service_name="desk", limits=EAGER)
    with telemetry.request("a", session_id="s") as req, req.tool_call("hangs") as tool:
        sink.wait_for(lambda: len(sink.events) == 2)
    telemetry.request("later").complete()
    assert telemetry.shutdown(DEADLINE_S)
    root, hung = sorted(sink.events, key=lambda event: event.at_ns)
    assert {event.name for event in sink.events} == {"spandeck.span.open"}
    assert (root.trace_id, root.span_id) == (req.trace_id, req.span_id)
    assert (hung.span_id, hung.attributes["spandeck.span.parent_id"]) == (tool.span_id, req.span_id)
    assert hung.attributes["gen_ai.tool.name"] == "hangs"
    assert hung.attributes["spandeck.span.name"] == "execute_tool hangs"
    assert hung.resource["service.name"] == "desk"
    assert len(sink.spans) == 3


def test_short_work_is_not_announced(sink: Sink) -> None:
    telemetry = spandeck.configure(sink.endpoint, limits=Limits(interval_s=0.01, open_after_s=DEADLINE_S))
    for _ in range(20):
        with telemetry.request("a") as req:
            req.llm_call("m").end()
    assert telemetry.shutdown(DEADLINE_S)
    assert sink.events == []


def test_an_announcement_that_fails_is_made_again(sink: Sink) -> None:
    sink.statuses = [503, 503]
    telemetry = spandeck.configure(sink.endpoint, limits=EAGER)
    with telemetry.request("a"):
        sink.wait_for(lambda: bool(sink.events))
    assert telemetry.shutdown(DEADLINE_S)
    assert len(sink.events) == 1


def test_a_collector_without_logs_is_not_asked_for_ever(sink: Sink) -> None:
    sink.statuses = [404]
    telemetry = spandeck.configure(sink.endpoint, limits=EAGER)
    with telemetry.request("a"):
        sink.wait_for(lambda: bool(sink.paths))
    assert telemetry.shutdown(DEADLINE_S)
    assert (sink.events, len(sink.spans)) == ([], 1)


def test_losses_are_reported_once_the_collector_answers(sink: Sink) -> None:
    sink.silent = True
    limits = Limits(queue_spans=10, batch_spans=1, interval_s=0.01, first_backoff_s=0.02)
    telemetry = spandeck.configure(sink.endpoint, limits=limits)
    telemetry.request("first").complete()
    sink.wait_for(lambda: len(sink.requests) == 1)
    for number in range(15):
        telemetry.request(f"r{number}").complete()
    sink.silent = False
    sink.released.set()
    assert telemetry.flush(DEADLINE_S)
    sink.wait_for(lambda: bool(sink.events))
    lost = sink.event("spandeck.client.dropped")
    assert lost.attributes == {"spandeck.client.dropped.reason": "queue_full", "spandeck.client.dropped.count": 5}
    assert (lost.trace_id, lost.span_id) == ("", "")
    telemetry.shutdown(0)
