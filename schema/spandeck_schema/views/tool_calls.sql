-- grain: one tool call
create or replace view main.tool_calls as
select
    trace_id,
    span_id,
    service,
    started_at,
    duration_ms,
    tool_name,
    agent_name,
    session_id,
    status,
    error_type,
    error_message,
    cache_hit,
    attempt,
    tool_input_hash as arguments_hash
from store.calls
where counted and kind = 'tool';
