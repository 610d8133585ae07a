-- grain: one stored span of the step, as it was normalized before; columns in the order of new_spans
select * exclude (arrival)
from new_spans
where false
union all by name
select *
from stored_spans
where trace_id in (select trace_id from step_traces)
