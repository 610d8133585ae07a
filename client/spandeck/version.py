"""The version of the installed distribution."""

from importlib import metadata


def _installed_version() -> str:
    try:
        return metadata.version("spandeck")
    except metadata.PackageNotFoundError:
        return "unknown"


__version__ = _installed_version()
