"""Faults at chosen points of the receiver's own process: between disk and answer, a slow disk, a dying thread."""

import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.support.waiting import DEADLINE_S, eventually
from tests.support.web import Answer, export, post

from .receiver_process import Receiver, request_bytes, running
from .store_fixtures import running_store, trace_request

pytestmark = pytest.mark.integration
_KILLED_AFTER_SYNC = "os.kill(os.getpid(), 9)"
_SLOW_SYNC = "import time; time.sleep(2)"
_THREAD_ENDS_ONCE = "if not faults: faults.append(1); raise SystemExit"


class FaultyReceiver(Receiver):
    """A receiver whose system call `fdatasync` is followed by `fault`."""

    def __init__(self, directory: Path, fault: str, **settings: str | int) -> None:
        code = (
            "import os, sys\n"
            "faults = []\n"
            "sync = os.fdatasync\n"
            "def faulty(file):\n"
            "    sync(file)\n"
            f"    {fault}\n"
            "os.fdatasync = faulty\n"
            "from spandeck_collector.receiver.__main__ import main\n"
            "sys.exit(main())\n"
        )
        self.command = (sys.executable, "-c", code)
        super().__init__(directory, **settings)


def test_a_kill_between_disk_and_answer_gives_no_second_row_when_it_is_sent_again(tmp_path: Path) -> None:
    body = trace_request(range(1, 6))
    faulty = FaultyReceiver(tmp_path, _KILLED_AFTER_SYNC)
    assert export(faulty.http_port, body) is None
    assert faulty.wait() == -9
    with running(tmp_path) as receiver:
        assert len(receiver.records()) == 1
        assert receiver.post(body).status == 200
        with running_store(tmp_path) as store:
            eventually(lambda: store.rows("select sum(received_count)::int from ingest_health") == [[10]])
            assert store.rows("select count(*) from spans") == [[5]]
            assert store.rows("select sum(duplicate_count)::int from ingest_health") == [[5]]


def test_an_error_that_ends_threads_fails_its_request_and_the_next_is_taken(tmp_path: Path) -> None:
    receiver = FaultyReceiver(tmp_path, _THREAD_ENDS_ONCE)
    try:
        answer = receiver.post(request_bytes())
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert receiver.post(request_bytes(first=2)).status == 200
        assert receiver.ask("GET", "/readyz").status == 200
    finally:
        receiver.stop()


@pytest.mark.chaos
def test_a_slow_disk_answers_late_or_503_and_the_memory_is_bounded(tmp_path: Path) -> None:
    """Sixteen requests of 16 MiB, more than may be under way at once, on a disk that takes two seconds a write."""
    receiver = FaultyReceiver(tmp_path, _SLOW_SYNC)
    body = request_bytes(name="x" * (16 << 20))
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(post(receiver.http_port, body))) for _ in range(16)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE_S)
        statuses = Counter(answer.status for answer in answers)
        assert set(statuses) <= {200, 503}
        assert statuses[200] > 0
        assert sum(statuses.values()) == 16
        assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers if answer.status == 503)
        assert len(receiver.spans()) == statuses[200]
        assert _peak_bytes(receiver.process.pid) < 700 << 20
    finally:
        receiver.stop()


def _peak_bytes(process_id: int) -> int:
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))
