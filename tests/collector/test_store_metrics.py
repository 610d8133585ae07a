"""`GET /metrics` of the store, read by Prometheus's own parser."""

import time
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from spandeck_collector.journal import Signal
from tests.support.waiting import DEADLINE_S, eventually
from tests.support.web import ask

from .store_fixtures import Store, append, journal, query, running_store, trace_request

pytestmark = pytest.mark.integration

TOKEN = "re4d"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """With 20 spans in the file, 10 old ones that were deleted, and a token."""
    directory = tmp_path_factory.mktemp("metrics")
    with journal(directory) as writer, running_store(directory, read_token=TOKEN, checkpoint_rows=10) as store:
        old_ns = time.time_ns() - 40 * 86_400 * 10**9
        writer.submit(Signal.TRACES, trace_request(range(100, 110)), old_ns).result(DEADLINE_S)
        append(writer, trace_request(range(20)[1:]))
        append(writer, trace_request([20]))
        eventually(lambda: samples(store)["spandeck_store_stored_rows_total"] == 30)
        eventually(lambda: samples(store)["spandeck_store_checkpoint_seconds_count"] > 0)
        assert store.stop() == 0
    with running_store(directory, read_token=TOKEN) as store:
        eventually(lambda: samples(store).get("spandeck_store_deleted_rows_total", 0) > 0)
        yield store


def samples(store: Store) -> dict[str, float]:
    """The values now, by name, and `{label}` where there is one."""
    status, headers, body = ask(store.port, "/metrics", headers=HEADERS, method="GET")
    assert (status, headers["Content-Type"].partition(";")[0]) == (200, "text/plain")
    return {
        sample.name + "".join(f"{{{value}}}" for name, value in sample.labels.items() if name != "le"): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def test_rows_and_bytes_are_those_of_the_view(store: Store) -> None:
    now = samples(store)
    assert now["spandeck_store_rows{spans}"] == now["spandeck_store_rows{traces}"] == 20
    assert now["spandeck_store_deleted_rows_total"] >= 30
    assert now["spandeck_store_database_bytes"] > 100_000
    assert now["spandeck_store_database_bytes"] == _view(store, "database_bytes")
    assert now["spandeck_store_free_bytes"] == _view(store, "free_bytes")
    assert now["spandeck_store_disk_free_bytes"] > 0
    assert now["spandeck_store_lag_seconds"] == 0
    assert now["process_resident_memory_bytes"] > 0


def _view(store: Store, column: str) -> float:
    answer = query(store.port, f"select {column} from storage_health", headers=HEADERS)
    return float(answer.body.partition(b'"rows": [[')[2].rstrip(b"]}"))


def test_batches_and_queries_are_timed(store: Store) -> None:
    with journal(store.directory) as writer:
        append(writer, trace_request([21]))
        eventually(lambda: samples(store)["spandeck_store_batch_seconds_count"] == 1)
    before = samples(store)
    for sql in ("select 1", "select 2", "drop view spans"):
        query(store.port, sql, headers=HEADERS)
    after = samples(store)
    assert before["spandeck_store_freshness_seconds_count"] == 1
    for status, count in (("200", 2), ("403", 1)):
        name = f"spandeck_store_query_seconds_count{{{status}}}"
        assert after[name] - before.get(name, 0) == count


def test_metrics_need_the_token_and_hold_no_path(store: Store) -> None:
    assert ask(store.port, "/metrics", method="GET").status == 401
    assert str(store.directory) not in ask(store.port, "/metrics", headers=HEADERS, method="GET").body.decode()
