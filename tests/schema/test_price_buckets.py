"""Money bucket by bucket, the arithmetic written out: tiers, batch and flex, cached, kept for an hour, audio."""

from collections.abc import Iterator
from datetime import date
from itertools import count
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from hypothesis import given, settings
from hypothesis import strategies as st

from spandeck_collector.store.price_names import packaged_model
from spandeck_collector.store.prices import load_prices

from . import otlp
from .sandbox import Sandbox

pytestmark = pytest.mark.integration

NUMBERS = count(1)
TIER_NAMES = ["openai.response.service_tier", "spandeck.service_tier", "anthropic.response.service_tier"]
MTOK = 1_000_000
TEXT = """
[currencies]
EUR = 1.25

[[prices]]
provider = "acme"
model = "buckets"
input_usd_per_mtok = 4.0
cache_read_usd_per_mtok = 0.4
cache_write_usd_per_mtok = 5.0
cache_write_1h_usd_per_mtok = 8.0
audio_input_usd_per_mtok = 40.0
output_usd_per_mtok = 20.0
audio_output_usd_per_mtok = 80.0
reasoning_usd_per_mtok = 10.0
request_usd = 0.01

[[prices]]
provider = "acme"
model = "buckets"
service_tier = "batch"
input_usd_per_mtok = 2.0
output_usd_per_mtok = 10.0

[[prices]]
provider = "acme"
model = "euro*"
currency = "EUR"
input_usd_per_mtok = 2.0
output_usd_per_mtok = 4.0

[[prices]]
provider = "acme"
model = "tiered"
input_usd_per_mtok = 1.0
output_usd_per_mtok = 2.0

[[prices]]
provider = "acme"
model = "tiered"
from_input_tokens = 1001
input_usd_per_mtok = 3.0
output_usd_per_mtok = 4.0

[[prices]]
provider = "openai"
model = "gpt-4o-mini"
valid_from = 2026-05-02
valid_to = 2026-05-03
input_usd_per_mtok = 100.0
output_usd_per_mtok = 100.0

[[discounts]]
provider = "openai"
model = "gpt-4.1*"
percent = 20
"""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One database with the packaged prices and these for the whole module."""
    result = Sandbox(tmp_path_factory.mktemp("buckets"))
    load_prices(result.connection, result.prices_text + TEXT)
    yield result
    result.connection.close()


def priced(sandbox: Sandbox, model: str, provider: str = "acme", day: int = 0, **told: Any) -> dict[str, Any]:
    """The row of `llm_calls` for a call with these attributes."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.response.model": model,
    } | told
    trace = next(NUMBERS)
    sandbox.spans({"trace": trace, "id": 1, "at_ms": day * 86_400_000, "attributes": attributes})
    return sandbox.row("select * from llm_calls where trace_id = ?", [otlp.trace_id(trace)])


def tokens(inp: int, out: int, **others: int) -> dict[str, Any]:
    names = {
        "read": "gen_ai.usage.cache_read.input_tokens",
        "write": "gen_ai.usage.cache_write.input_tokens",
        "write_5m": "anthropic.usage.cache_creation.ephemeral_5m_input_tokens",
        "write_1h": "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",
        "audio_in": "gen_ai.usage.audio.input_tokens",
        "audio_out": "gen_ai.usage.audio.output_tokens",
        "reasoning": "gen_ai.usage.reasoning.output_tokens",
    }
    told: dict[str, Any] = {"gen_ai.usage.input_tokens": inp, "gen_ai.usage.output_tokens": out}
    return told | {names[name]: number for name, number in others.items()}


def reasons(sandbox: Sandbox, row: dict[str, Any]) -> dict[str, tuple[int, float]]:
    found = sandbox.rows("select * from cost_reasons where trace_id = ?", [row["trace_id"]])
    assert sum(each["amount_usd"] for each in found) == pytest.approx(row["cost_usd"], rel=1e-12)
    return {each["bucket"]: (each["unit_count"], each["price_usd"]) for each in found}


def test_the_row_of_the_seed(sandbox: Sandbox) -> None:
    """1,000 in at $0.03 and 500 out at $0.06 per 1,000: 1 * 0.03 + 0.5 * 0.06 = $0.06."""
    row = priced(sandbox, "acme-dear", **tokens(1_000, 500))
    assert row["cost_usd"] == 0.06
    assert reasons(sandbox, row) == {"input": (1_000, 30.0), "output": (500, 60.0)}


def test_cached_reads_and_writes(sandbox: Sandbox) -> None:
    """10,000 in: 6,000 read, 1,000 written, 3,000 fresh; 100 out; one request."""
    row = priced(sandbox, "buckets", **tokens(10_000, 100, read=6_000, write=1_000))
    wanted = (3_000 * 4.0 + 6_000 * 0.4 + 1_000 * 5.0 + 100 * 20.0) / MTOK + 0.01
    assert row["cost_usd"] == pytest.approx(wanted, rel=1e-12)
    assert reasons(sandbox, row) == {
        "input": (3_000, 4.0),
        "cache_read": (6_000, 0.4),
        "cache_write": (1_000, 5.0),
        "output": (100, 20.0),
        "request": (1, 0.01),
    }


def test_writes_kept_for_an_hour(sandbox: Sandbox) -> None:
    """Of 1,000 written, 400 are kept for an hour at $8, 600 for five minutes at $5."""
    row = priced(sandbox, "buckets", **tokens(2_000, 0, write=1_000, write_1h=400))
    assert row["cost_usd"] == pytest.approx((1_000 * 4.0 + 600 * 5.0 + 400 * 8.0) / MTOK + 0.01, rel=1e-12)


@pytest.mark.parametrize(
    ("told", "written", "hour"),
    [
        ({"write_5m": 600, "write_1h": 400}, 1_000, 400),
        ({"write_1h": 400}, 400, 400),
        ({"write_5m": 600}, 600, None),
        ({"write": 1_000, "write_5m": 600}, 1_000, 400),
    ],
    ids=str,
)
def test_writes_told_only_by_how_long_they_are_kept(
    told: dict[str, int], written: int, hour: int | None, sandbox: Sandbox
) -> None:
    row = priced(sandbox, "buckets", **tokens(2_000, 0, **told))
    assert (row["cache_write_tokens"], row["cache_write_1h_tokens"]) == (written, hour)
    short = written - (hour or 0)
    wanted = ((2_000 - written) * 4.0 + short * 5.0 + (hour or 0) * 8.0) / MTOK + 0.01
    assert row["cost_usd"] == pytest.approx(wanted, rel=1e-12)


def test_audio_and_reasoning_are_parts_with_prices_of_their_own(sandbox: Sandbox) -> None:
    row = priced(sandbox, "buckets", **tokens(1_000, 1_000, audio_in=300, audio_out=200, reasoning=500))
    wanted = (700 * 4.0 + 300 * 40.0 + 300 * 20.0 + 200 * 80.0 + 500 * 10.0) / MTOK + 0.01
    assert row["cost_usd"] == pytest.approx(wanted, rel=1e-12)


def test_a_part_without_a_price_of_its_own_costs_what_the_whole_costs(sandbox: Sandbox) -> None:
    row = priced(sandbox, "acme-dear", **tokens(1_000, 1_000, read=500, write=100, write_1h=50, audio_in=300))
    assert row["cost_usd"] == pytest.approx((1_000 * 30.0 + 1_000 * 60.0) / MTOK, rel=1e-12)


@pytest.mark.parametrize(("inp", "wanted"), [(1_000, 1_000 * 1.0 + 10 * 2.0), (1_001, 1_001 * 3.0 + 10 * 4.0)])
def test_a_long_context_tier_holds_for_all_tokens_of_the_call(inp: int, wanted: float, sandbox: Sandbox) -> None:
    assert priced(sandbox, "tiered", **tokens(inp, 10))["cost_usd"] == pytest.approx(wanted / MTOK, rel=1e-12)


@pytest.mark.parametrize("name", TIER_NAMES)
def test_batch_has_its_own_price(name: str, sandbox: Sandbox) -> None:
    """1,000 * $2 + 100 * $10 per million = $0.003; no request fee is told for batch."""
    row = priced(sandbox, "buckets", **tokens(1_000, 100) | {name: "batch"})
    assert (row["service_tier"], row["cost_usd"]) == ("batch", pytest.approx(0.003, rel=1e-12))
    assert "+batch" in row["price_id"]


def test_flex_and_batch_of_the_packaged_prices(sandbox: Sandbox) -> None:
    """gpt-5: $1.25 and $10 standard, $0.625 and $5 flex and batch, since October 2026."""
    day = (date(2026, 11, 1) - date(2026, 5, 4)).days
    told = tokens(1_000, 1_000)
    costs = {
        tier: priced(sandbox, "gpt-5", "openai", day, **told | {"openai.response.service_tier": tier})["cost_usd"]
        for tier in ("default", "auto", "flex", "batch", "priority")
    }
    assert costs == pytest.approx(
        {
            "default": (1.25 + 10) / 1_000,
            "auto": (1.25 + 10) / 1_000,
            "flex": (0.625 + 5) / 1_000,
            "batch": (0.625 + 5) / 1_000,
            "priority": (2.5 + 20) / 1_000,
        }
    )


def test_the_served_tier_counts_before_the_asked_one(sandbox: Sandbox) -> None:
    tiers = {"openai.request.service_tier": "batch", "openai.response.service_tier": "default"}
    assert priced(sandbox, "buckets", **tokens(1_000, 100) | tiers)["service_tier"] == "default"


def test_a_tier_without_a_price_is_unpriced_listed_and_found(sandbox: Sandbox) -> None:
    row = priced(sandbox, "buckets", **tokens(50, 5) | {"openai.response.service_tier": "flex"})
    assert (row["cost_usd"], row["price_id"]) == (None, None)
    listed = sandbox.row("select call_count from unpriced_calls where model = 'buckets' and service_tier = 'flex'")
    assert listed == {"call_count": 1}
    findings = sandbox.rows("select * from doctor_findings where finding = 'unmatched_price_context'")
    assert [finding["detail"] for finding in findings] == ["acme/buckets at flex"]
    assert not sandbox.rows("from doctor_findings where finding = 'unpriced_model' and detail = 'acme/buckets'")


def test_a_price_in_euro_is_kept_in_dollars(sandbox: Sandbox) -> None:
    row = priced(sandbox, "euro-1", **tokens(1_000_000, 0))
    assert row["cost_usd"] == 2.5
    (price,) = sandbox.rows("select distinct source from prices where price_id = ?", [row["price_id"]])
    assert price == {"source": "prices.toml (EUR at 1.25 USD)"}


def test_an_own_price_wins_in_its_window_and_the_packaged_one_holds_around_it(sandbox: Sandbox) -> None:
    """gpt-4o-mini is $0.15 in; $100 on 2 May, two days before the others."""
    days = [-3, -2, -1, 0]
    costs = [priced(sandbox, "gpt-4o-mini", "openai", day, **tokens(1_000_000, 0))["cost_usd"] for day in days]
    assert costs == [pytest.approx(0.15), 100.0, pytest.approx(0.15), pytest.approx(0.15)]


def test_a_discount_is_taken_off_the_packaged_price(sandbox: Sandbox) -> None:
    """gpt-4.1: $2 in, $8 out, $0.50 cached; 20 % off all of it."""
    row = priced(sandbox, "gpt-4.1", "openai", **tokens(1_000_000, 100_000, read=200_000))
    assert row["cost_usd"] == pytest.approx(0.8 * (0.8 * 2.0 + 0.2 * 0.5 + 0.1 * 8.0))
    assert "20 % off by prices.toml" in sandbox.rows("from prices where price_id = ?", [row["price_id"]])[0]["source"]


def test_a_price_that_differs_by_the_hour(sandbox: Sandbox) -> None:
    """DeepSeek's chat model is dear from 00:30 to 16:30 UTC: noon and nine hours later."""
    trace = next(NUMBERS)
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "deepseek"} | tokens(1_000_000, 0)
    attributes["gen_ai.response.model"] = "deepseek-chat"
    common = {"trace": trace, "attributes": attributes}
    sandbox.spans(*(common | {"id": 1 + hour, "at_ms": hour * 3_600_000} for hour in (0, 9)))
    rows = sandbox.rows("select cost_usd from llm_calls where trace_id = ? order by started_at", [otlp.trace_id(trace)])
    assert [row["cost_usd"] for row in rows] == [pytest.approx(0.27), pytest.approx(0.135)]


@settings(max_examples=20, deadline=None)
@given(
    parts=st.fixed_dictionaries(
        {name: st.integers(0, 300_000) for name in ("fresh", "read", "write_5m", "write_1h", "out")}
    )
)
def test_costs_with_hour_writes_are_those_of_genai_prices(parts: dict[str, int], sandbox: Sandbox) -> None:
    written = parts["write_5m"] + parts["write_1h"]
    total = parts["fresh"] + parts["read"] + written
    told = tokens(total, parts["out"], read=parts["read"], write=written, write_1h=parts["write_1h"])
    row = priced(sandbox, "claude-sonnet-4-5", "anthropic", **told)
    usage = Usage(
        input_tokens=total,
        output_tokens=parts["out"],
        cache_read_tokens=parts["read"],
        cache_write_tokens=written,
        cache_write_1h_tokens=parts["write_1h"],
    )
    wanted = calc_price(usage, "claude-sonnet-4-5", provider_id="anthropic", genai_request_timestamp=otlp.NOON)
    assert row["cost_usd"] == pytest.approx(float(wanted.total_price), rel=1e-9)
    reasons(sandbox, row)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("provider", "model", "meant"),
    [
        ("openrouter", "anthropic/claude-sonnet-4.5", "openrouter/anthropic/claude-sonnet-4.5"),
        ("", "openrouter/openai/gpt-4o-mini", "openrouter/openai/gpt-4o-mini"),
        ("openai", "openrouter/openai/gpt-4o-mini", "openrouter/openai/gpt-4o-mini"),
        ("openai", "anthropic/claude-sonnet-4.5", "anthropic/claude-sonnet-4-5"),
        ("litellm", "anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-4-5"),
        ("litellm", "vertex_ai/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("", "xai/grok-4", "x-ai/grok-4-0709"),
        ("openai", "openai/gpt-4o", "openai/gpt-4o"),
        ("openai", "gpt-4o-20240806", "openai/gpt-4o"),
        ("azure.ai.openai", "azure/gpt-4o", "openai/gpt-4o"),
        ("azure.ai.openai", "gpt-4o-2024-08-06", "openai/gpt-4o"),
        ("gcp.vertex_ai", "publishers/google/models/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("gcp.vertex_ai", "projects/p/locations/l/publishers/google/models/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("gcp.vertex_ai", "claude-sonnet-4@20250514", "google/claude-4-sonnet"),
        ("gcp.gemini", "models/gemini-2.5-flash", "google/gemini-2.5-flash"),
        ("aws.bedrock", "eu.amazon.nova-pro-v1:0", "aws/amazon.nova-pro-v1:0"),
        (
            "aws.bedrock",
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0",
            "aws/regional.anthropic.claude-sonnet-4-20250514-v1:0",
        ),
        (
            "aws.bedrock",
            "bedrock/us.anthropic.claude-sonnet-4-20250514-v1:0",
            "aws/regional.anthropic.claude-sonnet-4-20250514-v1:0",
        ),
        ("a-provider-of-ours", "openai/gpt-4o", None),
        ("ollama", "llama3", None),
        ("aws.bedrock", "arn:aws:bedrock:us-east-1:1:application-inference-profile/abc123", None),
    ],
)
def test_a_model_is_found_through_prefixes_dates_and_routers(provider: str, model: str, meant: str | None) -> None:
    assert packaged_model(provider, model) == meant
