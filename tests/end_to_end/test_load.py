"""A minute of a busy site: everything is stored, and soon."""

import time
from pathlib import Path

import pytest

from tests.support.stack import ready_stack
from tests.support.waiting import eventually

from .senders import TRACE_SPANS, sending

pytestmark = pytest.mark.load

_SECONDS = 60.0
_SENDERS, _TRACES = 5, 10
_SPANS_PER_S = 1_000
_MOST_BEHIND_S = 10


def test_a_minute_of_a_thousand_spans_a_second_is_stored_and_never_far_behind(tmp_path: Path) -> None:
    pause_s = _SENDERS * _TRACES * TRACE_SPANS / _SPANS_PER_S
    furthest_behind = 0
    with ready_stack(tmp_path, "up", "--no-ui") as stack:
        deadline = time.monotonic() + _SECONDS
        with sending(stack.settings.http_port, senders=_SENDERS, traces_a_request=_TRACES, pause_s=pause_s) as ledgers:
            while time.monotonic() < deadline:
                acknowledged = sum(len(ledger.span_ids) for ledger in ledgers)
                furthest_behind = max(furthest_behind, acknowledged - stack.span_count())
                time.sleep(0.25)
        acknowledged = sum(len(ledger.span_ids) for ledger in ledgers)
        eventually(lambda: stack.span_count() >= acknowledged, "the last spans")
        assert stack.span_count() == acknowledged
        assert sum(ledger.retry_count for ledger in ledgers) == 0
    assert acknowledged > 0.8 * _SECONDS * _SPANS_PER_S
    assert furthest_behind < _MOST_BEHIND_S * _SPANS_PER_S
