-- grain: one session
-- Calls are counted by their own session: of a call told in two traces either may name it.
create or replace view main.sessions as
with runs as (
    select
        session_id,
        min(started_at) as started_at,
        max(started_at) as last_started_at,
        max(started_at + to_microseconds(cast(coalesce(duration_ms, 0) * 1000 as bigint))) as ended_at,
        count(*) as trace_count,
        count(*) filter (where status = 'error') as failed_trace_count,
        arg_max(trace_id, started_at) as last_trace_id,
        arg_min(service, started_at) as service,
        arg_min(user_id, started_at) as user_id,
        list_sort(list_distinct(flatten(list(agent_names)))) as agent_names,
        cast(sum(retry_count) as bigint) as retry_count,
        cast(sum(step_count) as bigint) as step_count,
        cast(sum(loop_count) as bigint) as loop_count
    from main.traces
    where session_id is not null
    group by session_id
),

calls as (
    select
        session_id,
        count(*) filter (where kind = 'llm') as llm_call_count,
        count(*) filter (where kind = 'llm' and status = 'error') as failed_llm_call_count,
        count(*) filter (where kind = 'embedding') as embedding_call_count,
        count(*) filter (where kind = 'tool') as tool_call_count,
        count(*) filter (where kind = 'tool' and status = 'error') as failed_tool_call_count,
        cast(sum(input_tokens) as bigint) as input_tokens,
        cast(sum(output_tokens) as bigint) as output_tokens,
        cast(sum(cache_read_tokens) as bigint) as cache_read_tokens,
        cast(sum(cache_write_tokens) as bigint) as cache_write_tokens,
        cast(sum(reasoning_tokens) as bigint) as reasoning_tokens,
        sum(cost_usd) as cost_usd,
        count(*) filter (
            where kind != 'tool' and cost_usd is null and coalesce(input_tokens, output_tokens) is not null
        ) as unpriced_call_count,
        min(started_at) as started_at
    from store.calls
    where counted and session_id is not null
    group by session_id
)

select
    session_id,
    runs.service,
    runs.user_id,
    coalesce(runs.started_at, calls.started_at) as started_at,
    runs.last_started_at,
    epoch_us(runs.ended_at - runs.started_at) / 1000.0 as duration_ms,
    coalesce(runs.trace_count, 0) as trace_count,
    coalesce(runs.failed_trace_count, 0) as failed_trace_count,
    coalesce(calls.llm_call_count, 0) as llm_call_count,
    coalesce(calls.failed_llm_call_count, 0) as failed_llm_call_count,
    coalesce(calls.embedding_call_count, 0) as embedding_call_count,
    coalesce(calls.tool_call_count, 0) as tool_call_count,
    coalesce(calls.failed_tool_call_count, 0) as failed_tool_call_count,
    runs.retry_count,
    runs.step_count,
    runs.loop_count,
    calls.input_tokens,
    calls.output_tokens,
    calls.cache_read_tokens,
    calls.cache_write_tokens,
    calls.reasoning_tokens,
    calls.cost_usd,
    coalesce(calls.unpriced_call_count, 0) as unpriced_call_count,
    coalesce(runs.agent_names, []) as agent_names,
    runs.last_trace_id
from runs
full join calls using (session_id);
