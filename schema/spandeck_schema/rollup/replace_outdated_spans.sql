-- grain: one outdated span, kept as replaced until the roll-ups know that it has gone
insert into replaced_spans by name
select stored_spans.*
from stored_spans
semi join outdated_spans using (trace_id, span_id)
