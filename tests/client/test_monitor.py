"""The monitor: events, alerts and sums of this process, with and without a collector."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import spandeck
from spandeck import Alert, Monitor, Rate, Telemetry, telemetry
from spandeck.monitoring import RequestComplete, RequestStart, percentile

from .conftest import QUICK
from .sink import Sink

pytestmark = pytest.mark.integration

RATES = {"m": Rate(input_usd_per_mtok=1_000.0, output_usd_per_mtok=2_000.0)}


@pytest.fixture
def monitor(monkeypatch: pytest.MonkeyPatch) -> Monitor:
    """A monitor that begins empty, in place of the one of the process."""
    fresh = Monitor()
    monkeypatch.setattr("spandeck.telemetry.monitor", fresh)
    return fresh


@pytest.fixture
def priced(sink: Sink, monitor: Monitor) -> Iterator[Telemetry]:
    """A configured client with a price for the model `m`."""
    client = spandeck.configure(sink.endpoint, limits=QUICK, prices=RATES)
    yield client
    client.shutdown(0)


def test_start_and_completion_are_told_once_for_the_outermost_request(priced: Telemetry, monitor: Monitor) -> None:
    seen: list[Any] = []
    monitor.on("request:start", seen.append)
    monitor.on("request:complete", seen.append)
    with priced.request("desk", agent="helper") as req, req.llm_call("m") as call:
        call.usage(input_tokens=100, output_tokens=50)
        with req.request("inner"):
            pass
    start, done = seen
    assert isinstance(start, RequestStart)
    assert (start.name, start.agent, start.trace_id, start.request_id) == ("desk", "helper", req.trace_id, req.trace_id)
    assert isinstance(done, RequestComplete)
    assert (done.success, done.cancelled) == (True, False)
    assert done.cost_usd == pytest.approx(0.2)
    assert done.duration_ms > 0


def test_a_listener_can_stop_and_its_errors_stay_its_own(priced: Telemetry, monitor: Monitor) -> None:
    seen: list[Any] = []
    stop = monitor.on("request:start", seen.append)

    def broken(event: object) -> None:
        raise RuntimeError("listener")

    monitor.on("request:start", broken)
    priced.request("first").complete()
    stop()
    stop()
    priced.request("second").complete()
    assert [start.name for start in seen] == ["first"]


def test_an_event_that_does_not_exist_is_refused(monitor: Monitor) -> None:
    with pytest.raises(ValueError, match="'request:end' does not exist: listen to one of request:start"):
        monitor.on("request:end", print)  # type: ignore[arg-type]


def test_a_failed_tool_is_an_alert_in_the_process_on_the_span_and_on_stderr(
    priced: Telemetry, sink: Sink, monitor: Monitor, capsys: pytest.CaptureFixture[str]
) -> None:
    with priced.request("a") as req, req.tool_call("find\norder") as tool:
        tool.fail("not_found")
    (alert,) = monitor.get_recent_alerts()
    assert (alert.rule, alert.level, alert.trace_id, alert.span_id) == (
        "failed_tool_call",
        "error",
        req.trace_id,
        tool.span_id,
    )
    assert capsys.readouterr().err == f"[ALERT] error: Tool call failed: find order in request {req.trace_id}\n"
    assert priced.flush()
    ((event, attributes),) = sink.span("execute_tool find\norder").events
    assert (event, attributes["spandeck.alert.rule"]) == ("spandeck.alert", "failed_tool_call")


def test_a_dear_request_is_told_once_at_its_root(priced: Telemetry, sink: Sink, monitor: Monitor) -> None:
    with priced.request("a") as req:
        for _ in range(3):
            with req.llm_call("m") as call:
                call.usage(input_tokens=200, output_tokens=200)
    (alert,) = monitor.get_recent_alerts()
    assert (alert.rule, alert.level, alert.threshold) == ("expensive_request", "warning", 1.0)
    assert alert.value == pytest.approx(1.2)
    assert alert.message == f"High cost: $1.20 for request {req.trace_id}"
    assert priced.flush()
    root = sink.span("invoke_agent a")
    assert (root.span_id, root.events[0][0]) == (alert.span_id, "spandeck.alert")
    assert sink.spans[0].attributes["spandeck.cost.usd"] == pytest.approx(0.6)


def test_exactly_one_dollar_is_not_above_one_dollar(priced: Telemetry, monitor: Monitor) -> None:
    with priced.request("a") as req, req.llm_call("m") as call:
        call.usage(input_tokens=1_000, output_tokens=0)
    assert req.cost_usd == 1.0
    assert monitor.get_recent_alerts() == []


def test_usage_of_a_parent_counts_only_where_no_call_below_has_a_price(priced: Telemetry, monitor: Monitor) -> None:
    with priced.request("a", model="m") as req:
        req.usage(input_tokens=900, output_tokens=0)
        with req.llm_call("m") as call:
            call.usage(input_tokens=10, output_tokens=0)
    assert req.cost_usd == pytest.approx(0.01)


def test_the_model_that_answered_is_priced_and_else_the_one_that_was_asked(priced: Telemetry, monitor: Monitor) -> None:
    with priced.request("a") as req:
        with req.llm_call("m") as call:
            call.usage(input_tokens=10, output_tokens=0)
            call.response(model="m-2026-01-01")
        with req.llm_call("alias") as call:
            call.usage(input_tokens=10, output_tokens=0)
            call.response(model="m")
    assert req.cost_usd == pytest.approx(0.02)


def test_without_prices_costs_are_unknown_and_the_store_is_named_once(
    sink: Sink, monitor: Monitor, caplog: pytest.LogCaptureFixture
) -> None:
    client = spandeck.configure(sink.endpoint, limits=QUICK)
    monitor.on("alert", lambda alert: None)
    for _ in range(2):
        with client.request("a") as req, req.llm_call("m") as call:
            call.usage(input_tokens=10**9, output_tokens=10**9)
    client.shutdown()
    assert monitor.get_aggregate_metrics()["total_cost_usd"] is None
    assert monitor.get_recent_alerts() == []
    assert caplog.text.count("left to the store") == 1


def test_a_price_book_that_fails_costs_nothing_but_the_cost(sink: Sink, monitor: Monitor) -> None:
    class Broken:
        def cost(self, model: str, provider: str | None, usage: spandeck.Usage) -> float | None:
            raise RuntimeError("no prices today")

    client = spandeck.configure(sink.endpoint, limits=QUICK, prices=Broken())
    with client.request("a") as req, req.llm_call("m") as call:
        call.usage(input_tokens=1, output_tokens=1)
    client.shutdown(0)
    assert req.cost_usd is None


def test_alerts_fire_without_any_collector(
    monkeypatch: pytest.MonkeyPatch, monitor: Monitor, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("spandeck.telemetry._configured", None)
    monkeypatch.setattr("spandeck.telemetry._unconfigured", replace(telemetry._unconfigured, monitor=monitor))
    with spandeck.request("a") as req:
        req.tool_call_done("t", duration_ms=1, ok=False)
    (alert,) = monitor.get_recent_alerts()
    assert (alert.trace_id, alert.request_id[:4]) == (None, "req_")
    assert capsys.readouterr().err.startswith("[ALERT] error: Tool call failed: t")


def test_the_last_thousand_alerts_are_kept() -> None:
    monitor = Monitor(print_alerts=False)
    for number in range(1_005):
        monitor.alert(Alert("failed_tool_call", "error", str(number), 1.0, 0.0, "r", None, None))
    assert [alert.message for alert in monitor.get_recent_alerts(2)] == ["1003", "1004"]
    assert len(monitor.get_recent_alerts()) == 10
    assert len(monitor.get_recent_alerts(5_000)) == 1_000
    assert monitor.get_recent_alerts(0) == []


def test_sums_of_no_request_are_unknown() -> None:
    assert Monitor().get_aggregate_metrics() == {
        "total_requests": 0,
        "success_rate": None,
        "avg_latency_ms": None,
        "p95_latency_ms": None,
        "p99_latency_ms": None,
        "total_cost_usd": None,
        "avg_cost_per_request_usd": None,
    }


def test_sums_are_of_all_requests_and_costs_of_the_priced_ones() -> None:
    monitor = Monitor()
    for number in range(1, 101):
        monitor.completed(
            RequestComplete("r", None, "a", "a", number > 10, False, float(number), 0.5 if number <= 4 else None)
        )
    metrics = monitor.get_aggregate_metrics()
    assert metrics == {
        "total_requests": 100,
        "success_rate": 0.9,
        "avg_latency_ms": 50.5,
        "p95_latency_ms": pytest.approx(95.05),
        "p99_latency_ms": pytest.approx(99.01),
        "total_cost_usd": 2.0,
        "avg_cost_per_request_usd": 0.5,
    }


@pytest.mark.parametrize(
    ("values", "share", "expected"), [([], 0.5, None), ([3.0], 0.99, 3.0), ([1.0, 2.0], 0.5, 1.5), ([1.0, 2.0], 1, 2.0)]
)
def test_percentiles_interpolate_between_ranks(values: list[float], share: float, expected: float | None) -> None:
    assert percentile(values, share) == expected


def test_threads_count_every_request(priced: Telemetry, monitor: Monitor) -> None:
    def work() -> None:
        for _ in range(20):
            priced.request("a").complete()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert monitor.get_aggregate_metrics()["total_requests"] == 80
