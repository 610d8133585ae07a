"""The data folder is this user's alone, and one that its last owner left is taken over."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from spandeck_collector.cli.serve import _print_addresses
from spandeck_collector.data_folder import LOCK_FILE, DataFolder
from spandeck_collector.settings import Settings
from spandeck_collector.supervisor import last_sentence

pytestmark = pytest.mark.unit

_HOLD_A_MOMENT = "import fcntl, sys, time; fcntl.flock(int(sys.argv[1]), 2); print(flush=True); time.sleep(0.5)"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(("before", "after"), [(0o755, 0o700), (0o770, 0o700), (0o700, 0o700), (0o1777, 0o1777)])
def test_a_folder_that_others_can_read_is_closed_unless_it_is_there_for_all(
    tmp_path: Path, before: int, after: int
) -> None:
    path = tmp_path / "data"
    path.mkdir()
    path.chmod(before)
    folder = DataFolder(path)
    folder.claim()
    folder.release()
    assert mode(path) == after


def test_what_the_receiver_writes_is_for_its_user_alone(receiver: Any) -> None:
    assert receiver.post(b"").status == 200
    files = [path for path in (receiver.directory / "journal").rglob("*") if path.is_file()]
    assert files
    assert {mode(path) & 0o077 for path in files} == {0}


def test_a_folder_whose_owner_is_a_zombie_is_waited_for(tmp_path: Path) -> None:
    """The supervisor is dead but not reaped, and its last child ends a moment later."""
    zombie = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.DEVNULL)
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    (tmp_path / LOCK_FILE).write_text(str(zombie.pid))
    with (tmp_path / LOCK_FILE).open("r+b") as lock:
        holder = subprocess.Popen(
            [sys.executable, "-c", _HOLD_A_MOMENT, str(lock.fileno())],
            pass_fds=[lock.fileno()],
            stdout=subprocess.PIPE,
        )
    assert holder.stdout
    holder.stdout.readline()
    folder = DataFolder(tmp_path)
    folder.claim()
    folder.release()
    holder.stdout.close()
    assert (holder.wait(), zombie.wait()) == (0, 0)


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        ("", None),
        ("\n \n", None),
        ("one\ntwo\n\n", "two"),
        (
            'x\nTraceback (most recent call last):\n  File "a"\n    b\nErr: No room\n\nSee also https://x\n',
            "Err: No room",
        ),
        ("Traceback (most recent call last):\n  cut", "  cut"),
    ],
    ids=["empty", "blank", "lines", "traceback", "cut traceback"],
)
def test_a_log_is_told_by_its_sentence_and_not_by_a_link(log: str, sentence: str | None) -> None:
    assert last_sentence(log) == sentence


@pytest.mark.parametrize(("hosts", "told"), [((), "(now: none)"), (("box", "deck"), "(now: box, deck)")])
def test_off_loopback_it_is_said_which_names_are_answered(
    capsys: pytest.CaptureFixture[str], hosts: tuple[str, ...], told: str
) -> None:
    _print_addresses(Settings(host="0.0.0.0", allowed_hosts=hosts), with_page=True)
    assert f"only if SPANDECK_ALLOWED_HOSTS names them {told}." in capsys.readouterr().err
    _print_addresses(Settings(), with_page=True)
    assert capsys.readouterr().err == ""
