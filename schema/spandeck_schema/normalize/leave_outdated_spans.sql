-- grain: one outdated span; it counts as not stored from here
delete from stored_spans
where (trace_id, span_id) in (select (trace_id, span_id) from outdated_spans)
