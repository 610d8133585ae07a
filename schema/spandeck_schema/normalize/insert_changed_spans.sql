-- grain: one changed span of the step, beside its row from before
insert into store.spans by name
select
    new_spans.* exclude (arrival),
    spans.attributes,
    spans.resource,
    spans.links
from store.spans
inner join new_spans on spans.rowid = new_spans.arrival
where
    new_spans.arrival in (select arrival from changed_spans)
    and spans.received_at >= (select min(first_received_at) from step_traces)
    and spans.received_at <= (select max(last_received_at) from step_traces)
