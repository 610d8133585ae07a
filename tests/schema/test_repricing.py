"""Prices that change: what is stored keeps its cost until it is applied, and then changes inside the window alone."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spandeck_collector.store.commands.command import CommandError
from spandeck_collector.store.commands.prices import apply_prices, import_prices
from spandeck_collector.store.own_files import OwnFiles
from spandeck_collector.store.prices import replace_prices

from . import otlp
from .sandbox import Sandbox

pytestmark = pytest.mark.integration

DAY_MS = 24 * 3_600_000
FIRST_DAY = date(2026, 5, 4)
DAYS = 6
"""A call at noon of each of so many days; all came long before any price was changed."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Sandbox]:
    """One million input tokens of acme/dated a day, at $1."""
    result = Sandbox(tmp_path)
    result.ingest.own_files = OwnFiles(result.folder / "prices.toml", result.folder / "budgets.toml")
    write(result, [(None, 1.0)])
    result.spans(*(call(number, day=number) for number in range(DAYS)))
    yield result
    result.connection.close()


def call(number: int, day: int = 0, model: str = "dated", **attributes: Any) -> dict[str, Any]:
    told = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "acme",
        "gen_ai.response.model": model,
        "gen_ai.usage.input_tokens": 1_000_000,
        "gen_ai.usage.output_tokens": 0,
    }
    return {"trace": number + 1, "id": 1, "at_ms": day * DAY_MS, "attributes": told | attributes}


def prices_text(prices: list[tuple[date | None, float]], model: str = "dated") -> str:
    lines = []
    for since, usd in prices:
        lines += ["[[prices]]", 'provider = "acme"', f'model = "{model}"', f"input_usd_per_mtok = {usd}"]
        lines += ["output_usd_per_mtok = 0.0"] + ([f"valid_from = {since}"] if since else [])
    return "\n".join(lines)


def write(store: Sandbox, prices: list[tuple[date | None, float]], model: str = "dated") -> None:
    """The command's work in a transaction, as the store does it."""
    with store.ingest.transaction():
        import_prices({"text": prices_text(prices, model)})(store.ingest)


def apply(store: Sandbox) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    while not answers or not answers[-1]["finished"]:
        with store.ingest.transaction():
            answers.append(apply_prices({"cursor": answers[-1]["cursor"] if answers else None})(store.ingest))
    return answers


def by_day(store: Sandbox) -> dict[date, float]:
    return {row["day"]: row["cost_usd"] for row in store.rows("select day, cost_usd from cost_by_day")}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One database for all examples, each of which has a model of its own."""
    result = Sandbox(tmp_path_factory.mktemp("shared"))
    result.ingest.own_files = OwnFiles(result.folder / "prices.toml", result.folder / "budgets.toml")
    yield result
    result.connection.close()


class Example:
    """A model with a call a day at $1, and nothing else told of it by prices.toml."""

    numbers = count(1)

    def __init__(self, store: Sandbox) -> None:
        self.store, self.number = store, next(self.numbers)
        self.model = f"dated-{self.number}"
        self.write((None, 1.0))
        traces = (self.number * DAYS + day for day in range(DAYS))
        store.spans(*(call(trace, day, model=self.model) for day, trace in enumerate(traces)))

    def write(self, *prices: tuple[date | None, float]) -> None:
        write(self.store, [*prices], self.model)

    def calls(self) -> dict[date, tuple[float, str]]:
        """Cost and price id by day."""
        sql = "select cast(started_at as date) as day, cost_usd, price_id from llm_calls where model = ?"
        return {row["day"]: (row["cost_usd"], row["price_id"]) for row in self.store.rows(sql, [self.model])}


@settings(max_examples=6, deadline=None)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, DAYS - 1), st.integers(2, 9)), min_size=1, max_size=3, unique_by=lambda pair: pair[0]
    )
)
def test_a_price_with_a_later_start_changes_totals_from_that_day_on_alone(
    changes: list[tuple[int, int]], shared: Sandbox
) -> None:
    example = Example(shared)
    before = example.calls()
    starts = {FIRST_DAY + timedelta(days=day): float(usd) for day, usd in changes}
    example.write((None, 1.0), *starts.items())
    assert example.calls() == before, "nothing that is stored changes by itself"
    apply(shared)
    for day, (usd, price_id) in example.calls().items():
        held = [since for since in starts if since <= day]
        assert usd == (starts[max(held)] if held else 1.0)
        assert (price_id == before[day][1]) == (not held), "the id says which price it was"


@settings(max_examples=5, deadline=None)
@given(first=st.integers(1, DAYS - 1), second=st.integers(1, DAYS - 1))
def test_a_moved_start_changes_totals_between_the_two_starts_alone(first: int, second: int, shared: Sandbox) -> None:
    example = Example(shared)
    example.write((None, 1.0), (FIRST_DAY + timedelta(days=first), 5.0))
    apply(shared)
    before = example.calls()
    example.write((None, 1.0), (FIRST_DAY + timedelta(days=second), 5.0))
    apply(shared)
    low, high = sorted((first, second))
    changed = {day for day, (usd, _) in example.calls().items() if usd != before[day][0]}
    assert changed == {FIRST_DAY + timedelta(days=day) for day in range(low, high)}


@settings(max_examples=5, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, DAYS - 1), st.integers(2, 9)), min_size=1, max_size=2))
def test_a_price_that_is_taken_back_leaves_all_as_it_was(changes: list[tuple[int, int]], shared: Sandbox) -> None:
    example = Example(shared)
    before = example.calls()
    example.write((None, 1.0), *((FIRST_DAY + timedelta(days=day), float(usd)) for day, usd in changes))
    apply(shared)
    example.write((None, 1.0))
    apply(shared)
    assert example.calls() == before


def test_what_would_change_is_shown_before_it_is_done_and_is_what_is_done(store: Sandbox) -> None:
    write(store, [(None, 1.0), (date(2026, 5, 8), 3.0)])
    (shown,) = store.rows("select * from price_differences")
    assert (shown["call_count"], shown["cost_usd"], shown["present_cost_usd"]) == (2, 2.0, 6.0)
    assert shown["first_started_at"] == datetime(2026, 5, 8, 12)
    total = sum(by_day(store).values())
    answers = apply(store)
    assert sum(answer["repriced_trace_count"] for answer in answers) == 2
    assert sum(by_day(store).values()) == total + shown["difference_usd"]
    assert store.rows("select * from price_differences") == []
    assert store.row("select sum(cost_usd) as usd from traces") == {"usd": 10.0}


def test_a_late_span_changes_no_cost_while_changed_prices_are_not_applied(store: Sandbox) -> None:
    write(store, [(None, 7.0)])
    store.spans({"trace": 1, "id": 2, "parent": 1})
    assert store.row("select cost_usd from traces where trace_id = ?", [otlp.trace_id(1)]) == {"cost_usd": 1.0}
    apply(store)
    assert set(by_day(store).values()) == {7.0}
    store.spans({"trace": 1, "id": 3, "parent": 1})
    assert store.row("select cost_usd from traces where trace_id = ?", [otlp.trace_id(1)]) == {"cost_usd": 7.0}


def test_an_old_price_can_still_be_explained(store: Sandbox) -> None:
    write(store, [(None, 7.0)])
    reasons = store.rows("select bucket, amount_usd, price_usd from cost_reasons")
    assert reasons == [{"bucket": "input", "amount_usd": 1.0, "price_usd": 1.0}] * DAYS
    states = store.rows("select price_usd, is_present from prices where bucket = 'input' and provider like '%acme'")
    assert sorted((row["price_usd"], row["is_present"]) for row in states) == [(1.0, False), (7.0, True)]


def test_applying_goes_in_steps_and_each_is_whole(store: Sandbox) -> None:
    store.ingest.history.most_spans = 2
    write(store, [(None, 2.0)])
    answers = apply(store)
    assert [answer["done_trace_count"] for answer in answers] == [2, 4, 6]
    assert set(by_day(store).values()) == {2.0}


def test_a_price_that_goes_leaves_calls_unpriced_and_one_that_comes_prices_them(store: Sandbox) -> None:
    write(store, [])
    apply(store)
    assert set(by_day(store).values()) == {None}
    assert store.row("select call_count, input_tokens from unpriced_calls") == {
        "call_count": DAYS,
        "input_tokens": DAYS * 1_000_000,
    }
    write(store, [(None, 4.0)])
    assert set(by_day(store).values()) == {None}
    apply(store)
    assert set(by_day(store).values()) == {4.0}


def test_what_the_same_traffic_had_cost_with_another_model(store: Sandbox) -> None:
    with store.ingest.transaction():
        replace_prices(store.connection, prices_text([(None, 1.0)]))
    (row,) = store.rows("select * from what_if('gpt-4o')")
    assert row["what_if_model"] == "openai/gpt-4o"
    assert (row["cost_usd"], row["what_if_cost_usd"]) == (6.0, pytest.approx(6 * 2.5))
    assert row["difference_usd"] == pytest.approx(9.0)
    (unknown,) = store.rows("select what_if_model, what_if_cost_usd from what_if('no such model')")
    assert unknown == {"what_if_model": None, "what_if_cost_usd": None}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[prices", "not valid TOML"),
        ("[[prices]]\nmodel = 'x'", "has no input_usd_per_mtok"),
        ("[[prices]]\ninput_usd_per_mtok = -1", "is -1: it must be a number, 0 or more"),
        ("[[prices]]\ninput_usd_per_mtok = nan", "must be a number"),
        ("[[prices]]\ninput_usd_per_mtok = 1\nprice = 2", "unknown key 'price'"),
        ("[[prices]]\ninput_usd_per_mtok = 1\ncurrency = 'EUR'", "the currency 'EUR'"),
        ("[[prices]]\ninput_usd_per_mtok = 1\nvalid_from = 2026-02-01\nvalid_to = 2026-01-01", "not after its begin"),
        ("[[discounts]]\npercent = 101", "at most 100"),
        ("prices = 3", "begin each entry with [[prices]]"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(CommandError, match=re.escape(sentence)) as refused:
        import_prices({"text": text})
    assert refused.value.status == 400
