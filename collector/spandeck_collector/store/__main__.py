"""`python -m spandeck_collector.store`: the process that owns the database."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from spandeck_collector.data_folder import keep_files_private
from spandeck_collector.free_space import FreeSpace
from spandeck_collector.journal import JournalReader
from spandeck_collector.setting_values import SettingsError
from spandeck_collector.settings import Settings
from spandeck_collector.store.budget_file import BudgetFileError, parse_budgets
from spandeck_collector.store.database import EXIT_FATAL_DATABASE, DatabaseError, lock, open_database
from spandeck_collector.store.history import tell_if_outdated
from spandeck_collector.store.ingest import Ingest
from spandeck_collector.store.metrics import Metrics
from spandeck_collector.store.own_files import OwnFiles, read_own
from spandeck_collector.store.price_file import PriceFileError
from spandeck_collector.store.prices import load_prices
from spandeck_collector.store.query_runner import QueryRunner
from spandeck_collector.store.query_service import QueryServer
from spandeck_collector.store.tail import Tail


def main() -> int:
    """Run until SIGTERM or, under a supervisor, until stdin ends; 2 when it cannot start."""
    keep_files_private()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s store %(levelname)s %(message)s")
    try:
        return _run(Settings.from_environment())
    except (SettingsError, DatabaseError) as error:
        print(error, file=sys.stderr)
        return 2


def _run(settings: Settings) -> int:
    space = FreeSpace(settings.data_dir, settings.free_space_floor_bytes // 2)
    connection = open_database(settings.database, settings.memory_limit, is_disk_full=space.is_short())
    own_files = OwnFiles.of(settings)
    with _own_file(own_files.prices):
        load_prices(connection, read_own(own_files.prices))
    with _own_file(own_files.budgets):
        budgets = parse_budgets(read_own(own_files.budgets))
    tell_if_outdated(connection)
    quarantine = settings.data_dir / "quarantine"
    ingest = Ingest(connection, quarantine, settings.content_bytes, redact=settings.redact, own_files=own_files)
    with ingest.transaction():
        ingest.use_budgets(budgets, settings.time_zone)
    lock(connection, settings.data_dir)
    metrics = Metrics()
    tail = Tail(JournalReader(settings.journal_dir, ingest.position()), ingest, settings, metrics)
    metrics.watch(connection, settings.data_dir, tail.lag_s)
    try:
        runner = QueryRunner(connection, settings)
        server = QueryServer(
            settings, runner, tail.commands, tail.is_ready, metrics, check_budgets=ingest.check_budgets
        )
    except OSError as error:
        raise SettingsError(
            f"Port {settings.query_port} (SPANDECK_QUERY_PORT) on {settings.host} cannot be bound: {error.strerror}. "
            "Stop the other program or set SPANDECK_QUERY_PORT to a free port."
        ) from error
    _stop_on_signals(tail)
    threading.Thread(target=server.serve_forever, name="queries", daemon=True).start()
    try:
        tail.run()
    except duckdb.FatalException as error:
        print(f"The database must be opened anew: {error}", file=sys.stderr)
        return EXIT_FATAL_DATABASE
    server.shutdown()
    connection.close()
    return 0


@contextmanager
def _own_file(path: Path) -> Iterator[None]:
    """What is wrong with a file of the user's, as `SettingsError`."""
    try:
        yield
    except (PriceFileError, BudgetFileError, OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be used: {error} Mend it, or move it away.") from error


def _stop_on_signals(tail: Tail) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: tail.stop())
    if os.environ.get("SPANDECK_SUPERVISED") == "1":
        threading.Thread(target=_stop_at_end_of_stdin, args=(tail,), daemon=True).start()


def _stop_at_end_of_stdin(tail: Tail) -> None:
    sys.stdin.read()
    tail.stop()


if __name__ == "__main__":
    sys.exit(main())
