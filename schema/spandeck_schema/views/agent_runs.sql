-- grain: one run of an agent; what it spent is what its own calls spent, without those of agents that it called
create or replace view main.agent_runs as
select
    trace_id,
    span_id,
    service,
    agent_name,
    agent_id,
    from_agent as called_by,
    called_as,
    session_id,
    user_id,
    started_at,
    duration_ms,
    status,
    error_type,
    error_message,
    llm_call_count,
    failed_llm_call_count,
    tool_call_count,
    failed_tool_call_count,
    loop_count,
    input_tokens,
    output_tokens,
    cost_usd,
    unpriced_call_count,
    route_tier,
    degraded
from store.agent_runs
where kind = 'run';
