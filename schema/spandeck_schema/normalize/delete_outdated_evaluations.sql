-- grain: one result of an evaluation that an outdated span told of itself
delete from store.evaluations
where
    received_at >= (select min(received_at) from outdated_spans)
    and (trace_id, span_id) in (select (trace_id, span_id) from outdated_spans)
    and source != 'log'
