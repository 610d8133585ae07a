-- grain: one row of store.traces that the batch writes (sign 1) or deletes (sign -1)
select
    1 as sign,
    *
from settled_traces
union all by name
select
    -1 as sign,
    *
from store.traces
where
    first_received_at >= (select min(known_since) from touched_traces)
    and trace_id in (select trace_id from touched_traces where known_since is not null)
