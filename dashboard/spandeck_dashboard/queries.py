"""The only door to data: a named SQL file and its parameters go out, a frame comes back.

`ask("kpis", since=..., ...)` posts `sql/kpis.sql` to the query service and turns the Arrow stream into
a `pandas.DataFrame`. Answers are kept for a few seconds; the last one is kept longer, to be shown while
the collector is away.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import streamlit as st

from spandeck_dashboard.answers import Ahead, LastGood, Parameter, Question
from spandeck_dashboard.exchange import CollectorDown, Outage, Pool, QueryRefused, config

__all__ = [
    "FOLDER",
    "CollectorDown",
    "Parameter",
    "QueryRefused",
    "ask",
    "ask_ahead",
    "ask_one",
    "ask_text",
    "command",
    "config",
    "down_since",
    "forget",
    "outage_reason",
    "runnable_sql",
    "sql_text",
]

FOLDER = Path(__file__).with_name("sql")
"""Where the queries are, one a file."""
_LONG = "_long"
_ROLLED_UP_FROM = timedelta(days=2)
_NAME = re.compile(r"\$([a-z][a-z0-9_]*)")
_KEEP_S = 5
_KEEP_FREE_S = 60
_BUSY_TRIES = 5
_BUSY_WAIT_S = 0.1
_OK = 200
_BUSY = 429
_ANSWERS = frozenset({_OK, 400, 401, 403, 408, 413, _BUSY})
# What moves with the clock does not tell two questions apart.
_CLOCK = frozenset({"since", "until", "now"})


@cache
def sql_text(name: str) -> str:
    """The text of `sql/NAME.sql`; raises `FileNotFoundError` for an unknown name."""
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8").strip()


def runnable_sql(name: str, **params: Parameter) -> str:
    """The query with its values written in, so that it runs anywhere as it stands."""
    return _NAME.sub(lambda match: _literal(params[match[1]]), sql_text(_by_length(name, params)))


def ask(name: str, **params: Parameter) -> pd.DataFrame:
    """Run `sql/NAME.sql` with named parameters; a time without a zone is UTC. Beyond two days `sql/NAME_long.sql`.

    Raises `QueryRefused`, or `CollectorDown` when no earlier answer to the same question is known.
    """
    key = (name, tuple(sorted((k, v) for k, v in params.items() if k not in _CLOCK)))
    try:
        frame = _cached(*_question(name, params))
    except CollectorDown:
        known = _LAST_GOOD.get(key)
        if known is None:
            raise
        return known.copy()
    _LAST_GOOD.put(key, frame)
    return frame


def ask_ahead(*questions: tuple[str, Mapping[str, Parameter]]) -> None:
    """Ask several questions at once: `ask` finds their answers, and all take about as long as the slowest."""
    for name, params in questions:
        _AHEAD.begin(_question(name, params))


def ask_one(name: str, **params: Parameter) -> dict[str, Any]:
    """The first row of `ask`, its missing values as None; empty when there is no row."""
    frame = ask(name, **params)
    if frame.empty:
        return {}
    row = frame.iloc[0].to_dict()
    return {str(key): None if pd.api.types.is_scalar(value) and pd.isna(value) else value for key, value in row.items()}


@st.cache_data(ttl=_KEEP_FREE_S, max_entries=8, show_spinner=False)
def ask_text(sql: str) -> tuple[pd.DataFrame, float]:
    """Run SQL of the visitor's own; the rows, and the milliseconds until they were here.

    Raises `QueryRefused` or `CollectorDown`.
    """
    began = time.perf_counter()
    frame = _post(sql, [])
    return frame, (time.perf_counter() - began) * 1000


def command(name: str, /, **parameters: Any) -> dict[str, Any]:
    """Have the store run a command; its answer. Raises `QueryRefused` or `CollectorDown`."""
    status, payload = _POOL.exchange(json.dumps(parameters).encode(), f"/command/{name}")
    if status != _OK:
        raise QueryRefused(status, _sentence(payload))
    _cached.clear()
    _AHEAD.clear()
    answer: dict[str, Any] = json.loads(payload)
    return answer


def down_since() -> datetime | None:
    """When the collector was first found away (UTC), None while it answers."""
    return _OUTAGE.since


def outage_reason() -> str:
    """The sentence of the outage that lasts."""
    return _OUTAGE.reason


def forget() -> None:
    """Forget settings, connections and answers: what a process does that moves to another collector."""
    config.cache_clear()
    _cached.clear()
    _AHEAD.clear()
    _POOL.close()
    _LAST_GOOD.clear()
    _OUTAGE.end()


def _by_length(name: str, params: Mapping[str, Parameter]) -> str:
    """`NAME_long` for a period beyond two days, where there is such a file: from roll-ups, and dearer to plan."""
    since, until = params.get("since"), params.get("until")
    if not isinstance(since, datetime) or not isinstance(until, datetime) or until - since <= _ROLLED_UP_FROM:
        return name
    return f"{name}{_LONG}" if _has_long(name) else name


@cache
def _has_long(name: str) -> bool:
    return (FOLDER / f"{name}{_LONG}.sql").exists()


def _question(name: str, params: Mapping[str, Parameter]) -> Question:
    return _by_length(name, params), tuple(sorted((k, _wire(v)) for k, v in params.items()))


@st.cache_data(ttl=_KEEP_S, max_entries=512, show_spinner=False)
def _cached(name: str, params: tuple[tuple[str, Parameter], ...]) -> pd.DataFrame:
    begun = _AHEAD.take((name, params))
    return begun.result() if begun else _answer(name, params)


def _answer(name: str, params: tuple[tuple[str, Parameter], ...]) -> pd.DataFrame:
    values = dict(params)
    text = sql_text(name)
    bound = [values[each] for each in _NAME.findall(text)]
    return _post(_NAME.sub("?", text), bound)


def _post(sql: str, bound: list[Parameter]) -> pd.DataFrame:
    body = json.dumps({"sql": sql, "params": bound}).encode()
    _OUTAGE.check()
    try:
        status, payload = _exchange_when_free(body)
        if status not in _ANSWERS:
            raise CollectorDown(_POOL.address, f"status {status}, {_sentence(payload)}")
    except CollectorDown as error:
        _OUTAGE.begin(error)
        raise
    _OUTAGE.end()
    if status != _OK:
        raise QueryRefused(status, _sentence(payload))
    return _frame(payload)


def _exchange_when_free(body: bytes) -> tuple[int, bytes]:
    for _ in range(_BUSY_TRIES):
        status, payload = _POOL.exchange(body)
        if status != _BUSY:
            break
        time.sleep(_BUSY_WAIT_S)
    return status, payload


def _frame(payload: bytes) -> pd.DataFrame:
    with pa.ipc.open_stream(payload) as reader:
        frame: pd.DataFrame = reader.read_pandas()
    return frame


def _sentence(payload: bytes) -> str:
    try:
        return str(json.loads(payload)["error"])
    except (ValueError, KeyError, TypeError):
        return "it gave no reason"


def _wire(value: Parameter) -> Parameter:
    if not isinstance(value, datetime):
        return value
    known = value if value.tzinfo is None else value.astimezone(UTC)
    return known.replace(tzinfo=None).isoformat(sep=" ")


def _literal(value: Parameter) -> str:
    wire = _wire(value)
    if wire is None:
        return "null"
    if isinstance(wire, bool):
        return "true" if wire else "false"
    if isinstance(wire, int | float):
        return str(wire)
    return "'" + str(wire).replace("'", "''") + "'"


_POOL = Pool()
_AHEAD = Ahead(_answer, _KEEP_S)
_LAST_GOOD = LastGood()
_OUTAGE = Outage()
