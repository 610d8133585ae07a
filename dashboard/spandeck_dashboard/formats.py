"""Numbers and times as people read them. Unknown is an en dash, never 0."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

UNKNOWN = "–"  # noqa: RUF001
_SECOND_MS = 1_000
_MINUTE_S = 60
_HOUR_S = 3_600
_DAY_S = 86_400
_SCALES = ((1e9, "B"), (1e6, "M"), (1e3, "k"))


def is_unknown(value: Any) -> bool:
    """Whether a cell holds no value: None, NaN or a missing time."""
    return value is None or value != value  # noqa: PLR0124


def number(value: Any) -> float | None:
    """A cell as a finite float, else None."""
    if is_unknown(value):
        return None
    result = float(value)
    return result if math.isfinite(result) else None


def count(value: Any) -> str:
    """`850`, `1.2k`, `162M`, `1.13B`."""
    known = number(value)
    if known is None:
        return UNKNOWN
    for scale, suffix in _SCALES:
        # 999,950 would round to "1000k": the next larger unit takes it.
        if abs(known) >= scale * 0.9995:
            return f"{_three_digits(known / scale)}{suffix}"
    return f"{known:.0f}"


def whole(value: Any) -> str:
    """Every digit, grouped: `12,408`."""
    known = number(value)
    return UNKNOWN if known is None else f"{known:,.0f}"


def decimal(value: Any) -> str:
    """An average as `3.25`, `12.4`, `128`."""
    known = number(value)
    return UNKNOWN if known is None else _three_digits(known)


def cell(value: Any) -> str:
    """A value of a query as it is: every digit, NULL for nothing."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | dict | set | tuple) or hasattr(value, "tolist"):
        known = value.tolist() if hasattr(value, "tolist") else value
        return str(known) if not is_unknown(known) else "NULL"
    if is_unknown(value):
        return "NULL"
    return f"{value:.6g}" if isinstance(value, float) and not value.is_integer() else str(value)


def duration(milliseconds: Any) -> str:
    """`0.42 ms`, `850 ms`, `3.07 s`, `1m 36s`, `2h 05m`, `3d 4h`."""
    known = number(milliseconds)
    if known is None:
        return UNKNOWN
    if abs(known) < 1 and known != 0:
        return f"{known:.2f} ms"
    if round(abs(known)) < _SECOND_MS:
        return f"{known:.0f} ms"
    seconds = known / _SECOND_MS
    if seconds < _MINUTE_S - 0.005:
        return f"{seconds:.2f} s"
    return _long_duration(round(seconds))


def rough_duration(milliseconds: float) -> str:
    """Two digits for the steps of a scale: `18 ms`, `320 ms`, `1.8 s`, `32 s`, `5m`."""
    value = float(f"{milliseconds:.2g}")
    if value < _SECOND_MS:
        return f"{value:g} ms"
    seconds = value / _SECOND_MS
    return f"{seconds:g} s" if seconds < 100 else f"{seconds / _MINUTE_S:.0f}m"


def entities(text: str) -> str:
    """A text in which no tag begins, for drawings that know some."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _long_duration(seconds: int) -> str:
    if seconds < _HOUR_S:
        return f"{seconds // _MINUTE_S}m {seconds % _MINUTE_S:02d}s"
    if seconds < _DAY_S:
        return f"{seconds // _HOUR_S}h {seconds % _HOUR_S // _MINUTE_S:02d}m"
    return f"{seconds // _DAY_S}d {seconds % _DAY_S // _HOUR_S}h"


def money(usd: Any) -> str:
    """`$0.0042` below a cent, `$0.193` below a dollar, `$338.42`, `$2,335`."""
    known = number(usd)
    if known is None:
        return UNKNOWN
    sign, size = ("-" if known < 0 else ""), abs(known)
    if size == 0:
        return "$0"
    if size < 0.00005:
        return f"{sign}<$0.0001"
    digits = next((digits for limit, digits in ((0.01, 4), (1, 3), (1000, 2)) if size < limit), 0)
    return f"{sign}${size:,.{digits}f}"


def ratio(share: Any, digits: int = 2) -> str:
    """A ratio from 0 to 1 as `1.37 %`."""
    known = number(share)
    if known is None:
        return UNKNOWN
    percent = known * 100
    if percent in {0, 100}:
        return f"{percent:.0f} %"
    if abs(percent) >= 1000:
        return f"{percent:,.0f} %"
    return f"{percent:.{digits if abs(percent) < 10 else 1}f} %"


def times(factor: Any) -> str:
    """A factor as `0x`, `0.5x`, `12x`."""
    known = number(factor)
    return UNKNOWN if known is None else f"{_three_digits(known)}x"


def change(share: Any) -> str:
    """A relative change as `+1.5 %`, `-0.8 %`, `0 %`, `+12x` from tenfold upwards."""
    known = number(share)
    if known is None:
        return UNKNOWN
    if known >= 10:
        return f"+{known + 1:,.0f}x"
    percent = known * 100
    if abs(percent) < 0.05:
        return "0 %"
    return f"{percent:+.{1 if abs(percent) < 100 else 0}f} %"


def ago(seconds: Any) -> str:
    """An age as `just now`, `12 s ago`, `3 min ago`, `2 h ago`, `5 d ago`."""
    known = number(seconds)
    if known is None:
        return UNKNOWN
    if known < 1:
        return "just now"
    for limit, unit, name in ((_MINUTE_S, 1, "s"), (_HOUR_S, _MINUTE_S, "min"), (2 * _DAY_S, _HOUR_S, "h")):
        if known < limit:
            return f"{int(known // unit)} {name} ago"
    return f"{int(known // _DAY_S)} d ago"


def moment(value: datetime | Any, zone: str | None = None, *, with_date: bool = True) -> str:
    """A UTC time in the reader's zone: `Nov 24 15:06:36`; `zone` is an IANA name, else UTC."""
    if is_unknown(value):
        return UNKNOWN
    known = value.replace(tzinfo=UTC) if value.tzinfo is None else value
    local = known.astimezone(zone_of(zone))
    return local.strftime("%b %d %H:%M:%S" if with_date else "%H:%M:%S")


def zone_of(name: str | None) -> ZoneInfo:
    """The time zone of an IANA name; UTC for None and for what is not known here."""
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def zone_name(zone: str | None) -> str:
    """How the reader's zone is called: its abbreviation now, or UTC."""
    return datetime.now(zone_of(zone)).tzname() or "UTC"


def plain(value: Any) -> str:
    """A text cell; unknown and empty become the dash."""
    return UNKNOWN if is_unknown(value) or value == "" else str(value)


def first_line(text: Any, limit: int = 200) -> str:
    """The first line of a longer text, cut with an ellipsis."""
    lines = plain(text).strip().splitlines() or [UNKNOWN]
    return lines[0] if len(lines[0]) <= limit else lines[0][: limit - 1] + "…"


def sentence_list(parts: Iterable[str]) -> str:
    """The known parts joined by a middle dot."""
    return " · ".join(part for part in parts if part and part != UNKNOWN)


def pretty(text: str, limit: int) -> tuple[str, str | None]:
    """A long attribute for reading: JSON is indented, the rest is left; cut at `limit` characters.

    Returns the text and its language (`json` or None).
    """
    language = None
    if text[:1] in {"{", "["}:
        try:
            text = json.dumps(json.loads(text), indent=1, ensure_ascii=False)
            language = "json"
        except (ValueError, RecursionError):
            pass
    return (text, language) if len(text) <= limit else (text[:limit] + "\n…", None)


def _three_digits(value: float) -> str:
    size = abs(value)
    digits = 2 if size < 9.995 else 1 if size < 99.95 else 0
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
