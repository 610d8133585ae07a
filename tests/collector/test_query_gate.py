"""What a query may say: one SELECT or EXPLAIN over the public views, whatever its author tries."""

from collections.abc import Iterator

import duckdb
import pytest

from spandeck_schema import catalog
from tests.support.waiting import eventually

from .store_fixtures import Store, append, journal, running_store, trace_request

pytestmark = pytest.mark.integration

ALLOWED = [
    "select count(*) from spans",
    "select count(*) from main.spans",
    "from spans",
    'select "name" from "spans" -- a remark; not a statement',
    "/* a remark /* in a remark */ */ select 1",
    "with s as (select * from spans), t as (select * from s) select count(*) from t",
    "with spans as (select * from spans limit 1) select * from spans",
    "with recursive n as (select 1 as x union all select x + 1 from n where x < 5) select sum(x) from n",
    "select * from range(3)",
    "select unnest([1, 2]) as x",
    "select * from spans, lateral (select spans.name as n)",
    "select * from spans positional join traces",
    "select * from spans as s asof join traces as t on s.trace_id = t.trace_id and s.started_at >= t.started_at",
    "select k, v from (select unnest(map_keys(attributes)) as k, unnest(map_values(attributes)) as v from spans)",
    "from spans pivot (count(*) for kind in ('llm', 'tool') group by service)",
    "values (1), (2)",
    "select 1 union all select 2",
    "select quantile_cont(duration_ms, 0.5) from spans group by all",
    "select ?::int + ?",
    "explain select * from spans",
    "EXPLAIN ANALYZE select count(*) from spans",
    "explain (format json) select 1",
    "explain (analyze) select 1",
    "explain with x as (from spans) from x",
    "select now()",
    "from production_metrics_between(now() - interval 1 day, now())",
    "from main.production_metrics_between(since := null, until := '2026-05-05')",
    "from service_objectives_between(null, (select max(started_at) from traces))",
    "select e.target from Agent_Edges_Between(?::int::varchar || '026-01-01', null) as e where e.call_count > ?",
    "from latency_by_model_between('2026-01-01', '2026-02-01')",
    "from latency_by_operation_between('2026-01-01', now()::timestamp)",
    "select sum(call_count) from call_groups_between('2026-01-01', '2026-02-01') where kind = 'llm'",
]

READS_BEHIND_THE_VIEWS = [
    "from store.latency_between('model', '2026-01-01', '2026-02-01')",
    "from store.groups_between('2026-01-01', '2026-02-01')",
    "from latency_by_model_between((select max(started_at) from store.spans), now())",
    "select * from store.spans",
    "select * from spandeck.store.traces",
    'select * from "store"."spans"',
    "table store.spans",
    "from store.journal_position",
    "select (select max(span_id) from store.spans)",
    "select * from spans where trace_id in (table store.spans)",
    "select * from spans where exists (from store.spans)",
    "select 1 order by (select 1 from store.spans)",
    "select 1 limit (select count(*) from store.spans)",
    "select 1 from spans group by all having (select true from store.spans)",
    "select 1 qualify (select true from store.spans)",
    "select sum(1) filter (where (select true from store.spans)) from spans",
    "select sum(1) over (partition by (select 1 from store.spans)) from spans",
    "select list_transform([1], lambda x: (select count(*) from store.spans))",
    "select struct_pack(a := (select 1 from store.spans))",
    "select case when (select true from store.spans) then 1 end",
    "select spans.* replace ((select 'x' from store.spans) as kind) from spans",
    "select * from spans, lateral (select * from store.spans)",
    "select * from spans positional join store.traces",
    "select * from spans union all by name select * from store.spans",
    "select * from range((select count(*) from store.spans))",
    "values ((select max(span_id) from store.spans))",
    "with t as materialized (from store.spans) from t",
    "with recursive t as (select 1 as a union all select a from t, store.spans) from t",
    "with spans as (from store.spans) from spans",
    "select array(select span_id from store.spans)",
    "select distinct on ((select 1 from store.spans)) 1",
    "from (pivot store.spans on kind in ('llm'))",
    "from incoming_spans",
    "from temp.incoming_spans",
    "from production_metrics_between((select max(started_at) from store.traces), null)",
    "from store.production_metrics_between(null, null)",
    "from spandeck.main.production_metrics_between(null, null)",
    "from store.doctor_strays('2026-01-01'::timestamp)",
    "from doctor_strays('2026-01-01'::timestamp)",
]

READS_THE_CATALOG = [
    "select * from duckdb_settings()",
    'select * from "duckdb_settings"()',
    "select path from duckdb_databases",
    "select * from duckdb_databases()",
    "select * from main.duckdb_databases",
    "select * from system.main.duckdb_databases",
    "select * from pragma_database_list",
    "select * from pg_settings",
    "select * from pg_catalog.pg_class",
    "select * from information_schema.tables",
    "select * from sqlite_master",
    "from pragma_table_info('spans')",
    "select current_setting('temp_directory')",
    "select \"CURRENT_SETTING\"('temp_directory')",
    "select 'temp_directory'.current_setting()",
    "select pg_catalog.current_setting('temp_directory')",
    "select json_serialize_plan('select * from store.spans')",
    "select pg_get_viewdef(1)",
    "select getvariable('x')",
    "select getenv('HOME')",
    "from settings",
    "from sys",
]

HIDES_BEHIND_A_CTE = [
    "select * from duckdb_databases, (with duckdb_databases as (select 1) select * from duckdb_databases) as t",
    "with x as (select * from duckdb_databases), duckdb_databases as (select 1) select * from x",
    'with "DuckDB_Databases" as (select 1) select * from main.duckdb_databases',
    "with duckdb_databases as (select * from duckdb_databases) select * from duckdb_databases",
    "select (with pg_settings as (select 1) select count(*) from pg_settings), * from pg_settings",
    "with recursive pragma_database_list as (select 1 union all select 2) from pragma_database_list",
    "from (with sqlite_master(a) as (select 1) from sqlite_master), main.sqlite_master",
    'select * from (with "x.parquet" as (select 1) select 1), "x.parquet"',
    'with recursive "/data/export/x.csv" as (select 1) select * from "/data/export/x.csv"',
]

TOUCHES_FILES = [
    "from read_text('/etc/passwd')",
    "from read_csv('/etc/passwd')",
    "from read_blob('/etc/passwd')",
    "from read_parquet('x.parquet')",
    "from parquet_metadata('x.parquet')",
    "from sniff_csv('/etc/passwd')",
    "from glob('/*')",
    "select * from '/etc/passwd'",
    "select * from 'x.csv'",
    'select * from "/etc/passwd"',
    "select * from 'http://127.0.0.1:1/x.parquet'",
    "copy (select 1) to '/tmp/spandeck-hostile.csv'",
    "copy spans from '/etc/passwd'",
    "export database '/tmp/spandeck-hostile'",
    "import database '/tmp/spandeck-hostile'",
    "attach '/tmp/spandeck-hostile.db'",
    "attach 'backup/spandeck-hostile.db'",
    "detach spandeck",
    "copy from database spandeck to temp",
    "from read_csv('http://127.0.0.1:1/x.csv')",
    "install httpfs",
    "load httpfs",
    "create secret s (type s3)",
]

CHANGES_SOMETHING = [
    "set memory_limit = '10GB'",
    "set threads = 64",
    "set temp_directory = '/tmp'",
    "set home_directory = '/tmp'",
    "set global allowed_directories = ['/']",
    "set enable_external_access = true",
    "reset memory_limit",
    "pragma memory_limit = '10GB'",
    "pragma database_size",
    "pragma table_info('spans')",
    "call enable_logging(storage = 'file', storage_config = {'path': '/tmp/spandeck-hostile'})",
    "select * from enable_logging(storage = 'file')",
    "call checkpoint()",
    "checkpoint",
    "force checkpoint",
    "vacuum",
    "insert into spans values (1)",
    "insert into store.about values (1, '', '')",
    "delete from store.spans",
    "update store.spans set name = ''",
    "merge into store.spans using (select 1) on true when matched then delete",
    "create table x as select 1",
    "create temp table x as select 1",
    "create or replace view spans as select 1",
    "create macro f() as 1",
    "alter view spans rename to y",
    "drop view spans",
    "comment on view spans is 'x'",
    "use store",
    "begin",
    "commit",
    "prepare p as select 1",
    "execute insert_spans",
    "deallocate insert_spans",
    "pivot spans on kind using count(*)",
    "select nextval('s')",
    "select setseed(0.5)",
    "select write_log('x')",
    "select sleep_ms(1)",
    "select pg_sleep(1)",
    "select store.to_text('x')",
    "select query from query('select 1')",
    "from query_table('spans')",
    "from json_execute_serialized_sql(json_serialize_sql('from store.spans'))",
    "describe spans",
    "from (describe spans)",
    "summarize spans",
    "show tables",
    "show all tables",
    "from (show tables)",
]

EXPLAINS_SOMETHING_ELSE = [
    "explain insert into store.about values (1, '', '')",
    "explain analyze create temp table x (a int)",
    "explain analyze select * from store.spans",
    "explain (format json) select * from store.spans",
    "explain (analyze, format json) select * from store.spans",
    "explain (select * from store.spans) union select 1",
    "explain explain select 1",
    "explain describe spans",
    "explain pragma database_size",
    # Read by a regular expression, these two explain `select 1`; DuckDB reads nested comments and a bare CR otherwise.
    "/* /* */ explain select 1 -- */ */ explain select * from store.spans",
    "--\rexplain select * from store.spans /*\nexplain select 1 --*/",
    "explain /* */ analyze select * from store.spans",
    "explain\u00a0analyze select * from store.spans",
]

NOT_ONE_STATEMENT = [
    "select 1; select 2",
    "select 1; drop view spans",
    "",
    ";",
    "-- nothing",
    "explain select 1; select 2",
]

BAD_SQL = [
    "selec 1",
    "select * from",
    "select nope from spans",
    "select * from nope",
    "select 'x'::int",
    "select error('boom')",
    "select \x00",
    "select 1\x00 from store.spans",
    "select " + "+".join(["1"] * 900),
    "select " + "(" * 100_000 + "1",
    "select ?",
    "select $name",
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with three spans."""
    directory = tmp_path_factory.mktemp("gate")
    with journal(directory) as writer:
        append(writer, trace_request([1, 2, 3]))
    with running_store(directory) as store:
        eventually(lambda: store.rows("select count(*) from spans") == [[3]])
        yield store


@pytest.mark.parametrize("sql", ALLOWED)
def test_a_query_over_the_views_is_answered(sql: str, store: Store) -> None:
    store.rows(sql, [1, 2] if "?" in sql else [])


def test_every_public_range_can_be_read(store: Store) -> None:
    for macro in catalog.ranges():
        store.rows(f"select * from {macro.name}(?, ?)", ["2026-01-01", "2027-01-01"])


@pytest.mark.parametrize("view", [view.name for view in catalog.views()])
def test_every_public_view_can_be_read(view: str, store: Store) -> None:
    store.rows(f"select * from {view}")
    store.rows(f"select * from {view.upper()}")


@pytest.mark.parametrize(
    "sql",
    [
        *READS_BEHIND_THE_VIEWS,
        *READS_THE_CATALOG,
        *HIDES_BEHIND_A_CTE,
        *TOUCHES_FILES,
        *CHANGES_SOMETHING,
        *EXPLAINS_SOMETHING_ELSE,
    ],
)
def test_a_hostile_statement_is_refused(sql: str, store: Store) -> None:
    status, sentence = store.refusal(sql)
    assert status in {400, 403}
    assert str(store.directory) not in sentence


@pytest.mark.parametrize("sql", NOT_ONE_STATEMENT)
def test_one_statement_at_a_time(sql: str, store: Store) -> None:
    status, sentence = store.refusal(sql)
    assert (status, sentence[:20]) == (400, "Send one statement, ")


@pytest.mark.parametrize("sql", BAD_SQL, ids=lambda sql: sql[:20])
def test_bad_sql_is_400_with_a_sentence(sql: str, store: Store) -> None:
    status, sentence = store.refusal(sql)
    assert status == 400
    assert sentence


def test_bad_sql_tells_the_position(store: Store) -> None:
    assert "LINE 2" in store.refusal("select 1,\n nope from spans")[1]


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ("delete from store.spans", "Only SELECT and EXPLAIN may be run here, not DELETE."),
        ("from store.spans", "store.spans may not be read: only the public views may, by their plain names."),
        ("from read_text('x')", "The table function 'read_text' may not be used: allowed are"),
        ("from 'x.csv'", "'x.csv' may not be read: files and addresses are closed to queries."),
        ("select current_setting('threads')", "The function 'current_setting' may not be used in a query."),
        ("with pg_class as (select 1) from pg_class", "A CTE may not be called 'pg_class'"),
    ],
)
def test_a_refusal_names_the_rule(sql: str, rule: str, store: Store) -> None:
    status, sentence = store.refusal(sql)
    assert status == 403
    assert sentence.startswith(rule)


@pytest.mark.parametrize("name", ["export/x.parquet", "export/x.csv", "backup/x.duckdb"])
def test_no_cte_opens_an_export_or_a_backup(name: str, store: Store) -> None:
    path = store.directory / name
    path.parent.mkdir(exist_ok=True)
    with duckdb.connect(str(path) if path.suffix == ".duckdb" else ":memory:") as connection:
        connection.execute("create table hidden as select 42 as answer")
        if path.suffix != ".duckdb":
            connection.execute(f"copy hidden to '{path}'")
    status, sentence = store.refusal(f'select * from (with "{path}" as (select 1) select 1), "{path}"')
    assert (status, "A CTE may not be called" in sentence) == (403, True)


def test_a_store_that_was_attacked_still_answers_and_holds_what_it_held(store: Store) -> None:
    assert store.rows("select count(*) from spans") == [[3]]
    assert store.process.poll() is None
