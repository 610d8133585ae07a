"""From what a caller has to what OpenTelemetry takes: a value that cannot be used is unknown, never an error."""

import functools
import logging
import operator
import traceback
from collections.abc import Callable, Iterable, Mapping
from typing import Concatenate, ParamSpec, TypeVar

from opentelemetry.util.types import AttributeValue

from spandeck_schema import semantic_conventions as names

_LARGEST_INTEGER = 2**63 - 1
_CANCELLATIONS = frozenset({"CancelledError", "Cancelled", "KeyboardInterrupt"})

_Self = TypeVar("_Self")
_Parameters = ParamSpec("_Parameters")

logger = logging.getLogger("spandeck")
# With neither handlers nor propagation, warnings reach stderr and can never reach a handler that exports spans.
logger.propagate = False


def quietly(
    method: Callable[Concatenate[_Self, _Parameters], None],
) -> Callable[Concatenate[_Self, _Parameters], None]:
    """Make `method` swallow every `Exception`: telemetry must never fail the program that it watches."""

    @functools.wraps(method)
    def guarded(self: _Self, /, *arguments: _Parameters.args, **options: _Parameters.kwargs) -> None:
        try:
            method(self, *arguments, **options)
        except Exception:
            logger.debug("%s did not record", method.__qualname__, exc_info=True)

    return guarded


def text(value: object) -> str:
    """`value` as a string that UTF-8 can carry; lone surrogates become `?`."""
    string = value if type(value) is str else str(value)
    return string if string.isascii() else string.encode("utf-8", "replace").decode()


def count(value: object) -> int | None:
    """`value` as a whole number from 0 to 2^63-1 (numpy integers too), or None where it is none."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return None
    return number if 0 <= number <= _LARGEST_INTEGER else None


def attribute(value: object) -> AttributeValue:
    """`value` as an attribute: bool, int, float and str as they are, lists as tuples of text, others as text."""
    if isinstance(value, bool | float):
        return value
    if isinstance(value, int) and abs(value) <= _LARGEST_INTEGER:
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(text(item) for item in value)
    return text(value)


def known(values: Mapping[str, object]) -> dict[str, AttributeValue]:
    """The entries of `values` that are not None, ready for a span."""
    return {text(name): attribute(value) for name, value in values.items() if value is not None}


def texts(values: Iterable[object] | str | None) -> tuple[str, ...] | None:
    """One string or several as a tuple; None stays None."""
    if values is None:
        return None
    return (text(values),) if isinstance(values, str) else tuple(text(value) for value in values)


def is_cancellation(error: BaseException) -> bool:
    """True for the cancellation of asyncio, concurrent.futures or trio (by name: none is imported), and Ctrl-C."""
    return type(error).__name__ in _CANCELLATIONS


def error_type(error: BaseException) -> str:
    """The value of error.type: the class with its module, builtins without (OTel, "Recording errors")."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def message_of(error: BaseException) -> str:
    """`str(error)`, or a sentence where that itself fails."""
    try:
        return text(error)
    except Exception:
        return f"{error_type(error)} could not be shown as text"


def exception_event(error: BaseException) -> dict[str, AttributeValue]:
    """The attributes of the event "exception" (OTel, "Exceptions on spans")."""
    return {
        names.EXCEPTION_TYPE: error_type(error),
        names.EXCEPTION_MESSAGE: message_of(error),
        names.EXCEPTION_STACKTRACE: text("".join(traceback.format_exception(error))),
    }
