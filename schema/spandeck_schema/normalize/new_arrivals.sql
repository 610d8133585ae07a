-- grain: one incoming span that is not stored yet; of a resent span the latest end wins, then the first arrival
select arg_max(incoming_spans.arrival, (incoming_spans.ended_ns, -incoming_spans.arrival)) as arrival
from incoming_spans
anti join stored_spans
    on
        incoming_spans.trace_id = stored_spans.trace_id
        and incoming_spans.span_id = stored_spans.span_id
group by incoming_spans.trace_id, incoming_spans.span_id
