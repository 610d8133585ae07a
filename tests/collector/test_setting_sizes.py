"""Sizes in the settings: journal segments fit the journal, and the database has enough memory."""

from pathlib import Path

import pytest

from spandeck_collector.setting_values import SettingsError
from spandeck_collector.settings import Settings

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("limit", "segment"),
    [(1 << 20, 1 << 20), (4 << 20, 1 << 20), (40 << 20, 10 << 20), (2 << 30, 64 << 20)],
    ids=["1M", "4M", "40M", "2G"],
)
def test_a_small_journal_has_small_segments(tmp_path: Path, limit: int, segment: int) -> None:
    settings = Settings.from_environment({"SPANDECK_JOURNAL_LIMIT_BYTES": str(limit)}, tmp_path)
    assert settings.journal_segment_bytes == segment
    assert Settings.from_environment(settings.environment(), tmp_path) == settings


@pytest.mark.parametrize("text", ["1MB", "127MB", "100MiB", "0.1GB", "128000KB ", "0GB"])
def test_the_database_needs_some_memory(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="at least 128MB"):
        Settings.from_environment({"SPANDECK_MEMORY_LIMIT": text}, tmp_path)


@pytest.mark.parametrize("text", ["128MB", "128000KB", "123MiB", "0.2GB", "1 tb"])
def test_enough_memory_in_any_unit(tmp_path: Path, text: str) -> None:
    assert Settings.from_environment({"SPANDECK_MEMORY_LIMIT": text}, tmp_path).memory_limit == text
