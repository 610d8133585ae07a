"""No query holds the store for long: deadline, caps, turns, and what happens to one that heeds nothing."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from spandeck_collector.store.query_runner import EXIT_STUCK_QUERY
from tests.support.waiting import DEADLINE_S, eventually
from tests.support.web import JSON

from .store_fixtures import (
    ARROW,
    Store,
    append,
    journal,
    query,
    running_store,
    trace_request,
)

pytestmark = pytest.mark.integration

ENDLESS = "select count(*) from range(10000000000) a, range(1000) b"
STUCK = "select levenshtein(repeat('a', 400000), repeat('b', 400000))"
ROW_CAP, BYTE_CAP = 5_000, 200_000


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with small limits: 0.5 s, 5,000 rows, 200,000 bytes, two queries at once."""
    directory = tmp_path_factory.mktemp("limits")
    with running_store(
        directory,
        query_timeout_s=0.5,
        query_max_rows=ROW_CAP,
        query_max_bytes=BYTE_CAP,
        query_concurrency=2,
        memory_limit="400MB",
    ) as store:
        yield store


@pytest.mark.parametrize("accept", [JSON, ARROW])
@pytest.mark.parametrize(
    "sql",
    [
        ENDLESS,
        "with recursive r as (select 1 as x union all select x + 1 from r) select count(*) from r",
        "select a.range from range(1000000000) a where sqrt(a.range) < 0",
        "select r, len(list_filter(range(20000), lambda x: x % (r + 2) = 0)) from range(4900) t(r)",
        f"explain analyze {ENDLESS}",
    ],
    ids=["join", "recursion", "filter", "slow rows", "explain"],
)
def test_past_its_deadline_a_query_is_408(sql: str, accept: str, store: Store) -> None:
    status, headers, body = query(store.port, sql, accept=accept)
    assert (status, headers["Content-Type"]) == (408, JSON)
    assert "SPANDECK_QUERY_TIMEOUT_S" in json.loads(body)["error"]
    assert store.process.poll() is None


@pytest.mark.parametrize("accept", [JSON, ARROW])
@pytest.mark.parametrize(
    ("sql", "setting"),
    [
        (f"select * from range({ROW_CAP + 1})", "SPANDECK_QUERY_MAX_ROWS"),
        ("select * from range(100000000000)", "SPANDECK_QUERY_MAX_ROWS"),
        (f"select repeat('x', {BYTE_CAP + 1})", "SPANDECK_QUERY_MAX_BYTES"),
        ("select repeat('é', 1000) from range(199)", "SPANDECK_QUERY_MAX_BYTES"),
    ],
)
def test_a_result_over_a_cap_is_413_and_not_cut(sql: str, setting: str, accept: str, store: Store) -> None:
    status, _, body = query(store.port, sql, accept=accept)
    assert status == 413
    assert setting in json.loads(body)["error"]


@pytest.mark.parametrize("accept", [JSON, ARROW])
def test_a_result_at_the_cap_is_whole(accept: str, store: Store) -> None:
    assert query(store.port, f"select * from range({ROW_CAP})", accept=accept)[0] == 200


@pytest.mark.parametrize("accept", [JSON, ARROW])
def test_an_error_in_the_middle_of_a_result_is_an_error(accept: str, store: Store) -> None:
    sql = "select case when range = 4500 then error('late') else range end as x from range(4900)"
    status, _, body = query(store.port, sql, accept=accept)
    assert (status, "late" in json.loads(body)["error"]) == (400, True)


@pytest.mark.parametrize(
    "sql", ["select array_agg(range) from range(1000000000)", "select list(md5(range::varchar)) from range(90000000)"]
)
def test_too_much_memory_is_an_error_or_the_deadline(sql: str, store: Store) -> None:
    assert store.refusal(sql)[0] in {400, 408}
    assert store.process.poll() is None


def test_with_all_turns_taken_a_query_is_429(tmp_path: Path) -> None:
    with running_store(tmp_path, query_concurrency=1, query_timeout_s=4) as store, ThreadPoolExecutor() as pool:
        long = pool.submit(query, store.port, ENDLESS)
        eventually(lambda: _turned_away(store.port))
        assert long.result()[0] == 408
        assert store.rows("select 1") == [[1]]


def _turned_away(port: int) -> bool:
    status, _, body = query(port, "select 1")
    return status == 429 and "SPANDECK_QUERY_CONCURRENCY" in json.loads(body)["error"]


def test_a_closed_socket_cancels_its_query(tmp_path: Path) -> None:
    """The next query gets the only turn long before the deadline of the first."""
    with running_store(tmp_path, query_concurrency=1, query_timeout_s=300) as store:
        body = json.dumps({"sql": ENDLESS}).encode()
        head = f"POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\nContent-Length: {len(body)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", store.port)) as asker:
            asker.sendall(head.encode() + body)
            eventually(lambda: _turned_away(store.port))
        eventually(lambda: query(store.port, "select 1")[0] == 200)
        assert store.process.poll() is None
        assert "Traceback" not in store.log()


def test_a_query_that_heeds_nothing_ends_the_store_which_comes_back_with_everything(tmp_path: Path) -> None:
    """Some functions, on long texts, do not look at the interrupt; what was acknowledged is there after."""
    with journal(tmp_path) as writer:
        append(writer, trace_request(range(1, 101)))
        with running_store(tmp_path, query_timeout_s=0.2) as store:
            eventually(lambda: store.rows("select count(*) from spans") == [[100]])
            status, headers, body = query(store.port, STUCK)
            assert (status, headers["Content-Type"]) == (408, JSON)
            assert "SPANDECK_QUERY_TIMEOUT_S" in json.loads(body)["error"]
            append(writer, trace_request(range(101, 201)))
            assert store.process.wait(DEADLINE_S) == EXIT_STUCK_QUERY
            assert "The store ends to be started again" in store.log()
        with running_store(tmp_path) as store:
            eventually(lambda: store.rows("select count(*), count(distinct trace_id) from spans") == [[200, 200]])


def test_a_query_that_takes_uncounted_memory_ends_the_store_and_is_told(tmp_path: Path) -> None:
    """DuckDB's memory limit does not see this allocation; the machine would pay for it."""
    with running_store(tmp_path, query_timeout_s=30, memory_limit="128MB") as store:
        status, _, body = query(store.port, "select len(list(r)) from (select unnest(range(300000000)) as r)")
        assert (status, "ask for less at once" in json.loads(body)["error"]) == (413, True)
        assert store.process.wait(DEADLINE_S) == EXIT_STUCK_QUERY


def test_ingestion_goes_on_beside_a_long_query(tmp_path: Path) -> None:
    """Also where a checkpoint is wanted after every batch, which a running query hinders."""
    with journal(tmp_path) as writer, running_store(tmp_path, query_timeout_s=20, checkpoint_rows=1) as store:
        with ThreadPoolExecutor() as pool:
            long = pool.submit(query, store.port, ENDLESS)
            for count in range(1, 6):
                append(writer, trace_request([count]))
                eventually(partial(_has_spans, store, count))
            assert not long.done()
            store.kill()
            assert isinstance(long.exception(), OSError)
        assert "Traceback" not in store.log()


def _has_spans(store: Store, count: int) -> bool:
    return store.rows("select count(*) from spans") == [[count]]
