-- grain: one span of the step that the present mapping sees otherwise
with changed as (
    select * exclude (arrival)
    from new_spans
    except
    select * from replaced_spans
)

select new_spans.arrival
from new_spans
semi join changed using (trace_id, span_id)
