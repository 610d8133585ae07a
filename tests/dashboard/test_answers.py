"""Answers on their way: each question goes out once, whoever asks first."""

import pandas as pd
import pytest

from spandeck_dashboard.answers import Ahead, Parameter, Question

pytestmark = pytest.mark.unit


def test_a_question_goes_out_once_while_its_answer_is_kept() -> None:
    asked: list[str] = []

    def answer(name: str, params: tuple[tuple[str, Parameter], ...]) -> pd.DataFrame:
        asked.append(name)
        return pd.DataFrame({"value": [dict(params)["x"]]})

    ahead = Ahead(answer, keep_s=60)
    first: Question = ("kpis", (("x", 1),))
    other: Question = ("kpis", (("x", 2),))
    for question in (first, other, first):
        ahead.begin(question)
    known, unknown = ahead.take(first), ahead.take(("tools", ()))
    assert known is not None
    assert known.result()["value"].tolist() == [1]
    assert unknown is None
    ahead.begin(first)
    assert ahead.take(first) is None
    ahead.clear()
    ahead.begin(first)
    again = ahead.take(first)
    assert again is not None
    assert again.result() is not None
    assert len(asked) == 3


def test_a_failure_on_its_way_comes_to_the_one_who_asks() -> None:
    def answer(name: str, params: tuple[tuple[str, Parameter], ...]) -> pd.DataFrame:
        raise ConnectionError(name)

    ahead = Ahead(answer, keep_s=60)
    ahead.begin(("kpis", ()))
    begun = ahead.take(("kpis", ()))
    assert begun is not None
    with pytest.raises(ConnectionError):
        begun.result()
