"""The filters that every page shares: range, service, model and agent, kept in the address.

They are drawn before the page, so they hold on every page; a default leaves no trace in the address.
`until` in the address ends the period there instead of now, `since` begins it there instead of a range before.
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
_SINCE = "since"
_ZOOMED = "spandeck_zoomed"
_SHORTEST = timedelta(seconds=1)
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
    is_cut: bool = False

    @property
    def before(self) -> datetime:
        """Where the period before this one begins."""
        return self.since - (self.until - self.since)

    @property
    def against(self) -> str:
        """The name of the period before: `vs prev day`."""
        return "vs time before" if self.is_cut else f"vs prev {_BEFORE[self.range]}"

    @property
    def name(self) -> str:
        """How long the period is: `24h`, or what a brush left of it."""
        return formats.duration((self.until - self.since).total_seconds() * 1000) if self.is_cut else self.range

    def only(self, *names: str) -> dict[str, Parameter]:
        """The named values, as parameters of a query."""
        return {name: getattr(self, name) for name in names}

    def calls(self) -> dict[str, Parameter]:
        """The parameters that all queries over calls take."""
        return self.only("since", "until", "service", "model", "agent")


def period(range_name: str, now: datetime, until: datetime | None = None, since: datetime | None = None) -> Filters:
    """The period of a range that ends at `until`, else just after `now`, on a step of its clock.

    `since` before `until` begins it. Steps keep the questions of a few seconds equal, so that one answer serves all.
    """
    step = _STEP_S[range_name]
    next_step = datetime.fromtimestamp((int(now.timestamp()) // step + 1) * step, UTC)
    end = until or next_step
    is_cut = since is not None and until is not None and since + _SHORTEST <= until
    begin = since if since is not None and is_cut else end - RANGES[range_name]
    return Filters(range_name, begin, end, next_step, is_live=until is None, is_cut=is_cut)


def moved_to_now(filters: Filters) -> Filters:
    """The same period, ending now if it ended now when it was drawn: what a live feed shows at its next beat."""
    if not filters.is_live:
        return filters
    base = period(filters.range, datetime.now(UTC))
    return replace(base, service=filters.service, model=filters.model, agent=filters.agent)


def draw_filters() -> Filters:
    """Draw the widgets in a row and return what they say."""
    st.session_state.pop(_ZOOMED, None)
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
        on_change=_whole_range,
    )
    base = period(range_name or DEFAULT_RANGE, now, _kept_moment(_UNTIL), _kept_moment(_SINCE))
    return replace(base, service=chosen["service"], model=chosen["model"], agent=chosen["agent"])


def jump(range_name: str, until: datetime | None = None) -> None:
    """Callback: show `range_name`, ending at `until` or now."""
    st.session_state["range"] = range_name
    st.session_state[_UNTIL] = until
    st.session_state[_SINCE] = None


def zoom(since: datetime, until: datetime) -> None:
    """Callback: show only the time from `since` to `until`, to whole seconds outwards."""
    st.session_state[_SINCE] = since.replace(microsecond=0)
    st.session_state[_UNTIL] = until.replace(microsecond=0) + _SHORTEST
    st.session_state[_ZOOMED] = True


def follow_zoom() -> None:
    """In a fragment, after `zoom`: have the whole page drawn, for the period is everybody's."""
    if st.session_state.get(_ZOOMED):
        st.rerun()


def _whole_range() -> None:
    if st.session_state.get(_SINCE) is not None:
        st.session_state[_SINCE] = st.session_state[_UNTIL] = None


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


def _kept_moment(name: str) -> datetime | None:
    """A fixed end or beginning: from the session, at first from the address; written back to it."""
    if name not in st.session_state:
        st.session_state[name] = fixed_end(st.query_params.get(name), datetime.now(UTC))
    moment: datetime | None = st.session_state[name]
    text = moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
    if text is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != text:
        st.query_params[name] = text
    return moment


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
        st.text(_period_text(filters, zone))
        st.button("Back to now", key="back-to-now", on_click=jump, args=(filters.range,), type="tertiary")


def _period_text(filters: Filters, zone: str | None) -> str:
    until, name = formats.moment(filters.until, zone), formats.zone_name(zone)
    if not filters.is_cut:
        return f"Period ends {until} {name}"
    return f"{formats.moment(filters.since, zone)} to {until} {name} ({filters.name})"
