-- grain: one trace of the incoming batch; known_since is when its first span was stored, NULL for a new trace
-- No time prunes the scan of the traces: it must not build a table of them, only look each up among the touched.
with touched as materialized (
    select distinct trace_id from incoming_spans
),

known as materialized (
    select
        traces.trace_id,
        traces.first_received_at
    from store.traces
    where traces.trace_id in (select touched.trace_id from touched)
)

select
    touched.trace_id,
    known.first_received_at as known_since
from touched
left join known using (trace_id)
