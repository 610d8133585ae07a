"""Where the sample traces are: inside the installed package, or at the root of a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_FOLDER = "sample_traces"


class SampleFilesError(FileNotFoundError):
    """The sample traces are in neither place; the sentence names both and says what to do."""


def sample_folder() -> Path:
    """The folder with the `*.jsonl` samples. Raises `SampleFilesError` when there is none."""
    candidates = (_PACKAGE / _FOLDER, _PACKAGE.parents[1] / _FOLDER)
    for folder in candidates:
        if any(folder.glob("*.jsonl")):
            return folder
    looked = " and ".join(str(folder) for folder in candidates)
    raise SampleFilesError(
        f"The sample traces are missing (looked in {looked}): install spandeck[server] again, "
        "or run `python sample_traces/generate.py` in the checkout."
    )
