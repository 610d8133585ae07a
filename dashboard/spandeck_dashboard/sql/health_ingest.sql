-- grain: a service and signal with what was received, stored and refused of it, latest first
-- params: now
select
    coalesce(service, if(refused_count > 0, 'refused before it was read', 'unnamed service')) as service,
    signal,
    received_count,
    stored_count,
    duplicate_count,
    refused_count,
    epoch(cast($now as timestamp)) - epoch(last_received_at) as last_received_age_s,
    last_refusal_reason,
    epoch(cast($now as timestamp)) - epoch(last_refused_at) as last_refused_age_s
from ingest_health
order by last_received_at desc nulls last, service asc, signal asc
limit 200
