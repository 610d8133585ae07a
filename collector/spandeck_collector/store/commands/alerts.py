"""`POST /command/acknowledge_alert`, `snooze_alert`, `resend_alerts`: what a person says to alerts.

`{"alert_id": "0123456789ab"}` acknowledges one. With `"for_s"` (seconds; 0 ends it) its rule and subject are snoozed:
they go on firing in the feed, and no message is sent. Both answer `{"rule", "subject"}`. `resend_alerts` takes
messages that were given up, of one alert or with `{"alert_id": null}` of all, and answers `{"message_count"}`.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from spandeck_collector.store.commands.command import Action, CommandError, Parameters, refuse_unknown
from spandeck_collector.store.ingest import Ingest

_ID = re.compile(r"[0-9a-f]{4,12}")
_LONGEST_S = 366 * 86_400
_FIND = "select distinct rule, subject, alert_key from store.alerts where starts_with(md5(alert_key), ?) limit 2"
_MARK = "insert into store.alert_marks values (?, ?, ?, ?, ?, ?)"


def acknowledge_alert(parameters: Parameters) -> Action:
    """Read which alert. Raises `CommandError` (400)."""
    refuse_unknown(parameters, "alert_id")
    alert_id = _alert_id(parameters.get("alert_id"))
    return lambda ingest: _mark(ingest, "acknowledged", alert_id, None)


def snooze_alert(parameters: Parameters) -> Action:
    """Read which alert and for how long. Raises `CommandError` (400)."""
    refuse_unknown(parameters, "alert_id", "for_s")
    alert_id = _alert_id(parameters.get("alert_id"))
    for_s = parameters.get("for_s")
    is_number = isinstance(for_s, int | float) and not isinstance(for_s, bool) and math.isfinite(for_s)
    if not is_number or not 0 <= float(for_s or 0) <= _LONGEST_S:
        raise CommandError(400, f'"for_s" must be seconds from 0 (which ends it) to {_LONGEST_S}.')
    return lambda ingest: _mark(ingest, "snoozed", alert_id, float(for_s or 0))


def resend_alerts(parameters: Parameters) -> Action:
    """Read which alert, or all. Raises `CommandError` (400)."""
    refuse_unknown(parameters, "alert_id")
    given = parameters.get("alert_id")
    alert_id = "" if given is None else _alert_id(given)
    return lambda ingest: _resend(ingest, alert_id)


def _mark(ingest: Ingest, kind: str, alert_id: str, for_s: float | None) -> dict[str, Any]:
    found = ingest.connection.execute(_FIND, [alert_id]).fetchall()
    if len(found) != 1:
        problem = "is none" if not found else "are several"
        raise CommandError(404, f"There {problem} of the id {alert_id!r}: see `spandeck alerts list`.")
    ((rule, subject, key),) = found
    now = datetime.now(UTC).replace(tzinfo=None)
    until = None if for_s is None else now + timedelta(seconds=for_s)
    ingest.connection.execute(_MARK, [kind, rule, subject, key, now, until])
    return {"rule": rule, "subject": subject}


def _resend(ingest: Ingest, alert_id: str) -> dict[str, Any]:
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = ingest.connection.execute(
        "update store.alert_deliveries set state = 'waiting', attempt_count = 0, updated_at = ? "
        "where state = 'dead' and starts_with(md5(alert_key), ?) returning alert_key",
        [now, alert_id],
    ).fetchall()
    return {"message_count": len(rows)}


def _alert_id(value: Any) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise CommandError(400, '"alert_id" must be an id as `spandeck alerts list` shows it, such as "0123456789ab".')
    return value
