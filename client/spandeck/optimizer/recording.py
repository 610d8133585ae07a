"""What the optimizer decided, as attributes of the span that is open: a request, a model call or a tool call."""

from collections.abc import Mapping

from spandeck.scope import ambient


def record(values: Mapping[str, object]) -> None:
    """Set attributes on the innermost open scope of this thread or task; without one, nothing. None is unknown."""
    _, scope = ambient()
    if scope is not None:
        for name, value in values.items():
            scope.set_attribute(name, value)
