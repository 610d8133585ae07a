-- grain: one event of a new span
insert into store.span_events by name
select incoming_events.* exclude (arrival)
from incoming_events
semi join new_arrivals using (arrival)
