"""The two forms of an answer: an Arrow stream, or JSON in which every value has one spelling."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.waiting import eventually
from tests.support.web import JSON

from .store_fixtures import (
    ARROW,
    Store,
    append,
    arrow_table,
    journal,
    query,
    running_store,
    trace_request,
)

pytestmark = pytest.mark.integration

VALUES: list[tuple[str, Any]] = [
    ("null", None),
    ("true", True),
    ("42::tinyint", 42),
    ("170141183460469231731687303715884105727::hugeint", 170141183460469231731687303715884105727),
    ("340282366920938463463374607431768211455::uhugeint", 340282366920938463463374607431768211455),
    ("18446744073709551615::ubigint", 18446744073709551615),
    ("1.50::decimal(5, 2)", 1.5),
    ("3.00::decimal(5, 2)", 3),
    ("0.1::double", 0.1),
    ("'nan'::double", None),
    ("'inf'::double", None),
    ("'-inf'::float", None),
    ("['nan'::double, 1.5]", [None, 1.5]),
    ("'é\"\\'", 'é"\\'),
    ("timestamp '2026-05-04 12:00:00.25'", "2026-05-04T12:00:00.250000Z"),
    ("timestamp '2026-05-04 12:00:00'", "2026-05-04T12:00:00Z"),
    ("timestamptz '2026-05-04 12:00:00+02'", "2026-05-04T10:00:00Z"),
    ("[timestamptz '2026-05-04 12:00:00+02']", ["2026-05-04T10:00:00Z"]),
    ("date '2026-05-04'", "2026-05-04"),
    ("time '12:30:00'", "12:30:00"),
    ("interval 90 seconds", "PT90.000000S"),
    ("[1, null]", [1, None]),
    ("[]", []),
    ("{'a': 1, 'b': [date '2026-05-04']}", {"a": 1, "b": ["2026-05-04"]}),
    ("map {'k': 'v', 'n': null}", {"k": "v", "n": None}),
    ("map {1: 2.5}", {"1": 2.5}),
    ("map {}", {}),
    ("'\\x00\\xFF'::blob", "AP8="),
    ("uuid '00000000-0000-0000-0000-000000000001'", "00000000-0000-0000-0000-000000000001"),
    ("'b'::enum('a', 'b')", "b"),
    ("sum(x) from range(3) t(x)", 3),
    ("count(*) from spans", 3),
]
PARAMS: list[tuple[str, list[Any], Any]] = [
    ("?", [1], 1),
    ("?", [1.5], 1.5),
    ("?", ["it's; -- text"], "it's; -- text"),
    ("?", [None], None),
    ("?", [True], True),
    ("? + ?", [1, 2], 3),
    ("len(?)", [[1, 2]], 2),
    ("?::timestamp", ["2026-05-04T12:00:00"], "2026-05-04T12:00:00Z"),
    ("count(*) from spans where span_id in (select unnest(?))", [["0000000000000001", "x"]], 1),
    ("count(*) from spans where service = ?", ["shop"], 3),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with three spans."""
    directory = tmp_path_factory.mktemp("answers")
    with journal(directory) as writer:
        append(writer, trace_request([1, 2, 3], note='<b>"é"</b>'))
    with running_store(directory) as store:
        eventually(lambda: store.rows("select count(*) from spans") == [[3]])
        yield store


@pytest.mark.parametrize(("expression", "value"), VALUES, ids=[expression for expression, _ in VALUES])
def test_json_spells_every_type_one_way(expression: str, value: Any, store: Store) -> None:
    ((found,),) = store.rows(f"select {expression}")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(("expression", "params", "value"), PARAMS, ids=[str(case[:2]) for case in PARAMS])
def test_params_bind_question_marks(expression: str, params: list[Any], value: Any, store: Store) -> None:
    assert store.rows(f"select {expression}", params) == [[value]]


def test_json_has_columns_and_rows(store: Store) -> None:
    status, headers, body = query(store.port, "select 1 as a, 'x' as \"b é\" union all select 2, 'y' order by a")
    assert status == 200
    assert headers["Content-Type"] == JSON
    assert json.loads(body) == {"columns": ["a", "b é"], "rows": [[1, "x"], [2, "y"]]}


@pytest.mark.parametrize("accept", ["*/*", "", ARROW])
def test_arrow_is_the_default(accept: str, store: Store) -> None:
    status, headers, body = query(store.port, "select * from spans order by span_id", accept=accept)
    assert (status, headers["Content-Type"]) == (200, ARROW)
    table = arrow_table(body)
    assert table.num_rows == 3
    assert table.column("trace_id").to_pylist()[0] == f"{1:032x}"
    assert dict(table.column("attributes").to_pylist()[0])["note"] == '<b>"é"</b>'
    assert table.schema.field("started_at").type == "timestamp[us]"


@pytest.mark.parametrize("accept", [JSON, ARROW])
def test_no_rows_still_have_columns(accept: str, store: Store) -> None:
    _, _, body = query(store.port, "select trace_id, cost_usd from spans where false", accept=accept)
    if accept == JSON:
        assert json.loads(body) == {"columns": ["trace_id", "cost_usd"], "rows": []}
    else:
        assert arrow_table(body).schema.names == ["trace_id", "cost_usd"]


def test_both_forms_hold_the_same_rows(store: Store) -> None:
    sql = "select span_id, name, duration_ms, had_exception, flags from spans order by span_id"
    table = arrow_table(query(store.port, sql, accept=ARROW)[2])
    assert store.rows(sql) == [list(row.values()) for row in table.to_pylist()]


def test_errors_are_json_whatever_is_accepted(store: Store) -> None:
    status, headers, body = query(store.port, "from store.spans", accept=ARROW)
    assert (status, headers["Content-Type"]) == (403, JSON)
    assert set(json.loads(body)) == {"error"}
