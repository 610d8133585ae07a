"""Whose price a model's name means: through prefixes, dates and routers, by the table `price_names.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from genai_prices.data_snapshot import get_snapshot


@cache
def packaged_model(provider: str, model: str) -> str | None:
    """The packaged model, `provider/model`, that a name means ('' for an unnamed provider); None when there is none.

    A provider that genai-prices does not know has no price: the same model elsewhere may cost anything.
    """
    return next(filter(None, (_found(*candidate) for candidate in _candidates(provider, model))), None)


def _candidates(provider: str, model: str) -> Iterator[tuple[str | None, str]]:
    names = _names()
    own_id = names["providers"].get(provider, provider) or None
    rewritten = _rewritten(model)
    for name in dict.fromkeys((model, rewritten)):
        yield own_id, name
    prefix, slash, rest = rewritten.partition("/")
    named_id = names["prefixes"].get(prefix.lower())
    is_router = provider in names["routers"]["providers"]
    if not slash or named_id is None or not (is_router or named_id == own_id):
        return
    yield named_id, rest
    # What its maker does not list, OpenRouter may: it has the names of both.
    if is_router and named_id != own_id:
        yield "openrouter", rewritten
    inner, _, innermost = rest.partition("/")
    if innermost and (inner_id := names["prefixes"].get(inner.lower())):
        yield inner_id, innermost


def _rewritten(model: str) -> str:
    for pattern, replacement in _rewrites():
        model = pattern.sub(replacement, model)
    return model


def _found(provider_id: str | None, model: str) -> str | None:
    try:
        _, found = get_snapshot().find_provider_model(model, None, provider_id, None)
    except LookupError:
        return None
    return _keys().get(id(found))


@cache
def _names() -> dict[str, Any]:
    return tomllib.loads(files("spandeck_schema").joinpath("price_names.toml").read_text(encoding="utf-8"))


@cache
def _rewrites() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(each["pattern"]), each["with"]) for each in _names()["rewrites"])


@cache
def _keys() -> dict[int, str]:
    return {
        id(model): f"{provider.id}/{model.id}" for provider in get_snapshot().providers for model in provider.models
    }
