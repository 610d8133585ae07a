"""The door to data: what a SQL file must look like, what is sent, and what failures become."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from spandeck_dashboard import queries
from spandeck_dashboard.queries import CollectorDown, Parameter, QueryRefused, ask, ask_one, runnable_sql
from spandeck_schema.catalog import definitions, views
from tests.support.waiting import eventually

from .stack import Stack

FOLDER = queries.FOLDER
NAMES = sorted(path.stem for path in FOLDER.glob("*.sql"))
PUBLIC_MACROS = {name for text in definitions() for name in re.findall(r"\bmacro main\.([a-z_]+)", text)}
NOW = datetime.now(UTC)
VALUES: dict[str, Parameter] = {
    "since": NOW - timedelta(days=7),
    "until": NOW,
    "before": NOW - timedelta(days=14),
    "now": NOW,
    "service": None,
    "model": None,
    "agent": None,
    "severity": None,
    "state": None,
    "tool": None,
    "guardrail": None,
    "verdict": None,
    "by": "Model",
    "metric": "p95",
    "zone": "Europe/Berlin",
    "session": "s-1",
    "page": 1,
    "search": None,
    "only_errors": False,
    "only_slow": False,
    "only_dear": False,
    "trace": "0" * 32,
    "span": "0" * 16,
}


def parameters(name: str) -> list[str]:
    listed = re.search(r"^-- params: (.*)$", queries.sql_text(name), re.MULTILINE)
    return [each.strip() for each in listed[1].split(",")] if listed else []


@pytest.mark.unit
@pytest.mark.parametrize("name", NAMES)
def test_a_query_says_its_grain_and_its_parameters(name: str) -> None:
    text = queries.sql_text(name)
    assert text.startswith("-- grain: ")
    used = set(re.findall(r"\$([a-z_]+)", text))
    assert used == set(parameters(name))


@pytest.mark.unit
@pytest.mark.parametrize("name", NAMES)
def test_a_query_reads_public_views_only(name: str) -> None:
    text = re.sub(r"--.*|is not distinct from", "", queries.sql_text(name))
    sources = set(re.findall(r"\b(?:from|join)\s+([a-z_.]+)", text))
    own = set(re.findall(r"\b([a-z_]+) as (?:(?:not )?materialized )?\(", text))
    known = {view.name for view in views()} | PUBLIC_MACROS
    assert sources - own - known - {"generate_series"} == set()


@pytest.mark.unit
def test_shown_sql_runs_as_it_stands_and_cannot_be_broken_out_of() -> None:
    values = {**VALUES, "service": "o'brien'; drop table x --"}
    shown = runnable_sql("services", **{name: values[name] for name in parameters("services")})
    assert "$" not in shown
    assert "'o''brien''; drop table x --'" in shown


@pytest.mark.integration
@pytest.mark.parametrize("name", NAMES)
def test_every_query_is_answered_by_the_real_service(name: str, filled: Stack, asks: Callable[[Stack], None]) -> None:
    asks(filled)
    frame = ask(name, **{each: VALUES[each] for each in parameters(name)})
    assert len(frame.columns) >= 2


@pytest.mark.integration
def test_a_refusal_carries_the_services_sentence(filled: Stack, asks: Callable[[Stack], None]) -> None:
    asks(filled)
    with pytest.raises(QueryRefused) as refusal:
        ask("services", since="not a time", until=NOW, service=None)
    assert refusal.value.status == 400
    assert "not a time" in refusal.value.sentence


@pytest.mark.integration
def test_a_collector_that_is_away_is_named_and_known_answers_outlive_it(
    empty: Stack, asks: Callable[[Stack], None]
) -> None:
    asks(empty)
    first = ask_one("ingest_health", now=NOW)
    assert first["stored_count"] == 0
    assert queries.down_since() is None
    empty.stop("store")
    assert ask_one("ingest_health", now=NOW + timedelta(seconds=1)) == first
    assert queries.down_since() is not None
    with pytest.raises(CollectorDown, match=f"http://127.0.0.1:{empty.settings.query_port} does not answer"):
        ask("alert_summary", since=NOW, until=NOW)


@pytest.mark.integration
def test_an_outage_ends_when_the_collector_is_back(empty: Stack, asks: Callable[[Stack], None]) -> None:
    asks(empty)
    empty.stop("store")
    with pytest.raises(CollectorDown):
        ask("ingest_health", now=NOW)
    empty.start_store()

    def is_back() -> bool:
        try:
            return bool(ask_one("ingest_health", now=NOW)["stored_count"] == 0)
        except CollectorDown:
            return False

    eventually(is_back, "an answer")
    assert queries.down_since() is None
