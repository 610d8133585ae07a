-- grain: one touched trace with the session, user and architecture that any of its spans names
select
    trace_id,
    arg_min(session_id, (started_at, span_id)) as session_id,
    arg_min(user_id, (started_at, span_id)) as user_id,
    arg_min(architecture, (started_at, span_id)) as architecture,
    min(received_at) as first_received_at,
    max(received_at) as last_received_at
from trace_spans
group by trace_id
