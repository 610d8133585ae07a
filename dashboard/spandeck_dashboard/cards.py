"""What cards have in common: a frame, a heading, the SQL behind it, and a sentence when it cannot be had."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

import streamlit as st

from spandeck_dashboard.queries import CollectorDown, Parameter, QueryRefused, runnable_sql

P = ParamSpec("P")


@contextmanager
def card(
    name: str,
    title: str,
    subtitle: str = "",
    *,
    queries: tuple[str, ...] = (),
    controls: Callable[[], None] | None = None,
    params: Mapping[str, Parameter] | None = None,
) -> Iterator[None]:
    """A framed card; a refused query or a collector that is away becomes a sentence inside it.

    `title` and `subtitle` are our own words. `queries` are shown, with `params` written in, behind SQL.
    `controls` draws widgets into the heading.
    """
    with st.container(border=True, key=f"card-{name}"):
        heading(name, title, subtitle, queries=queries, controls=controls, params=params)
        try:
            yield
        except QueryRefused as refusal:
            refused(name, refusal)
        except CollectorDown:
            st.text("No answer from the collector yet.")


def guarded(name: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """Make a fragment that asks by itself: what `card` says of a failure is said in its place."""

    def decorate(function: Callable[P, None]) -> Callable[P, None]:
        @wraps(function)
        def fragment(*given: P.args, **named: P.kwargs) -> None:
            try:
                function(*given, **named)
            except QueryRefused as refusal:
                with st.container(border=True, key=f"card-{name}-refused"):
                    refused(name, refusal)
            except CollectorDown:
                with st.container(border=True, key=f"card-{name}-away"):
                    st.text("No answer from the collector yet.")

        return fragment

    return decorate


def heading(
    name: str,
    title: str,
    subtitle: str = "",
    *,
    queries: tuple[str, ...] = (),
    controls: Callable[[], None] | None = None,
    params: Mapping[str, Parameter] | None = None,
) -> None:
    """The heading of a card, its widgets and its SQL button."""
    with st.container(horizontal=True, key=f"head-{name}", vertical_alignment="center", gap="small"):
        st.markdown(f"#### {title} :gray[{subtitle}]" if subtitle else f"#### {title}")
        if controls:
            with st.container(horizontal=True, key=f"knobs-{name}", vertical_alignment="center", gap="small"):
                controls()
        if queries:
            sql_button(name, queries, params or {})


def sql_button(name: str, queries: tuple[str, ...], params: Mapping[str, Parameter]) -> None:
    """A small button that shows the queries of a card, ready to be copied and run."""
    with st.popover("SQL", type="tertiary", key=f"sql-{name}", help="The query behind these numbers"):
        for query in queries:
            st.code(runnable_sql(query, **params), language="sql", height=320)


def refused(name: str, refusal: QueryRefused) -> None:
    """Say why a query was refused, in the words of the query service."""
    with st.container(key=f"refused-{name}"):
        st.text("This query was refused.")
        st.code(refusal.sentence, language=None, wrap_lines=True)


def mark_done(page: str) -> None:
    """The hidden sign that a page is drawn; `page` is our own name of it."""
    st.html(f'<span class="spandeck-done" data-testid="spandeck-done" hidden>done · {page}</span>')
