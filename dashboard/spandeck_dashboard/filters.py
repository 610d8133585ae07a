"""The filters that every page shares: range, service, model and agent, kept in the address.

They are drawn before the page, so they hold on every page; a default leaves no trace in the address.
`until` in the address ends the period there instead of now.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import streamlit as st

from spandeck_dashboard import formats
from spandeck_dashboard.queries import CollectorDown, Parameter, QueryRefused, ask

RANGES = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
}
DEFAULT_RANGE = "1h"
_BEFORE = {"15m": "15 min", "1h": "hour", "6h": "6 h", "24h": "day", "7d": "week"}
_STEP_S = {"15m": 5, "1h": 10, "6h": 30, "24h": 60, "7d": 300}
_CHOICES = {"service": "All services", "model": "All models", "agent": "All agents"}
_UNTIL = "until"
_EARLIEST_END = datetime(1971, 1, 1, tzinfo=UTC)
_LATEST_END = timedelta(days=365)


@dataclass(frozen=True)
class Filters:
    """A period in UTC (`since` inclusive, `until` exclusive) and what to keep; None keeps all.

    `now` is the clock's next step: `until`, unless the period ends elsewhere.
    """

    range: str
    since: datetime
    until: datetime
    now: datetime
    service: str | None = None
    model: str | None = None
    agent: str | None = None
    is_live: bool = True

    @property
    def before(self) -> datetime:
        """Where the period before this one begins."""
        return self.since - (self.until - self.since)

    @property
    def against(self) -> str:
        """The name of the period before: `vs prev day`."""
        return f"vs prev {_BEFORE[self.range]}"

    def only(self, *names: str) -> dict[str, Parameter]:
        """The named values, as parameters of a query."""
        return {name: getattr(self, name) for name in names}

    def calls(self) -> dict[str, Parameter]:
        """The parameters that all queries over calls take."""
        return self.only("since", "until", "service", "model", "agent")


def period(range_name: str, now: datetime, until: datetime | None = None) -> Filters:
    """The period of a range that ends at `until`, else just after `now`, on a step of its clock.

    Steps keep the questions of a few seconds equal, so that one answer serves them all.
    """
    step = _STEP_S[range_name]
    next_step = datetime.fromtimestamp((int(now.timestamp()) // step + 1) * step, UTC)
    end = until or next_step
    return Filters(range=range_name, since=end - RANGES[range_name], until=end, now=next_step, is_live=until is None)


def draw_filters() -> Filters:
    """Draw the widgets in a row and return what they say."""
    now = datetime.now(UTC)
    offered = _options(now)
    chosen = {name: _choice(name, label, offered.get(name, [])) for name, label in _CHOICES.items()}
    range_name = st.segmented_control(
        "Range",
        list(RANGES),
        default=DEFAULT_RANGE,
        required=True,
        key="range",
        label_visibility="collapsed",
        bind="query-params",
    )
    base = period(range_name or DEFAULT_RANGE, now, _until())
    return replace(base, service=chosen["service"], model=chosen["model"], agent=chosen["agent"])


def jump(range_name: str, until: datetime | None = None) -> None:
    """Callback: show `range_name`, ending at `until` or now."""
    st.session_state["range"] = range_name
    st.session_state[_UNTIL] = until


def _choice(name: str, label: str, options: list[str]) -> str | None:
    asked = st.session_state.get(name) or st.query_params.get(name)
    if asked and asked not in options:
        # A link to a model that is not offered shows an empty page, not silently everything.
        options = [asked, *options]
    return st.selectbox(
        label,
        options,
        index=None,
        placeholder=label,
        key=name,
        label_visibility="collapsed",
        bind="query-params",
    )


def _options(now: datetime) -> dict[str, list[str]]:
    try:
        frame = ask("filter_options", until=now.replace(second=0, microsecond=0) + timedelta(minutes=1))
    except (CollectorDown, QueryRefused):
        return {}
    return {str(name): list(group["value"]) for name, group in frame.groupby("filter")}


def _until() -> datetime | None:
    """The fixed end of the period: from the session, at first from the address; written back to it."""
    if _UNTIL not in st.session_state:
        st.session_state[_UNTIL] = fixed_end(st.query_params.get(_UNTIL), datetime.now(UTC))
    until: datetime | None = st.session_state[_UNTIL]
    text = until.strftime("%Y-%m-%dT%H:%M:%SZ") if until else None
    if text is None:
        st.query_params.pop(_UNTIL, None)
    elif st.query_params.get(_UNTIL) != text:
        st.query_params[_UNTIL] = text
    return until


def fixed_end(text: str | None, now: datetime) -> datetime | None:
    """The end of the period that an address asks for, in UTC; None for none, and outside 1971 to a year from `now`."""
    try:
        known = datetime.fromisoformat(text) if text else None
        if known is None:
            return None
        end = known.replace(tzinfo=UTC) if known.tzinfo is None else known.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return end if _EARLIEST_END <= end <= now + _LATEST_END else None


def draw_fixed_end(filters: Filters) -> None:
    """A line that says that the period does not end now, with the way back; nothing when it does."""
    if filters.is_live:
        return
    zone = st.context.timezone
    with st.container(horizontal=True, key="fixed-end", vertical_alignment="center"):
        st.text(f"Period ends {formats.moment(filters.until, zone)} {formats.zone_name(zone)}")
        st.button("Back to now", key="back-to-now", on_click=jump, args=(filters.range,), type="tertiary")
