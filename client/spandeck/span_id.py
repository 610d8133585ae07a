"""Which span something is about: the two ids of OpenTelemetry."""

from dataclasses import dataclass

from opentelemetry.trace import SpanContext, TraceFlags


@dataclass(frozen=True)
class SpanId:
    """A span by its ids as integers."""

    trace_id: int
    span_id: int

    @classmethod
    def from_hex(cls, trace_id: str, span_id: str) -> "SpanId":
        """From 32 and 16 hex digits; raises `ValueError` for anything else."""
        if len(trace_id) != 32 or len(span_id) != 16:
            raise ValueError(
                f"Trace id {trace_id!r} and span id {span_id!r} must be 32 and 16 hex digits: "
                "take them from `Request.trace_id` and `.span_id`."
            )
        return cls(int(trace_id, 16), int(span_id, 16))

    def context(self) -> SpanContext:
        """As what OpenTelemetry links to."""
        return SpanContext(self.trace_id, self.span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
