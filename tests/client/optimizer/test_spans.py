"""What the optimizer decided stands on the span that was open, over the wire."""

import pytest

import spandeck
from spandeck import Cache, Router, Telemetry, ToolCache, arun_parallel, compress, run_parallel
from tests.client.sink import Sink

pytestmark = pytest.mark.integration

QUESTION, REWORDED = "How do I rename a branch in git?", "In git, how can I rename a branch?"


def attributes(telemetry: Telemetry, sink: Sink, prefix: str) -> dict[str, dict[str, object]]:
    """What each span tells under `prefix`, but the time that looking up took."""
    assert telemetry.flush()
    return {
        span.name.split()[-1]: {
            name.removeprefix(prefix): value
            for name, value in span.attributes.items()
            if name.startswith(prefix) and not name.endswith("lookup_s")
        }
        for span in sink.spans
    }


def test_a_hit_and_a_miss_tell_kind_score_age_and_rule(telemetry: Telemetry, sink: Sink) -> None:
    now = [100.0]
    cache = Cache(clock=lambda: now[0])
    cache.put(QUESTION, "x", cost_usd=0.25)
    now[0] = 130.0
    for name, prompt in (("hit", REWORDED), ("miss", QUESTION.replace("rename", "delete")), ("far", "Hello?")):
        with spandeck.request(name):
            cache.get(prompt)
    seen = attributes(telemetry, sink, "spandeck.cache.")
    assert all(float(str(span.attributes["spandeck.cache.lookup_s"])) >= 0 for span in sink.spans)
    assert seen["hit"] == {"hit": True, "kind": "verified", "score": 1.0, "age_s": 30.0, "saved_usd": 0.25}
    score = seen["miss"].pop("score")
    assert isinstance(score, float)
    assert 0.5 < score < 1
    assert seen["miss"] == {"hit": False, "reject_rule": "content_words"}
    assert seen["far"] == {"hit": False}


def test_shadow_stale_and_expired_lookups_say_so(telemetry: Telemetry, sink: Sink) -> None:
    now = [100.0]
    cache = Cache(ttl=10, clock=lambda: now[0])
    shadow = Cache(shadow=True)
    cache.put(QUESTION, "x")
    shadow.put(QUESTION, "x")
    now[0] = 120.0
    with spandeck.request("expired"):
        cache.get(QUESTION)
    with spandeck.request("stale"):
        cache.get(QUESTION, allow_stale=True)
    with spandeck.request("shadow"):
        shadow.get(REWORDED)
    seen = attributes(telemetry, sink, "spandeck.cache.")
    assert seen["expired"] == {"hit": False, "reject_rule": "expired", "score": 1.0}
    assert seen["stale"] == {"hit": True, "kind": "exact", "score": 1.0, "age_s": 20.0, "stale": True}
    assert seen["shadow"].pop("age_s") is not None
    assert seen["shadow"] == {"hit": False, "kind": "verified", "score": 1.0, "shadow_hit": True}


def test_a_tool_call_tells_whether_its_result_was_cached(telemetry: Telemetry, sink: Sink) -> None:
    cache = ToolCache(default_ttl=60)
    with spandeck.request("r") as req:
        for name in ("first", "second"):
            with req.tool_call(name):
                cache.call("find", {"id": 1}, lambda: 7)
    seen = attributes(telemetry, sink, "spandeck.cache.")
    assert seen["first"] == {"hit": False}
    assert seen["second"].pop("age_s") is not None
    assert seen["second"] == {"hit": True, "kind": "tool"}


def test_route_and_compression_tell_their_reason_and_size(telemetry: Telemetry, sink: Sink) -> None:
    text = "The lamp is lit. " * 300
    with spandeck.request("r"):
        Router().pick("x", "odd")
        done = compress(text, "lamp")
    with spandeck.request("short"):
        compress("short", "lamp")
    seen = attributes(telemetry, sink, "spandeck.")
    assert seen["r"]["route.tier"] == "medium"
    assert seen["r"]["route.reason"] == "Complexity 'odd' is unknown, so medium."
    assert (seen["r"]["compress.before"], seen["r"]["compress.after"]) == (len(text), done.after)
    assert seen["r"]["compress.lossy"] is True
    assert seen["r"]["compress.methods"] == ("selection",)
    assert not [name for name in seen["short"] if name.startswith("compress")]


async def test_parallel_tools_stand_below_the_request(telemetry: Telemetry, sink: Sink) -> None:
    def tool() -> None:
        with spandeck.request("inner"):
            pass

    async def atool() -> None:
        tool()

    with spandeck.request("outer") as req:
        run_parallel([tool, tool])
        await arun_parallel([atool, atool])
        outer = req.span_id
    assert telemetry.flush()
    assert [span.parent_id for span in sink.spans if span.name.endswith("inner")] == [outer] * 4


def test_without_a_request_nothing_is_recorded_and_nothing_raised() -> None:
    cache = Cache()
    cache.put(QUESTION, 1)
    assert cache.get(QUESTION) is not None
    assert Router().pick("x").model
