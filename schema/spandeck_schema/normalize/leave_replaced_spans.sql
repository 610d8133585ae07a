-- grain: one stored span of the step; it counts as new from here
delete from stored_spans
where trace_id in (select trace_id from step_traces)
