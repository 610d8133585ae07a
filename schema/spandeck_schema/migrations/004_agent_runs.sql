-- grain: upgrade to version 004: runs of agents, and what guards, caches, memory and routers tell, as columns of spans
-- Older spans get these when history is normalized again; until then they are unknown.
alter table store.spans add column cache_kind varchar;
alter table store.spans add column cache_saved_usd double;
alter table store.spans add column loop_count bigint;
alter table store.spans add column memory_tier varchar;
alter table store.spans add column guard_action varchar;
alter table store.spans add column route_tier varchar;
alter table store.spans add column degraded varchar;
create table store.agent_runs (
    trace_id varchar not null,
    span_id varchar not null,
    kind varchar not null,
    called_as varchar,
    from_agent varchar,
    agent_name varchar,
    agent_id varchar,
    service varchar,
    session_id varchar,
    user_id varchar,
    started_at timestamp,
    duration_ms double,
    status varchar,
    error_type varchar,
    error_message varchar,
    loop_count bigint,
    route_tier varchar,
    degraded varchar,
    llm_call_count bigint not null,
    failed_llm_call_count bigint not null,
    tool_call_count bigint not null,
    failed_tool_call_count bigint not null,
    input_tokens bigint,
    output_tokens bigint,
    cost_usd double,
    unpriced_call_count bigint not null,
    first_received_at timestamp not null
);
