"""Files of rules: those of this package, and what a text in TOML says."""

from typing import Any


def packaged(name: str) -> dict[str, Any]:
    """The file `name` of this package, parsed."""
    # Not at the top, here and below: most programs import the guard and never read a file of rules.
    from importlib import resources  # noqa: PLC0415

    return parsed(resources.files("spandeck.guard").joinpath(name).read_text(encoding="utf-8"))


def parsed(text: str) -> dict[str, Any]:
    """`text` as TOML. Raises `ValueError` (`tomllib.TOMLDecodeError`) where it is none."""
    import tomllib  # noqa: PLC0415

    return tomllib.loads(text)
