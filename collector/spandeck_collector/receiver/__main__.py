"""`python -m spandeck_collector.receiver`: exit code 0 after a stop, 2 for settings or ports that cannot work."""

from __future__ import annotations

import os
import sys

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # before grpc is loaded: its C core writes to stderr

import uvloop
from google.protobuf.internal import api_implementation

from spandeck_collector.data_folder import keep_files_private
from spandeck_collector.journal import JournalLockedError
from spandeck_collector.receiver.listeners import ListenError
from spandeck_collector.receiver.server import serve
from spandeck_collector.setting_values import SettingsError
from spandeck_collector.settings import Settings

_USED_WRONGLY = 2


def main() -> int:
    """Run the receiver with the settings of the environment; the exit code."""
    keep_files_private()
    implementation = api_implementation.Type()
    if implementation != "upb":
        return _complain(
            f"protobuf runs its {implementation} implementation, which hostile input can stop: install its "
            "binary wheel, and unset PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION."
        )
    try:
        uvloop.run(serve(Settings.from_environment()))
    except (SettingsError, ListenError, JournalLockedError) as error:
        return _complain(str(error))
    except OSError as error:
        return _complain(f"The data directory (SPANDECK_DATA_DIR) cannot be used: {error}.")
    return 0


def _complain(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return _USED_WRONGLY


if __name__ == "__main__":
    sys.exit(main())
