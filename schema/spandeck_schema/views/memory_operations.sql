-- grain: one access to an agent's memory
create or replace view main.memory_operations as
select
    trace_id,
    span_id,
    service,
    agent_name,
    session_id,
    started_at,
    duration_ms,
    operation,
    memory_tier as tier,
    store.to_text(attributes['gen_ai.memory.store.name']) as memory_store,
    store.to_count(attributes['spandeck.memory.hit_count']) as hit_count,
    status,
    error_type,
    error_message
from store.spans
where kind = 'memory';
