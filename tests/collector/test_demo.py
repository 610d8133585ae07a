"""`spandeck demo`: sample traces in a folder of their own."""

from pathlib import Path

import pytest

from tests.support.site import free_ports, spandeck
from tests.support.stack import Stack, running_stack

pytestmark = pytest.mark.integration

DEMO = ("demo", "--no-ui")


def test_the_demo_shows_samples_keeps_them_for_an_hour_and_clears_only_its_own(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    own = tmp_path / "data" / "spandeck.duckdb"
    own.write_bytes(b"what `spandeck up` stored")
    with running_stack(tmp_path, *DEMO) as stack:
        first = _trace_ids(stack)
        assert len(first) > 100
        assert _count(stack, "select count(*) from llm_calls where cost_usd > 0") > 100
        assert _count(stack, "select count(*) from alerts") > 0
        assert _count(stack, "select count(*) from traces where started_at > now()::timestamp") == 0
        assert str(tmp_path / "data" / "demo") in stack.stdout()

        running = spandeck(*DEMO, "--reset", settings=stack.settings.environment() | free_ports(), cwd=tmp_path)
        assert running.returncode == 2
        assert "is in use by another Spandeck" in running.stderr
        assert stack.stop() == 0

        stack.start(*DEMO)
        assert _trace_ids(stack) == first
        assert "--reset" in stack.stderr()
        assert stack.stop() == 0

        note = tmp_path / "data" / "note.txt"
        note.write_text("mine", encoding="utf-8")
        stack.start(*DEMO, "--reset")
        again = _trace_ids(stack)
        assert len(again) == len(first)
        assert not again & first
        assert own.read_bytes() == b"what `spandeck up` stored"
        assert note.exists()


def test_a_folder_that_the_demo_did_not_make_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "projects" / "demo"
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("years of work", encoding="utf-8")
    for arguments in (DEMO, (*DEMO, "--reset")):
        settings = {"SPANDECK_DATA_DIR": str(tmp_path / "projects")} | free_ports()
        result = spandeck(*arguments, settings=settings, cwd=tmp_path)
        assert result.returncode == 2
        assert str(folder) in result.stderr
        assert [path.name for path in folder.iterdir()] == ["thesis.txt"]


def test_a_taken_port_does_not_cost_the_samples(tmp_path: Path) -> None:
    with running_stack(tmp_path, "up", "--no-ui") as other:
        other.until_ready()
        folder = tmp_path / "data" / "demo"
        folder.mkdir()
        (folder / "this-is-sample-data").touch()
        (folder / "spandeck.duckdb").write_bytes(b"samples")
        result = other.run(*DEMO, "--reset")
        assert result.returncode == 2
        assert "is in use: stop the other program" in result.stderr
        assert (folder / "spandeck.duckdb").read_bytes() == b"samples"


def _trace_ids(stack: Stack) -> set[str]:
    return {row[0] for row in stack.until_ready().rows("select trace_id from traces")}


def _count(stack: Stack, sql: str) -> int:
    return int(stack.rows(sql)[0][0])
