"""What a call costs, by the user's own rates or price book; a price that is not known is None, never 0."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

_TOKENS_PER_MTOK = 1_000_000


@dataclass(frozen=True)
class Usage:
    """The tokens of one call as OTel GenAI counts them: input includes what the provider's cache read and wrote."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None

    @property
    def known(self) -> bool:
        """Any tokens were reported."""
        return self.input_tokens is not None or self.output_tokens is not None

    def updated(self, later: "Usage") -> "Usage":
        """This usage with what `later` knows instead."""
        return Usage(
            _known(later.input_tokens, self.input_tokens),
            _known(later.output_tokens, self.output_tokens),
            _known(later.cache_read_tokens, self.cache_read_tokens),
            _known(later.cache_write_tokens, self.cache_write_tokens),
            _known(later.reasoning_tokens, self.reasoning_tokens),
        )


class PriceBook(Protocol):
    """Anything that prices a call."""

    def cost(self, model: str, provider: str | None, usage: Usage) -> float | None:
        """USD of one call, or None where `model` has no price."""
        ...


@dataclass(frozen=True)
class Rate:
    """USD per million tokens of one model; cached tokens cost as other input where their rate is not given."""

    input_usd_per_mtok: float
    output_usd_per_mtok: float
    cache_read_usd_per_mtok: float | None = None
    cache_write_usd_per_mtok: float | None = None


class Rates:
    """A price book of rates by exact model name."""

    def __init__(self, rates: Mapping[str, Rate]) -> None:
        self._rates = dict(rates)

    def cost(self, model: str, provider: str | None, usage: Usage) -> float | None:
        """USD of one call; None for a model without a rate or where input or output tokens are unknown."""
        rate = self._rates.get(model)
        if rate is None or usage.input_tokens is None or usage.output_tokens is None:
            return None
        read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
        fresh = max(0, usage.input_tokens - read - written)
        return (
            fresh * rate.input_usd_per_mtok
            + read * _or(rate.cache_read_usd_per_mtok, rate.input_usd_per_mtok)
            + written * _or(rate.cache_write_usd_per_mtok, rate.input_usd_per_mtok)
            + usage.output_tokens * rate.output_usd_per_mtok
        ) / _TOKENS_PER_MTOK


def price_book(prices: PriceBook | Mapping[str, Rate] | None) -> PriceBook | None:
    """`prices` as a price book: a mapping of model names becomes `Rates`."""
    return Rates(prices) if isinstance(prices, Mapping) else prices


def _known(value: int | None, other: int | None) -> int | None:
    return other if value is None else value


def _or(rate: float | None, other: float) -> float:
    return other if rate is None else rate
