-- grain: one event of an outdated span
delete from store.span_events
where
    received_at >= (select min(received_at) from outdated_spans)
    and (trace_id, span_id) in (select (trace_id, span_id) from outdated_spans)
