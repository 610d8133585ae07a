"""What is sent of an alert: one sentence without secrets, its id, and the link to its span."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

_LONGEST = 500
_REDACTED = "[redacted]"
# What names of models, tools and errors may hold that is nobody else's business: keys, tokens, addresses, numbers of
# cards and accounts. Rather one too many than one too few: the span itself is one click away.
_SECRETS = re.compile(
    r"""
    \b(?:sk|pk|rk|ghp|gho|ghs|github_pat|glpat|xox[abprs]|AKIA|ASIA|AIza|hf|eyJ)[-_A-Za-z0-9.]{12,}
    | (?i:\bbearer\s+\S+)
    | (?i:\b(?:password|passwd|secret|token|api[-_]?key)\s*[=:]\s*\S+)
    | [\w.+-]+@[\w-]+\.[\w.-]+
    | //[^\s/@]+:[^\s/@]+@
    | \b(?:\d[ -]?){12,19}\b
    | \b[A-Fa-f0-9]{40,}\b
    | \b(?=[A-Za-z0-9+/_-]*\d)(?=[A-Za-z0-9+/_-]*[A-Z])(?=[A-Za-z0-9+/_-]*[a-z])[A-Za-z0-9+/_-]{32,}
    """,
    re.VERBOSE,
)
# What a chat would obey: mentions of all, and its marks around links.
_OBEYED = re.compile(r"[<>`*]|@(?=\w)")


@dataclass(frozen=True)
class AlertMessage:
    """A message for one channel: `kind` is that of apprise (info, warning, failure)."""

    alert_key: str
    channel: str
    title: str
    body: str
    kind: str


@dataclass(frozen=True)
class AlertFacts:
    """What a message tells of; `fired_at` is UTC."""

    alert_id: str
    alert_key: str
    rule: str
    severity: str
    message: str
    fired_at: datetime
    trace_id: str | None
    span_id: str | None


def message_of(alert: AlertFacts, channel: str, page_url: str) -> AlertMessage:
    """The message for a channel; `page_url` is where the page is."""
    lines = [
        redacted(alert.message),
        f"Since {alert.fired_at:%Y-%m-%d %H:%M:%S} UTC, alert {alert.alert_id}",
        f"{page_url}/{_place(alert)}",
    ]
    kind = {"info": "info", "warning": "warning"}.get(alert.severity, "failure")
    return AlertMessage(alert.alert_key, channel, f"{alert.severity}: {alert.rule}", "\n".join(lines), kind)


def redacted(text: str) -> str:
    """The text on one line, without secrets and without what a chat would obey; at most 500 characters."""
    line = "".join(char if char.isprintable() else " " for char in text)
    return _OBEYED.sub("", _SECRETS.sub(_REDACTED, line))[:_LONGEST]


def _place(alert: AlertFacts) -> str:
    if alert.trace_id is None:
        return "alerts"
    span = {"span": alert.span_id} if alert.span_id else {}
    return f"trace?{urlencode({'trace': alert.trace_id, **span})}"
