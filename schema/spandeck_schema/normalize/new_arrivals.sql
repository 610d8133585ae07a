-- grain: one incoming span that is not stored yet; the first arrival of a resent span wins
select min(incoming_spans.arrival) as arrival
from incoming_spans
anti join stored_spans
    on
        incoming_spans.trace_id = stored_spans.trace_id
        and incoming_spans.span_id = stored_spans.span_id
group by incoming_spans.trace_id, incoming_spans.span_id
