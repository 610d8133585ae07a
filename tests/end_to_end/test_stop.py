"""SIGTERM under load: nothing acknowledged is lost, the exit code is 0, and it takes less than ten seconds."""

import signal
import threading
from pathlib import Path

import pytest

from tests.support.stack import Stack, ready_stack
from tests.support.waiting import eventually
from tests.support.web import export

from .senders import request_and_ids

pytestmark = pytest.mark.integration
_STOPPED_WITHIN_S = 10.0


def _send_until_gone(port: int, sender: int, acknowledged: list[str], statuses: set[int | None]) -> None:
    first = 1
    while True:
        body, span_ids = request_and_ids(sender, first, 6)
        status = export(port, body)
        statuses.add(status)
        if status is None:
            return
        if status == 200:
            acknowledged += span_ids
        first += 6


def _stop_under_load(folder: Path) -> None:
    acknowledged: list[str] = []
    statuses: set[int | None] = set()
    with ready_stack(folder, "up", "--no-ui") as stack:
        arguments = (acknowledged, statuses)
        threads = [
            threading.Thread(target=_send_until_gone, args=(stack.settings.http_port, sender, *arguments))
            for sender in range(1, 5)
        ]
        for thread in threads:
            thread.start()
        eventually(lambda: stack.span_count() > 0)
        stack.process.send_signal(signal.SIGTERM)
        assert stack.process.wait(_STOPPED_WITHIN_S) == 0
        for thread in threads:
            thread.join()
        assert statuses <= {200, 503, None}
        _expect_kept(stack, acknowledged)


def _expect_kept(stack: Stack, acknowledged: list[str]) -> None:
    stack.start("up", "--no-ui")
    stack.until_ready()
    eventually(lambda: stack.span_count() >= len(acknowledged), stack.stderr)
    stored = [row[0] for row in stack.rows("select span_id from spans")]
    assert set(acknowledged) <= set(stored)
    assert len(stored) == len(set(stored))


def test_a_stop_under_load_loses_nothing_acknowledged(tmp_path: Path) -> None:
    _stop_under_load(tmp_path)


@pytest.mark.chaos
@pytest.mark.parametrize("_", range(20))
def test_twenty_stops_under_load_lose_nothing_acknowledged(tmp_path: Path, _: int) -> None:
    _stop_under_load(tmp_path)
