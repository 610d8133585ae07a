"""What is older than the settings allow goes: whole traces, in small steps, and nothing else."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from spandeck_collector.journal import JournalReader, Position, Record, Signal
from spandeck_collector.settings import Settings
from spandeck_collector.store.database import open_database
from spandeck_collector.store.ingest import Ingest
from spandeck_collector.store.retention import Retention
from spandeck_collector.store.tail import Tail
from spandeck_schema import catalog
from spandeck_schema.retention import KEPT, RULES
from tests.support.waiting import DEADLINE_S, eventually

from .store_fixtures import journal, running_store, trace_request

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
_REQUIRED_COUNTS = """
    select column_name from duckdb_columns()
    where schema_name = 'store' and table_name = 'traces' and not is_nullable and data_type = 'BIGINT'
"""
_OF_TRACES = ("spans", "calls", "traces", "span_events", "span_content", "content_parts")


@pytest.fixture
def ingest(tmp_path: Path) -> Iterator[Ingest]:
    """Of an empty database."""
    with open_database(tmp_path / "spandeck.duckdb", "300MB") as connection:
        yield Ingest(connection, tmp_path / "quarantine")


def take(ingest: Ingest, *ages_days: float, number: int | None = None) -> None:
    """Store a trace an age, received so many days before NOW; with `number` they are spans of that one trace."""
    for age in ages_days:
        own = number if number is not None else round(age * 24)
        body = trace_request([own], **{"gen_ai.prompt": f"tell me about {age}"})
        at = NOW - timedelta(days=age)
        ingest.store([Record(Signal.TRACES, round(at.timestamp() * 1e9), body, Position(1, round(age * 24)))])


def run(ingest: Ingest, *, most_rows: int = 1_000, **settings: Any) -> int:
    """Delete all that is due at NOW; the number of steps."""
    retention = Retention(ingest, Settings(**settings), now=lambda: NOW.replace(tzinfo=None), most_rows=most_rows)
    steps = 1
    while retention.step():
        steps += 1
    return steps


def counts(ingest: Ingest, *tables: str) -> dict[str, int]:
    """Rows by stored table."""
    execute = ingest.connection.execute
    return {table: execute(f"select count(*) from store.{table}").fetchall()[0][0] for table in tables}


def test_every_table_has_a_rule_or_is_kept_on_purpose() -> None:
    with_rule = {rule.table for rule in RULES} | {each.table for rule in RULES for each in rule.followers}
    assert with_rule | set(KEPT) == {table.name for table in catalog.sql_files("tables")}
    assert not with_rule & set(KEPT)


def test_traces_go_with_all_that_is_theirs(ingest: Ingest) -> None:
    take(ingest, 1, 29, 31, 400)
    run(ingest, content_days=0)
    assert counts(ingest, *_OF_TRACES) == {
        "spans": 2,
        "calls": 2,
        "traces": 2,
        "span_events": 0,
        "span_content": 2,
        "content_parts": 4,
    }
    assert ingest.connection.execute("select sum(llm_call_count), count(*) from traces").fetchall() == [(2, 2)]


@pytest.mark.parametrize(("days", "left"), [(7, 1), (30, 2), (0, 4), (365, 3)], ids=str)
def test_texts_go_after_days_of_their_own(ingest: Ingest, days: int, left: int) -> None:
    take(ingest, 1, 29, 31, 400)
    run(ingest, content_days=days, span_days=0)
    assert counts(ingest, "content_parts", "span_content", "spans") == {
        "content_parts": left,
        "span_content": 4,
        "spans": 4,
    }


def test_the_defaults_are_those_of_the_documentation() -> None:
    settings = Settings()
    assert (settings.content_days, settings.span_days, settings.rollup_days, settings.alert_days) == (7, 30, 400, 90)


def test_a_trace_to_which_spans_still_come_stays_whole(ingest: Ingest) -> None:
    for number, age in enumerate((60, 45, 2)):
        span_id = b"\x12\x08" + (1).to_bytes(8, "big")
        body = trace_request([1]).replace(span_id, span_id[:-1] + bytes([number + 1]))
        at = NOW - timedelta(days=age)
        ingest.store([Record(Signal.TRACES, round(at.timestamp() * 1e9), body, Position(1, number))])
    spans_of_traces = "select count(*), sum(span_count) from traces"
    before = ingest.connection.execute(spans_of_traces).fetchall()
    run(ingest)
    assert ingest.connection.execute(spans_of_traces).fetchall() == before
    assert counts(ingest, "spans") == {"spans": 3}


def test_the_last_thousand_alerts_stay_however_old_they_are(ingest: Ingest) -> None:
    fill = """
        insert into store.alerts by name
        select 'rule' as rule, 'info' as severity, 's' as subject, 'm' as message, 'firing' as state,
            cast($now as timestamp) - to_days(cast(range + $age as integer)) as noticed_at, range as alert_key,
            noticed_at as fired_at, noticed_at as pending_at, noticed_at as last_at, 1 as repeat_count,
            'store' as raised_by, false as follows_trace
        from range($count)
    """
    for age, count in ((91, 1_200), (0, 10)):
        ingest.connection.execute(fill, {"now": NOW.replace(tzinfo=None), "age": age, "count": count})
    run(ingest)
    newest = ingest.connection.execute("select count(*), max(fired_at) from alerts").fetchone()
    assert newest == (1_000, NOW.replace(tzinfo=None))
    ingest.connection.execute(fill, {"now": NOW.replace(tzinfo=None), "age": 0, "count": 80})
    for _ in range(20):
        ingest.connection.execute(fill, {"now": NOW.replace(tzinfo=None), "age": 5, "count": 85})
    run(ingest)
    oldest = ingest.connection.execute("select min(fired_at) from alerts").fetchone()
    assert oldest == (NOW.replace(tzinfo=None) - timedelta(days=89),)


def test_logs_metrics_evaluations_and_records_of_ingestion_go_with_the_age_of_spans(ingest: Ingest) -> None:
    at = NOW.replace(tzinfo=None)
    for age in (29, 31):
        then = {"at": at - timedelta(days=age)}
        execute = ingest.connection.execute
        execute("insert into store.log_records by name select $at::timestamp as received_at", then)
        execute("insert into store.metric_points by name select $at::timestamp as received_at", then)
        execute(
            "insert into store.evaluations by name "
            "select 'span' as subject, 'event' as source, $at::timestamp as received_at",
            then,
        )
        execute(
            "insert into store.ingest_log by name "
            "select $at::timestamp as logged_at, logged_at as began_at, 60 as length_s, 'traces' as signal, "
            "1 as received_count, 1 as stored_count, 0 as duplicate_count, 0 as refused_count",
            then,
        )
    run(ingest)
    tables = ("log_records", "metric_points", "evaluations", "ingest_log")
    assert counts(ingest, *tables) == dict.fromkeys(tables, 1)


def insert_old_traces(ingest: Ingest, count: int, oldest_days: int = 4_000, rows_a_trace: int = 2) -> None:
    """Straight into the tables: traces an hour apart, the first of them so many days before NOW."""
    names = {"beginning": NOW.replace(tzinfo=None) - timedelta(days=oldest_days), "count": count}
    made = (
        "$beginning::timestamp + to_hours(range) as {0}, $beginning::timestamp + to_hours(range) as first_received_at,"
        " lpad((range + 1000000)::varchar, 32, '0') as trace_id from range($count)"
    )
    zeros = [row[0] for row in ingest.connection.execute(_REQUIRED_COUNTS).fetchall()]
    required = ", ".join(f"0 as {name}" for name in zeros)
    traces = f"insert into store.traces by name select {required}, 'ok' as status, {made.format('last_received_at')}"
    ingest.connection.execute(traces, names)
    for number in range(rows_a_trace):
        span = f"select {number} as span_id, * exclude (first_received_at) from (select {made.format('received_at')})"
        ingest.connection.execute(f"insert into store.spans by name {span}", names)


def test_a_step_deletes_a_bounded_number_of_traces_and_ingestion_goes_on_between(ingest: Ingest) -> None:
    insert_old_traces(ingest, 50)
    retention = Retention(ingest, Settings(content_days=0), now=lambda: NOW.replace(tzinfo=None), most_rows=20)
    left = []
    while retention.step():
        left.append(counts(ingest, "traces", "spans"))
        take(ingest, 1, number=len(left))
    assert left[:3] == [{"traces": 30, "spans": 60}, {"traces": 11, "spans": 21}, {"traces": 2, "spans": 2}]
    assert counts(ingest, "traces", "spans") == {"traces": len(left), "spans": len(left)}


def test_what_was_deleted_is_not_taken_in_again_from_the_journal(tmp_path: Path) -> None:
    """The journal still has the records; the place up to which it was read is in the database."""
    old = round((datetime.now(UTC) - timedelta(days=40)).timestamp() * 1e9)
    with journal(tmp_path) as writer:
        writer.submit(Signal.TRACES, trace_request(range(1, 101)), old).result(DEADLINE_S)
        writer.submit(Signal.TRACES, trace_request(range(200, 210)), time.time_ns()).result(DEADLINE_S)
        with running_store(tmp_path, span_days=0) as store:
            eventually(lambda: store.rows("select count(*) from spans") == [[110]])
        for _ in range(2):
            with running_store(tmp_path) as store:
                eventually(lambda: store.rows("select count(*) from spans") == [[10]])
                assert list((tmp_path / "journal").glob("*.journal"))


def test_the_tail_deletes_while_it_stores(tmp_path: Path) -> None:
    with journal(tmp_path) as writer, open_database(tmp_path / "spandeck.duckdb", "300MB") as database:
        ingest = Ingest(database, tmp_path / "quarantine")
        insert_old_traces(ingest, 12_000)
        writer.submit(Signal.TRACES, trace_request([1]), time.time_ns()).result(DEADLINE_S)
        tail = Tail(JournalReader(tmp_path / "journal", Position(0, 0)), ingest, Settings(data_dir=tmp_path))
        runner = threading.Thread(target=tail.run, daemon=True)
        runner.start()
        eventually(lambda: _ids(database) == [f"{1:032x}"])
        tail.stop()
        runner.join(DEADLINE_S)
        assert not runner.is_alive()


def _ids(database: duckdb.DuckDBPyConnection) -> list[str]:
    with database.cursor() as cursor:
        return [row[0] for row in cursor.execute("select trace_id from store.spans limit 2").fetchall()]


def test_a_file_from_which_old_rows_go_does_not_grow_for_ever(tmp_path: Path) -> None:
    """As many rows come as go, thirty times; the file stays near the size of what is kept."""
    path = tmp_path / "spandeck.duckdb"
    sizes = []
    with open_database(path, "300MB") as connection:
        ingest = Ingest(connection, tmp_path / "quarantine")
        for number in range(30):
            insert_old_traces(ingest, 5_000, oldest_days=4_000 - number * 209)
            kept = {"until": NOW.replace(tzinfo=None) - timedelta(days=4_000 - number * 209 + 600)}
            for statement in next(rule for rule in RULES if rule.table == "traces").deletes():
                connection.execute(statement, kept)
            ingest.checkpoint(wait_for_queries=True)
            sizes.append(path.stat().st_size)
        assert counts(ingest, "traces")["traces"] < 25_000
    assert max(sizes[15:]) <= 1.5 * max(sizes[5:10])
