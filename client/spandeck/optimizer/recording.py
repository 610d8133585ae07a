"""What the optimizer decided, as attributes of the span that is open: a request, a model call or a tool call."""

from collections.abc import Mapping

from spandeck.attributes import logger
from spandeck.scope import ambient


def record(values: Mapping[str, object]) -> None:
    """Set attributes on the innermost open scope of this thread or task; without one, nothing. None is unknown.

    Raises nothing.
    """
    try:
        _, scope = ambient()
        if scope is not None:
            for name, value in values.items():
                scope.set_attribute(name, value)
    except Exception:
        logger.debug("a decision of the optimizer was not recorded", exc_info=True)
