"""The only door to data: a named SQL file and its parameters go out, a frame comes back.

`ask("kpis", since=..., ...)` posts `sql/kpis.sql` to the query service and turns the Arrow stream into
a `pandas.DataFrame`. Answers are kept for a few seconds; the last one is kept longer, to be shown while
the collector is away.
"""

from __future__ import annotations

import http.client
import json
import queue
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import streamlit as st

from spandeck_dashboard.config import DashboardConfig

Parameter = str | int | float | bool | datetime | None
_Question = tuple[str, tuple[tuple[str, Parameter], ...]]

FOLDER = Path(__file__).with_name("sql")
"""Where the queries are, one a file."""
_NAME = re.compile(r"\$([a-z][a-z0-9_]*)")
_KEEP_S = 5
_KEEP_FREE_S = 60
# The store answers four questions at once; one turn is left for others.
_AHEAD_AT_ONCE = 3
_BUSY_TRIES = 5
_BUSY_WAIT_S = 0.1
_LAST_GOOD_LIMIT = 256
_POOL_LIMIT = 8
_OK = 200
_BUSY = 429
_ANSWERS = frozenset({_OK, 400, 401, 403, 408, 413, _BUSY})
_TRY_AGAIN_S = 1.0
# What moves with the clock does not tell two questions apart.
_CLOCK = frozenset({"since", "until", "now"})


class CollectorDown(ConnectionError):  # noqa: N818
    """The query service does not answer; `address` is where it should be."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"The collector at {address} does not answer: {reason}.")
        self.address = address


class QueryRefused(RuntimeError):  # noqa: N818
    """The query service refused a query; `sentence` says why and `status` is the HTTP status."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@cache
def config() -> DashboardConfig:
    """The settings of this process."""
    return DashboardConfig.from_environment()


@cache
def sql_text(name: str) -> str:
    """The text of `sql/NAME.sql`; raises `FileNotFoundError` for an unknown name."""
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8").strip()


def runnable_sql(name: str, **params: Parameter) -> str:
    """The query with its values written in, so that it runs anywhere as it stands."""
    return _NAME.sub(lambda match: _literal(params[match[1]]), sql_text(name))


def ask(name: str, **params: Parameter) -> pd.DataFrame:
    """Run `sql/NAME.sql` with named parameters; a time without a zone is UTC.

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


def is_answered(name: str) -> bool:
    """Whether the store can answer `sql/NAME.sql`, which has no parameters: an older one may lack its view."""
    try:
        ask(name)
    except (QueryRefused, CollectorDown):
        return False
    return True


def command(name: str, **parameters: Any) -> dict[str, Any]:
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


def _question(name: str, params: Mapping[str, Parameter]) -> _Question:
    return name, tuple(sorted((k, _wire(v)) for k, v in params.items()))


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


class _Pool:
    """Keep-alive connections to the query service, shared by all sessions."""

    def __init__(self) -> None:
        self._idle: queue.LifoQueue[http.client.HTTPConnection] = queue.LifoQueue(_POOL_LIMIT)

    @property
    def address(self) -> str:
        return config().url(config().query_port)

    def exchange(self, body: bytes, path: str = "/query") -> tuple[int, bytes]:
        """Post and return status and body; a stale idle connection is replaced once, but no command sent twice."""
        try:
            connection = self._new() if path != "/query" else self._idle.get_nowait()
        except queue.Empty:
            return self._exchange_on(self._new(), body, path)
        try:
            return self._exchange_on(connection, body, path)
        except CollectorDown:
            if path != "/query":
                raise
            return self._exchange_on(self._new(), body, path)

    def _new(self) -> http.client.HTTPConnection:
        settings = config()
        return http.client.HTTPConnection(
            settings.reachable_host, settings.query_port, timeout=settings.answer_timeout_s
        )

    def _exchange_on(self, connection: http.client.HTTPConnection, body: bytes, path: str) -> tuple[int, bytes]:
        try:
            connection.request("POST", path, body, _headers())
            answer = connection.getresponse()
            payload = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise CollectorDown(self.address, str(error) or type(error).__name__) from error
        self._put_back(connection)
        return answer.status, payload

    def close(self) -> None:
        while not self._idle.empty():
            self._idle.get_nowait().close()

    def _put_back(self, connection: http.client.HTTPConnection) -> None:
        try:
            self._idle.put_nowait(connection)
        except queue.Full:
            connection.close()


def _headers() -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "application/vnd.apache.arrow.stream"}
    token = config().read_token
    return headers | ({"Authorization": f"Bearer {token}"} if token else {})


class _Ahead:
    """Answers that are on their way before they are asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(_AHEAD_AT_ONCE, "ask-ahead")
        self._begun: dict[_Question, tuple[float, Future[pd.DataFrame]]] = {}
        self._asked: OrderedDict[_Question, float] = OrderedDict()

    def begin(self, question: _Question) -> None:
        """Ask now, unless the answer is on its way or was had within the time that it is kept."""
        now = time.monotonic()
        with self._lock:
            if now - self._asked.get(question, -_KEEP_S) < _KEEP_S:
                return
            self._asked[question] = now
            self._begun = {known: value for known, value in self._begun.items() if now - value[0] < _KEEP_S}
            self._begun[question] = (now, self._threads.submit(_answer, *question))
            while len(self._asked) > _LAST_GOOD_LIMIT:
                self._asked.popitem(last=False)

    def take(self, question: _Question) -> Future[pd.DataFrame] | None:
        """The answer that is on its way; each is handed out once."""
        with self._lock:
            begun = self._begun.pop(question, None)
            self._asked[question] = time.monotonic()
        return begun[1] if begun else None

    def clear(self) -> None:
        """Forget what was asked."""
        with self._lock:
            self._begun.clear()
            self._asked.clear()


class _LastGood:
    """The latest answer to each question, to be shown while the collector is away."""

    def __init__(self) -> None:
        self._frames: OrderedDict[Any, pd.DataFrame] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, key: Any, frame: pd.DataFrame) -> None:
        with self._lock:
            self._frames[key] = frame
            self._frames.move_to_end(key)
            while len(self._frames) > _LAST_GOOD_LIMIT:
                self._frames.popitem(last=False)

    def get(self, key: Any) -> pd.DataFrame | None:
        with self._lock:
            return self._frames.get(key)

    def clear(self) -> None:
        with self._lock:
            self._frames.clear()


class _Outage:
    """Whether the collector is away; while it is, one question a second finds out."""

    def __init__(self) -> None:
        self.since: datetime | None = None
        self._error: CollectorDown | None = None
        self._again_at = 0.0

    @property
    def reason(self) -> str:
        return str(self._error) if self._error else ""

    def check(self) -> None:
        """Raise the known `CollectorDown` instead of waiting for another time-out."""
        if self._error and time.monotonic() < self._again_at:
            raise self._error

    def begin(self, error: CollectorDown) -> None:
        self.since = self.since or datetime.now(UTC)
        self._error = error
        self._again_at = time.monotonic() + _TRY_AGAIN_S

    def end(self) -> None:
        self.since = self._error = None


_POOL = _Pool()
_AHEAD = _Ahead()
_LAST_GOOD = _LastGood()
_OUTAGE = _Outage()
