"""Roll-ups are what the stored rows make of themselves, however these came, and their percentiles are near enough."""

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from spandeck_collector.journal import Signal
from spandeck_collector.store.commands.normalize import normalize
from spandeck_schema.rollup import rebuilt_groups

from .generated import World, arrivals, placed, wild_worlds
from .sandbox import Sandbox
from .test_normalize_history import bodies, spoil

pytestmark = pytest.mark.integration

BOUNDED = settings(
    max_examples=12,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
_TABLES = ("spans", "calls", "traces", "rollup_hour", "rollup_day")
_KEYS = "hour, subject, service, kind, name, is_entry, provider, model, agent_name, tool_name"
_COUNTS = ("row", "error", "unpriced", "cost", "input", "output", "cache_read", "cache_write")
_TOKENS = ("input", "output", "cache_read", "cache_write")
_CALL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "acme-1", "gen_ai.provider.name": "acme"}
_USAGE = {"gen_ai.usage.input_tokens": 1_000, "gen_ai.usage.output_tokens": 100}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One database for all examples."""
    result = Sandbox(tmp_path_factory.mktemp("rollup"))
    yield result
    result.connection.close()


def emptied(sandbox: Sandbox) -> Sandbox:
    for table in _TABLES:
        sandbox.connection.execute(f"delete from store.{table}")
    return sandbox


_BY_DAY = """(
    select * exclude (hour, is_delta), date_trunc('day', hour) as hour from store.rollup_hour {where}
)"""
_DAYS = f"""(
    select * exclude (day), day as hour from store.rollup_day
    union all by name from {_BY_DAY.format(where="where is_delta")}
)"""


def groups(sandbox: Sandbox, relation: str) -> list[tuple[Any, ...]]:
    """The groups of a relation like `store.rollup_hour`, all rows of a group summed, buckets with their counts."""
    sums = [f"sum({name}_count)" for name in _COUNTS]
    sums += [f"case when sum({name}_count) > 0 then sum({name}_tokens) end" for name in _TOKENS]
    sums += ["case when sum(cost_count) > 0 then round(sum(cost_usd), 9) end"]
    buckets = (f"flatten(list({name}_buckets))" for name in ("duration", "first_token"))
    rows = sandbox.connection.execute(
        f"select {_KEYS}, {', '.join((*sums, *buckets))} from {relation} group by all having sum(row_count) != 0"
    ).fetchall()
    return sorted(((*row[:-2], *map(_summed, row[-2:])) for row in rows), key=repr)


def _summed(entries: list[dict[str, int]] | None) -> list[tuple[int, int]]:
    sums: dict[int, int] = {}
    for entry in entries or []:
        sums[entry["bucket"]] = sums.get(entry["bucket"], 0) + entry["value_count"]
    return sorted((bucket, count) for bucket, count in sums.items() if count)


def check_rebuilt(sandbox: Sandbox) -> None:
    assert groups(sandbox, "store.rollup_hour") == groups(sandbox, f"({rebuilt_groups()})")
    assert groups(sandbox, _DAYS) == groups(sandbox, _BY_DAY.format(where=""))


def merge(sandbox: Sandbox) -> None:
    """Merge as a checkpoint does; then a group has one row."""
    sandbox.ingest.checkpoint(wait_for_queries=True)
    rows = sandbox.rows(f"select {_KEYS} from store.rollup_hour group by all having count(*) > 1 or bool_or(is_delta)")
    assert rows == []


@BOUNDED
@given(data=st.data(), world=wild_worlds())
def test_any_arrival_makes_the_roll_up_of_the_stored_rows(data: st.DataObject, world: World, shared: Sandbox) -> None:
    sandbox, spans = emptied(shared), placed(world, shared.batch_count + 1)
    for indexes in data.draw(arrivals(len(world))):
        sandbox.spans(*(spans[index] for index in indexes))
        if data.draw(st.booleans()):
            merge(sandbox)
    check_rebuilt(sandbox)
    merge(sandbox)
    check_rebuilt(sandbox)


@BOUNDED
@given(batches=st.lists(bodies(), min_size=1, max_size=3))
def test_resent_and_normalized_spans_make_the_roll_up_of_the_stored_rows(shared: Sandbox, batches: list[bytes]) -> None:
    sandbox = emptied(shared)
    for body in batches:
        sandbox.take((Signal.TRACES, body))
    check_rebuilt(sandbox)
    spoil(sandbox)
    sandbox.connection.execute("delete from store.rollup_hour")
    sandbox.connection.execute(f"insert into store.rollup_hour by name {rebuilt_groups()}")
    answer: dict[str, Any] = {"cursor": None, "finished": False}
    while not answer["finished"]:
        with sandbox.ingest.transaction():
            answer = normalize({"cursor": answer["cursor"]})(sandbox.ingest)
    check_rebuilt(sandbox)
    merge(sandbox)
    check_rebuilt(sandbox)


def test_a_group_of_which_all_was_taken_back_is_gone_after_the_merge(sandbox: Sandbox) -> None:
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a"}
    sandbox.spans({"id": 1, "attributes": agent | _USAGE})
    sandbox.spans({"id": 2, "parent": 1, "attributes": _CALL | _USAGE})
    kinds = "select kind, sum(row_count)::int as n from store.rollup_hour where subject = 'call' group by all"
    assert sorted(map(repr, sandbox.rows(kinds))) == ["{'kind': 'agent', 'n': 0}", "{'kind': 'llm', 'n': 1}"]
    merge(sandbox)
    assert sandbox.rows(kinds) == [{"kind": "llm", "n": 1}]


def test_changes_that_wait_are_merged_after_a_restart(sandbox: Sandbox) -> None:
    for trace in (1, 2, 3):
        sandbox.spans({"trace": trace, "id": trace, "attributes": _CALL})
    sandbox.restart()
    merge(sandbox)
    assert sandbox.row("select sum(row_count)::int as n from store.rollup_hour where subject = 'trace'") == {"n": 3}


def test_many_changes_are_merged_without_a_checkpoint(sandbox: Sandbox) -> None:
    for trace in range(1, 7):
        sandbox.spans(*({"trace": trace, "id": trace * 9_000 + n, "name": f"n{n}"} for n in range(2_000)))
    row = sandbox.row("select count(*) as n, count(*) filter (is_delta) as waiting from store.rollup_hour")
    assert row["waiting"] < 10_000
    check_rebuilt(sandbox)


DURATIONS = st.lists(
    st.one_of(st.just(0.0), st.floats(1e-3, 1e9), st.floats(100, 130)).map(lambda ms: round(ms, 3)),
    min_size=1,
    max_size=60,
)


@settings(max_examples=40, deadline=None)
@given(batches=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["m", "n"]), DURATIONS), min_size=1, max_size=6))
def test_merged_percentiles_are_within_a_percent_of_exact_ones(
    shared: Sandbox, batches: list[tuple[int, str, list[float]]]
) -> None:
    cursor = shared.connection.cursor()
    cursor.execute("create or replace temp table durations (hour bigint, model varchar, batch bigint, ms double)")
    rows = [(hour, model, n, ms) for n, (hour, model, values) in enumerate(batches) for ms in values]
    cursor.executemany("insert into durations values (?, ?, ?, ?)", rows)
    for keys in ("", "hour", "model", "hour, model"):
        check_within(cursor, keys)


def check_within(cursor: duckdb.DuckDBPyConnection, keys: str) -> None:
    """Percentiles by `keys` out of the buckets of every batch, beside those of the rows."""
    parts = f"partition by {keys}" if keys else ""
    group = f"group by {keys}" if keys else ""
    order = f"order by {keys}" if keys else ""
    quantiles = (0.5, 0.95, 0.99)
    exact = cursor.execute(
        f"select {', '.join(f'quantile_cont(ms, {q})' for q in quantiles)} from durations {group} {order}"
    ).fetchall()
    merged = cursor.execute(f"""
        with batches as (
            select hour, model, batch, store.bucket_of(ms) as bucket, count(*) as n from durations group by all
        ),
        counted as (select {keys + "," if keys else ""} bucket, sum(n)::bigint as n from batches group by all),
        ranked as (select *, sum(n) over ({parts} order by bucket) as seen, sum(n) over ({parts}) as total from counted)
        select {", ".join(f"store.bucket_quantile(true, bucket, seen, total, {q})" for q in quantiles)}
        from ranked {group} {order}
    """).fetchall()
    for exact_row, merged_row in zip(exact, merged, strict=True):
        assert merged_row == pytest.approx(exact_row, rel=0.01 + 1e-9, abs=1e-9)


def near(row: dict[str, Any], share: float) -> dict[str, Any]:
    """A row that equals another whose numbers differ by at most `share`."""
    return {key: pytest.approx(cell, rel=share) if isinstance(cell, float) else cell for key, cell in row.items()}


LONG, SHORT = ("2026-01-01 00:20:00", "2026-12-01 13:40:00"), ("2026-05-04 00:20:00", "2026-05-05 13:40:00")


@pytest.mark.parametrize("by_what", ["model", "agent", "tool", "service", "operation"])
def test_a_range_has_the_calls_of_the_view_and_says_what_its_percentiles_come_from(
    sandbox: Sandbox, by_what: str
) -> None:
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
    first = {"gen_ai.response.time_to_first_chunk": 0.03, "gen_ai.agent.name": "a"}
    for number, attributes in enumerate((_CALL | _USAGE, _CALL | first, tool, _CALL, tool | first), start=1):
        at_ms = number * 1_500_000
        sandbox.spans({"trace": number, "id": number, "ms": 90 * number, "at_ms": at_ms, "attributes": attributes})
    view = sorted(sandbox.rows(f"select * from latency_by_{by_what}"), key=repr)
    for (since, until), basis in ((LONG, "buckets"), (SHORT, "exact")):
        rows = sandbox.rows(f"select * from latency_by_{by_what}_between(?, ?)", [since, until])
        assert {row.pop("percentile_basis") for row in rows} == {basis}
        for found, wanted in zip(sorted(rows, key=repr), view, strict=True):
            assert found == near(wanted, 0.01 if basis == "buckets" else 1e-9)


def test_whole_days_hours_and_cut_hours_of_a_range_make_its_calls(sandbox: Sandbox) -> None:
    for number in range(1, 13):
        at_ms = number * 26_400_000
        sandbox.spans({"trace": number, "id": number, "ms": number, "at_ms": at_ms, "attributes": _CALL | _USAGE})
        if number == 7:
            merge(sandbox)
    times = (
        "2026-05-04 19:35:00",
        "2026-05-05 00:00:00",
        "2026-05-05 01:10:00",
        "2026-05-06 12:00:00",
        "2026-05-06 17:30:00",
    )
    for since, until in (
        *(("2026-04-01 00:00:00", time) for time in times),
        *((time, "2026-06-01 00:00:00") for time in times),
        (times[0], times[3]),
        (times[2], times[4]),
    ):
        wanted = sandbox.row(
            "select count(*) as n, round(sum(cost_usd), 9) as usd from llm_calls"
            " where started_at >= ? and started_at < ?",
            [since, until],
        )
        found = sandbox.row(
            "select sum(call_count)::int as n, round(sum(cost_usd), 9) as usd from call_groups_between(?, ?)",
            [since, until],
        )
        assert found == wanted, (since, until)
        spans = sandbox.row("select sum(span_count)::int as n from span_groups_between(?, ?)", [since, until])
        assert spans == {"n": wanted["n"]}, (since, until)
        calls = sandbox.row("select sum(call_count)::int as n from latency_by_model_between(?, ?)", [since, until])
        assert calls == {"n": wanted["n"]}, (since, until)
        ends = "select max(p99_ms) as ms from call_percentiles_between(?, ?, 'all', 'llm', null, null, null)"
        exact = "select quantile_cont(duration_ms, 0.99) as ms from llm_calls where started_at >= ? and started_at < ?"
        (long,), (short,) = sandbox.rows(ends, [since, until]), sandbox.rows(exact, [since, until])
        assert long["ms"] == pytest.approx(short["ms"], rel=0.0101), (since, until)
