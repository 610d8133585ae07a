"""One `spandeck up` for one data folder: a lock that lives as long as any of its processes."""

from __future__ import annotations

import fcntl
import os
import stat
import time
from pathlib import Path

from spandeck_collector.setting_values import SettingsError

LOCK_FILE = "supervisor.lock"
_LAST_ONES_END_WITHIN_S = 15.0
_LOOK_S = 0.1


def keep_files_private() -> None:
    """From now on what this process and its children create is for this user alone, whatever library does it."""
    os.umask(0o077)


class DataFolder:
    """The lock on a data folder; `descriptor` is handed to child processes, which then hold it too."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor: int | None = None

    def claim(self) -> None:
        """Create the folder and lock it; nothing happens when it is ours already.

        The folder is closed to other users, also one that was there before, if it belongs to this user.

        The processes of a killed supervisor are given time to end. Raises `SettingsError` with the folder and
        the process that has it, or the reason why it cannot be written.
        """
        if self.descriptor is not None:
            return
        try:
            # `parents` would give all but the last folder the rights of the umask.
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.mkdir(exist_ok=True, mode=0o700)
            _close_to_others(self.path)
            descriptor = os.open(self.path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SettingsError(
                f"The data folder {self.path} (SPANDECK_DATA_DIR) cannot be written: {error.strerror}. "
                "Set SPANDECK_DATA_DIR to a folder of your own."
            ) from error
        try:
            self._lock(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        self.descriptor = descriptor

    def release(self) -> None:
        """Let go of the folder."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None

    def _lock(self, descriptor: int) -> None:
        deadline = time.monotonic() + _LAST_ONES_END_WITHIN_S
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = _process_id(descriptor)
                if _is_alive(owner) or time.monotonic() > deadline:
                    raise SettingsError(
                        f"The data folder {self.path} (SPANDECK_DATA_DIR) is in use by another Spandeck "
                        f"(process {owner or 'unknown'}): stop it, or set SPANDECK_DATA_DIR to another folder."
                    ) from None
                time.sleep(_LOOK_S)
            else:
                return


def _process_id(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0)
    return int(text) if text.isdigit() else None


def _is_alive(process_id: int | None) -> bool:
    if process_id is None:
        return False
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(process_id)


def _is_zombie(process_id: int) -> bool:
    """Whether the process has ended and only its parent has not looked; False where the system does not tell."""
    try:
        status = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[:1] == ["Z"]


def _close_to_others(path: Path) -> None:
    state = path.stat()
    # A folder with the sticky bit, such as /tmp, is there for all users.
    if state.st_uid == os.geteuid() and state.st_mode & 0o077 and not state.st_mode & stat.S_ISVTX:
        path.chmod(0o700)
