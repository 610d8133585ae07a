"""A file of before version 7 becomes what a new one is, and what it had priced keeps its cost and its price."""

from pathlib import Path

import duckdb
import pytest

from spandeck_collector.store.prices import load_prices
from spandeck_schema import catalog

from . import otlp
from .sandbox import Sandbox

pytestmark = pytest.mark.integration

TABLES = ("spans", "calls", "prices", "price_models", "own_prices", "budgets")
OLD = """
drop table store.prices;
drop table store.price_models;
drop table store.own_prices;
drop table store.budgets;
alter table store.spans drop column service_tier;
alter table store.calls drop column service_tier;
create table store.price_models (provider varchar not null, model varchar not null, price_model varchar);
create table store.prices (
    price_id varchar not null, price_model varchar not null, valid_from timestamp not null, valid_to timestamp not null,
    from_input_tokens bigint not null, to_input_tokens bigint not null, input_usd_per_mtok double,
    output_usd_per_mtok double, cache_read_usd_per_mtok double, cache_write_usd_per_mtok double,
    source varchar not null
);
insert into store.price_models values ('openai', 'gpt-4o', 'openai/gpt-4o');
insert into store.prices values
    ('openai/gpt-4o@1970-01-01', 'openai/gpt-4o', '1970-01-01', '9999-01-01', 0, 4611686018427387904, 1, 2, null,
        null, 'old');
"""


def shape(connection: duckdb.DuckDBPyConnection) -> dict[str, set[tuple[str, str, str]]]:
    """Name, type and nullability of every column."""
    return {
        table: {(row[0], row[1], row[2]) for row in connection.execute(f"describe store.{table}").fetchall()}
        for table in TABLES
    }


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    text = Path(catalog.__file__).with_name("migrations").joinpath("007_money.sql").read_text(encoding="utf-8")
    for statement in text.split(";"):
        if statement.strip():
            connection.execute(statement)


def test_the_tables_become_those_of_a_new_file_and_prices_stay(tmp_path: Path) -> None:
    store = Sandbox(tmp_path)
    wanted = shape(store.connection)
    for statement in OLD.split(";"):
        if statement.strip():
            store.connection.execute(statement)
    migrate(store.connection)
    assert shape(store.connection) == wanted
    store.restart()
    load_prices(store.connection)
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 1_000_000,
        "gen_ai.usage.output_tokens": 0,
    }
    store.spans({"trace": 1, "id": 1, "attributes": attributes})
    row = store.row("select cost_usd, price_id from llm_calls where trace_id = ?", [otlp.trace_id(1)])
    assert row == {"cost_usd": 1.0, "price_id": "openai/gpt-4o@1970-01-01"}, "it began to arrive before the upgrade"
    sql = "select price_usd, is_present from prices where price_id = ? and bucket = 'input'"
    assert store.row(sql, [row["price_id"]]) == {"price_usd": 1.0, "is_present": False}
    store.connection.close()
