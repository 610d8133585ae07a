"""Sends the exports of scenarios to an OTLP/HTTP receiver, in the ways in which they can arrive."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TypeAlias

from .scenarios import Export, Scenario

Round: TypeAlias = list[tuple[Scenario, Export]]


@dataclass(frozen=True)
class Arrival:
    """How exports arrive: `reversed_order` by scenario, every export `twice`, seconds `apart` between its exports."""

    reversed_order: bool = False
    twice: bool = False
    apart_s: float | None = None

    def rounds(self, scenarios: Sequence[Scenario]) -> list[Round]:
        """What to send before, between and after the pauses: without `apart_s` one round, else one a file."""
        rows = [self._row(scenario) for scenario in scenarios]
        if self.apart_s is None:
            return [list(chain.from_iterable(chain.from_iterable(rows)))]
        return [list(chain.from_iterable(column)) for column in zip_longest(*rows, fillvalue=[])]

    def _row(self, scenario: Scenario) -> list[Round]:
        exports = scenario.exports[::-1] if self.reversed_order else scenario.exports
        return [[(scenario, export)] * (2 if self.twice else 1) for export in exports]


@dataclass(frozen=True)
class Receiver:
    """An OTLP/HTTP receiver: `url` without /v1/traces, and headers that every request carries."""

    url: str
    headers: Mapping[str, str]

    def send(self, export: Export) -> None:
        """Send one export; raises `urllib.error.URLError`, for a refusal its subclass `HTTPError`."""
        post(f"{self.url}/v1/{export.signal}", export.body, export.headers() | dict(self.headers))


def feed(scenarios: Sequence[Scenario], arrival: Arrival, receiver: Receiver) -> dict[str, str]:
    """Send everything; what was refused, by scenario. Raises `urllib.error.URLError` when nobody answers."""
    refused: dict[str, str] = {}
    for number, exports in enumerate(arrival.rounds(scenarios)):
        if number and arrival.apart_s:
            time.sleep(arrival.apart_s)
        for scenario, export in exports:
            try:
                receiver.send(export)
            except urllib.error.HTTPError as error:
                refused[scenario.name] = f"{export.path.name} answered {error.code}"
    return refused


def post(url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """The answer to a POST within 60 s; raises `urllib.error.URLError`."""
    request = urllib.request.Request(url, data=body, headers=dict(headers), method="POST")
    with urllib.request.urlopen(request, timeout=60) as response:
        answer: bytes = response.read()
    return answer
