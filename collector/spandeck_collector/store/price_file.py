"""`prices.toml`: the user's own prices and discounts, which win over the packaged ones (format: docs/money.md)."""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from spandeck_collector.store.price_rows import ALWAYS, EVER, NO_LIMIT, STANDARD, Rates

_RATES = {each.name for each in fields(Rates)}
_SCOPE = {"provider", "model", "valid_from", "valid_to"}
_PRICE_KEYS = _SCOPE | _RATES | {"service_tier", "from_input_tokens", "to_input_tokens", "currency", "source"}
_DISCOUNT_KEYS = _SCOPE | {"percent", "service_tier"}
_ALL_PERCENT = 100


class PriceFileError(ValueError):
    """The text is no valid prices.toml; the sentence names the entry, the value and the rule."""


@dataclass(frozen=True)
class Scope:
    """Which calls an entry is for: globs of provider and model, lower case; from a time until before another (UTC)."""

    provider: str
    model: str
    valid_from: datetime
    valid_to: datetime

    def names(self, provider: str, model: str) -> bool:
        """Whether it is for calls of this model."""
        return fnmatchcase(provider.lower(), self.provider) and fnmatchcase(model.lower(), self.model)


@dataclass(frozen=True)
class OwnPrice:
    """One `[[prices]]` entry; `rates` are in USD."""

    scope: Scope
    rates: Rates
    service_tier: str
    from_input_tokens: int
    to_input_tokens: int
    source: str


@dataclass(frozen=True)
class Discount:
    """One `[[discounts]]` entry: packaged prices times `factor`; for one service tier, or all when it is None."""

    scope: Scope
    factor: float
    percent: float
    service_tier: str | None


@dataclass(frozen=True)
class PriceFile:
    """All of it; `digest` is empty for an empty file.

    `providers` are names of the user's own for a provider whose prices hold, such as that of a gateway.
    """

    prices: tuple[OwnPrice, ...]
    discounts: tuple[Discount, ...]
    providers: Mapping[str, str]
    digest: str


@lru_cache(maxsize=4)
def parse_prices(text: str) -> PriceFile:
    """Read the text of a prices.toml. Raises `PriceFileError`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PriceFileError(f"prices.toml is not valid TOML: {error}.") from error
    _only_known("The file", data, {"prices", "discounts", "providers", "currencies"})
    currencies = {"USD": 1.0}
    for name, usd in _table(data, "currencies").items():
        currencies[name.upper()] = _number(f"currencies.{name}", usd, above=0)
    prices = tuple(_price(*entry, currencies) for entry in _entries(data, "prices", _PRICE_KEYS))
    discounts = tuple(_discount(*entry) for entry in _entries(data, "discounts", _DISCOUNT_KEYS))
    told = _table(data, "providers")
    providers = {name.lower(): _text(f"providers.{name}", told[name]).lower() for name in told}
    digest = hashlib.sha256(text.encode()).hexdigest()[:8] if prices or discounts or providers else ""
    return PriceFile(prices, discounts, providers, digest)


def _price(where: str, entry: Mapping[str, Any], currencies: Mapping[str, float]) -> OwnPrice:
    given = {name: _number(f"{where} {name}", entry[name]) for name in _RATES & entry.keys()}
    if "input_usd_per_mtok" not in given:
        raise PriceFileError(
            f"{where} has no input_usd_per_mtok: give USD per million input tokens, 0 where it is free."
        )
    currency = str(entry.get("currency", "USD")).upper()
    if currency not in currencies:
        raise PriceFileError(f"{where} has the currency {currency!r}: say under [currencies] how many USD it is worth.")
    source = _text(f"{where} source", entry.get("source", "prices.toml"))
    if currency != "USD":
        source += f" ({currency} at {currencies[currency]:g} USD)"
    begin = _count(f"{where} from_input_tokens", entry.get("from_input_tokens", 0))
    end = _count(f"{where} to_input_tokens", entry.get("to_input_tokens", NO_LIMIT))
    if begin >= end:
        raise PriceFileError(f"{where} ends at {end} input tokens, which is not above its begin at {begin}.")
    tier = _text(f"{where} service_tier", entry.get("service_tier", STANDARD)).lower()
    return OwnPrice(_scope(where, entry), Rates(**given).times(currencies[currency]), tier, begin, end, source)


def _discount(where: str, entry: Mapping[str, Any]) -> Discount:
    percent = _number(f"{where} percent", entry.get("percent"))
    if percent > _ALL_PERCENT:
        raise PriceFileError(f"{where} percent is {percent:g}: it must be at most 100.")
    tier = entry.get("service_tier")
    tier = None if tier is None else _text(f"{where} service_tier", tier).lower()
    return Discount(_scope(where, entry), 1 - percent / _ALL_PERCENT, percent, tier)


def _scope(where: str, entry: Mapping[str, Any]) -> Scope:
    begin = _time(f"{where} valid_from", entry.get("valid_from"), ALWAYS)
    end = _time(f"{where} valid_to", entry.get("valid_to"), EVER)
    if begin >= end:
        raise PriceFileError(f"{where} ends at {end}, which is not after its begin at {begin}.")
    names = {name: _text(f"{where} {name}", entry.get(name, "*")).lower() for name in ("provider", "model")}
    return Scope(names["provider"], names["model"], begin, end)


def _entries(data: Mapping[str, Any], name: str, known: set[str]) -> list[tuple[str, Mapping[str, Any]]]:
    found = data.get(name, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        raise PriceFileError(f"{name} is no list of tables: begin each entry with [[{name}]].")
    for number, entry in enumerate(found, start=1):
        _only_known(f"{name} entry {number}", entry, known)
    return [(f"{name} entry {number}", entry) for number, entry in enumerate(found, start=1)]


def _table(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name, {})
    if not isinstance(found, dict):
        raise PriceFileError(f"{name} is no table: write [{name}] and below it lines such as NAME = VALUE.")
    return found


def _only_known(where: str, entry: Mapping[str, Any], known: set[str]) -> None:
    for key in entry:
        if key not in known:
            raise PriceFileError(f"{where} has the unknown key {key!r}: known are {', '.join(sorted(known))}.")


def _number(where: str, value: Any, above: float | None = None) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or value < 0 or (above is not None and value <= above):
        raise PriceFileError(f"{where} is {value!r}: it must be a number, {'above 0' if above == 0 else '0 or more'}.")
    return float(value)


def _count(where: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= NO_LIMIT:
        raise PriceFileError(f"{where} is {value!r}: it must be a whole number, 0 or more.")
    return value


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise PriceFileError(f"{where} is {value!r}: it must be a text.")
    return value.strip()


def _time(where: str, value: Any, otherwise: datetime) -> datetime:
    if value is None:
        return otherwise
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, date):
        return datetime.combine(value, time())
    raise PriceFileError(f"{where} is {value!r}: it must be a date such as 2026-11-01, or a time (UTC).")
