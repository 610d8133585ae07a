"""Money: what SQL computes is what genai-prices computes, and what has no price is listed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from hypothesis import given, settings
from hypothesis import strategies as st

from spandeck_collector.store.prices import load_prices, prices_source

from . import otlp
from .sandbox import Sandbox

pytestmark = pytest.mark.integration

# A provider as the conventions name it, the same in genai-prices, and a model of it.
MODELS = [
    ("openai", "openai", "gpt-4o"),
    ("openai", "openai", "gpt-4o-2024-08-06"),
    ("openai", "openai", "o3"),
    ("anthropic", "anthropic", "claude-sonnet-4-20250514"),
    ("anthropic", "anthropic", "claude-sonnet-4-5"),
    ("anthropic", "anthropic", "claude-3-5-haiku-latest"),
    ("gcp.gemini", "google", "gemini-2.5-pro"),
    ("gcp.vertex_ai", "google", "gemini-2.5-flash"),
    ("mistral_ai", "mistral", "mistral-large-latest"),
    ("x_ai", "x-ai", "grok-4"),
    ("aws.bedrock", "aws", "us.anthropic.claude-sonnet-4-20250514-v1:0"),
    ("groq", "groq", "llama-3.3-70b-versatile"),
]
SIZES = [(0, 0, 0, 0), (1, 1, 0, 0), (1_000, 500, 0, 0), (10_000, 7, 9_000, 500), (200_000, 50, 0, 0)]
SIZES += [(200_001, 50, 0, 0), (200_000, 50, 100_000, 20_000), (200_001, 50, 100_000, 20_000), (999_999, 64_000, 1, 1)]
NOON = datetime(2026, 5, 4, 12)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One database with the packaged prices for the whole module."""
    result = Sandbox(tmp_path_factory.mktemp("prices"))
    result.price("dated", 1.0, 0.0, None, None, until="2026-05-01")
    result.price("dated", 2.0, 0.0, None, None, since="2026-05-01")
    load_prices(result.connection, result.prices_text)
    yield result
    result.connection.close()


def costs(sandbox: Sandbox, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of `llm_calls` for calls of `provider`, `model`, `tokens` (input, output, read, written) and `at`."""
    trace = sandbox.batch_count + 1
    sandbox.spans(*({"trace": trace, "id": number} | _call(**call) for number, call in enumerate(calls, start=1)))
    return sandbox.rows("select * from llm_calls where trace_id = ? order by span_id", [otlp.trace_id(trace)])


def _call(provider: str, model: str, tokens: tuple[int, int, int, int], at: datetime = NOON) -> dict[str, Any]:
    names = ("input_tokens", "output_tokens", "cache_read.input_tokens", "cache_write.input_tokens")
    attributes: dict[str, Any] = {"gen_ai.operation.name": "chat", "gen_ai.response.model": model}
    attributes |= {"gen_ai.provider.name": provider} if provider else {}
    attributes |= {f"gen_ai.usage.{name}": count for name, count in zip(names, tokens, strict=True)}
    at_ms = (at - NOON).total_seconds() * 1000
    return {"attributes": attributes, "at_ms": at_ms}


def reference_usd(provider_id: str, model: str, tokens: tuple[int, int, int, int], at: datetime = NOON) -> float:
    """What genai-prices says."""
    usage = Usage(
        input_tokens=tokens[0], output_tokens=tokens[1], cache_read_tokens=tokens[2], cache_write_tokens=tokens[3]
    )
    at = at.replace(tzinfo=UTC)
    return float(calc_price(usage, model, provider_id=provider_id, genai_request_timestamp=at).total_price)


@pytest.mark.parametrize(("provider", "provider_id", "model"), MODELS, ids=[model for _, _, model in MODELS])
def test_costs_are_those_of_genai_prices(provider: str, provider_id: str, model: str, sandbox: Sandbox) -> None:
    """Cached reads and writes, and the sizes around the long-context tier of 200,000 tokens."""
    rows = costs(sandbox, [{"provider": provider, "model": model, "tokens": tokens} for tokens in SIZES])
    wanted = [reference_usd(provider_id, model, tokens) for tokens in SIZES]
    assert [row["cost_usd"] for row in rows] == pytest.approx(wanted, rel=1e-9)
    assert all(row["price_id"].startswith(f"{provider_id}/") for row in rows)


def test_above_200_000_tokens_the_long_context_tier_holds(sandbox: Sandbox) -> None:
    sizes = [(200_000, 0, 0, 0), (200_001, 0, 0, 0)]
    rows = costs(sandbox, [{"provider": "gcp.gemini", "model": "gemini-2.5-pro", "tokens": size} for size in sizes])
    assert [row["price_id"].partition(">")[2] for row in rows] == ["", "200000"]
    assert rows[1]["cost_usd"] > rows[0]["cost_usd"] * 1.5


@pytest.mark.parametrize(
    "at", [datetime(2025, 6, 9, 12), datetime(2025, 6, 10, 12), datetime(2025, 6, 11, 12)], ids=str
)
def test_the_price_is_the_one_of_the_day_of_the_call(at: datetime, sandbox: Sandbox) -> None:
    """o3 became cheaper on 10 June 2025."""
    tokens = (1_000_000, 100_000, 0, 0)
    (row,) = costs(sandbox, [{"provider": "openai", "model": "o3", "tokens": tokens, "at": at}])
    assert row["cost_usd"] == pytest.approx(reference_usd("openai", "o3", tokens, at))


def test_a_price_of_the_users_holds_from_its_first_to_before_its_last_instant(sandbox: Sandbox) -> None:
    call = {"provider": "acme", "model": "dated", "tokens": (1_000_000, 0, 0, 0)}
    times = [datetime(2026, 4, 30, 23, 59, 59), datetime(2026, 5, 1), datetime(2030, 1, 1)]
    rows = costs(sandbox, [call | {"at": at} for at in times])
    assert [row["cost_usd"] for row in rows] == [1.0, 2.0, 2.0]


def test_1_000_in_and_500_out_at_3_and_6_cents_per_thousand_cost_6_cents(sandbox: Sandbox) -> None:
    (row,) = costs(sandbox, [{"provider": "acme", "model": "acme-dear", "tokens": (1_000, 500, 0, 0)}])
    assert row["cost_usd"] == 0.06


def test_what_has_no_price_is_null_and_listed(sandbox: Sandbox) -> None:
    calls = [
        {"provider": "openai", "model": "gpt-77-unheard-of", "tokens": (10, 5, 0, 0)},
        {"provider": "a-provider-of-ours", "model": "gpt-4o", "tokens": (10, 5, 0, 0)},
    ]
    assert [row["cost_usd"] for row in costs(sandbox, calls)] == [None, None]
    listed = {(row["provider"], row["model"]) for row in sandbox.rows("select * from unpriced_calls")}
    assert listed == {("openai", "gpt-77-unheard-of"), ("a-provider-of-ours", "gpt-4o")}


def test_a_model_without_a_provider_is_priced_by_its_name(sandbox: Sandbox) -> None:
    (row,) = costs(sandbox, [{"provider": "", "model": "gpt-4o", "tokens": (1_000, 500, 0, 0)}])
    assert row["cost_usd"] == pytest.approx(reference_usd("openai", "gpt-4o", (1_000, 500, 0, 0)))


def test_the_answering_model_is_priced_before_the_asked_one(sandbox: Sandbox) -> None:
    usage = {"gen_ai.usage.input_tokens": 1_000_000, "gen_ai.usage.output_tokens": 0}
    asked = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
    } | usage
    trace = 900
    sandbox.spans(
        {"trace": trace, "id": 1, "attributes": asked | {"gen_ai.response.model": "gpt-4o-mini"}},
        {"trace": trace, "id": 2, "attributes": asked | {"gen_ai.response.model": "gpt-77-unheard-of"}},
    )
    rows = sandbox.rows("select price_id from llm_calls where trace_id = ? order by span_id", [otlp.trace_id(trace)])
    assert [row["price_id"].partition("@")[0] for row in rows] == ["openai/gpt-4o-mini", "openai/gpt-4o"]


def test_prices_are_loaded_once_for_each_version(sandbox: Sandbox) -> None:
    count = sandbox.row("select count(*) as n from store.prices")
    load_prices(sandbox.connection, sandbox.prices_text)
    assert sandbox.row("select count(*) as n from store.prices") == count
    assert sandbox.row("select prices_source from store.about") == {"prices_source": prices_source(sandbox.prices_text)}


def test_no_two_prices_of_a_model_hold_at_once(sandbox: Sandbox) -> None:
    """Else a call would be two rows."""
    assert (
        sandbox.rows("""
        select a.price_id, b.price_id
        from store.prices as a
        inner join store.prices as b
            on a.price_model = b.price_model
            and a.price_id != b.price_id
            and a.service_tier = b.service_tier
            and a.valid_from < b.valid_to and b.valid_from < a.valid_to
            and a.from_minute < b.to_minute and b.from_minute < a.to_minute
            and a.used_from < b.used_to and b.used_from < a.used_to
            and a.from_input_tokens < b.to_input_tokens and b.from_input_tokens < a.to_input_tokens
    """)
        == []
    )


COUNTS = st.integers(0, 300_000)


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_costs_are_those_of_genai_prices_for_any_tokens(data: st.DataObject, sandbox: Sandbox) -> None:
    calls, wanted = [], []
    for provider, provider_id, model in MODELS:
        read, written, rest, out = (data.draw(COUNTS) for _ in range(4))
        tokens = (read + written + rest, out, read, written)
        calls.append({"provider": provider, "model": model, "tokens": tokens})
        wanted.append(reference_usd(provider_id, model, tokens))
    assert [row["cost_usd"] for row in costs(sandbox, calls)] == pytest.approx(wanted, rel=1e-9)


def test_a_late_span_after_an_upgrade_of_the_prices_leaves_the_cost_as_it_was(sandbox: Sandbox) -> None:
    """The upgrade gives every name that is stored its meaning again."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 1_000,
        "gen_ai.usage.output_tokens": 500,
    }
    query = f"select cost_usd, unpriced_call_count from traces where trace_id = '{otlp.trace_id(901)}'"
    sandbox.spans({"id": 2, "parent": 1, "trace": 901, "attributes": attributes})
    before = sandbox.row(query)
    assert before == {"cost_usd": pytest.approx(0.0075), "unpriced_call_count": 0}
    sandbox.connection.execute("update store.about set prices_source = 'an older version'")
    load_prices(sandbox.connection, sandbox.prices_text)
    sandbox.spans({"id": 1, "name": "root", "trace": 901})
    assert sandbox.row(query) == before
