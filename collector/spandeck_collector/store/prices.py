"""Fills `store.prices` and `store.price_models`, and changes them so that what is stored keeps its price.

A price that is no longer told stays, for the traces that began to arrive while it held; the one in its place holds for
those that begin to arrive later, under another id. Only `use_present_prices` gives the past the present prices.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from itertools import count

import duckdb
import pyarrow as pa

from spandeck_collector.store.price_file import PriceFile, parse_prices
from spandeck_collector.store.price_names import packaged_model
from spandeck_collector.store.price_overlay import own_prices
from spandeck_collector.store.price_rows import (
    ALWAYS,
    EVER,
    Price,
    Rates,
    all_packaged_prices,
    packaged_prices,
    packaged_source,
)

_RATES = tuple(each.name for each in fields(Rates))
_TYPES = {
    "valid_from": pa.timestamp("us"),
    "valid_to": pa.timestamp("us"),
    "used_from": pa.timestamp("us"),
    "used_to": pa.timestamp("us"),
    "from_minute": pa.int16(),
    "to_minute": pa.int16(),
    "from_input_tokens": pa.int64(),
    "to_input_tokens": pa.int64(),
} | dict.fromkeys(_RATES, pa.float64())
_PRICE_COLUMNS = (
    "price_model",
    "model_pattern",
    "service_tier",
    "valid_from",
    "valid_to",
    "from_minute",
    "to_minute",
    "from_input_tokens",
    "to_input_tokens",
    *_RATES,
    "source",
)
"""Those of the table between `price_id` and `used_from`, in its order."""

_IDENTITY = tuple(name for name in _PRICE_COLUMNS if name not in ("valid_to", "to_minute", "to_input_tokens"))
_MODEL_COLUMNS = ("provider", "model", "price_model", "used_from", "used_to")

_Row = tuple[object, ...]


@dataclass(frozen=True)
class PriceChange:
    """How many prices are new, and how many of before are no longer told."""

    new_count: int
    ended_count: int


def prices_source(own_text: str = "") -> str:
    """The price data in use, e.g. `genai-prices 0.2.3` or `genai-prices 0.2.3, prices.toml 1f2e3d4c`."""
    digest = parse_prices(own_text).digest
    return f"{packaged_source()}, prices.toml {digest}" if digest else packaged_source()


def load_prices(connection: duckdb.DuckDBPyConnection, own_text: str = "") -> PriceChange:
    """Bring the tables up to date with the packaged prices and the text of the user's prices.toml, in a transaction.

    What is in use already is not touched. Raises `PriceFileError`.
    """
    source = prices_source(own_text)
    ((used,),) = connection.execute("select prices_source from store.about").fetchall()
    if used == source:
        return PriceChange(0, 0)
    connection.execute("begin")
    try:
        change = replace_prices(connection, own_text)
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
    return change


def replace_prices(connection: duckdb.DuckDBPyConnection, own_text: str) -> PriceChange:
    """The same whatever is in use, in the transaction that is open."""
    file = parse_prices(own_text)
    named = connection.execute("select distinct provider, model from store.price_models").fetchall()
    meanings = {(provider, model): _meaning(provider, model, file) for provider, model in named}
    prices = [*all_packaged_prices(), *(price for _, own in meanings.values() for price in own)]
    connection.execute("delete from store.own_prices")
    connection.execute("insert into store.own_prices values (?)", [own_text])
    connection.execute("update store.about set prices_source = ?", [prices_source(own_text)])
    change = _change_prices(connection, prices)
    _change_meanings(connection, {pair: key for pair, (key, _) in meanings.items()})
    return change


def use_present_prices(connection: duckdb.DuckDBPyConnection) -> None:
    """Let the prices that are told now hold for all that is stored; the rows of before stay for their ids alone."""
    connection.execute("update store.prices set used_to = used_from where used_to < store.ever()")
    connection.execute("update store.prices set used_from = ? where used_to = store.ever()", [ALWAYS])
    connection.execute("delete from store.price_models where used_to < store.ever()")
    connection.execute("update store.price_models set used_from = ?", [ALWAYS])


def name_models(connection: duckdb.DuckDBPyConnection, pairs: Iterable[tuple[str, str]]) -> None:
    """Add what the (provider, model) pairs mean to `store.price_models`; they must not be there yet."""
    pairs = list(pairs)
    if not pairs:
        return
    row = connection.execute("select text from store.own_prices").fetchone()
    file = parse_prices(row[0] if row else "")
    meanings = {pair: _meaning(*pair, file) for pair in pairs}
    _insert_prices(connection, _with_ids(connection, [price for _, own in meanings.values() for price in own]), ALWAYS)
    rows = [(*pair, key, ALWAYS, EVER) for pair, (key, _) in meanings.items()]
    connection.executemany(f"insert into store.price_models ({', '.join(_MODEL_COLUMNS)}) values (?, ?, ?, ?, ?)", rows)


def _meaning(provider: str, model: str, file: PriceFile) -> tuple[str | None, Sequence[Price]]:
    """The priced model of a name, and its prices where they are the user's own."""
    listed = packaged_model(file.providers.get(provider, provider), model)
    own = own_prices(provider, model, packaged_prices(listed) if listed else (), file)
    return (listed, ()) if own is None else (own[0].price_model, own)


def _change_prices(connection: duckdb.DuckDBPyConnection, prices: Sequence[Price]) -> PriceChange:
    columns = ", ".join(("price_id", *_PRICE_COLUMNS))
    held = {
        row[1:]: row[0]
        for row in connection.execute(f"select {columns} from store.prices where used_to = store.ever()").fetchall()
    }
    told = {_row(price): price for price in prices}
    ended = [price_id for row, price_id in held.items() if row not in told]
    new = [price for row, price in told.items() if row not in held]
    now = _now()
    is_first = not connection.execute("select exists (from store.prices)").fetchall()[0][0]
    rows = _with_ids(connection, new)
    connection.execute(
        "update store.prices set used_to = greatest(?, used_from) where used_to = store.ever() "
        "and price_id in (select unnest(cast(? as varchar[])))",
        [now, ended],
    )
    _insert_prices(connection, rows, ALWAYS if is_first else now)
    return PriceChange(len(new), len(ended))


def _with_ids(connection: duckdb.DuckDBPyConnection, prices: Sequence[Price]) -> list[tuple[str, Price]]:
    """Each price with the id of the same rates from the same begin, if there are some; else its name, or one numbered.

    An id so tells what was paid, and a price that only ends earlier or later keeps it.
    """
    if not prices:
        return []
    columns = ", ".join(("price_id", *_IDENTITY))
    known = {row[1:]: row[0] for row in connection.execute(f"select {columns} from store.prices").fetchall()}
    taken = set(known.values())
    found = []
    for price in prices:
        identity = _row(price, _IDENTITY)
        if identity not in known:
            names = (price.name if number == 1 else f"{price.name}~{number}" for number in count(1))
            known[identity] = next(name for name in names if name not in taken)
            taken.add(known[identity])
        found.append((known[identity], price))
    return found


def _insert_prices(
    connection: duckdb.DuckDBPyConnection, prices: Sequence[tuple[str, Price]], used_from: datetime
) -> None:
    if not prices:
        return
    rows = [(price_id, *_row(price), used_from, EVER) for price_id, price in prices]
    names = ("price_id", *_PRICE_COLUMNS, "used_from", "used_to")
    arrays = [
        pa.array(column, _TYPES.get(name, pa.string()))
        for name, column in zip(names, zip(*rows, strict=True), strict=True)
    ]
    # Not as a registered view: while spans are stored, a definition would have every statement planned again.
    connection.from_arrow(pa.table(arrays, names=list(names))).insert_into("store.prices")


def _change_meanings(connection: duckdb.DuckDBPyConnection, meanings: dict[tuple[str, str], str | None]) -> None:
    """Give names their present meaning from now on."""
    rows = connection.execute(
        "select provider, model, price_model from store.price_models where used_to = store.ever()"
    ).fetchall()
    changed = [(provider, model) for provider, model, key in rows if meanings[provider, model] != key]
    now = _now()
    for provider, model in changed:
        connection.execute(
            "update store.price_models set used_to = greatest(?, used_from) "
            "where provider = ? and model = ? and used_to = store.ever()",
            [now, provider, model],
        )
        connection.execute(
            f"insert into store.price_models ({', '.join(_MODEL_COLUMNS)}) values (?, ?, ?, ?, ?)",
            [provider, model, meanings[provider, model], now, EVER],
        )


def _row(price: Price, columns: Sequence[str] = _PRICE_COLUMNS) -> _Row:
    return tuple(getattr(price.rates if name in _RATES else price, name) for name in columns)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
