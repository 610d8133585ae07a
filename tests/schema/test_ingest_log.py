"""Who sent what: counts by exporter, few rows however many batches, and metric points that are sent again."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from spandeck_collector.journal import Signal
from spandeck_schema import catalog

from . import otlp
from .sandbox import Sandbox

pytestmark = pytest.mark.integration
SDK = {"telemetry.sdk.name": "opentelemetry", "telemetry.sdk.language": "python", "telemetry.sdk.version": "1.45.2"}
SUMS = "select sum(received_count), sum(stored_count), sum(duplicate_count), sum(refused_count) from ingest_health"


def test_an_exporter_is_its_service_sdk_and_address(sandbox: Sandbox) -> None:
    body = otlp.traces([{"id": 1, "service": "shop", "resource": SDK}])
    (record,) = otlp.records([(Signal.TRACES, body)], 1)
    sandbox.ingest.store([record._replace(address="10.0.0.7")])
    row = sandbox.row("select service, sdk_name, sdk_language, sdk_version, address, stored_count from ingest_health")
    assert list(row.values()) == ["shop", "opentelemetry", "python", "1.45.2", "10.0.0.7", 1]


def test_the_log_has_a_row_a_minute_after_a_checkpoint_and_an_hour_later(sandbox: Sandbox) -> None:
    for number in range(1, 21):
        _span_at(sandbox, number, second=10 * (number - 1))
    sandbox.take((Signal.REFUSALS, b'{"refusals": [{"signal": "logs", "count": 2, "reason": "r", "last_at_ns": 5}]}'))
    before = sandbox.rows(SUMS)
    count = "select count(*) as n from store.ingest_log"
    assert sandbox.row(count) == {"n": 21}
    assert sandbox.ingest.checkpoint(wait_for_queries=True)
    assert sandbox.row(count) == {"n": 5}
    _span_at(sandbox, 500, second=195)
    assert sandbox.ingest.checkpoint(wait_for_queries=True)
    assert sandbox.row(count) == {"n": 5}
    after_noon = otlp.NOON.replace(tzinfo=None) + timedelta(hours=1)
    for _ in range(2):
        sandbox.ingest.gather_log("hour", after_noon)
        assert sandbox.row(count) == {"n": 2}
    (first,), (last,) = before, sandbox.rows(SUMS)
    assert [*last.values()] == [first["sum(received_count)"] + 1, first["sum(stored_count)"] + 1, 0, 2]


def _span_at(sandbox: Sandbox, number: int, second: int) -> None:
    (record,) = otlp.records([(Signal.TRACES, otlp.traces([{"id": number, "service": "shop"}]))], number)
    sandbox.ingest.store([record._replace(received_at_ns=otlp.NOON_NS + second * 10**9)])


def test_a_later_batch_of_a_gathered_hour_joins_it(sandbox: Sandbox) -> None:
    until = datetime(2027, 1, 1)
    for number in (1, 2):
        sandbox.spans({"id": number})
        sandbox.ingest.gather_log("minute", until)
        sandbox.ingest.gather_log("hour", until)
    assert sandbox.row("select count(*) as n, sum(stored_count) as stored from store.ingest_log") == {
        "n": 1,
        "stored": 2,
    }


def test_a_metric_point_that_is_sent_again_is_stored_once(sandbox: Sandbox) -> None:
    gauge = {"name": "queue", "value": 3, "attributes": {"q": "a"}}
    histogram = {"name": "latency", "value": 9.5, "counts": [1, 2], "bounds": [5.0]}
    others = [gauge | {"value": 4}, gauge | {"at_ms": 1}, gauge | {"name": "other"}, gauge | {"service": "x"}]
    others += [gauge | {"attributes": {"q": "b"}}, gauge | {"scope": "s"}, gauge | {"value": 3.0}]
    body = otlp.metrics([gauge, histogram, *others])
    sandbox.take((Signal.METRICS, body), (Signal.METRICS, body))
    sandbox.take((Signal.METRICS, body))
    assert sandbox.row("select count(*) as n from metric_points") == {"n": 9}
    sums = "select sum(received_count)::int as received, sum(duplicate_count)::int as again from ingest_health"
    assert sandbox.row(sums) == {"received": 27, "again": 18}


def test_points_without_a_time_are_all_kept(sandbox: Sandbox) -> None:
    body = otlp.metrics([{"name": "queue", "value": 3, "at_ms": -otlp.NOON_NS / 1e6}])
    for _ in range(2):
        sandbox.take((Signal.METRICS, body))
    assert sandbox.row("select count(*) as n from metric_points") == {"n": 2}


def test_a_clock_that_jumps_changes_no_number_and_a_resend_is_still_known(sandbox: Sandbox) -> None:
    """Back an hour and forward a day between the batches of one trace."""
    hour_ns = 3_600 * 10**9
    told = [{"trace": 1, "id": number, "parent": number - 1, "service": "shop"} for number in range(1, 4)]
    for jump_ns in (0, -hour_ns, 24 * hour_ns, -hour_ns):
        for number, words in enumerate(told):
            (record,) = otlp.records([(Signal.TRACES, otlp.traces([words]))], number + 1)
            sandbox.ingest.store([record._replace(received_at_ns=record.received_at_ns + jump_ns)])
    row = sandbox.row("select span_count, duration_ms from traces")
    assert row == {"span_count": 3, "duration_ms": 100.0}
    sums = "select sum(stored_count)::int as stored, sum(duplicate_count)::int as again from ingest_health"
    assert sandbox.row(sums) == {"stored": 3, "again": 9}
    assert sandbox.row("select count(*) as n from spans where duration_ms < 0") == {"n": 0}


def test_a_file_of_version_2_is_upgraded(tmp_path: Path) -> None:
    connection = duckdb.connect(str(tmp_path / "old.duckdb"))
    connection.execute("create schema store")
    points = next(file.text for file in catalog.sql_files("tables") if file.name == "metric_points")
    connection.execute(points.replace(",\n    content_hash ubigint", ""))
    connection.execute(
        "create table store.ingest_log (logged_at timestamp not null, service varchar, signal varchar not null, "
        "received_count bigint not null, stored_count bigint not null, duplicate_count bigint not null, "
        "refused_count bigint not null, reason varchar)"
    )
    for second in (1, 2, 61):
        at = datetime(2026, 5, 4) + timedelta(seconds=second)
        connection.execute("insert into store.ingest_log values (?, 'shop', 'traces', 3, 2, 1, 0, null)", [at])
    text = catalog.sql("migrations", "003_exporters_and_metric_hashes")
    for statement in re.sub(r"--.*", "", text).split(";"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(next(view.text for view in catalog.views() if view.name == "ingest_health"))
    assert connection.sql("select count(*), sum(stored_count) from store.ingest_log").fetchone() == (2, 6)
    assert connection.sql("select service, received_count from ingest_health").fetchone() == ("shop", 9)
    fresh = duckdb.connect()
    fresh.execute("create schema store")
    for name in ("ingest_log", "metric_points"):
        fresh.execute(next(file.text for file in catalog.sql_files("tables") if file.name == name))
        described = f"select column_name, column_type from (describe store.{name})"
        assert connection.sql(described).fetchall() == fresh.sql(described).fetchall()
