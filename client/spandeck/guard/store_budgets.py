"""Asks a running Spandeck whether a run may go on, by what all processes of its session have spent."""

import http.client
import json
import math
import os
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from spandeck.guard.budget import Spent
from spandeck.scope import ambient

_AWAY_S = 5.0
_MOST_SESSIONS = 1_000
_MOST_ACCOUNTS = 1_000
_OK = 200


@dataclass
class _Session:
    """What this process knows of a session: its own spending by account, and the answer it got last."""

    usd: float = 0.0
    accounts: OrderedDict[str, float] = field(default_factory=OrderedDict)
    asked_at: float = -math.inf
    asked_usd: float = -1.0
    refusal: str | None = None

    def spend(self, account: str, usd: float) -> None:
        """An account stands at `usd` now; those within another one are told under its name, the larger counts."""
        before = self.accounts.pop(account, 0.0)
        self.usd += max(usd - before, 0.0)
        self.accounts[account] = max(usd, before)
        if len(self.accounts) > _MOST_ACCOUNTS:
            self.accounts.popitem(last=False)


class StoreBudgets:
    """The `store=` of a `Budget`: budgets of the store's budgets.toml, over all processes of a session.

    ```python
    budget = Budget(usd=1.0, store=StoreBudgets())
    with spandeck.request("support", session_id="s-1"), budget.start():
        budget.spend(steps=1)  # refused once the session, or the day, has spent its budget
    ```
    `session_id` and `user_id` are by default those of the open request, `agent_name` its agent. At each step the
    process tells what it has spent itself, which counts before its spans arrive. An answer is used again for
    `cache_s` seconds while nothing more was spent, a refusal for as long in any case. Where the store does not answer
    within `timeout_s`, `Budget(store_fail=...)` decides (open by default), and it is not asked again for 5 s.
    Raises `ValueError` for an address that is not plain HTTP.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:4319",
        *,
        token: str | None = None,
        session_id: str | None = None,
        service: str | None = None,
        agent_name: str | None = None,
        user_id: str | None = None,
        model: str | None = None,
        cache_s: float = 0.5,
        timeout_s: float = 0.25,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        address = urlsplit(url)
        if address.scheme != "http" or not address.hostname:
            raise ValueError(f"The store's address is {url!r}: give it as http://127.0.0.1:4319.")
        self._host, self._port = address.hostname, address.port or 80
        self._token = token or os.environ.get("SPANDECK_READ_TOKEN") or None
        self._session_id = session_id
        self._told = {
            "service": service or os.environ.get("OTEL_SERVICE_NAME") or None,
            "agent_name": agent_name,
            "user_id": user_id,
            "model": model,
        }
        self._cache_s, self._timeout_s, self._clock = cache_s, timeout_s, clock
        self._lock = threading.Lock()
        self._process = 0
        self._run_id = ""
        self._sessions: OrderedDict[str | None, _Session] = OrderedDict()
        self._away_until = -math.inf

    def refusal(self, spent: Spent) -> str | None:
        """Why the run may not go on, or None. Raises `OSError` or `ValueError` where the store gives no answer."""
        session_id, told = self._subject()
        with self._lock:
            self._notice_fork()
            session = self._session(session_id)
            session.spend(spent.account, spent.usd)
            if self._is_known(session):
                return session.refusal
            if self._clock() < self._away_until:
                raise ConnectionError("the store did not answer a moment ago")
            usd = session.usd
        refusal = self._ask(session_id, told, usd)
        with self._lock:
            session.asked_at, session.asked_usd, session.refusal = self._clock(), usd, refusal
        return refusal

    def _is_known(self, session: _Session) -> bool:
        is_fresh = self._clock() - session.asked_at < self._cache_s
        return is_fresh and (session.refusal is not None or session.usd == session.asked_usd)

    def _session(self, session_id: str | None) -> _Session:
        session = self._sessions.setdefault(session_id, _Session())
        self._sessions.move_to_end(session_id)
        if len(self._sessions) > _MOST_SESSIONS:
            self._sessions.popitem(last=False)
        return session

    def _subject(self) -> tuple[str | None, dict[str, str]]:
        """The session, and who asks, of the open request where it was not said."""
        request = ambient()[1]
        details = None if request is None else request.details
        told = dict(self._told)
        if details is not None:
            told["agent_name"] = told["agent_name"] or details.agent
            told["user_id"] = told["user_id"] or details.user_id
        session_id = self._session_id or (details.session_id if details else None)
        return session_id, {name: value for name, value in told.items() if value is not None}

    def _notice_fork(self) -> None:
        """A forked process has an account of its own: what its parent spent the parent tells."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self._run_id = f"{self._process:x}-{secrets.token_hex(8)}"
            self._sessions.clear()

    def _ask(self, session_id: str | None, told: dict[str, str], usd: float) -> str | None:
        query = urlencode(told | ({"session_id": session_id} if session_id else {}))
        headers = {"Spandeck-Run": self._run_id, "Spandeck-Spent-Usd": repr(usd)}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        try:
            connection.request("GET", f"/budget/check?{query}", headers=headers)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            self._away_until = self._clock() + _AWAY_S
            raise
        finally:
            connection.close()
        if response.status != _OK:
            self._away_until = self._clock() + _AWAY_S
            raise ValueError(f"the store answered with status {response.status}")
        answer = json.loads(body)
        return None if answer["allowed"] else str(answer["reason"])
