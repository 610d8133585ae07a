"""Which messages about alerts are due, sent, tried again or given up: rows of `store.alert_deliveries`.

For the writing thread. The courier sends elsewhere; what it is given is committed as being sent first, so that a kill
at any moment sends a message again at worst, with the same alert id, and never forgets one.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from spandeck_collector.alerts.channels import AlertChannel
from spandeck_collector.alerts.courier import Courier, Delivery
from spandeck_collector.alerts.message import AlertFacts, message_of
from spandeck_collector.settings import Settings
from spandeck_collector.store.ingest import Ingest
from spandeck_schema import catalog

_LOOK_S = 0.5
_MOST_AT_ONCE = 20
_GROWTH = 4
_LONGEST_WAIT_S = 3_600.0
_INSERT = "insert into store.alert_deliveries values (?, ?, ?, ?, ?, 0, ?, ?, ?, ?)"
_NO_CHANNEL = "-"
_FACTS = ("alert_id", "alert_key", "rule", "severity", "message", "fired_at", "trace_id", "span_id")


class AlertOutbox:
    """Messages to the channels of the settings; `clock` tells the time (UTC without a zone)."""

    def __init__(
        self,
        ingest: Ingest,
        settings: Settings,
        courier: Courier,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC).replace(tzinfo=None),
    ) -> None:
        self._ingest = ingest
        self._channels: tuple[AlertChannel, ...] = settings.alert_channels
        self._page_url = settings.url(settings.ui_port)
        self._first_wait_s = settings.alert_retry_s
        self._attempts = settings.alert_attempts
        self._courier = courier
        self._clock = clock
        self._look_at = 0.0
        with ingest.transaction():
            # What was being sent when the process ended may have been taken or not: it is sent again.
            ingest.connection.execute("update store.alert_deliveries set state = 'waiting' where state = 'sending'")

    def take_turn(self) -> None:
        """Note results, find new alerts, hand over what is due; takes a few milliseconds."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + _LOOK_S
        now = self._clock()
        results = self._courier.take_results()
        new = self._rows("new_deliveries", since=now - timedelta(hours=1))
        if results or new:
            with self._ingest.transaction():
                for result in results:
                    self._note(result, now)
                for row in new:
                    self._add(row, now)
        due = self._rows("due_deliveries", now=now, most=max(_MOST_AT_ONCE - self._courier.waiting_count(), 0))
        if due:
            with self._ingest.transaction():
                for row in due:
                    place, count = (row["alert_key"], row["channel"]), row["attempt_count"] + 1
                    self._update(place, state="sending", attempt_count=count, updated_at=now)
        self._ingest.rows_since_checkpoint += len(results) + len(new) + len(due)
        for row in due:
            facts = AlertFacts(**{name: row[name] for name in _FACTS})
            self._courier.submit(message_of(facts, row["channel"], self._page_url))

    def _add(self, row: dict[str, Any], now: datetime) -> None:
        names = [channel.name for channel in self._channels if channel.takes(row["rule"], row["severity"])]
        why = "snoozed" if row["is_snoozed"] else "cool-down" if row["is_cooling"] else None
        if not names:
            names, why = [_NO_CHANNEL], "no channel takes it"
        state = "waiting" if why is None else "muted"
        for name in names:
            fixed = [row["alert_key"], name, row["rule"], row["subject"], state]
            self._ingest.connection.execute(_INSERT, [*fixed, now, why, now, now])

    def _note(self, result: Delivery, now: datetime) -> None:
        row = self._ingest.connection.execute(
            "select attempt_count from store.alert_deliveries where alert_key = ? and channel = ?",
            [result.alert_key, result.channel],
        ).fetchone()
        count = row[0] if row else 1
        state = "sent" if result.error is None else "dead" if count >= self._attempts else "waiting"
        next_at = now + timedelta(seconds=self._wait_s(count))
        place = (result.alert_key, result.channel)
        self._update(place, state=state, next_attempt_at=next_at, error=result.error, updated_at=now)

    def _wait_s(self, attempt_count: int) -> float:
        """Seconds before the next attempt: longer each time, and never in step with others."""
        longest = min(self._first_wait_s * float(_GROWTH) ** (attempt_count - 1), _LONGEST_WAIT_S)
        return longest * random.uniform(0.5, 1.0)

    def _update(self, place: tuple[str, str], **columns: Any) -> None:
        """Write columns of the message at a place: key of the alert and channel."""
        changes = ", ".join(f"{name} = ?" for name in columns)
        self._ingest.connection.execute(
            f"update store.alert_deliveries set {changes} where alert_key = ? and channel = ?",
            [*columns.values(), *place],
        )

    def _rows(self, name: str, **parameters: Any) -> Sequence[dict[str, Any]]:
        result = self._ingest.connection.execute(catalog.sql("delivery", name), parameters)
        columns = [column[0] for column in result.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
