-- grain: one agent and what it called in one way (kind), by service and architecture, over traces of since to until
create or replace macro main.agent_edges_between(since, until) as table
    with runs as (
        select
            trace_id,
            service,
            architecture
        from main.traces
        where
            started_at >= coalesce(cast(since as timestamp), '-infinity')
            and started_at < coalesce(cast(until as timestamp), 'infinity')
    ),

    -- Nothing of a trace is before its start.
    edges as (
        select
            trace_id,
            called_as as kind,
            from_agent,
            agent_name as target,
            duration_ms,
            status,
            cost_usd
        from store.agent_runs
        where called_as is not null and started_at >= coalesce(cast(since as timestamp), '-infinity')
        union all
        select
            trace_id,
            'tool' as kind,
            agent_name as from_agent,
            tool_name as target,
            duration_ms,
            status,
            cast(null as double) as cost_usd
        from store.calls
        where counted and calls.kind = 'tool' and started_at >= coalesce(cast(since as timestamp), '-infinity')
    )

    select
        runs.service,
        runs.architecture,
        edges.kind,
        edges.from_agent,
        edges.target,
        count(distinct edges.trace_id) as trace_count,
        count(*) as call_count,
        count(*) filter (where edges.status = 'error') as error_count,
        quantile_cont(edges.duration_ms, 0.50) as p50_ms,
        quantile_cont(edges.duration_ms, 0.95) as p95_ms,
        sum(edges.cost_usd) as cost_usd
    from edges
    inner join runs on edges.trace_id = runs.trace_id
    group by all;
