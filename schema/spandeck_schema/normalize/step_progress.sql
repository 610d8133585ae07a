-- grain: one row, how far normalizing is after the step; last_* are NULL when the step has no trace
with last_trace as (
    select
        arg_max(trace_id, (first_received_at, trace_id)) as last_trace_id,
        max(first_received_at) as last_received_at
    from step_traces
)

select
    count(traces.trace_id) as trace_count,
    count(traces.trace_id) filter (
        where
        last_trace.last_trace_id is null
        or traces.first_received_at < last_trace.last_received_at
        or (
            traces.first_received_at = last_trace.last_received_at
            and traces.trace_id <= last_trace.last_trace_id
        )
    ) as done_trace_count,
    any_value(last_trace.last_received_at) as last_received_at,
    any_value(last_trace.last_trace_id) as last_trace_id
from last_trace
left join store.traces on traces.last_received_at >= $since and traces.first_received_at <= $until
