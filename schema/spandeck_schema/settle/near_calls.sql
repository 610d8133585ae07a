-- grain: one trace with a call that a touched trace may tell again in another scope: by its id, or by tokens and time
-- The range of time prunes each scan.
with fresh as (
    select
        trace_id,
        case when kind in ('llm', 'embedding') then kind else 'tool' end as kind,
        coalesce(scope, '') as scope,
        service,
        response_id,
        tool_call_id,
        coalesce(input_tokens, -1) as input_tokens,
        started_at,
        started_at + to_microseconds(cast(duration_ms * 1000 as bigint)) as ended_at
    from (
        select * exclude (arrival) from new_spans
        union all by name
        select * from stored_spans
    ) as spans
    where kind in ('llm', 'embedding') or tool_call_id is not null
),

extent as (
    select
        min(started_at) - interval 2 minute as since,
        max(greatest(ended_at, started_at)) + interval 10 second as until
    from fresh
),

-- Most services have one instrumentation: nothing to compare by time then.
mixed as (
    select
        service,
        kind
    from (
        select
            service,
            kind,
            scope
        from fresh
        where kind != 'tool'
        union
        select
            service,
            kind,
            coalesce(scope, '') as scope
        from store.calls
        where
            kind in ('llm', 'embedding')
            and started_at >= (select since from extent)
            and started_at <= (select until from extent)
    ) as scopes
    group by all
    having count(distinct scope) > 1
),

alike as (
    select
        fresh.trace_id,
        fresh.service,
        fresh.kind,
        fresh.input_tokens,
        fresh.started_at,
        fresh.ended_at,
        true as is_fresh
    from fresh
    semi join mixed using (service, kind)
    where fresh.ended_at is not null
    union all
    select
        calls.trace_id,
        calls.service,
        calls.kind,
        coalesce(calls.own_input_tokens, -1) as input_tokens,
        calls.started_at,
        calls.started_at + to_microseconds(cast(calls.duration_ms * 1000 as bigint)) as ended_at,
        false as is_fresh
    from store.calls
    semi join mixed using (service, kind)
    where
        calls.duration_ms is not null
        and calls.started_at >= (select since from extent)
        and calls.started_at <= (select until from extent)
),

-- Calls that overlap in a chain are paired in the order of their starts: one of them brings all.
chained as (
    select
        *,
        coalesce(
            started_at > max(ended_at) over (
                partition by service, kind, input_tokens
                order by started_at, trace_id
                rows between unbounded preceding and 1 preceding
            ),
            true
        ) as begins_chain
    from alike
),

numbered as (
    select
        *,
        count(*) filter (where begins_chain) over (
            partition by service, kind, input_tokens
            order by started_at, trace_id
            rows between unbounded preceding and current row
        ) as chain
    from chained
)

select calls.trace_id
from store.calls
inner join fresh
    on
        calls.response_id = fresh.response_id
        and calls.kind = fresh.kind
        and coalesce(calls.scope, '') != fresh.scope
where
    calls.started_at >= (select since from extent)
    and calls.started_at <= (select until from extent)
union
select calls.trace_id
from store.calls
inner join fresh
    on
        calls.tool_call_id = fresh.tool_call_id
        and calls.kind = fresh.kind
        and coalesce(calls.scope, '') != fresh.scope
where
    calls.started_at >= (select since from extent)
    and calls.started_at <= (select until from extent)
union
select trace_id
from numbered
qualify bool_or(is_fresh) over (partition by service, kind, input_tokens, chain)
