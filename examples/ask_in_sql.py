# ---
# jupyter: {kernelspec: {display_name: Python 3, language: python, name: python3}}
# ---
"""Ask the running store from Python: each `# %%` is a cell, for Jupyter (jupytext), VS Code, PyCharm or plain Python.

Needs `pip install 'spandeck[query]'` and a store: `spandeck up`, or `spandeck demo` for sample traces.
"""

# %% What was called, and what it cost
import spandeck

calls = spandeck.query(
    """
    select date_trunc('hour', started_at) as hour, response_model, agent_name, duration_ms, cost_usd, output_tokens
    from llm_calls
    where started_at > now()::timestamp - to_days(?)
    """,
    [7],
)
print(f"{len(calls)} calls in 7 days")

# %% p95 by model; the same numbers as on the page, because they are the same view
print(spandeck.query("select model, call_count, p95_ms from latency_by_model order by call_count desc").to_string())

# %% From here on it is a frame: cost by hour and model, one column a model
print(calls.pivot_table(index="hour", columns="response_model", values="cost_usd", aggfunc="sum").round(4).to_string())

# %% What is wrong is a sentence
try:
    spandeck.query("select nope from traces")
except spandeck.QueryError as error:
    print(error.status, str(error).splitlines()[0])
