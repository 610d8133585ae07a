-- grain: one trace with a call that a touched trace may tell again in another scope: by its id, or by tokens and time
-- The range of time prunes each scan.
with fresh as (
    select
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
        min(started_at) - interval 10 second as since,
        max(started_at) + interval 10 second as until
    from fresh
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
select calls.trace_id
from store.calls
inner join fresh
    on
        calls.service = fresh.service
        and coalesce(calls.own_input_tokens, -1) = fresh.input_tokens
        and calls.kind = fresh.kind
        and coalesce(calls.scope, '') != fresh.scope
        and calls.started_at <= fresh.ended_at
        and calls.started_at + to_microseconds(cast(calls.duration_ms * 1000 as bigint)) >= fresh.started_at
where
    calls.started_at >= (select since from extent)
    and calls.started_at <= (select until from extent)
