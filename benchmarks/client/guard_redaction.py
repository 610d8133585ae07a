"""How much redaction finds of values that Faker makes in six locales, and what it takes for such in clean texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from benchmarks.client import guard_data
from benchmarks.client.figures import Figure
from benchmarks.client.guard_timing import ms_per_kb
from spandeck.guard import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT")
_VALUES_EACH = 100
_SEED = 20_260
_BOUNDS = {"EMAIL": 99.0, "SSN": 99.0, "IBAN": 99.0, "IP": 99.0, "CARD": 85.0}
_MOST_CLEAN_SPANS = 6.0
_SENTENCES = ("Please use {} for this.", "{}", "Contact: {}, thanks", "(see {})", "His entry was {}.")


def measure() -> list[Figure]:
    """Recall by kind, spans in READMEs, and the time."""
    redactor = Redactor()
    readmes = guard_data.readmes()
    spans = sum(len(redactor.redact(text).spans) for text in readmes)
    size = sum(map(len, readmes))
    return [
        *_recall(redactor),
        Figure("clean READMEs", spans / (size / 102_400), "spans/100 KB", len(readmes), _MOST_CLEAN_SPANS),
        ms_per_kb("redact, 2 KB", redactor.redact, guard_data.chunks(readmes)),
    ]


def _recall(redactor: Redactor) -> Iterator[Figure]:
    """A value counts as found where spans of its kind cover all of it."""
    for kind, values in _values().items():
        found = 0
        for place, value in enumerate(values):
            before, _, after = _SENTENCES[place % len(_SENTENCES)].partition("{}")
            spans = redactor.redact(before + value + after).spans
            start, end = len(before), len(before) + len(value)
            found += any(span.kind == kind and span.start <= start and span.end >= end for span in spans)
        yield Figure(f"recall, Faker, {kind}", 100 * found / len(values), "%", len(values), _BOUNDS.get(kind), True)


def _values() -> dict[str, list[str]]:
    from faker import Faker  # type: ignore[import-not-found]  # noqa: PLC0415

    values: dict[str, list[str]] = {}
    for locale in LOCALES:
        fake: Any = Faker(locale)
        fake.seed_instance(_SEED)
        american = Faker("en_US")
        american.seed_instance(_SEED + len(locale) + LOCALES.index(locale))
        makers: dict[str, Callable[[], str]] = {
            "EMAIL": fake.email,
            "PHONE": fake.phone_number,
            "CARD": fake.credit_card_number,
            "SSN": american.ssn,
            "IBAN": fake.iban,
        }
        for kind, make in makers.items():
            values.setdefault(kind, []).extend(make() for _ in range(_VALUES_EACH))
        half = range(_VALUES_EACH // 2)
        values.setdefault("IP", []).extend([*(fake.ipv4() for _ in half), *(fake.ipv6() for _ in half)])
    return values
