"""A disk that takes no more: nothing acknowledged is lost, and storing goes on by itself when there is room."""

import resource
from pathlib import Path

import pytest

from tests.collector.store_fixtures import Store, append, journal, running_store, trace_request
from tests.support.stack import Stack, ready_stack
from tests.support.waiting import DEADLINE_S, eventually
from tests.support.web import is_ready

from .senders import sending

pytestmark = pytest.mark.integration


def test_below_the_floor_of_free_space_the_journal_keeps_what_comes(tmp_path: Path) -> None:
    with journal(tmp_path) as writer:
        append(writer, trace_request(range(1, 11)))
        with running_store(tmp_path, free_space_floor_bytes=0) as store:
            eventually(lambda: store.rows("select count(*) from spans") == [[10]])
            assert store.stop() == 0
        append(writer, trace_request(range(11, 21)))
        full = Store(tmp_path, free_space_floor_bytes=1 << 60)
        try:
            eventually(lambda: "SPANDECK_FREE_SPACE_FLOOR_BYTES" in full.log())
            eventually(lambda: is_ready(full.port, "/healthz"))
            assert not is_ready(full.port)
            assert full.rows("select count(*) from spans") == [[10]]
            assert full.stop() == 0
        finally:
            full.kill()
        with running_store(tmp_path) as store:
            eventually(lambda: store.rows("select count(*) from spans") == [[20]])


def test_a_write_that_fails_is_done_when_it_can_be_and_everything_is_there(tmp_path: Path) -> None:
    """The system refuses to make the files of the store longer, as a full disk does, and then allows it again."""
    with ready_stack(tmp_path, "up", "--no-ui", checkpoint_rows=500) as stack:
        port = stack.settings.query_port
        with sending(stack.settings.http_port, senders=2, traces_a_request=6, pause_s=0.05) as ledgers:
            for _ in range(2):
                _wait_for_more(stack)
                process_id = stack.children()["store"]
                resource.prlimit(process_id, resource.RLIMIT_FSIZE, (4_096, resource.RLIM_INFINITY))
                eventually(lambda: not is_ready(port), "a store that waits, or begins anew")
                if stack.children().get("store") == process_id:
                    resource.prlimit(process_id, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
                eventually(lambda: is_ready(port), stack.stderr)
        span_ids = sorted(span_id for ledger in ledgers for span_id in ledger.span_ids)
        eventually(lambda: stack.span_count() >= len(span_ids), "all acknowledged spans")
        assert [row[0] for row in stack.rows("select span_id from spans order by span_id limit 100000")] == span_ids
        assert stack.process.poll() is None
        assert stack.stop() == 0


def _wait_for_more(stack: Stack) -> None:
    before = stack.span_count()
    eventually(lambda: stack.span_count() > before, f"more spans within {DEADLINE_S:g} s")
