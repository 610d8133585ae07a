-- grain: one stored span of a linked trace
insert into stored_spans by name
select spans.* exclude (attributes, resource, links)
from store.spans
where
    spans.received_at >= (select min(known_since) from linked_traces)
    and spans.trace_id in (select trace_id from linked_traces)
