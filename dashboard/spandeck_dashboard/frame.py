"""What stands around every page: its name, the filters, "sample data", and the bar of an outage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

import streamlit as st

from spandeck_dashboard import formats, routes
from spandeck_dashboard.cards import mark_done, refused
from spandeck_dashboard.filters import Filters, draw_filters, draw_fixed_end, jump
from spandeck_dashboard.queries import (
    CollectorDown,
    QueryRefused,
    ask,
    ask_one,
    config,
    down_since,
    outage_reason,
)
from spandeck_dashboard.samples import SAMPLES

_FILTERS = "spandeck_filters"
_BAR = "spandeck_outage_bar"
_RETRY_S = 3
_LOOK_AGAIN_S = 1


def draw(title: str, *, has_own_header: bool = False, has_filters: bool = True) -> None:
    """Draw the header row; where filters say nothing they are there, unseen, so that they last."""
    if has_own_header or not has_filters:
        with st.container(key="filters-unseen"):
            filters = draw_filters()
        if not has_own_header:
            with st.container(horizontal=True, key="topbar", vertical_alignment="center"):
                st.title(title, anchor=False)
                sample_chip()
    else:
        with st.container(horizontal=True, key="topbar", vertical_alignment="center"):
            st.title(title, anchor=False)
            sample_chip()
            with st.container(horizontal=True, key="filters", vertical_alignment="center", gap="small"):
                filters = draw_filters()
    st.session_state[_FILTERS] = filters
    routes.follow()
    st.session_state[_BAR] = st.container()
    if SAMPLES.is_running:
        _sample_bar()
    if not has_own_header and has_filters:
        draw_fixed_end(filters)


def finish() -> None:
    """After the page: say above it that the collector is away, if one of its queries found out."""
    since = down_since()
    if since is not None:
        with st.session_state[_BAR]:
            _outage_bar(since)


@st.fragment(run_every=_LOOK_AGAIN_S)
def _sample_bar() -> None:
    """How far the sample traces are; at their end the page is drawn with all of them."""
    if not SAMPLES.is_running:
        st.rerun()
    try:
        stored = ask_one("ingest_health", now=datetime.now(UTC)).get("stored_count")
    except (CollectorDown, QueryRefused):
        stored = None
    with st.container(key="sample-bar"):
        st.text(f"Loading sample traces: {formats.whole(stored)} spans stored so far.")


def sample_chip() -> None:
    """Say that the data are samples, where they are."""
    if config().sample_data:
        with st.container(key="sample-chip"):
            st.badge("sample data", icon=":material/science:", color="orange")


def page_of(name: str) -> Callable[[Callable[[Filters], None]], Callable[[], None]]:
    """Make a page of a function that draws with filters: failures become sentences, the end is marked."""

    def decorate(function: Callable[[Filters], None]) -> Callable[[], None]:
        @wraps(function)
        def page() -> None:
            try:
                function(st.session_state[_FILTERS])
            except QueryRefused as refusal:
                refused(name, refusal)
            except CollectorDown:
                with st.container(border=True, key="card-no-answer"):
                    st.text("Nothing to show yet: the collector has not answered since this page was opened.")
            mark_done(name)

        return page

    return decorate


def needs_spans(function: Callable[[Filters], None]) -> Callable[[Filters], None]:
    """Make a page that draws spans: before the first one it tells how to send some, else where they are."""

    @wraps(function)
    def page(filters: Filters) -> None:
        from spandeck_dashboard.views import first_run  # noqa: PLC0415

        extent = ask_one("extent", **filters.only("since", "until"))
        if not extent["span_count"]:
            first_run.draw()
        elif not extent["period_span_count"]:
            draw_empty_range(filters)
        else:
            function(filters)

    return page


def draw_empty_range(filters: Filters) -> None:
    """No span in the period: when the last one was, and the way there; spans of the future are none to go to."""
    found = ask_one("last_span", **filters.only("until", "now"))
    zone = st.context.timezone
    fixed = f"the {filters.name} before {formats.moment(filters.until, zone)} {formats.zone_name(zone)}"
    where = f"the last {filters.range}" if filters.is_live else fixed
    with st.container(border=True, key="card-empty-range"):
        if found["last_started_at"] is None:
            st.text(f"No spans in {where}; all that are stored start in the future.")
            return
        age_s, wider = found["last_age_s"], found["range_that_holds_last"]
        last = formats.ago(age_s) if age_s >= 0 else "after that"
        target, until = (wider, None) if wider and filters.is_live else (filters.range, _just_after(found))
        st.text(f"No spans in {where}; last one {last}.")
        label = f"Show the time of the last span ({target})" if until else f"Show the last {target}"
        st.button(label, key="jump", on_click=jump, args=(target, until), type="primary")


def _just_after(found: dict[str, Any]) -> datetime:
    last: datetime = found["last_started_at"]
    return last.replace(tzinfo=UTC, second=0, microsecond=0) + timedelta(minutes=1)


def _outage_bar(since: datetime) -> None:
    zone = st.context.timezone
    with st.container(key="down-bar"):
        st.text(
            f"Collector not reachable since {formats.moment(since, zone, with_date=False)} "
            f"{formats.zone_name(zone)}: the page shows what was known before. {outage_reason()} "
            "Is `spandeck up` running?"
        )
        _wait_for_collector()


@st.fragment(run_every=_RETRY_S)
def _wait_for_collector() -> None:
    try:
        ask("ingest_health", now=datetime.now(UTC))
    except QueryRefused:
        pass
    except CollectorDown:
        return
    if down_since() is None:
        st.rerun()
