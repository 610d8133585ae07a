"""How the public views are run: a join that compares every row with every row would stop at some thousand spans."""

import pytest

from spandeck_schema import catalog
from tests.support.stack import Stack

pytestmark = pytest.mark.integration

_QUADRATIC = ("NL_JOIN", "NESTED_LOOP", "CROSS_PRODUCT", "PIECEWISE_MERGE", "IE_JOIN")

_SMALL_SIDE = {"budgets": "a budget or two beside the calls", "storage_health": "one row beside one row"}
"""Views where one side of such a join does not grow."""

_RELATIONS = (
    *(view.name for view in catalog.views() if view.name not in _SMALL_SIDE),
    *(f"{macro.name}('2026-05-04', '2026-05-05')" for macro in catalog.ranges()),
)


@pytest.mark.parametrize("relation", _RELATIONS)
def test_view_joins_by_hash(stack: Stack, relation: str) -> None:
    plan = str(stack.records(f"explain select * from {relation}"))
    assert [operator for operator in _QUADRATIC if operator in plan] == []
