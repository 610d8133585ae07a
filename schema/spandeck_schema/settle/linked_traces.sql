-- grain: one trace stored earlier that must be settled again, because it and touched traces tell the same calls
with recursive extent as (
    select
        min(started_at) - interval 1 minute as since,
        max(started_at) + interval 1 minute as until
    from (
        select started_at from new_spans
        union all
        select started_at from stored_spans
    ) as spans
),

links as (
    select distinct
        trace_id,
        duplicate_trace_id
    from store.calls
    where
        duplicate_trace_id != trace_id
        and started_at >= (select since from extent)
        and started_at <= (select until from extent)
),

both_ways as (
    select * from links
    union all
    select
        duplicate_trace_id as trace_id,
        trace_id as duplicate_trace_id
    from links
),

reached as (
    select trace_id from touched_traces
    union
    select trace_id from near_calls
    union
    select both_ways.duplicate_trace_id as trace_id
    from reached
    inner join both_ways using (trace_id)
)

select
    traces.trace_id,
    traces.first_received_at as known_since
from store.traces
where
    traces.trace_id in (select trace_id from reached)
    and traces.trace_id not in (select trace_id from touched_traces)
