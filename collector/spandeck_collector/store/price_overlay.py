"""The user's own prices over the packaged ones of one model: at each moment, size and tier the one that holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import TypeVar

from spandeck_collector.store.price_file import Discount, OwnPrice, PriceFile, Scope
from spandeck_collector.store.price_rows import ALWAYS, EVER, MINUTES, NO_LIMIT, Price, Rates, join_prices

_Border = TypeVar("_Border", int, datetime)


def own_prices(provider: str, model: str, packaged: Sequence[Price], file: PriceFile) -> tuple[Price, ...] | None:
    """The prices of a named model where the file says something of it; None where the packaged ones hold alone.

    They are of the priced model `prices.toml:PROVIDER/MODEL`.
    """
    entries = [entry for entry in file.prices if entry.scope.names(provider, model)]
    discounts = [entry for entry in file.discounts if entry.scope.names(provider, model)]
    if not entries and not (discounts and packaged):
        return None
    tiers = dict.fromkeys([*(price.service_tier for price in packaged), *(entry.service_tier for entry in entries)])
    key = f"prices.toml:{provider}/{model}"
    found = [price for tier in tiers for price in _of_tier(tier, packaged, entries, discounts)]
    return tuple(join_prices(replace(price, price_model=key) for price in found))


def _of_tier(
    tier: str, packaged: Sequence[Price], entries: Sequence[OwnPrice], discounts: Sequence[Discount]
) -> Iterator[Price]:
    packaged = [price for price in packaged if price.service_tier == tier]
    entries = [entry for entry in entries if entry.service_tier == tier]
    discounts = [entry for entry in discounts if entry.service_tier in (None, tier)]
    ranges: list[Price | Scope] = [
        *packaged,
        *(entry.scope for entry in entries),
        *(entry.scope for entry in discounts),
    ]
    sized: list[Price | OwnPrice] = [*packaged, *entries]
    times = _cuts(((each.valid_from, each.valid_to) for each in ranges), ALWAYS, EVER)
    sizes = _cuts(((each.from_input_tokens, each.to_input_tokens) for each in sized), 0, NO_LIMIT)
    minutes = _cuts(((each.from_minute, each.to_minute) for each in packaged), 0, MINUTES)
    for size, size_end in pairwise(sizes):
        for minute, minute_end in pairwise(minutes):
            for begin, end in pairwise(times):
                cell = Price("", "", Rates(), "", tier, begin, end, minute, minute_end, size, size_end)
                found = _own(cell, entries) or _listed(cell, packaged, discounts)
                if found:
                    yield found


def _own(cell: Price, entries: Iterable[OwnPrice]) -> Price | None:
    """Of several entries the longest pattern holds, then the later begin, then the larger size, then the last one."""
    held = [
        (len(entry.scope.model) + len(entry.scope.provider), entry.scope.valid_from, entry.from_input_tokens, number)
        for number, entry in enumerate(entries)
        if entry.scope.valid_from <= cell.valid_from < entry.scope.valid_to
        and entry.from_input_tokens <= cell.from_input_tokens < entry.to_input_tokens
    ]
    if not held:
        return None
    entry = list(entries)[max(held)[-1]]
    pattern = f"{entry.scope.provider}/{entry.scope.model}"
    return replace(cell, rates=entry.rates, source=entry.source, model_pattern=pattern)


def _listed(cell: Price, packaged: Iterable[Price], discounts: Iterable[Discount]) -> Price | None:
    """The packaged price, less the last discount of the file that holds then."""
    for price in packaged:
        if (
            price.valid_from <= cell.valid_from < price.valid_to
            and price.from_minute <= cell.from_minute < price.to_minute
            and price.from_input_tokens <= cell.from_input_tokens < price.to_input_tokens
        ):
            break
    else:
        return None
    found = replace(cell, rates=price.rates, source=price.source, model_pattern=price.model_pattern)
    for discount in reversed(list(discounts)):
        if discount.scope.valid_from <= cell.valid_from < discount.scope.valid_to:
            source = f"{price.source}, {discount.percent:g} % off by prices.toml"
            return replace(found, rates=price.rates.times(discount.factor), source=source)
    return found


def _cuts(pairs: Iterable[tuple[_Border, _Border]], first: _Border, last: _Border) -> list[_Border]:
    """All begins and ends, between the first and the last that there can be."""
    return sorted({first, last}.union(*pairs))
