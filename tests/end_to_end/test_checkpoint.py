"""Queries that never pause neither end the store nor keep it from writing its file and freeing the journal."""

import threading
from pathlib import Path

import pytest

from tests.support.stack import Stack, ready_stack
from tests.support.waiting import eventually

from .senders import sending

pytestmark = pytest.mark.integration

_SLOW = "select count(distinct a.span_id || b.span_id) as n from spans as a, spans as b where a.trace_id < b.trace_id"


def test_store_checkpoints_and_lives_while_queries_run_without_a_pause(tmp_path: Path) -> None:
    with ready_stack(tmp_path, "up", "--no-ui", journal_segment_bytes=1 << 20, checkpoint_rows=300) as stack:
        process_id = stack.children()["store"]
        stop = threading.Event()
        askers = [threading.Thread(target=_ask_until, args=(stack, stop)) for _ in range(2)]
        with sending(stack.settings.http_port, senders=2, traces_a_request=6, pause_s=0.1):
            for asker in askers:
                asker.start()
            eventually(lambda: len(_segments(stack)) >= 3, "a few journal segments")
        oldest = _segments(stack)[0]
        try:
            eventually(lambda: oldest not in _segments(stack), "the journal's oldest segment to be freed")
        finally:
            stop.set()
            for asker in askers:
                asker.join()
        assert stack.children()["store"] == process_id


def _ask_until(stack: Stack, stop: threading.Event) -> None:
    while not stop.is_set():
        stack.rows(_SLOW)


def _segments(stack: Stack) -> list[str]:
    return sorted(path.name for path in stack.settings.journal_dir.glob("*.journal"))
