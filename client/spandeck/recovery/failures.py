"""Which failures may pass by themselves, and how long the other side asked to wait.

Read from what errors of HTTP clients and model SDKs have in common (`status_code`, `response.headers`), so that
none of them is imported.
"""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

_RETRYABLE_STATUSES = frozenset({408, 409, 429})
_TRANSIENT_NAMES = ("Timeout", "TimeoutError", "ConnectionError", "ConnectError", "ReadError", "RemoteProtocolError")
_LONGEST_RETRY_AFTER_S = 3_600.0


def status_of(error: BaseException) -> int | None:
    """The HTTP status that `error` tells of; None where it tells of none."""
    for holder in (error, getattr(error, "response", None)):
        for name in ("status_code", "status", "code"):
            value = getattr(holder, name, None)
            if isinstance(value, int) and 100 <= value <= 599:
                return value
    return None


def is_transient(error: BaseException) -> bool:
    """True where the same call may succeed later: 408, 409, 429, 5xx, a timeout, or a lost connection."""
    if not isinstance(error, Exception):
        return False
    status = status_of(error)
    if status is not None:
        return status in _RETRYABLE_STATUSES or status >= 500
    if isinstance(error, TimeoutError | ConnectionError):
        return True
    return any(kind.__name__.endswith(_TRANSIENT_NAMES) for kind in type(error).__mro__)


def retry_after_s(error: BaseException) -> float | None:
    """Seconds that the answer asked to wait (`retry-after-ms`, `Retry-After` in seconds or as a date), or None."""
    headers = _headers(error)
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return min(milliseconds / 1000, _LONGEST_RETRY_AFTER_S)
    wish = headers.get("retry-after")
    seconds = _number(wish)
    if seconds is None and wish is not None:
        seconds = _seconds_until(wish)
    return None if seconds is None else min(seconds, _LONGEST_RETRY_AFTER_S)


def _headers(error: BaseException) -> dict[str, str]:
    """The headers of the answer by lower-case name."""
    for holder in (getattr(error, "response", None), error):
        headers = getattr(holder, "headers", None)
        if headers is not None:
            try:
                return {str(name).lower(): str(value) for name, value in _items(headers)}
            except (TypeError, ValueError):
                return {}
    return {}


def _items(headers: object) -> list[tuple[object, object]]:
    if isinstance(headers, Mapping):
        return list(headers.items())
    items = getattr(headers, "items", None)
    return list(items()) if callable(items) else []


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number < float("inf") else None


def _seconds_until(date: str) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except (TypeError, ValueError):
        return None
