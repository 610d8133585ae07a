"""Facts that are no spans: OpenTelemetry log records with an event name, at the span that they are about."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry.util.types import AttributeValue

from spandeck_schema import semantic_conventions as names

if TYPE_CHECKING:
    from spandeck.monitoring import Alert


@dataclass(frozen=True)
class Event:
    """One event: Unix nanoseconds, and the trace and span (integers; 0 is none) that it belongs to."""

    name: str
    at_ns: int
    trace_id: int
    span_id: int
    attributes: Mapping[str, AttributeValue]


def alert_attributes(alert: "Alert") -> dict[str, AttributeValue]:
    """The attributes of the span event `spandeck.alert`."""
    return {
        names.SPANDECK_ALERT_RULE: alert.rule,
        names.SPANDECK_ALERT_SEVERITY: alert.level,
        names.SPANDECK_ALERT_MESSAGE: alert.message,
        names.SPANDECK_ALERT_VALUE: alert.value,
        names.SPANDECK_ALERT_THRESHOLD: alert.threshold,
    }
