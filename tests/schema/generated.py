"""Worlds of spans for property tests: a few traces of a few services, told by several instrumentations at once.

A world is a list of spans as `otlp.span` takes them, of traces 1 to 3; `placed` moves it to where no other world is.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from . import dialects, otlp
from .dialects import Call

Span = dict[str, Any]
World = list[Span]

TRACES = 3
_MISSING = 9_000
_AGENT = 900
_MARK = "{world}"


def placed(world: World, number: int) -> World:
    """The same spans with trace ids, services, response and tool call ids of their own."""
    return [_named(span, _name(number)) | {"trace": number * 10 + span["trace"]} for span in world]


def unplaced(value: Any, number: int) -> Any:
    """A value of a stored row as it would be in every other placing of the world."""
    if isinstance(value, str):
        for trace in range(1, TRACES + 1):
            value = value.replace(otlp.trace_id(number * 10 + trace), f"trace {trace}")
        return value.replace(_name(number), _MARK)
    if isinstance(value, list):
        return [unplaced(item, number) for item in value]
    if isinstance(value, dict):
        return {key: unplaced(item, number) for key, item in value.items()}
    return value


def _name(number: int) -> str:
    """Of one length, so that names sort alike in every placing; no id in hex contains it."""
    return f"w{number:06d}"


def _named(value: Any, name: str) -> Any:
    if isinstance(value, str):
        return value.replace(_MARK, name)
    return {key: _named(item, name) for key, item in value.items()} if isinstance(value, dict) else value


@st.composite
def arrivals(draw: st.DrawFn, size: int) -> list[list[int]]:
    """Batches of indexes of spans: each at least once, in any order, some again."""
    order = draw(st.permutations(range(size)))
    order += draw(st.lists(st.integers(0, size - 1), max_size=3))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=3)))
    bounds = list(zip([0, *cuts], [*cuts, len(order)], strict=True))
    return [list(order[start:end]) for start, end in bounds if start < end]


@st.composite
def wild_worlds(draw: st.DrawFn) -> World:
    """Spans that need make no sense: parents anywhere (missing, later, in circles), calls told again by chance."""
    calls = draw(st.lists(_calls(), min_size=1, max_size=3))
    size = draw(st.integers(1, 9))
    world: World = []
    for number in range(1, size + 1):
        parent = draw(st.integers(0, number - 1) | st.sampled_from([0, _MISSING, number, min(number + 1, size)]))
        words = draw(_wild_span(calls))
        world.append(words | {"id": number, "parent": parent, "trace": draw(st.integers(1, TRACES))})
    return world


@st.composite
def _calls(draw: st.DrawFn) -> Call:
    return Call(
        number=0,
        model=draw(st.sampled_from(["acme-1", "acme-dear"])),
        input_tokens=draw(st.sampled_from([0, 7, 100, 5_000])),
        output_tokens=draw(st.integers(0, 3)),
        response_id=draw(st.sampled_from(["r1-" + _MARK, "r2-" + _MARK])),
        at_ms=draw(st.sampled_from([0, 0, 10, 500, 1_999, 2_001, 4_500])),
        ms=draw(st.sampled_from([0, 20, 100, 100, 1_000, -1])),
    )


@st.composite
def _wild_span(draw: st.DrawFn, calls: Sequence[Call]) -> Span:
    call = draw(st.sampled_from(calls))
    what = draw(st.sampled_from(["call", "call", "call", "agent", "tool", "other"]))
    if what == "call":
        later = replace(call, at_ms=call.at_ms + draw(st.sampled_from([0, 0, 5, 30])))
        dialect = draw(st.sampled_from(dialects.DIALECTS))
        span = dialects.told(later, dialect, with_usage=draw(st.booleans()), with_id=draw(st.booleans()))
    elif what == "agent":
        usage = draw(st.none() | st.just((call.input_tokens, call.output_tokens)))
        span = dialects.agent(draw(st.sampled_from(dialects.DIALECTS)), usage)
    elif what == "tool":
        call_id = draw(st.none() | st.just("call-" + _MARK))
        span = dialects.tool(draw(st.sampled_from(dialects.TOOL_DIALECTS)), call_id)
    else:
        span = {"name": "work", "attributes": {}}
    if draw(st.booleans()):
        span["attributes"] |= {"session.id": draw(st.sampled_from(["s1", "s2"]))}
    return span | {
        "status": draw(st.sampled_from(["UNSET", "UNSET", "ERROR"])),
        "service": draw(st.sampled_from(["a-" + _MARK, "b-" + _MARK])),
    }


@dataclass(frozen=True)
class Truth:
    """What a world tells, each call once."""

    llm_call_count: int
    input_tokens: int
    output_tokens: int


@st.composite
def told_worlds(draw: st.DrawFn) -> tuple[World, Truth]:
    """Calls that are each told once or several times, such that it can be known that they are one; with the truth.

    Agents above them may repeat the sum of what is told below them.
    """
    calls = [
        Call(
            number=number,
            model="acme-1",
            input_tokens=100 + number,
            output_tokens=number,
            response_id=f"r{number}-{_MARK}",
            at_ms=draw(st.integers(0, 4)) * 400,
            ms=draw(st.sampled_from([100, 1_000])),
        )
        for number in range(1, draw(st.integers(1, 4)) + 1)
    ]
    world = [
        span for call in calls for span in draw(st.one_of(_nested(call), _same_response(call), _overlapping(call)))
    ]
    world += [agent for trace in range(1, TRACES + 1) for agent in draw(_agents(trace, world, calls))]
    total = Truth(len(calls), sum(call.input_tokens for call in calls), sum(call.output_tokens for call in calls))
    return [{"service": "a-" + _MARK} | span for span in world], total


@st.composite
def _nested(draw: st.DrawFn, call: Call) -> World:
    """One telling below the other in one trace, at least one with usage."""
    told_by = draw(st.lists(st.sampled_from(dialects.DIALECTS), unique=True, min_size=1, max_size=3))
    usage = draw(st.lists(st.booleans(), min_size=len(told_by), max_size=len(told_by)).filter(any))
    place = draw(_places())
    first = call.number * 10
    return [
        dialects.told(call, dialect, with_usage=with_usage, with_id=draw(st.booleans()))
        | place
        | {"id": first + depth, **({"parent": first + depth - 1} if depth else {})}
        for depth, (dialect, with_usage) in enumerate(zip(told_by, usage, strict=True))
    ]


@st.composite
def _same_response(draw: st.DrawFn, call: Call) -> World:
    """Tellings anywhere, also in other traces and services, with one response id and starts within 2 s."""
    told_by = draw(st.lists(st.sampled_from(dialects.WITH_RESPONSE_ID), unique=True, min_size=2, max_size=3))
    return [
        dialects.told(replace(call, at_ms=call.at_ms + draw(st.sampled_from([0, 20, 1_900]))), dialect)
        | draw(_places())
        | {"id": call.number * 10 + number, "service": draw(st.sampled_from(["a-", "b-"])) + _MARK}
        for number, dialect in enumerate(told_by)
    ]


@st.composite
def _overlapping(draw: st.DrawFn, call: Call) -> World:
    """Two tellings by one service at nearly the same time, at most one of them with a response id."""
    told_by = draw(st.lists(st.sampled_from(dialects.DIALECTS), unique=True, min_size=2, max_size=2))
    with_id = draw(st.sampled_from([(True, False), (False, True), (False, False)]))
    return [
        dialects.told(replace(call, at_ms=call.at_ms + 5 * number), dialect, with_id=has_id)
        | draw(_places())
        | {"id": call.number * 10 + number}
        for number, (dialect, has_id) in enumerate(zip(told_by, with_id, strict=True))
    ]


@st.composite
def _places(draw: st.DrawFn) -> Span:
    """A trace, and there a root, a child of the trace's agent, or of a parent that never comes."""
    trace = draw(st.integers(1, TRACES))
    return {"trace": trace, "parent": draw(st.sampled_from([0, _AGENT + trace, _MISSING]))}


@st.composite
def _agents(draw: st.DrawFn, trace: int, world: World, calls: Sequence[Call]) -> World:
    """The trace's agent, where there is a call below it."""
    number = _AGENT + trace
    below = {span["id"] // 10 for span in world if span["trace"] == trace and span["parent"] == number}
    if not below:
        return []
    told = [call for call in calls if call.number in below]
    usage = (sum(call.input_tokens for call in told), sum(call.output_tokens for call in told))
    span = dialects.agent(draw(st.sampled_from(dialects.DIALECTS)), draw(st.sampled_from([None, usage])))
    return [span | {"id": number, "parent": 0, "trace": trace, "ms": 6_000}]
