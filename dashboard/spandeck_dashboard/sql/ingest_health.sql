-- grain: one row: what was received, stored and refused so far, and why something was last refused
-- params: now
select
    cast(coalesce(sum(received_count), 0) as bigint) as received_count,
    cast(coalesce(sum(stored_count), 0) as bigint) as stored_count,
    cast(coalesce(sum(refused_count), 0) as bigint) as refused_count,
    epoch(cast($now as timestamp)) - epoch(max(last_received_at)) as last_received_age_s,
    arg_max(refusal_reason, last_refused_at) as last_refusal_reason,
    epoch(cast($now as timestamp)) - epoch(max(last_refused_at)) as last_refused_age_s
from ingest_health
