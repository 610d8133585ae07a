"""How fast calls are priced in SQL: `python -m benchmarks.costing [CALLS]`; fails below 200,000 calls a second.

The same join and arithmetic as settling has, over calls of many models, tiers and sizes, on one thread, in CPU time.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import duckdb

from spandeck_collector.store.database import open_database
from spandeck_collector.store.prices import load_prices, name_models

LEAST_PER_S = 200_000
_MODELS = (
    ("openai", "gpt-5"),
    ("openai", "gpt-4o-mini"),
    ("openai", "o3"),
    ("anthropic", "claude-sonnet-4-5"),
    ("anthropic", "claude-haiku-4-5"),
    ("gcp.gemini", "gemini-2.5-pro"),
    ("deepseek", "deepseek-chat"),
    ("aws.bedrock", "us.anthropic.claude-sonnet-4-20250514-v1:0"),
    ("acme", "no price"),
)
_CALLS = """
insert into store.calls by name
select
    format('{:032x}', i) as trace_id,
    format('{:016x}', i) as span_id,
    'llm' as kind,
    true as counted,
    'leaf' as reason,
    models.provider,
    models.model as response_model,
    timestamp '2026-01-01' + interval (i % 300) day + interval (i % 86400) second as started_at,
    1 + (i * 7919) % 250000 as input_tokens,
    (i * 104729) % 4000 as output_tokens,
    case when i % 3 = 0 then input_tokens // 2 end as cache_read_tokens,
    case when i % 5 = 0 then input_tokens // 4 end as cache_write_tokens,
    case when i % 10 = 0 then input_tokens // 8 end as cache_write_1h_tokens,
    case when i % 17 = 0 then 'batch' end as service_tier,
    timestamp '2026-11-01' as first_received_at
from range(?) as numbers (i)
inner join named_models as models on numbers.i % (select count(*) from named_models) = models.number
"""


def main() -> int:
    """Print calls a second; 1 below the bound."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        connection = open_database(Path(folder) / "spandeck.duckdb", "2GB")
        fill(connection, count)
        seconds = [_priced(connection) for _ in range(5)]
        connection.close()
    rate = count / median(seconds)
    print(f"{count:,} calls priced in {median(seconds):.3f} s (median of 5): {rate:,.0f} calls/s, one thread")
    return int(rate < LEAST_PER_S)


def fill(connection: duckdb.DuckDBPyConnection, count: int) -> None:
    """Store so many calls and the packaged prices."""
    load_prices(connection)
    name_models(connection, _MODELS)
    connection.execute("create temp table named_models (number bigint, provider varchar, model varchar)")
    connection.executemany(
        "insert into named_models values (?, ?, ?)", [(number, *pair) for number, pair in enumerate(_MODELS)]
    )
    connection.execute(_CALLS, [count])


def _priced(connection: duckdb.DuckDBPyConnection) -> float:
    begin = time.process_time()
    connection.execute(
        "select sum(present_cost_usd), count(present_price_id), count(*) from store.repriced_calls()"
    ).fetchall()
    return time.process_time() - begin


if __name__ == "__main__":
    sys.exit(main())
