-- grain: one row: the traces that started just before and just after a trace, within the filters
-- params: trace, service, agent
with
this as (
    select
        started_at,
        trace_id
    from traces where trace_id = cast($trace as varchar)
),

others as (
    select
        started_at,
        trace_id
    from traces
    where
        service is not distinct from coalesce($service, service)
        and ($agent is null or list_contains(agent_names, $agent))
)

select
    (
        select arg_max(others.trace_id, (others.started_at, others.trace_id))
        from others, this
        where (others.started_at, others.trace_id) < (this.started_at, this.trace_id)
    ) as previous_trace_id,
    (
        select arg_min(others.trace_id, (others.started_at, others.trace_id))
        from others, this
        where (others.started_at, others.trace_id) > (this.started_at, this.trace_id)
    ) as next_trace_id
