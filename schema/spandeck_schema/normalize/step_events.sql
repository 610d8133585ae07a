-- grain: one stored event of a span of the step, in the order of arrival
insert into incoming_events by name
select
    incoming_spans.arrival,
    events.*
from store.span_events as events
inner join incoming_spans using (trace_id, span_id)
where
    events.received_at >= (select min(first_received_at) from step_traces)
    and events.received_at <= (select max(last_received_at) from step_traces)
order by events.rowid
