"""A disk without space: what is not on disk is not acknowledged, questions are answered, and it goes on by itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.disks import Filler, make_read_only, small_disk
from tests.support.stack import ready_stack, running_stack
from tests.support.waiting import DEADLINE_S, eventually
from tests.support.web import post

from .senders import one_request, sending

pytestmark = pytest.mark.integration
_SMALL = {"journal_segment_bytes": 1 << 20, "journal_limit_bytes": 16 << 20}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 128) as path:
        yield path


@pytest.mark.parametrize("floor_bytes", [32 << 20, 64 << 10], ids=["floor", "last byte"])
def test_a_full_disk_gives_503_and_recovers_without_a_restart(disk: Path, floor_bytes: int) -> None:
    filler = Filler(disk)
    with ready_stack(disk, "up", "--no-ui", free_space_floor_bytes=floor_bytes, **_SMALL) as stack:
        port = stack.settings.http_port
        processes = stack.children()
        with sending(port, senders=2, traces_a_request=6, pause_s=0.02) as ledgers:
            eventually(lambda: stack.span_count() > 0)
            filler.fill()
            eventually(lambda: post(port, one_request(9, 1)).status == 503)
            answer = post(port, one_request(9, 1))
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert stack.span_count() > 0
            filler.free()
            count = sum(len(ledger.span_ids) for ledger in ledgers)
            eventually(lambda: sum(len(ledger.span_ids) for ledger in ledgers) > count + 100)
        assert sum(ledger.retry_count for ledger in ledgers) > 0
        acknowledged = sorted(span_id for ledger in ledgers for span_id in ledger.span_ids)
        eventually(lambda: stack.span_count() >= len(acknowledged), stack.stderr)
        sql = "select span_id from spans where service like 'sender-%' and service <> 'sender-9' order by 1"
        assert [row[0] for row in stack.rows(sql)] == acknowledged
        assert stack.children() == processes
        assert not (stack.settings.data_dir / "quarantine").exists()


def test_a_journal_on_a_full_disk_of_its_own_leaves_the_store_alone(tmp_path: Path) -> None:
    journal = tmp_path / "data" / "journal"
    with (
        small_disk(journal, 24),
        ready_stack(tmp_path, "up", "--no-ui", free_space_floor_bytes=1 << 20, **_SMALL) as stack,
    ):
        port = stack.settings.http_port
        assert post(port, one_request(1, 1)).status == 200
        filler = Filler(journal)
        filler.fill()
        eventually(lambda: post(port, one_request(2, 1)).status == 503)
        eventually(lambda: stack.span_count() >= 1)
        filler.free()
        eventually(lambda: post(port, one_request(3, 1)).status == 200)


def test_a_read_only_data_folder_is_told_at_the_start(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data", 8) as data:
        make_read_only(data)
        with running_stack(tmp_path, "up", "--no-ui") as stack:
            assert stack.process.wait(DEADLINE_S) == 2
            assert "SPANDECK_DATA_DIR" in stack.stderr()


def test_questions_are_answered_after_a_start_on_a_full_disk(disk: Path) -> None:
    """Also when what a crash left in the database's log cannot be moved into the file."""
    with ready_stack(disk, "up", "--no-ui", free_space_floor_bytes=1 << 20, **_SMALL) as stack:
        assert post(stack.settings.http_port, one_request(1, 1, traces=50)).status == 200
        eventually(lambda: stack.span_count() > 0)
        count = stack.span_count()
        filler = Filler(disk)
        filler.fill()
        stack.kill("store")
        assert stack.span_count() == count
        filler.free()
        eventually(lambda: post(stack.settings.http_port, one_request(2, 1)).status == 200)
        eventually(lambda: stack.span_count() > count)
