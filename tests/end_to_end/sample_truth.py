"""p95 and cost of the sample traces, computed in plain Python from their files and from nothing of Spandeck."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from genai_prices import Usage, calc_price

_LLM = {"chat", "LLM"}
_EMBEDDING = {"embeddings", "EMBEDDING"}
_PROVIDERS = {"gcp.gemini": "google"}
_MODEL = ("gen_ai.response.model", "llm.model_name", "embedding.model_name", "gen_ai.request.model")
_INPUT = ("gen_ai.usage.input_tokens", "llm.token_count.prompt")
_OUTPUT = ("gen_ai.usage.output_tokens", "llm.token_count.completion")
_CACHE_READ = ("gen_ai.usage.cache_read.input_tokens", "llm.token_count.prompt_details.cache_read")
_CACHE_WRITE = ("gen_ai.usage.cache_write.input_tokens", "llm.token_count.prompt_details.cache_write")


@dataclass(frozen=True)
class Call:
    """One model call of the samples; `cost_usd` is None without usage or price."""

    is_llm: bool
    started_ns: int
    duration_ms: float
    cost_usd: Decimal | None


def sample_calls(folder: Path, shift_ns: int) -> list[Call]:
    """All model calls in the folder's files, begun `shift_ns` later than recorded and priced then."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.jsonl")))
    return [call for text in texts for line in text.splitlines() for call in _calls(json.loads(line), shift_ns)]


def quantile(values: Iterable[float], share: float) -> float:
    """The value at `share` of the sorted values, linearly interpolated."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _calls(request: dict[str, Any], shift_ns: int) -> Iterator[Call]:
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                attributes = {each["key"]: _plain(each["value"]) for each in span.get("attributes", [])}
                kind = attributes.get("gen_ai.operation.name") or attributes.get("openinference.span.kind")
                if kind in _LLM | _EMBEDDING:
                    yield _call(span, attributes, shift_ns, is_llm=kind in _LLM)


def _call(span: dict[str, Any], attributes: dict[str, Any], shift_ns: int, *, is_llm: bool) -> Call:
    started_ns, ended_ns = int(span["startTimeUnixNano"]) + shift_ns, int(span["endTimeUnixNano"]) + shift_ns
    has_usage = _first(attributes, _INPUT) is not None or _first(attributes, _OUTPUT) is not None
    return Call(
        is_llm=is_llm,
        started_ns=started_ns,
        duration_ms=(ended_ns - started_ns) / 1e6,
        cost_usd=_cost_usd(attributes, datetime.fromtimestamp(started_ns // 10**9, UTC)) if has_usage else None,
    )


def _cost_usd(attributes: dict[str, Any], started_at: datetime) -> Decimal | None:
    provider = _first(attributes, ("gen_ai.provider.name", "llm.provider", "llm.system"))
    usage = Usage(
        input_tokens=_first(attributes, _INPUT),
        output_tokens=_first(attributes, _OUTPUT),
        cache_read_tokens=_first(attributes, _CACHE_READ),
        cache_write_tokens=_first(attributes, _CACHE_WRITE),
    )
    try:
        price = calc_price(
            usage,
            model_ref=_first(attributes, _MODEL),
            provider_id=_PROVIDERS.get(provider, provider),
            genai_request_timestamp=started_at,
        )
    except LookupError:
        return None
    return price.total_price


def _first(attributes: dict[str, Any], names: Sequence[str]) -> Any:
    return next((attributes[name] for name in names if attributes.get(name) is not None), None)


def _plain(value: dict[str, Any]) -> Any:
    ((kind, content),) = value.items()
    return int(content) if kind == "intValue" else content
