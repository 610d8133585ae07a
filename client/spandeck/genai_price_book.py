"""A price book of the prices that genai-prices packages: `configure(prices=GenaiPrices())`; needs that package."""

import functools
import importlib
from typing import Any

from spandeck.prices import Usage


class GenaiPrices:
    """USD of calls by the list prices in the installed genai-prices; nothing is downloaded.

    Loading it takes about half a second, once. Raises `ImportError` where the package is missing.
    """

    def __init__(self) -> None:
        try:
            self._prices: Any = importlib.import_module("genai_prices")
        except ImportError as error:
            raise ImportError(
                "GenaiPrices needs the package genai-prices: pip install genai-prices, or give your own Rates."
            ) from error
        # Usage is hashable: a loop that repeats a call need not look its price up again.
        self._cost = functools.lru_cache(maxsize=1_024)(self._calculated)

    def cost(self, model: str, provider: str | None, usage: Usage) -> float | None:
        """USD of one call; None for an unknown model or where input or output tokens are unknown."""
        if usage.input_tokens is None or usage.output_tokens is None:
            return None
        return self._cost(model, provider, usage)

    def _calculated(self, model: str, provider: str | None, usage: Usage) -> float | None:
        counted = self._prices.Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
        )
        for provider_id in dict.fromkeys((provider, None)):
            try:
                return float(self._prices.calc_price(counted, model, provider_id=provider_id).total_price)
            except (LookupError, ValueError):
                continue
        return None
