"""Upgrading a database file: a backup, all or nothing, whatever happens in between."""

import logging
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from spandeck_collector.settings import Settings
from spandeck_collector.store.database import DatabaseError, open_database
from spandeck_collector.store.upgrade import UpgradeError, copy_path, upgrade
from spandeck_collector.supervisor import StartError, Supervisor
from spandeck_schema import catalog
from tests.schema.old_files import OLD_VERSION, old_file
from tests.support.site import free_ports
from tests.support.waiting import DEADLINE_S

from .store_fixtures import running_store

pytestmark = pytest.mark.integration

_MEMORY = "300MB"
_ROWS = 20_000
_COUNTS = "select (select count(*) from store.spans), (select count(*) from store.calls)"
_OPEN = "import sys; from pathlib import Path; from spandeck_collector.store.database import open_database; "
_OPEN += "open_database(Path(sys.argv[1]), '300MB').close()"
_STEPS = (
    catalog.Migration(3, "alter table store.spans add column first_new bigint; update store.spans set first_new = 1;"),
    catalog.Migration(4, "alter table store.spans alter column first_new set not null; select 1 / 0 as x"),
    catalog.Migration(5, "alter table store.spans drop column name; selec 1"),
)


def _plain(path: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(path))


def _content(path: Path) -> tuple[int, int, int]:
    """Version, number of spans and number of calls."""
    with duckdb.connect(str(path), read_only=True) as connection:
        ((version,),) = connection.execute("select schema_version from store.about").fetchall()
        ((spans, calls),) = connection.execute(_COUNTS).fetchall()
    return version, spans, calls


def test_the_file_as_it_was_is_kept_as_a_backup(tmp_path: Path) -> None:
    path = old_file(tmp_path / "spandeck.duckdb")
    path.chmod(0o644)
    before = path.read_bytes()
    open_database(path, _MEMORY).close()
    (backup,) = (tmp_path / "backup").iterdir()
    assert backup.stat().st_mode & 0o777 == 0o600
    assert backup.name.startswith(f"spandeck-version-{OLD_VERSION}-")
    assert backup.read_bytes() == before
    assert _content(path) == (catalog.SCHEMA_VERSION, 5, 5)
    assert not copy_path(path).exists()


def test_a_new_file_and_one_of_the_present_version_need_no_backup(tmp_path: Path) -> None:
    for _ in range(2):
        open_database(tmp_path / "spandeck.duckdb", _MEMORY).close()
    assert not (tmp_path / "backup").exists()


def test_what_a_crash_left_in_the_log_is_upgraded_too(tmp_path: Path) -> None:
    path = old_file(tmp_path / "spandeck.duckdb")
    crash = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]); "
        'c.execute("insert into store.calls by name (from store.calls)"); os._exit(9)'
    )
    subprocess.run([sys.executable, "-c", crash, str(path)], check=False, timeout=DEADLINE_S)
    assert path.with_name(path.name + ".wal").stat().st_size > 0
    open_database(path, _MEMORY).close()
    assert _content(path) == (catalog.SCHEMA_VERSION, 5, 10)


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = old_file(tmp_path / "spandeck.duckdb")
    before = path.read_bytes()
    with pytest.raises(UpgradeError, match=f"could not be upgraded from version {OLD_VERSION} and is as it was"):
        upgrade(path, OLD_VERSION, _plain, _STEPS)
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.iterdir()) == ["spandeck.duckdb"]


def test_steps_run_in_order_and_only_those_above_the_version(tmp_path: Path) -> None:
    path = old_file(tmp_path / "spandeck.duckdb")
    upgrade(path, OLD_VERSION, _plain, (catalog.Migration(2, "boom"), *_STEPS[:1]))
    assert _content(path) == (3, 5, 5)
    with _plain(path) as connection:
        assert connection.execute("select sum(first_new) from store.spans").fetchone() == (5,)


def test_what_an_upgrade_that_was_killed_left_is_overwritten(tmp_path: Path) -> None:
    path = old_file(tmp_path / "spandeck.duckdb")
    copy_path(path).write_bytes(b"half of a file")
    copy_path(path).with_name("spandeck.upgrading.wal").write_bytes(b"half of a log")
    open_database(path, _MEMORY).close()
    assert _content(path) == (catalog.SCHEMA_VERSION, 5, 5)


def test_a_store_starts_on_an_older_file_and_says_what_it_did(tmp_path: Path) -> None:
    old_file(tmp_path / "spandeck.duckdb")
    with running_store(tmp_path) as store:
        assert store.rows("select schema_version from about") == [[catalog.SCHEMA_VERSION]]
        assert store.rows("select count(*) from spans") == [[5]]
        assert f"from version {OLD_VERSION} to {catalog.SCHEMA_VERSION}" in store.log()


def test_a_supervisor_waits_for_an_upgrade_however_long_it_takes(tmp_path: Path) -> None:
    environment = free_ports() | {"SPANDECK_DATA_DIR": str(tmp_path / "data")}
    settings = Settings.from_environment(environment, tmp_path)
    for is_upgrading in (False, True):
        supervisor = Supervisor(settings, with_dashboard=False)
        try:
            supervisor.claim()
            if is_upgrading:
                settings.database_copy.touch()
                supervisor.start(timeout_s=0)
            else:
                with pytest.raises(StartError, match="Not ready after 0 s"):
                    supervisor.start(timeout_s=0)
        finally:
            supervisor.stop()


def test_too_small_a_disk_is_a_sentence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file with a hole in it, larger than any disk's free space."""
    path = old_file(tmp_path / "spandeck.duckdb")
    os.truncate(path, 1 << 43)
    with caplog.at_level(logging.INFO), pytest.raises((DatabaseError, UpgradeError), match="make room"):
        upgrade(path, OLD_VERSION, _plain)
    assert not copy_path(path).exists()


def test_killed_at_any_moment_the_file_is_the_old_or_the_new_one(tmp_path: Path) -> None:
    _kill_while_upgrading(tmp_path, times=10)


@pytest.mark.chaos
def test_killed_at_any_of_many_moments_the_file_is_the_old_or_the_new_one(tmp_path: Path) -> None:
    _kill_while_upgrading(tmp_path, times=45)


def _kill_while_upgrading(folder: Path, times: int) -> None:
    dice = random.Random(5)
    template = old_file(folder / "template.duckdb", _ROWS)
    began_count = 0
    for number in range(times):
        path = folder / f"{number}.duckdb"
        path.write_bytes(template.read_bytes())
        began_count += _kill_one(path, dice.random() * 0.3)
        assert _content(path) in {(OLD_VERSION, _ROWS, _ROWS), (catalog.SCHEMA_VERSION, _ROWS, _ROWS)}
        open_database(path, _MEMORY).close()
        assert _content(path) == (catalog.SCHEMA_VERSION, _ROWS, _ROWS)
        assert not copy_path(path).exists()
        path.unlink()
    assert began_count > times // 2


def _kill_one(path: Path, after_s: float) -> bool:
    """Kill a process that opens the file so long after its upgrade began; whether it had begun."""
    process = subprocess.Popen([sys.executable, "-c", _OPEN, str(path)])
    deadline = time.monotonic() + DEADLINE_S
    while not copy_path(path).exists() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    began = process.poll() is None
    time.sleep(after_s)
    process.kill()
    process.wait(DEADLINE_S)
    return began
