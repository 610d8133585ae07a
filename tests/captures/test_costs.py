"""What a recorded scenario cost is what genai-prices says of the tokens that the server served."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from genai_prices import Usage, calc_price

from spandeck_collector.store.prices import load_prices
from tests.schema import otlp
from tests.schema.sandbox import Sandbox

from .conformance.scenarios import load
from .test_conformance import RECORDED_NS, record

pytestmark = pytest.mark.integration

SUM = """
    select
        sum(cost_usd) as cost_usd,
        coalesce(sum(unpriced_call_count), 0) as unpriced_call_count
    from traces
    where list_contains(?, trace_id)
"""
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
MOST_OFF = 0.001
EMBEDDING = "text-embedding"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """All scenarios in one database with the packaged prices."""
    result = Sandbox(tmp_path_factory.mktemp("costs"))
    # The Vercel scenarios call their provider so; it answered as OpenAI does.
    load_prices(result.connection, '[providers]\nfakeai = "openai"')
    numbers = count(1)
    result.ingest.store(
        [record(export, RECORDED_NS, next(numbers)) for scenario in load() for export in scenario.exports]
    )
    yield result
    result.connection.close()


def known_usage(expected: dict[str, Any]) -> dict[str, int] | None:
    """The tokens of a scenario as far as its payload tells them; None where input or output is not known."""
    if not expected["tokens"]:
        return None
    told = expected["tokens"] | {name: gap for name, gap in expected["not_in_payload"].items() if name in TOKENS}
    if told["input_tokens"] is None or told["output_tokens"] is None:
        return None
    return {name: told[name] or 0 for name in TOKENS}


def wanted_usd(expected: dict[str, Any], usage: dict[str, int]) -> float | None:
    """By genai-prices; None where several models share the tokens, so that nobody knows which had how many."""
    models = {model for model in expected["models_answered"] if not model.startswith(EMBEDDING)}
    embeddings = {model for model in expected["models_requested"] if model.startswith(EMBEDDING)}
    if len(models) > 1 or len(embeddings) > 1 or not models | embeddings:
        return None
    total = sum(_usd(model, Usage(**usage)) for model in models)
    embedded = expected["not_in_payload"].get("embedding_input_tokens", expected["embedding_input_tokens"])
    return total + sum(_usd(model, Usage(input_tokens=embedded)) for model in embeddings)


def _usd(model: str, usage: Usage) -> float:
    provider = "anthropic" if model.startswith("claude") else "openai"
    at = otlp.NOON.replace(month=11)
    return float(calc_price(usage, model, provider_id=provider, genai_request_timestamp=at).total_price)


def test_every_scenario_with_known_usage_costs_what_genai_prices_says(store: Sandbox) -> None:
    wrong, compared, exact = {}, 0, 0
    for scenario in load():
        usage = known_usage(scenario.expected)
        wanted = usage and wanted_usd(scenario.expected, usage)
        if not wanted:
            continue
        compared += 1
        exact += not set(TOKENS) & scenario.expected["not_in_payload"].keys()
        found = store.row(SUM, [sorted(scenario.trace_ids())])
        if found["unpriced_call_count"] or abs((found["cost_usd"] or 0) - wanted) > MOST_OFF * wanted:
            wrong[scenario.name] = (found, wanted)
    assert wrong == {}
    assert compared >= 100, "scenarios with one model and known usage"
    print(f"{compared} scenarios compared, {exact} of them with all true tokens in the payload")
