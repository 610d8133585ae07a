"""Prices from genai-prices' packaged data as rows; which of them a model name means. The arithmetic is SQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time
from functools import cache
from importlib.metadata import version
from typing import Any

import duckdb
import pyarrow as pa
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, StartDateConstraint, TieredPrices

_ALWAYS = datetime(1970, 1, 1)
_NEVER = datetime(9999, 1, 1)
_NO_LIMIT = 2**62
_BUCKETS = ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok")
_COLUMNS = (
    ("price_id", pa.string()),
    ("price_model", pa.string()),
    ("valid_from", pa.timestamp("us")),
    ("valid_to", pa.timestamp("us")),
    ("from_input_tokens", pa.int64()),
    ("to_input_tokens", pa.int64()),
    ("input_usd_per_mtok", pa.float64()),
    ("output_usd_per_mtok", pa.float64()),
    ("cache_read_usd_per_mtok", pa.float64()),
    ("cache_write_usd_per_mtok", pa.float64()),
    ("source", pa.string()),
)
_PROVIDER_IDS = {
    "aws.bedrock": "aws",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "mistral_ai": "mistral",
    "x_ai": "x-ai",
}
"""Providers as the OpenTelemetry GenAI conventions name them, where genai-prices has another word."""


def prices_source() -> str:
    """The price data in use, e.g. `genai-prices 0.2.3`."""
    return f"genai-prices {version('genai-prices')}"


def load_prices(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill `store.prices` from the packaged data if another version's prices are in it."""
    row = connection.execute("select prices_source from store.about").fetchone()
    if row and row[0] == prices_source():
        return
    rows = list(zip(*_all_rows(), strict=True))
    columns = {name: pa.array(column, kind) for (name, kind), column in zip(_COLUMNS, rows, strict=True)}
    # Calls that are stored are priced again when their trace grows: every name must keep a meaning.
    named = connection.execute("select provider, model from store.price_models").fetchall()
    connection.execute("begin")
    connection.execute("delete from store.prices")
    connection.execute("delete from store.price_models")
    name_models(connection, named)
    connection.register("price_rows", pa.table(columns))
    connection.execute("insert into store.prices select * from price_rows")
    connection.unregister("price_rows")
    connection.execute("update store.about set prices_source = ?", [prices_source()])
    connection.execute("commit")


def name_models(connection: duckdb.DuckDBPyConnection, pairs: Iterable[tuple[str, str]]) -> None:
    """Add what the (provider, model) pairs mean to `store.price_models`; they must not be there yet."""
    rows = [[provider, model, price_model(provider, model)] for provider, model in pairs]
    if rows:
        connection.executemany("insert into store.price_models values (?, ?, ?)", rows)


@cache
def price_model(provider: str, model: str) -> str | None:
    """The priced model that `model` of `provider` means ('' for an unnamed provider); None when there is none.

    A provider that genai-prices does not know has no price: the same model elsewhere may cost anything.
    """
    snapshot = get_snapshot()
    provider_id = _PROVIDER_IDS.get(provider, provider) or None
    try:
        _, found = snapshot.find_provider_model(model, None, provider_id, None)
    except LookupError:
        return None
    return _keys().get(id(found))


@cache
def _keys() -> dict[int, str]:
    return {
        id(model): f"{provider.id}/{model.id}" for provider in get_snapshot().providers for model in provider.models
    }


def _all_rows() -> Iterator[tuple[Any, ...]]:
    for provider in get_snapshot().providers:
        for model in provider.models:
            yield from _model_rows(model)


def _model_rows(model: ModelInfo) -> Iterator[tuple[Any, ...]]:
    key = _keys()[id(model)]
    starts = [_ALWAYS, *sorted(_start_dates(model))]
    for valid_from, valid_to in zip(starts, [*starts[1:], _NEVER], strict=True):
        # Noon, because a few prices differ at night and the day price is the standard one.
        prices = model.get_prices(datetime.combine(valid_from.date(), time(12), UTC))
        buckets = [getattr(prices, bucket) for bucket in _BUCKETS]
        tiers = [0, *sorted(_tier_starts(buckets))]
        for lower, upper in zip(tiers, [*tiers[1:], _NO_LIMIT], strict=True):
            name = f"{key}@{valid_from:%Y-%m-%d}" + (f">{lower - 1}" if lower else "")
            yield (
                name,
                key,
                valid_from,
                valid_to,
                lower,
                upper,
                *(_rate(b, lower) for b in buckets),
                prices_source(),
            )


def _start_dates(model: ModelInfo) -> set[datetime]:
    conditions = model.prices if isinstance(model.prices, list) else []
    return {
        datetime.combine(condition.constraint.start_date, time())
        for condition in conditions
        if isinstance(condition.constraint, StartDateConstraint)
    }


def _tier_starts(buckets: Iterable[Any]) -> set[int]:
    # A tier applies to inputs above its start, so its first input size is one more.
    return {tier.start + 1 for bucket in buckets if isinstance(bucket, TieredPrices) for tier in bucket.tiers}


def _rate(bucket: Any, input_tokens: int) -> float | None:
    if not isinstance(bucket, TieredPrices):
        return None if bucket is None else float(bucket)
    reached = [tier.price for tier in bucket.tiers if input_tokens > tier.start]
    return float(reached[-1] if reached else bucket.base)
