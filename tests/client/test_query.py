"""`spandeck.query`: a frame from a real store, and a sentence for what goes wrong."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import spandeck
from tests.collector.store_fixtures import Store, append, journal, running_store, trace_request
from tests.support.site import clean_environment, free_ports
from tests.support.waiting import DEADLINE_S, eventually

pytestmark = pytest.mark.integration

EXAMPLE = Path(__file__).parents[2] / "examples" / "ask_in_sql.py"
TOKEN = "re4d"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """With three calls, which demands a token."""
    directory = tmp_path_factory.mktemp("query")
    with journal(directory) as writer, running_store(directory, read_token=TOKEN) as store:
        attributes: dict[str, int | str] = {"gen_ai.response.model": "m-1", "gen_ai.usage.input_tokens": 7}
        append(writer, trace_request([1, 2, 3], "shop", **attributes))
        eventually(lambda: len(ask(store, "from spans")) == 3)
        yield store


def ask(store: Store, sql: str, *params: object) -> pd.DataFrame:
    return spandeck.query(sql, params, url=f"http://127.0.0.1:{store.port}", token=TOKEN)


def test_types_are_kept_and_unknown_is_na(store: Store) -> None:
    frame = ask(
        store,
        "select span_id, started_at, duration_ms, input_tokens, output_tokens, streamed, attributes, ? + 1 as n "
        "from spans order by span_id",
        41,
    )
    assert frame["span_id"].tolist() == [f"{number:016x}" for number in (1, 2, 3)]
    assert frame["input_tokens"].sum() == 21
    assert frame["input_tokens"].dtype == pd.Int64Dtype()
    assert frame["output_tokens"].isna().all()
    assert frame["output_tokens"].dtype == pd.Int64Dtype()
    assert frame["started_at"].dt.year.tolist() == [2026] * 3
    assert frame["attributes"][0]["gen_ai.operation.name"] == "chat"
    assert frame["n"].tolist() == [42] * 3


def test_large_counts_stay_whole_beside_unknown_ones(store: Store) -> None:
    frame = ask(store, "select unnest([9007199254740993, null]) as n")
    assert frame["n"][0] == 9_007_199_254_740_993
    assert frame["n"][1] is pd.NA


@pytest.mark.parametrize(
    ("sql", "status", "word"),
    [
        ("select nope from spans", 400, "nope"),
        ("drop view spans", 403, "Only SELECT"),
        ("select 1; select 2", 400, "one"),
    ],
)
def test_a_refusal_is_the_sentence_of_the_store(sql: str, status: int, word: str, store: Store) -> None:
    with pytest.raises(spandeck.QueryError, match=word) as caught:
        ask(store, sql)
    assert caught.value.status == status


def test_a_wrong_token_is_refused(store: Store) -> None:
    with pytest.raises(spandeck.QueryError, match="SPANDECK_READ_TOKEN") as caught:
        spandeck.query("select 1", url=f"http://127.0.0.1:{store.port}", token="wrong")
    assert caught.value.status == 401


@pytest.mark.parametrize(("url", "word"), [("ftp://x", "it must be like"), ("http://127.0.0.1:1", "spandeck up")])
def test_where_nobody_answers_there_is_a_sentence(url: str, word: str) -> None:
    with pytest.raises(spandeck.QueryError, match=word) as caught:
        spandeck.query("select 1", url=url)
    assert caught.value.status is None


def test_importing_spandeck_loads_no_pandas(tmp_path: Path) -> None:
    program = "import sys, spandeck; spandeck.query; print(sorted({'pandas', 'pyarrow', 'numpy'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert result.stdout == "[]\n"


def test_the_example_runs_from_cell_to_cell(store: Store, tmp_path: Path) -> None:
    environment = free_ports() | clean_environment(query_port=store.port, read_token=TOKEN)
    result = subprocess.run(
        [sys.executable, str(EXAMPLE)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "calls in 7 days" in result.stdout
    assert "m-1" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("400 ")
