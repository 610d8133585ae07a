"""Budgets: what counts as spent, in which day, and who may go on."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

import spandeck
from spandeck import guard
from spandeck.guard import StoreBudgets
from spandeck_collector.store.budget_file import Budget, BudgetFileError, parse_budgets
from spandeck_collector.store.commands.budgets import import_budgets
from spandeck_collector.store.commands.prices import apply_prices, import_prices
from spandeck_collector.store.own_files import OwnFiles
from spandeck_collector.store.spending import Run, Spending
from tests.schema import otlp
from tests.schema.sandbox import Sandbox
from tests.support.web import ask

from .store_fixtures import running_store

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
TEXT = """
[[budgets]]
name = "each agent"
agent_name = "*"
soft_usd = 0.5
hard_usd = 2.0

[[budgets]]
name = "shop"
service = "shop"
soft_usd = 1.0

[[budgets]]
name = "session"
period = "session"
hard_usd = 1.0

[[budgets]]
name = "dear model"
model = "acme-dear"
hard_usd = 100.0
"""


TWICE_THE_PRICE = """
[[prices]]
model = "acme-1"
input_usd_per_mtok = 6.0
output_usd_per_mtok = 0.0
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Sandbox]:
    result = Sandbox(tmp_path)
    result.ingest.own_files = OwnFiles(tmp_path / "prices.toml", tmp_path / "budgets.toml")
    with result.ingest.transaction():
        import_budgets({"text": TEXT})(result.ingest)
    yield result
    result.connection.close()


def call(number: int, usd: float, session: str | None = "s", agent: str | None = "a", **words: Any) -> dict[str, Any]:
    """A call of acme-1 now that costs so much: $3 a million input tokens."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "acme",
        "gen_ai.request.model": "acme-1",
        "gen_ai.usage.input_tokens": round(usd / 3 * 1e6),
        "gen_ai.usage.output_tokens": 0,
    }
    attributes |= {"gen_ai.conversation.id": session} if session else {}
    attributes |= {"gen_ai.agent.name": agent} if agent else {}
    at_ms = (datetime.now(UTC) - otlp.NOON).total_seconds() * 1000
    return {"trace": number, "id": 1, "at_ms": at_ms, "service": "shop", "attributes": attributes} | words


def spent(store: Sandbox, **asked: str | None) -> dict[str, float]:
    """By budget, as a run is told."""
    values = tuple(asked.get(name) for name in ("service", "agent_name", "user_id", "model"))
    answer = store.ingest.spending.check(Run(values, asked.get("session_id")))
    return {state["budget"]: round(state["spent_usd"], 6) for state in answer["budgets"]}


ALL = {"service": "shop", "agent_name": "a", "model": "acme-1", "session_id": "s"}


def test_what_is_stored_counts_for_every_budget_that_it_falls_under(store: Sandbox) -> None:
    store.spans(call(1, 0.6), call(2, 0.3, agent="b"), call(3, 0.3, session="t", agent=None))
    assert spent(store, **ALL) == {"each agent": 0.6, "shop": 1.2, "session": 0.9}
    assert spent(store, **ALL | {"agent_name": "b", "session_id": "t"}) == {
        "each agent": 0.3,
        "shop": 1.2,
        "session": 0.3,
    }
    assert spent(store) == {}
    assert spent(store, model="acme-dear") == {"dear model": 0.0}


def test_a_late_span_and_a_resent_one_count_once(store: Sandbox) -> None:
    store.spans(call(1, 0.6))
    store.spans(call(1, 0.6))
    store.spans(call(1, 0.3) | {"id": 2})
    assert spent(store, **ALL)["session"] == 0.9


def double_the_price(store: Sandbox, divisor: int) -> None:
    """Apply it in a transaction, whose last work fails for a divisor of 0."""
    with store.ingest.transaction():
        import_prices({"text": TWICE_THE_PRICE})(store.ingest)
        assert apply_prices({})(store.ingest)["repriced_trace_count"] / divisor == 1


def test_repriced_calls_change_what_is_spent_and_a_rollback_does_not(store: Sandbox) -> None:
    store.spans(call(1, 0.6))
    with pytest.raises(ZeroDivisionError):
        double_the_price(store, 0)
    assert spent(store, **ALL)["session"] == 0.6
    double_the_price(store, 1)
    assert spent(store, **ALL)["session"] == 1.2


def test_the_account_after_a_restart_is_the_one_before(store: Sandbox) -> None:
    store.spans(call(1, 0.6), call(2, 0.3))
    before = spent(store, **ALL)
    store.restart()
    with store.ingest.transaction():
        store.ingest.use_budgets(parse_budgets(TEXT), "UTC")
    assert spent(store, **ALL) == before


def test_the_view_says_what_runs_are_told(store: Sandbox) -> None:
    store.spans(call(1, 0.6), call(2, 0.3, agent="b"))
    rows = store.rows("select budget, agent_name, session_id, spent_usd, left_usd, state from budgets order by all")
    assert [tuple(row.values()) for row in rows] == [
        ("dear model", None, None, 0.0, 100.0, "ok"),
        ("each agent", "a", None, pytest.approx(0.6), pytest.approx(1.4), "soft"),
        ("each agent", "b", None, pytest.approx(0.3), pytest.approx(1.7), "ok"),
        ("session", None, "s", pytest.approx(0.9), pytest.approx(0.1), "ok"),
        ("shop", None, None, pytest.approx(0.9), None, "ok"),
    ]


def test_a_day_is_that_of_the_owner() -> None:
    budgets = (Budget("day", "day", (None, None, None, None), None, 1.0),)
    now = datetime.now(UTC)
    for zone, hours in (("Etc/GMT-14", 14), ("Etc/GMT+12", -12)):
        spending = Spending(budgets, zone)
        today = datetime.fromtimestamp(now.timestamp() + hours * 3_600, UTC).date()
        spending.add([(None, None, None, None, None, today, 3.0, 0)])
        (state,) = spending.check(Run((None,) * 4, None))["budgets"]
        assert state["spent_usd"] == 3.0


def test_what_runs_tell_counts_at_once_and_not_twice_when_their_spans_come(store: Sandbox) -> None:
    values = ("shop", "a", None, None)
    for run_id, usd in (("x", 0.2), ("y", 0.3), ("x", 0.4)):
        answer = store.ingest.spending.check(Run(values, "s", run_id, usd))
    by_name = {state["budget"]: state["spent_usd"] for state in answer["budgets"]}
    assert by_name == pytest.approx({"each agent": 0.7, "shop": 0.7, "session": 0.7})
    store.spans(call(1, 0.6))
    assert spent(store, **ALL)["session"] == pytest.approx(0.7)
    store.spans(call(2, 0.3))
    assert spent(store, **ALL) == pytest.approx({"each agent": 0.9, "shop": 0.9, "session": 0.9})
    store.ingest.spending.check(Run(values, "s", "y", 0.6))
    answer = store.ingest.spending.check(Run(values, "s", "x", 0.4))
    assert (answer["allowed"], answer["reason"]) == (
        False,
        "The budget 'session' of $1 a session is spent ($1.0000): wait for the next one, or raise it in budgets.toml.",
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[budgets", "not valid TOML"),
        ("[[budgets]]\nhard_usd = 1", "name is None"),
        ("[[budgets]]\nname = 'x'", "no amount"),
        ("[[budgets]]\nname = 'x'\nhard_usd = 1\nperiod = 'week'", "period is 'week'"),
        ("[[budgets]]\nname = 'x'\nhard_usd = 1\nsoft_usd = 2", "at most hard_usd"),
        ("[[budgets]]\nname = 'x'\nhard_usd = -1", "0 or more"),
        ("[[budgets]]\nname = 'x'\nhard_usd = 1\nagent = 'a'", "unknown key 'agent'"),
        ("[[budgets]]\nname = 'x'\nhard_usd = 1\n[[budgets]]\nname = 'x'\nhard_usd = 1", "Two budgets"),
        ("limit = 3", "entries alone"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(BudgetFileError, match=sentence):
        parse_budgets(text)


AGENT_CAP = '[[budgets]]\nname = "support a day"\nagent_name = "support"\nhard_usd = 0.4\n'
CAP = '[[budgets]]\nname = "cap"\nperiod = "session"\nhard_usd = 1.0\n'


def test_four_processes_overshoot_a_cap_by_a_call_in_flight_each_at_most(tmp_path: Path) -> None:
    """No span of theirs is ever stored: what they tell of themselves is enough."""
    (tmp_path / "budgets.toml").write_text(CAP, encoding="utf-8")
    call_usd = 0.03
    with running_store(tmp_path) as store:
        command = [sys.executable, "-m", "tests.collector.budget_spender"]
        arguments = [f"http://127.0.0.1:{store.port}", "s-1", str(call_usd)]
        processes = [
            subprocess.Popen(
                [*command, *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            for _ in range(4)
        ]
        outputs = [process.communicate() for process in processes]
    assert all("The budget 'cap' of $1 a session is spent" in error for _, error in outputs), outputs
    total = sum(float(text) for text, _ in outputs)
    assert 1.0 - 1e-9 <= total <= 1.0 + 4 * call_usd + 1e-9


def test_the_door_checks_who_asks_and_what_is_asked(tmp_path: Path) -> None:
    (tmp_path / "budgets.toml").write_text(CAP, encoding="utf-8")
    with running_store(tmp_path, read_token="re4d") as store:
        path = "/budget/check?" + urlencode({"session_id": "s", "service": "shop"})
        token = {"Authorization": "Bearer re4d"}
        assert ask(store.port, path, method="GET").status == 401
        answer = ask(store.port, path, headers=token, method="GET")
        assert json.loads(answer.body) == {
            "allowed": True,
            "reason": None,
            "budgets": [
                {
                    "budget": "cap",
                    "period": "session",
                    "state": "ok",
                    "spent_usd": 0.0,
                    "soft_usd": None,
                    "hard_usd": 1.0,
                    "left_usd": 1.0,
                    "unpriced_call_count": 0,
                }
            ],
        }
        told = token | {"Spandeck-Run": "r", "Spandeck-Spent-Usd": "1.5"}
        assert json.loads(ask(store.port, path, headers=told, method="GET").body)["allowed"] is False
        assert ask(store.port, "/budget/check?who=me", headers=token, method="GET").status == 400
        assert ask(store.port, path, headers=token | {"Spandeck-Spent-Usd": "nan"}, method="GET").status == 400


def test_the_guard_goes_on_without_the_store_and_asks_it_again_later(tmp_path: Path) -> None:
    (tmp_path / "budgets.toml").write_text(CAP, encoding="utf-8")
    now = [0.0]
    with running_store(tmp_path) as store:
        budgets = StoreBudgets(f"http://127.0.0.1:{store.port}", session_id="s", timeout_s=10, clock=lambda: now[0])
        budget = guard.Budget(store=budgets)
        with budget.start():
            budget.spend(steps=1)
            store.kill()
            budget.spend(steps=1)
            budget.spend(usd=5.0)
            now[0] = 1.0
            budget.spend(steps=1)
            spent = guard.Spent(1, 0, 6.0, 0.0)
            with pytest.raises(ConnectionError, match="a moment ago"):
                budgets.refusal(spent)
        closed = guard.Budget(store=budgets, store_fail="closed")
        with closed.start(), pytest.raises(guard.SecurityError, match="did not answer"):
            closed.spend(steps=1)


def test_the_guard_tells_the_session_and_the_agent_of_the_open_request(tmp_path: Path) -> None:
    (tmp_path / "budgets.toml").write_text(CAP + AGENT_CAP, encoding="utf-8")
    telemetry = spandeck.configure("http://127.0.0.1:9", service_name="shop")
    with running_store(tmp_path) as store:
        budget = guard.Budget(store=StoreBudgets(f"http://127.0.0.1:{store.port}", timeout_s=10, cache_s=0))
        with telemetry.request("support", session_id="s-9"), budget.start():
            budget.spend(steps=1)
            budget.spend(usd=0.5)
            with pytest.raises(guard.SecurityError, match=r"'support a day' of \$0\.4 a day"):
                budget.spend(steps=1)
        with telemetry.request("other", session_id="s-9"), budget.start():
            budget.spend(steps=1)
            budget.spend(usd=0.5)
            with pytest.raises(guard.SecurityError, match=r"'cap' of \$1 a session"):
                budget.spend(steps=1)
    telemetry.shutdown(0)


@pytest.mark.parametrize("url", ["https://127.0.0.1:4319", "127.0.0.1:4319", ""])
def test_an_address_that_is_not_plain_http_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="give it as"):
        StoreBudgets(url)


def test_what_a_day_has_spent_outlives_any_number_of_sessions() -> None:
    budgets = parse_budgets(
        '[[budgets]]\nname = "day"\nhard_usd = 10.0\n'
        '[[budgets]]\nname = "user"\nuser_id = "*"\nhard_usd = 1.0\n'
        '[[budgets]]\nname = "session"\nperiod = "session"\nhard_usd = 1.0\n'
    )
    spending, today = Spending(budgets, "UTC", most_sessions=10), datetime.now(UTC).date()
    spending.add([(None, None, "ann", "m", "first", today, 50.0, 0)])
    spending.add([(None, None, None, "m", f"s{number}", today, 0.0, 0) for number in range(100)])
    states = spending.check(Run((None, None, "ann", None), None))["budgets"]
    assert [(state["budget"], state["spent_usd"]) for state in states] == [("day", 50.0), ("user", 50.0)]
