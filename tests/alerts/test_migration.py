"""Alerts of an older file keep what they said; failed calls of one tool in one trace become one alert."""

import pytest

from spandeck_schema import catalog
from tests.schema.sandbox import Sandbox

pytestmark = pytest.mark.integration

BEFORE = """
create table store.alerts (
    rule varchar not null, severity varchar not null, subject varchar not null, message varchar not null,
    value double, threshold double, fired_at timestamp not null, resolved_at timestamp, state varchar not null,
    trace_id varchar, span_id varchar, alert_key varchar not null
)
"""
TOOL = "('failed_tool_call', 'error', 'search: X', 'm', 1, 0, '2026-05-04 12:00:{}', null, 'firing', 't', '{}', '{}')"
SLOW = "('slow_first_token', 'warning', 'a', 'm', 2500, 2000, '2026-05-04 12:00:03', null, 'firing', 't', 's', 'k')"


def test_alerts_of_before_become_alerts_of_now(sandbox: Sandbox) -> None:
    columns = sandbox.rows("describe store.alerts")
    connection = sandbox.connection
    for table in ("alerts", "alert_clocks", "alert_rules", "alert_marks", "alert_deliveries"):
        connection.execute(f"drop table store.{table}")
    connection.execute(BEFORE)
    rows = ", ".join([TOOL.format("01", "b", "k1"), TOOL.format("02", "c", "k2"), SLOW])
    connection.execute(f"insert into store.alerts values {rows}")
    for statement in catalog.sql("migrations", "008_alert_states").split(";"):
        if statement.strip():
            connection.execute(statement)
    assert sandbox.rows("describe store.alerts") == columns
    found = sandbox.rows("select rule, span_id, repeat_count, alert_key, raised_by from store.alerts order by rule")
    assert [tuple(row.values()) for row in found] == [
        ("failed_tool_call", "b", 2, "failed_tool_call/t/search: X", "store"),
        ("slow_first_token", "s", 1, "k", "store"),
    ]
