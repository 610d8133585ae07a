-- grain: one span stored earlier of a touched trace; arrival order lets the oldest known_since prune the scan
select spans.* exclude (attributes, resource, links)
from store.spans
where
    spans.received_at >= (select min(known_since) from touched_traces)
    and spans.trace_id in (select trace_id from touched_traces where known_since is not null)
