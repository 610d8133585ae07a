-- grain: one stored span of the step, as it arrived; arrival is its row in store.spans
select
    spans.rowid as arrival,
    spans.trace_id,
    spans.span_id,
    spans.parent_span_id,
    spans.scope,
    spans.scope_version,
    spans.name,
    spans.otel_kind,
    case
        when not list_contains(spans.flags, 'no_start')
            then cast(epoch_us(spans.started_at) as ubigint) * 1000 + spans.started_rest_ns
        -- Of a start that was never set it matters only whether the end came before it.
        when list_contains(spans.flags, 'clock_skew')
            then cast(epoch_us(spans.ended_at) as ubigint) * 1000 + spans.ended_rest_ns + 1
        else 0
    end as started_ns,
    coalesce(cast(epoch_us(spans.ended_at) as ubigint) * 1000 + spans.ended_rest_ns, 0) as ended_ns,
    spans.otel_status,
    spans.status_message,
    spans.received_at,
    spans.attributes,
    spans.resource
from store.spans
where
    spans.received_at >= (select min(first_received_at) from step_traces)
    and spans.received_at <= (select max(last_received_at) from step_traces)
    and spans.trace_id in (select trace_id from step_traces)
