"""`configure`: what is given wins over the environment, and nothing global is touched."""

import random
import threading

import pytest
from opentelemetry import trace

import spandeck
from spandeck_schema import semantic_conventions as names

from .conftest import QUICK
from .sink import Sink


@pytest.mark.integration
def test_what_is_given_is_on_the_wire(sink: Sink) -> None:
    telemetry = spandeck.configure(
        sink.endpoint + "/base/",
        service_name="desk",
        service_version="1.2",
        environment="production",
        token="secret",
        resource_attributes={"team": "blue"},
    )
    telemetry.request("a").complete()
    assert telemetry.shutdown(5)
    resource = sink.span("invoke_agent a").resource
    assert resource.pop("service.instance.id")
    assert resource.pop("telemetry.sdk.version")
    assert resource == {
        "service.name": "desk",
        "service.version": "1.2",
        "deployment.environment.name": "production",
        "team": "blue",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
    }
    assert sink.paths == ["/base/v1/traces"]
    assert sink.requests[0]["Authorization"] == "Bearer secret"


@pytest.mark.integration
def test_the_environment_gives_the_defaults(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANDECK_ENDPOINT", f"{sink.endpoint}/v1/traces")
    monkeypatch.setenv("SPANDECK_INGEST_TOKEN", "from-environment")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "named-outside")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "team=red,service.version=9")
    telemetry = spandeck.configure(service_version="1.2")
    telemetry.request("a").complete()
    assert telemetry.shutdown(5)
    resource = sink.span("invoke_agent a").resource
    assert (resource["service.name"], resource["team"]) == ("named-outside", "red")
    assert resource["service.version"] == "1.2"
    assert sink.paths == ["/v1/traces"]
    assert sink.requests[0]["Authorization"] == "Bearer from-environment"


@pytest.mark.integration
def test_no_thread_before_the_first_span_and_nothing_global(sink: Sink) -> None:
    before, provider = threading.active_count(), trace.get_tracer_provider()
    telemetry = spandeck.configure(sink.endpoint, limits=QUICK)
    assert threading.active_count() == before
    assert trace.get_tracer_provider() is provider
    telemetry.request("a").complete()
    assert threading.active_count() > before
    assert telemetry.shutdown(5)


@pytest.mark.integration
def test_a_seeded_program_does_not_repeat_trace_ids(sink: Sink) -> None:
    telemetry = spandeck.configure(sink.endpoint, limits=QUICK)
    ids = set()
    for _ in range(2):
        random.seed(42)
        with telemetry.request("a") as req:
            ids.add(req.trace_id)
    assert len(ids) == 2
    telemetry.shutdown(0)


@pytest.mark.unit
@pytest.mark.parametrize("endpoint", ["localhost:4318", "ftp://host", "http://", "http://[::1", "http://h:port"])
def test_an_endpoint_that_cannot_work_is_refused_in_words(endpoint: str) -> None:
    with pytest.raises(ValueError, match=r"SPANDECK_ENDPOINT.*http://127.0.0.1:4318") as caught:
        spandeck.configure(endpoint)
    assert repr(endpoint) in str(caught.value)


@pytest.mark.unit
def test_an_unknown_architecture_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"'flat' is unknown: declare one of orchestrated, "):
        spandeck.configure(architecture="flat")  # type: ignore[arg-type]


@pytest.mark.unit
def test_attribute_names_are_unique_and_namespaced() -> None:
    constants = {name: value for name, value in vars(names).items() if name.isupper() and isinstance(value, str)}
    assert len(set(constants.values())) == len(constants)
    for name, value in constants.items():
        if name.startswith(("GEN_AI_", "SPANDECK_")):
            assert value == value.lower()
            assert value.replace(".", "_").upper() == name


@pytest.mark.unit
def test_every_public_name_exists() -> None:
    for name in spandeck.__all__:
        assert getattr(spandeck, name) is not None
    assert spandeck.__version__ != "unknown"
