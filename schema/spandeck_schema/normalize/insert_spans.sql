-- grain: one new span
insert into store.spans by name
select
    new_spans.* exclude (arrival),
    incoming_spans.attributes,
    incoming_spans.resource,
    incoming_spans.links
from new_spans
inner join incoming_spans using (arrival)
