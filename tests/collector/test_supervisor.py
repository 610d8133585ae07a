"""`spandeck up`: what it does when it is stopped, killed, or cannot start."""

import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.site import PORTS, free_ports, spandeck
from tests.support.stack import Stack, running_stack
from tests.support.waiting import eventually
from tests.support.web import export

from .receiver_process import request_bytes

pytestmark = pytest.mark.integration

UP = ("up", "--no-ui")


def refused(tmp_path: Path, *arguments: str, **settings: str) -> str:
    """Run `up` on settings that cannot work; the one sentence on stderr."""
    environment = {"SPANDECK_DATA_DIR": str(tmp_path / "data")} | free_ports() | settings
    result = spandeck(*(arguments or UP), settings=environment, cwd=tmp_path)
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    sentences = [line for line in result.stderr.splitlines() if not line.startswith("Starting")]
    assert len(sentences) == 1, result.stderr
    return sentences[0]


def test_sigterm_ends_all_processes_with_code_0_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    with running_stack(tmp_path, *UP) as stack:
        children = stack.until_ready().children()
        assert set(children) == {"receiver", "store"}
        acknowledged = sum(_export(stack, first) == 200 for first in range(1, 40))
        assert acknowledged == 39
        assert stack.stop() == 0
        assert not any(is_running(child) for child in children.values())
        stack.start(*UP)
        stack.until_ready()
        eventually(lambda: stack.span_count() == acknowledged)


def test_ctrl_c_pressed_twice_ends_as_orderly_as_once(tmp_path: Path) -> None:
    with running_stack(tmp_path, *UP) as stack:
        children = stack.until_ready().children()
        stack.process.send_signal(signal.SIGINT)
        assert stack.stop(signal.SIGINT) == 0
        assert not any(is_running(child) for child in children.values())
        assert "Traceback" not in stack.stderr()


def test_a_signal_while_starting_ends_with_code_0(tmp_path: Path) -> None:
    with running_stack(tmp_path, *UP) as stack:
        eventually(lambda: bool(stack.children()))
        children = stack.children()
        assert stack.stop() == 0
        assert not any(is_running(child) for child in children.values())


def test_the_processes_of_a_killed_supervisor_end_and_the_next_one_waits_for_that(tmp_path: Path) -> None:
    with running_stack(tmp_path, *UP) as stack:
        children = stack.until_ready().children()
        assert _export(stack, 1) == 200
        stack.stop(signal.SIGKILL)
        stack.start(*UP)
        stack.until_ready()
        assert not any(is_running(child) for child in children.values())
        eventually(lambda: stack.span_count() == 1)


def test_a_killed_process_is_started_again_and_the_others_go_on(tmp_path: Path) -> None:
    with running_stack(tmp_path, "up") as stack:
        before = stack.until_ready().children()
        assert set(before) == {"receiver", "store", "dashboard"}
        for name in before:
            _kill(stack, name)
        eventually(lambda: set(stack.children()) == set(before))
        eventually(lambda: _export(stack, 1) == 200)
        eventually(lambda: stack.span_count() == 1)
        eventually(lambda: _answers(stack.settings.ui_port))
        after = stack.children()
        assert not set(after.values()) & set(before.values())
        assert "The store was ended by SIGKILL and is started again." in stack.stderr()


def _kill(stack: Stack, name: str) -> None:
    pid = stack.kill(name)
    eventually(lambda: stack.children().get(name) not in (pid, None))


def _export(stack: Stack, number: int) -> int | None:
    return export(stack.settings.http_port, request_bytes(1, number))


def is_running(process_id: int) -> bool:
    """Whether the process exists and is more than a zombie."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process_id)], capture_output=True, text=True, check=False)
    return bool(state.stdout.strip()) and not state.stdout.strip().startswith("Z")


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("name", PORTS)
def test_a_taken_port_is_named_with_its_setting(tmp_path: Path, name: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        sentence = refused(tmp_path, "up", **{f"SPANDECK_{name}": str(port)})
    assert sentence == (
        f"Port {port} (SPANDECK_{name}) on 127.0.0.1 is in use: "
        f"stop the other program or set SPANDECK_{name} to a free port."
    )
    assert not (tmp_path / "data" / "journal").exists()


def test_a_port_of_the_page_may_be_taken_when_there_is_no_page(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with running_stack(tmp_path, *UP, ui_port=str(other.getsockname()[1])) as stack:
            stack.until_ready()


def test_port_0_is_refused_since_nobody_could_find_it(tmp_path: Path) -> None:
    sentence = refused(tmp_path, SPANDECK_GRPC_PORT="0")
    assert sentence == "SPANDECK_GRPC_PORT is 0: `spandeck up` needs a port from 1 to 65535."


def test_one_data_folder_serves_one_at_a_time(tmp_path: Path) -> None:
    with running_stack(tmp_path, *UP) as stack:
        stack.until_ready()
        sentence = refused(tmp_path)
        assert f"The data folder {tmp_path / 'data'} (SPANDECK_DATA_DIR) is in use" in sentence
        assert f"process {stack.process.pid}" in sentence
        assert _export(stack, 1) == 200


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sentence = refused(tmp_path, SPANDECK_DATA_DIR=str(tmp_path / "file" / "data"))
    assert sentence.startswith(f"The data folder {tmp_path / 'file' / 'data'} (SPANDECK_DATA_DIR) cannot be written: ")


def test_a_bad_setting_is_refused_before_anything_starts(tmp_path: Path) -> None:
    assert refused(tmp_path, SPANDECK_QUERY_PORT="99999").startswith("SPANDECK_QUERY_PORT is 99999: ")
    assert "SPANDECK_INGEST_TOKEN is not set" in refused(tmp_path, *UP, "--host", "0.0.0.0")
    assert not (tmp_path / "data").exists()


def test_a_damaged_database_is_told_in_the_words_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    database = tmp_path / "data" / "spandeck.duckdb"
    database.write_bytes(b"no database" * 2000)
    assert str(database) in refused(tmp_path)
    assert database.read_bytes() == b"no database" * 2000


def test_what_is_written_belongs_to_the_user_alone(tmp_path: Path) -> None:
    with running_stack(tmp_path, *UP) as stack:
        stack.until_ready()
        assert (tmp_path / "data").stat().st_mode & 0o077 == 0
