"""Alert rules: one `.sql` file each; its head says how grave, how often and about what, the rest is the query."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import NoReturn

from spandeck_schema import catalog

SHIPPED = "shipped"
SEVERITIES = ("info", "warning", "error", "critical")
KEYS: Mapping[str, str] = {
    "span": "trace_id || '/' || span_id",
    "trace": "trace_id",
    "trace and subject": "trace_id || '/' || subject",
}
NO_DATA = ("resolve", "keep", "alert")
FIRES = ("above", "below")
SPAN_COLUMNS = ("subject", "value", "threshold", "occurred_at", "trace_id", "span_id")
WINDOW_COLUMNS = ("subject", "value", "threshold", "trace_id", "span_id")
MOST_QUERY_BYTES = 64 << 10

_LINE = re.compile(r"-- ([a-z][a-z -]*[a-z]): *(.*?) *")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_DURATION = re.compile(r"(\d{1,7})(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_WINDOW_ENTRIES = ("window", "interval", "for", "minimum volume", "no data", "fires")
_ENTRIES = ("grain", "name", "severity", "key", "cool-down", "message", *_WINDOW_ENTRIES)
_NOTHING = timedelta()
_LONGEST = timedelta(days=31)
_SHORTEST_INTERVAL = timedelta(seconds=1)


class RuleError(ValueError):
    """A rule that cannot be used; the text names the rule, `line` is the line of its file, where one is to blame."""

    def __init__(self, sentence: str, line: int | None = None) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass(frozen=True)
class AlertRule:
    """One rule. Its query sees the time from `$since` to before `$until` (UTC).

    With a `key` it is judged as spans arrive: each row it returns fires, once a span, trace, or trace and subject.
    With a `window` it is judged every `interval`: a row fires while its value is `fires` (above, below) its
    threshold, after `hold`, until it has been quiet for `cool_down`. Rows whose volume is below `minimum_volume`
    count as no data.
    """

    name: str
    severity: str
    message: str
    query: str
    key: str | None = None
    window: timedelta = _NOTHING
    interval: timedelta = _NOTHING
    hold: timedelta = _NOTHING
    cool_down: timedelta = _NOTHING
    minimum_volume: int = 0
    no_data: str = "resolve"
    fires: str = "above"
    source: str = SHIPPED

    @property
    def digest(self) -> str:
        """Equal for equal rules: what is remembered of a rule that was changed is not of this one."""
        return hashlib.sha256(self.query.encode(errors="replace")).hexdigest()[:16]

    @property
    def judged(self) -> str:
        """What it is judged by, as the view `alert_rules` says it."""
        return self.key or "window"


@cache
def shipped_rules() -> tuple[AlertRule, ...]:
    """The rules that come with Spandeck, by name."""
    return tuple(parse_rule(file.name, file.text) for file in catalog.sql_files("alerts"))


def parse_rule(name: str, text: str, source: str = SHIPPED) -> AlertRule:
    """Read the file of a rule, named without suffix. Raises `RuleError` for what its head lacks or says wrongly."""
    head = _Head(name, text)
    head.check_names()
    key = head.one_of("key", tuple(KEYS), "")
    if not (key or head.has("window")):
        raise RuleError(f"Alert rule {name} has no '-- key: ...' or '-- window: ...' line: add one to its head.", 1)
    rule = AlertRule(
        name,
        message=head.required("message"),
        severity=head.one_of("severity", SEVERITIES, None),
        query=text.rstrip().rstrip(";"),
        cool_down=head.duration("cool-down", _NOTHING),
        source=source,
    )
    if key:
        head.refuse(_WINDOW_ENTRIES, "a rule with a key is judged by span or trace")
        return replace(rule, key=key)
    return replace(
        rule,
        window=head.duration("window", None),
        interval=max(head.duration("interval", timedelta(minutes=1)), _SHORTEST_INTERVAL),
        hold=head.duration("for", _NOTHING),
        minimum_volume=head.count("minimum volume"),
        no_data=head.one_of("no data", NO_DATA, "resolve"),
        fires=head.one_of("fires", FIRES, "above"),
    )


class _Head:
    """The entries of a rule's first comment lines, with their line numbers."""

    def __init__(self, name: str, text: str) -> None:
        self._rule = name
        self._entries: dict[str, tuple[str, int]] = {}
        if len(text.encode(errors="replace")) > MOST_QUERY_BYTES:
            raise RuleError(f"Alert rule {name} is longer than {MOST_QUERY_BYTES} bytes: shorten it.")
        for number, line in enumerate(text.splitlines(), 1):
            if not line.startswith("--"):
                break
            if found := _LINE.fullmatch(line):
                self._entries.setdefault(found[1], (found[2], number))

    def has(self, entry: str) -> bool:
        return bool(self._entries.get(entry, ("", 0))[0])

    def required(self, entry: str) -> str:
        if not self.has(entry):
            raise RuleError(
                f"Alert rule {self._rule} has no '-- {entry}: ...' line: add it to the head of the file.", 1
            )
        return self._entries[entry][0]

    def one_of(self, entry: str, allowed: tuple[str, ...], default: str | None) -> str:
        value = self.required(entry) if default is None else self._entries.get(entry, (default, 0))[0]
        if value not in allowed and value != default:
            self._wrong(entry, f"use one of {', '.join(allowed)}")
        return value

    def duration(self, entry: str, default: timedelta | None) -> timedelta:
        if default is not None and not self.has(entry):
            return default
        length = read_duration(self.required(entry))
        if length is None or length > _LONGEST:
            self._wrong(entry, "use a time such as 30s, 15m, 6h or 7d, at most 31d")
        return length

    def count(self, entry: str) -> int:
        text = self._entries.get(entry, ("0", 0))[0]
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            self._wrong(entry, "use a whole number")
        return int(text)

    def check_names(self) -> None:
        if not _NAME.fullmatch(self._rule):
            raise RuleError(
                f"Alert rule {self._rule!r} must be named by small letters, digits and _, at most 64: rename its file."
            )
        for entry, (_, line) in self._entries.items():
            if entry not in _ENTRIES:
                raise RuleError(
                    f"Alert rule {self._rule} has the unknown entry {entry!r}: known are {', '.join(_ENTRIES)}.", line
                )
        if self.has("name") and self._entries["name"][0] != self._rule:
            self._wrong("name", f"name the file as the rule, {self._rule}")

    def refuse(self, entries: tuple[str, ...], why: str) -> None:
        for entry in entries:
            if entry in self._entries:
                self._wrong(entry, f"leave it out, {why}")

    def _wrong(self, entry: str, rule: str) -> NoReturn:
        value, line = self._entries[entry]
        raise RuleError(f"Alert rule {self._rule} has {entry} {value!r}: {rule}.", line)


def read_duration(text: str) -> timedelta | None:
    """A time such as 30s, 15m, 6h or 7d; None for what is none."""
    found = _DURATION.fullmatch(text)
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None
