-- grain: one trace of the incoming batch; known_since is when its first span was stored, NULL for a new trace
with touched as (
    select distinct trace_id from incoming_spans
)

select
    touched.trace_id,
    traces.first_received_at as known_since
from touched
left join store.traces on touched.trace_id = traces.trace_id
