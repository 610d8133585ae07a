"""What a price is, and the prices that genai-prices packages. The arithmetic is SQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.metadata import version
from typing import Any

from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ClauseAnd,
    ClauseContains,
    ClauseEndsWith,
    ClauseOr,
    ClauseRegex,
    ClauseStartsWith,
    ModelInfo,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

ALWAYS = datetime(1970, 1, 1)
"""The start of a price that has no other."""

EVER = datetime(9999, 1, 1)
"""The end of a price that has no other."""

NO_LIMIT = 2**62
STANDARD = "standard"
MINUTES = 24 * 60
_TIER_WORDS = {"default": STANDARD}
_CONTEXT_KEYS = ("processing", "service_tier", "speed")
"""What a request's context may ask for by genai-prices, of what a span can tell."""


@dataclass(frozen=True)
class Rates:
    """USD per million tokens of each bucket, `request_usd` per call; None where the bucket has no price of its own."""

    input_usd_per_mtok: float | None = None
    cache_read_usd_per_mtok: float | None = None
    cache_write_usd_per_mtok: float | None = None
    cache_write_1h_usd_per_mtok: float | None = None
    audio_input_usd_per_mtok: float | None = None
    output_usd_per_mtok: float | None = None
    audio_output_usd_per_mtok: float | None = None
    reasoning_usd_per_mtok: float | None = None
    request_usd: float | None = None

    def times(self, factor: float) -> Rates:
        """All of them times `factor`."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        return Rates(**{name: None if usd is None else usd * factor for name, usd in given.items()})


_PRICE_KEYS = {
    "input_usd_per_mtok": "input_mtok",
    "cache_read_usd_per_mtok": "cache_read_mtok",
    "cache_write_usd_per_mtok": "cache_write_mtok",
    "cache_write_1h_usd_per_mtok": "cache_write_1h_mtok",
    "audio_input_usd_per_mtok": "input_audio_mtok",
    "output_usd_per_mtok": "output_mtok",
    "audio_output_usd_per_mtok": "output_audio_mtok",
    "reasoning_usd_per_mtok": "output_reasoning_mtok",
}


@dataclass(frozen=True)
class Price:
    """Rates that hold for a service tier, from a time, a minute of the day (UTC) and an input size until before others.

    Times are UTC without a zone.
    """

    price_model: str
    model_pattern: str
    rates: Rates
    source: str
    service_tier: str = STANDARD
    valid_from: datetime = ALWAYS
    valid_to: datetime = EVER
    from_minute: int = 0
    to_minute: int = MINUTES
    from_input_tokens: int = 0
    to_input_tokens: int = NO_LIMIT

    @property
    def name(self) -> str:
        """A name that no price has that holds at the same time, as `openai/o3@2025-06-10+flex>200000`."""
        begins = f"{self.valid_from:%Y-%m-%d}" if self.valid_from.time() == time() else self.valid_from.isoformat()
        tier = "" if self.service_tier == STANDARD else f"+{self.service_tier}"
        minute = f"T{self.from_minute // 60:02}:{self.from_minute % 60:02}" if self.from_minute else ""
        size = f">{self.from_input_tokens - 1}" if self.from_input_tokens else ""
        return f"{self.price_model}@{begins}{minute}{tier}{size}"


def packaged_source() -> str:
    """The price data in use, e.g. `genai-prices 0.2.3`."""
    return f"genai-prices {version('genai-prices')}"


@cache
def packaged_prices(price_model: str) -> tuple[Price, ...]:
    """The packaged prices of a priced model, `provider/model`."""
    return tuple(join_prices(_prices(price_model, _models()[price_model])))


def all_packaged_prices() -> Iterator[Price]:
    """All packaged prices; takes about a second."""
    for price_model in _models():
        yield from packaged_prices(price_model)


@cache
def _models() -> dict[str, ModelInfo]:
    return {f"{provider.id}/{model.id}": model for provider in get_snapshot().providers for model in provider.models}


def _prices(key: str, model: ModelInfo) -> Iterator[Price]:
    pattern = _pattern(model.match)
    starts = [ALWAYS, *sorted(_start_dates(model))]
    minutes = [0, *sorted(_minutes(model) - {0})]
    for tier, context in _contexts(model).items():
        for valid_from, valid_to in zip(starts, [*starts[1:], EVER], strict=True):
            for begin, end in zip(minutes, [*minutes[1:], MINUTES], strict=True):
                at = (valid_from + timedelta(minutes=begin)).replace(tzinfo=UTC)
                if tier == STANDARD or _is_offered(model, context, at):
                    common = Price(key, pattern, Rates(), packaged_source(), tier, valid_from, valid_to, begin, end)
                    yield from _sizes(common, model.get_prices(at, context))


def _sizes(common: Price, prices: Any) -> Iterator[Price]:
    """A price for each size of input at which a rate changes."""
    values = [getattr(prices, key) for key in (*_PRICE_KEYS.values(), "requests_kcount")]
    # A tier applies to inputs above its start, so its first input size is one more.
    sizes = {tier.start + 1 for value in values if isinstance(value, TieredPrices) for tier in value.tiers}
    begins = [0, *sorted(sizes)]
    for begin, end in zip(begins, [*begins[1:], NO_LIMIT], strict=True):
        rates = {name: _rate(getattr(prices, key), begin) for name, key in _PRICE_KEYS.items()}
        per_thousand = _rate(prices.requests_kcount, begin)
        request_usd = None if per_thousand is None else per_thousand / 1000
        yield replace(
            common, rates=Rates(**rates, request_usd=request_usd), from_input_tokens=begin, to_input_tokens=end
        )


def _contexts(model: ModelInfo) -> dict[str, dict[str, str] | None]:
    """The service tiers of a model, each with the request context that stands for it at genai-prices."""
    found: dict[str, dict[str, str] | None] = {STANDARD: None}
    for variant in model.price_variants or ():
        ((key, value), *others) = variant.when.items()
        if key in _CONTEXT_KEYS and not others:
            found.setdefault(_TIER_WORDS.get(value, value), variant.when)
    return found


def _is_offered(model: ModelInfo, context: dict[str, str] | None, at: datetime) -> bool:
    return any(
        variant.when == context and (variant.constraint is None or variant.constraint.active(at))
        for variant in model.price_variants or ()
    )


def _constraints(model: ModelInfo) -> Iterator[Any]:
    conditions = model.prices if isinstance(model.prices, list) else []
    yield from (condition.constraint for condition in conditions)
    yield from (variant.constraint for variant in model.price_variants or ())


def _start_dates(model: ModelInfo) -> set[datetime]:
    return {
        datetime.combine(constraint.start_date, time())
        for constraint in _constraints(model)
        if isinstance(constraint, StartDateConstraint) and constraint.start_date > date(1970, 1, 1)
    }


def _minutes(model: ModelInfo) -> set[int]:
    """The minutes of the day, UTC, at which a rate changes."""
    return {
        moment.hour * 60 + moment.minute
        for constraint in _constraints(model)
        if isinstance(constraint, TimeOfDateConstraint)
        for moment in (_utc(constraint.start_time), _utc(constraint.end_time))
    }


def _utc(moment: time) -> time:
    return datetime.combine(date(1970, 1, 2), moment).astimezone(UTC).time() if moment.tzinfo else moment


def join_prices(prices: Iterable[Price]) -> Iterator[Price]:
    """Prices as they are, but one in place of two where the second begins as the first ends with the same rates."""
    lines: dict[tuple[object, ...], list[Price]] = {}
    for price in prices:
        sizes = (price.from_input_tokens, price.to_input_tokens, price.from_minute, price.to_minute)
        line = lines.setdefault((price.price_model, price.service_tier, *sizes), [])
        before = line[-1] if line else None
        if before and before.valid_to == price.valid_from and _same(before, price):
            line[-1] = replace(before, valid_to=price.valid_to)
        else:
            line.append(price)
    for line in lines.values():
        yield from line


def _same(first: Price, second: Price) -> bool:
    return (first.rates, first.source, first.model_pattern) == (second.rates, second.source, second.model_pattern)


def _rate(value: Any, input_tokens: int) -> float | None:
    if not isinstance(value, TieredPrices):
        return None if value is None else float(value)
    reached = [tier.price for tier in value.tiers if input_tokens > tier.start]
    return float(reached[-1] if reached else value.base)


def _pattern(clause: Any) -> str:
    """What model names a packaged price is for, as globs with `|` between them; a regular expression in slashes."""
    match clause:
        case ClauseOr():
            text = "|".join(map(_pattern, clause.or_))
        case ClauseAnd():
            text = "&".join(map(_pattern, clause.and_))
        case ClauseStartsWith():
            text = f"{clause.starts_with}*"
        case ClauseEndsWith():
            text = f"*{clause.ends_with}"
        case ClauseContains():
            text = f"*{clause.contains}*"
        case ClauseRegex():
            text = f"/{clause.regex}/"
        case _:
            text = str(clause.equals)
    return text
