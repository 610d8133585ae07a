-- grain: one span stored earlier that came again with a later end, or with an end at all
select
    stored_spans.trace_id,
    stored_spans.span_id,
    stored_spans.received_at
from stored_spans
semi join incoming_spans
    on
        stored_spans.trace_id = incoming_spans.trace_id
        and stored_spans.span_id = incoming_spans.span_id
        and coalesce(cast(epoch_us(stored_spans.ended_at) as ubigint) * 1000 + stored_spans.ended_rest_ns, 0)
        < incoming_spans.ended_ns
