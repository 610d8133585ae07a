"""The OpenTelemetry SDK as Spandeck uses it: its own provider, ids, limits and resource, nothing global."""

# Its fork handlers must be there before a provider's: the SDK's handler uses a thread pool in the forked child, and
# hangs for ever where the pool's locks are not renewed by then.
import concurrent.futures.thread  # noqa: F401
import random
import uuid
from collections.abc import Mapping

from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.sdk.version import __version__ as sdk_version

from spandeck.attributes import known
from spandeck.delivery import Delivery
from spandeck.forking import after_fork_in_child
from spandeck.limits import Limits
from spandeck.transport import HttpTransport
from spandeck_schema import semantic_conventions as names

ATTRIBUTE_LIMIT_CHARACTERS = 65_536


def delivery(endpoint: str, token: str | None, limits: Limits, resource: Resource) -> Delivery:
    """A delivery to `endpoint` that has not started yet; raises `ValueError` for a bad endpoint."""
    return Delivery(HttpTransport(endpoint, token), limits, resource)


def provider(processor: Delivery, resource: Resource) -> TracerProvider:
    """A tracer provider that keeps every span and hands it to `processor`."""
    made = TracerProvider(
        sampler=ALWAYS_ON,
        resource=resource,
        shutdown_on_exit=False,
        id_generator=_OwnIdGenerator(),
        span_limits=SpanLimits(max_attribute_length=ATTRIBUTE_LIMIT_CHARACTERS),
    )
    made.add_span_processor(processor)
    return made


class _OwnIdGenerator(RandomIdGenerator):
    """Ids from a generator that the operating system seeds: a program that seeds `random` must not repeat its ids.

    A forked child seeds anew. Asking the operating system for each id would take most of the time of a span.
    """

    def __init__(self) -> None:
        self._seed()
        after_fork_in_child(self._seed)

    def generate_span_id(self) -> int:
        return self._random.getrandbits(64) or self.generate_span_id()

    def generate_trace_id(self) -> int:
        return self._random.getrandbits(128) or self.generate_trace_id()

    def _seed(self) -> None:
        self._random = random.Random()


def resource(given: Mapping[str, object]) -> Resource:
    """The SDK's own words, then the environment's, then what was given (None is unknown).

    No detector runs: some take seconds.
    """
    base = {
        names.TELEMETRY_SDK_LANGUAGE: "python",
        names.TELEMETRY_SDK_NAME: "opentelemetry",
        names.TELEMETRY_SDK_VERSION: sdk_version,
        names.SERVICE_INSTANCE_ID: str(uuid.uuid4()),
        names.SERVICE_NAME: "unknown_service:python",
    }
    return Resource(base).merge(OTELResourceDetector().detect()).merge(Resource(known(given)))
