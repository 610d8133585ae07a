"""How many tokens a chat call takes, and how many of them came out of a cache."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from generator.catalogue import Model
from generator.drafts import ChatCall, Exchange

_CACHE_BLOCK_TOKENS = 128
_SHORTEST_CACHED_PROMPT_TOKENS = 1024
_CACHE_HIT_RATIO = 0.45


@dataclass(frozen=True)
class ChatRequest:
    """A chat call as a pattern asks for it; token counts are medians, first_token_ms is exact if given."""

    model: Model
    input_tokens: int
    output_tokens: int
    streamed: bool = False
    wants_tool: bool = False
    first_token_ms: float | None = None
    says: bool = False


def log_normal(rng: random.Random, median: float, spread: float) -> float:
    """Draw from a log-normal distribution; spread is the standard deviation of the logarithm."""
    return median * math.exp(rng.gauss(0.0, spread))


def answered(rng: random.Random, request: ChatRequest, slowdown: float, exchange: Exchange | None) -> ChatCall:
    """Draw the usage and the time to first token of one answered call."""
    model = request.model
    input_tokens = max(8, round(log_normal(rng, request.input_tokens, 0.1)))
    read_tokens, write_tokens = _cached(rng, model, input_tokens)
    thought = round(log_normal(rng, 1.2 * request.output_tokens, 0.4)) if model.reports_reasoning else None
    first_token_ms = request.first_token_ms or slowdown * log_normal(rng, model.first_token_ms, model.spread)
    return ChatCall(
        model=model,
        input_tokens=input_tokens,
        output_tokens=max(4, round(log_normal(rng, request.output_tokens, 0.3))) + (thought or 0),
        cache_read_tokens=read_tokens,
        cache_write_tokens=write_tokens,
        reasoning_tokens=thought,
        streamed=request.streamed,
        first_token_ms=first_token_ms,
        response_id=f"{model.provider[:2]}_{rng.getrandbits(48):012x}",
        wants_tool=request.wants_tool,
        exchange=exchange if request.says else None,
    )


def _cached(rng: random.Random, model: Model, input_tokens: int) -> tuple[int | None, int | None]:
    """Tokens read from and written to the provider's prompt cache: the one, the other or neither."""
    if input_tokens < _SHORTEST_CACHED_PROMPT_TOKENS:
        return None, None
    prefix = int(input_tokens * rng.uniform(0.3, 0.75)) // _CACHE_BLOCK_TOKENS * _CACHE_BLOCK_TOKENS
    if rng.random() < _CACHE_HIT_RATIO:
        return prefix, None
    return None, prefix if model.writes_cache else None
